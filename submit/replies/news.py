"""What there is to say of a request, in one language: the facts of it, which every channel sets in its own way.

All of it is one line a piece and shows as it is (``schema.problem.shown``); what people and programs wrote is in it, and each channel
escapes it for what it writes. The end of a run's log is for the mail to its sender alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from schema.answers import Where
from schema.problem import Problem, shown
from schema.words import text
from submit import outbox, policy, standing
from submit.budget import FIGURES
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError
from submit.ledger import Entry, Ledger
from submit.outbox import Item
from submit.replies import asker, why
from submit.replies.hearers import APPROVER, INFORMED, SENDER
from submit.standing import Standing

MOST_METRICS, MOST_PROBLEMS, LOG_LINES = 20, 20, 20
LONGEST, LONGEST_LOG_LINE = 500, 200
LARGEST_PAGE = 5 * 1024 * 1024
"""Bytes of a page that are sent along."""
WAITS = ("accepted", "queued")
"""States of a run that has a place in a queue."""
TODO = ("held", "refused", "failed", "rejected", "expired")
BEFORE_IT = """
    SELECT count(*) FROM runs AS other JOIN runs AS mine ON mine.run = ? WHERE other.engine = mine.engine
    AND other.queue = mine.queue AND other.state IN ('accepted', 'queued') AND other.rowid < mine.rowid"""
SECRET = re.compile(
    r"(?i)((?:token|secret|password|passwd|api[_-]?key|authorization)\S{0,20}\s*[=:]\s*(?:bearer\s+|basic\s+)?)\S+"
    r"|(\w://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|\b(ghp_|github_pat_|gho_|xox[abpr]-|AKIA|hf_|sk-|eyJ)[\w.-]{8,}"
)
"""What looks like a secret in a log, as programs print them: not all of it is found."""
METRICS = ("accuracy", "macro_f1", "log_loss", "r2", "mae", "rmse", "mae_of_average", "trainings")
"""Figures of our own jobs, which have a name in words."""
LIMITS = ("over_gpus", "over_hours", "over_gpu_hours", "over_month", "over_open")
"""What a rule's limits are called in entries."""
Word = Callable[[Item], str]
"""The single-use word with which an approver may answer by mail; "" where there is none."""


@dataclass(frozen=True, slots=True)
class About:
    """What is looked into for news: the desk, its ledger, and the rules as they are now, None where they cannot be read."""

    desk: Desk
    ledger: Ledger
    rules: policy.Policy | None


