"""What the records of a desk come to: how many requests a day, of which kind, by which door, how they ended, how long they ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from submit.review.records import Record, result_of

GROUPS: Mapping[str, tuple[str, ...]] = {
    "good": ("done",),
    "bad": ("failed",),
    "refused": ("refused", "rejected", "expired"),
    "open": ("accepted", "held", "queued", "running", "asking"),
    "ended": ("stopped", "superseded", ""),
}
"""The ends that are told apart in the plots."""
GROUP_OF = {state: group for group, states in GROUPS.items() for state in states}
BOUNDS = (60, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
"""Seconds between the classes of run times."""
FEWEST_DAYS = 14
MOST_DAYS = 92
MOST_ERRORS = 8


@dataclass
class Figures:
    """Counts of requests; ``days``, ``kinds`` and ``doors`` by group of ends, ``errors`` by code or reason with one telling message."""

    total: int = 0
    states: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    doors: dict[str, Counter[str]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, one: Record) -> None:
        group = GROUP_OF.get(one.state, "open")
        self.total += 1
        self.states[one.state] += 1
        for counted, name in ((self.days, local(one.at)[:10]), (self.kinds, one.kind), (self.doors, one.door)):
            counted.setdefault(name, Counter())[group] += 1
        for name, message in errors(one).items():
            self.errors[name] += 1
            self.messages[name] = message or self.messages.get(name, "")
        if (took := seconds(one)) is not None:
            self.seconds.append(took)

    def in_group(self, group: str) -> int:
        return sum(self.states[state] for state in GROUPS[group])

    @property
    def done_share(self) -> float | None:
        """Of the runs that came to an end of their own, how many ended well; None where none has ended."""
        ended = self.in_group("good") + self.in_group("bad")
        return self.in_group("good") / ended if ended else None

    @property
    def refused_share(self) -> float | None:
        """Of all requests, how many were refused, rejected or expired."""
        return self.in_group("refused") / self.total if self.total else None

    @property
    def typical(self) -> float | None:
        """The median run time in seconds."""
        return median(self.seconds) if self.seconds else None

    def every_day(self) -> list[tuple[str, Counter[str]]]:
        """Each day from the first to the last, those without a request too, two weeks at least; by months where days would be too
        many."""
        known = sorted(day for day in self.days if day)
        if not known:
            return []
        first, last = date.fromisoformat(known[0]), date.fromisoformat(known[-1])
        if (last - first).days >= MOST_DAYS:
            return self._months(known)
        first = min(first, last - timedelta(days=FEWEST_DAYS - 1))
        every = [(first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1)]
        return [(day, self.days.get(day, Counter())) for day in every]

    def _months(self, known: Iterable[str]) -> list[tuple[str, Counter[str]]]:
        found: dict[str, Counter[str]] = {}
        for day in known:
            found.setdefault(day[:7], Counter()).update(self.days[day])
        return list(found.items())

    def times(self) -> list[int]:
        """How many runs took less than each of BOUNDS and not less than the one before; the last: those that took longer than all."""
        counted = Counter(sum(took >= bound for bound in BOUNDS) for took in self.seconds)
        return [counted[at] for at in range(len(BOUNDS) + 1)]

    def commonest(self) -> list[tuple[str, int, str]]:
        return [(name, count, self.messages[name]) for name, count in self.errors.most_common(MOST_ERRORS)]


def errors(one: Record) -> dict[str, str]:
    """What went wrong with a request: the codes of its refusal, or the reason its run failed; each with a message where there is one."""
    if one.state == "refused":
        told = {str(each.get("code", "")): str(each.get("message", "")) for each in one.problems}
        return {code: told.get(code, "") for code in one.codes or ("denied",)}
    if one.state == "failed" and one.run:
        result = result_of(one.run)
        return {str(result.get("code") or "failed"): str(result.get("reason") or "")}
    return {}


def seconds(one: Record) -> float | None:
    """How long the newest run took: by its own clock where it left that, else by the entries; None while it has not ended."""
    if one.state not in ("done", "failed", "stopped"):
        return None
    result: Mapping[str, Any] = one.result
    told = {each.text("action"): each.text("at") for each in one.history}
    began = result.get("started_at") or told.get("running")
    ended = result.get("ended_at") or told.get(one.state)
    try:
        took = datetime.fromisoformat(str(ended)) - datetime.fromisoformat(str(began))
    except (ValueError, TypeError):
        return None
    return max(took.total_seconds(), 0.0)


def local(at: str) -> str:
    """A moment of an entry as this machine's zone has it, to the second; "" where it is none."""
    try:
        return datetime.fromisoformat(at).astimezone().isoformat(sep=" ", timespec="seconds")[:19]
    except (ValueError, OverflowError):
        return ""