@dataclass(frozen=True, slots=True)
class News:
    """One request and what became of it last: ``said`` in a sentence, ``facts`` as label and value, ``metrics`` likewise; ``reason`` why,
    ``problems`` what is to be mended, ``log`` the end of its log, ``todo`` what to do now; ``decide`` are commands and ``word`` the
    single-use word for whoever may approve it. ``url`` is where it can be looked at in a browser, "" for nowhere."""

    id: str
    event: str
    language: str
    said: str
    state: str
    facts: tuple[tuple[str, str], ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    url: str = ""
    reason: str = ""
    problems: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    todo: str = ""
    decide: tuple[str, ...] = ()
    word: str = ""
    page: tuple[str, bytes] | None = None

    @property
    def line(self) -> str:
        """All of it that goes in a line of a list."""
        known = dict(self.facts)
        told = (known.get(text(name, self.language), "") for name in ("news_where", "news_who", "news_over"))
        best = ", ".join(f"{name} {value}" for name, value in self.metrics[:1])
        return "  ".join(one for one in (self.id, self.state, *told, best) if one)


def newest(items: Sequence[Item]) -> list[Item]:
    """The last event of each request, in the order in which the requests first come up."""
    found: dict[str, Item] = {}
    for one in items:
        if one.request not in found or found[one.request].seq < one.seq:
            found[one.request] = one
    return [*found.values()]


def news(desk: Desk, items: Sequence[Item], word: Word) -> list[News]:
    """What there is to say of each item; nothing is said of requests that are there no more."""
    there = standing.standings(desk, [one.request for one in items])
    with desk.ledger() as ledger:
        beside = ledger.first_beside([one.request for one in items])
        known = [
            replace(there[one.request], beside=beside.get(one.request, "")) for one in items if one.request in there
        ]
        told = [one for one in items if one.request in there]
        about = About(desk, ledger, policy.read_of(desk).policy)
        plain = [_news(about, *pair) for pair in zip(told, known, strict=True)]
    return [_with_more(desk, one, item, at, word) for one, item, at in zip(plain, told, known, strict=True)]


def _news(about: About, item: Item, at: Standing) -> News:
    language, entry = item.language, _entry(about.ledger, item)
    detail: Mapping[str, Any] = entry.detail if entry else {}
    beside = why.beside(entry)
    url = (at.run.url if at.run else "") or ""
    ended = item.event in ("done", "failed")
    return News(
        item.request,
        item.event,
        language,
        said=text("news_decided" if item.role == INFORMED else f"news_{item.event}", language, id=item.request),
        state=text(f"news_state_{item.event}", language),
        facts=tuple(_facts(about, item, at, detail)),
        metrics=tuple(_metrics(at, language)) if ended else (),
        url=url if url.startswith(("https://", "http://")) else "",
        reason=shown(
            str(beside.get("reason") or beside.get("why") or (at.result.get("reason") if ended else "") or ""), LONGEST
        ),
        problems=tuple(_problems(item, at, detail, beside)),
        todo=text(f"news_todo_{item.event}", language) if item.role == SENDER and item.event in TODO else "",
    )


def _with_more(desk: Desk, one: News, item: Item, at: Standing, word: Word) -> News:
    """What only some may hear: the approver how to decide, the sender the end of the log."""
    if item.role == APPROVER:
        commands = (f"denpyo approve {one.id}", f'denpyo reject {one.id} --why "…"')
        return replace(one, decide=commands, word=word(item))
    if item.role == SENDER and item.channel == "mail" and item.event in ("failed", "done"):
        return replace(one, log=log_end(desk, at) if item.event == "failed" else (), page=_page(desk, at))
    return one


def _entry(ledger: Ledger, item: Item) -> Entry | None:
    return next((one for one in ledger.entries(item.request, item.seq - 1) if one.seq == item.seq), None)


def _facts(about: About, item: Item, at: Standing, detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind, language = about.desk.kinds.get(at.request.kind), item.language
    yield text("news_kind", language), kind.form.title.say(language) if kind else at.request.kind
    where = " ".join(shown(one, 100) for one in (at.asked.get("source", ""), at.asked.get("where", "")) if one)
    if where:
        yield text("news_where", language), where
    if item.role != SENDER:
        yield from asker.who(about.ledger, about.rules, at, language)
    if item.event == "accepted" and at.run and at.request.state in WAITS:
        yield text("news_place", language), str(place_in_queue(about.ledger, at.run.run))
    if item.event == "held":
        yield from _held(about.ledger, item, detail)
    if item.event == "held" and item.role == APPROVER:
        yield from asker.answers(about.desk, about.ledger, at, language)
    if item.event == "superseded":
        yield text("news_next", language), shown(str(detail.get("by", "")))
    if item.event == "done" and at.result.get("passed") is not None:
        yield text("news_threshold", language), text("news_reached" if at.result["passed"] else "news_missed", language)


def _held(ledger: Ledger, item: Item, detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if found := why.over(detail, item.language):
        yield text("news_over", item.language), found
    approvers = outbox.heard(ledger, item.seq, APPROVER) if item.role == SENDER else 0
    if approvers:
        yield text("news_by", item.language), text("news_approvers", item.language, count=str(approvers))
    if detail.get("expires"):
        yield text("news_until", item.language), why.until(str(detail["expires"]))


def places_in_queue(desk: Desk, runs: Sequence[str]) -> dict[str, int]:
    """Where these runs stand in their queues, by run."""
    with desk.ledger() as ledger:
        return {run: place_in_queue(ledger, run) for run in runs}


def place_in_queue(ledger: Ledger, run: str) -> int:
    """1 for the run that is to begin next, as far as this desk knows: others may use the same queue."""
    return int(ledger.query(BEFORE_IT, (run,))[0][0]) + 1


def metric_name(name: object, language: str) -> str:
    """What a figure is called in words; what a script has measured has the name that it gave."""
    return text(f"metric_{name}", language) if name in METRICS else shown(str(name))


def _metrics(at: Standing, language: str) -> Iterator[tuple[str, str]]:
    found = at.result.get("metrics") or {}
    for name, value in [*found.items()][:MOST_METRICS]:
        if isinstance(value, int | float):
            yield metric_name(name, language), f"{value:.4g}"
    if len(found) > MOST_METRICS:
        yield "…", text("excel_marked_more", language, count=str(len(found) - MOST_METRICS))


def _problems(item: Item, at: Standing, detail: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[str]:
    """What was wrong with the answers, or with the run's; of who may not run it, which rule it was."""
    found = problems_of(beside) or (problems_of(at.result) if item.event == "failed" else ())
    yield from found
    if item.event == "refused" and not found:
        yield from _denied(item, at, detail, beside)


def problems_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The problems among what a refusal or a run's result tells, each in a line with its place."""
    lines = []
    for one in [each for each in told.get("problems") or () if isinstance(each, Mapping)][:MOST_PROBLEMS]:
        place, message = (
            shown(str(one.get("spot") or one.get("question") or ""), LONGEST_LOG_LINE),
            one.get("message", ""),
        )
        lines.append(shown(f"{place}: {message}" if place else str(message), 2 * LONGEST))
    return tuple(lines)


def _denied(item: Item, at: Standing, detail: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[str]:
    """Why the policy did not allow it, as whoever handed it in was told: what is wrong in the policy itself is for its operator alone."""
    limits = [one for one in detail.get("over") or () if one in LIMITS]
    if detail.get("reason"):
        yield " ".join(_said("no_policy", {"reason": ""}, item.language).split())
    elif not limits:
        yield text("news_denied", item.language, kind=at.request.kind, queue=shown(str(detail.get("queue", ""))))
    for one in limits:
        figures = (beside.get(FIGURES) or {}).get(one)
        yield _said(one, figures, item.language) if figures else text(f"news_limit_{one}", item.language)


def _said(code: str, facts: Mapping[str, Any], language: str) -> str:
    return Problem(code, Where(""), "", {name: str(fact) for name, fact in facts.items()}).message(language)


def log_end(desk: Desk, at: Standing) -> tuple[str, ...]:
    """The last lines of a run's log, as far as its engine answers, with what looks like a secret taken out."""
    lines: list[str] = []
    with suppress(EngineDownError, DeskError, OSError):
        lines = standing.log_end(desk, at, LOG_LINES)
    return tuple(shown(without_secrets(one), LONGEST_LOG_LINE) for one in lines)


def without_secrets(line: str) -> str:
    return SECRET.sub(lambda found: f"{found[1] or found[2] or found[3] or ''}•••", line)


def _page(desk: Desk, at: Standing) -> tuple[str, bytes] | None:
    """The page that a run on this machine has left for its requester, where a mail can carry it."""
    file = standing.summary(desk, at)
    if file is None:
        return None
    with suppress(OSError):
        if file.stat().st_size <= LARGEST_PAGE:
            return f"{at.request.id}.html", file.read_bytes()
    return None
