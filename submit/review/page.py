"""``denpyo audit report``: the record of a desk as one file that fetches nothing. Whatever people wrote stays text.

The table's rows lie in the page as JSON; the cards as pieces that are unpacked when one is opened, so that many requests open quickly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from schema import words
from schema.kinds import Kind
from submit.desk import LEDGER, Desk, denpyo_version, now
from submit.ledger import LedgerDamaged, Verdict, verify
from submit.review import cards, files, stored
from submit.review.figures import GROUP_OF, GROUPS, Figures, local, seconds
from submit.review.records import Record, records
from submit.review.stored import Stored
from submit.review.wanted import Wanted

HERE = Path(__file__).parent
PREFIX = "review_"
A_PIECE = 50
"""Cards in one piece."""
FIRST = 100
"""Requests in the plain table that is there without scripts."""
AROUND = 2
KNOWN = ("ok", "entries", "root", "wrong", "unrecorded")
_NUMBER = re.compile(r"entry (-?[0-9]+)")
_REQUEST = re.compile(r"request '([^']+)'")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Damage:
    """What the verdict says is wrong: the number of the first wrong entry, and the request it names; 0 and "" where it names none."""

    entry: int = 0
    request: str = ""

    @classmethod
    def of(cls, verdict: Verdict) -> Damage:
        number, request = _NUMBER.search(verdict.wrong), _REQUEST.search(verdict.wrong)
        return cls(int(number[1]) if number else 0, request[1] if request else "")

    def mark(self, seq: int) -> str:
        """Of an entry: ``wrong``, ``unproven`` after a wrong one, or ""."""
        if not self.entry or seq < self.entry:
            return ""
        return "wrong" if seq == self.entry else "unproven"

    def of_record(self, one: Record) -> str:
        found = {self.mark(each.seq) for each in one.history}
        if "wrong" in found or one.id == self.request or one.slip_is == "changed":
            return "wrong"
        return "unproven" if "unproven" in found else ""


@dataclass
class Gathered:
    """All that the page shows, the cards packed already."""

    figures: Figures = field(default_factory=Figures)
    rows: list[list[Any]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    desk: list[Stored] = field(default_factory=list)
    around: list[Stored] = field(default_factory=list)
    broken: str = ""
    """Why the rest could not be read, if so."""


def write(desk: Desk, out: Path, wanted: Wanted, language: str, verdict: Verdict | None = None) -> Verdict:
    """Write the page; what the ledger was found to be comes back, or is given. A file that is there is replaced."""
    folder = desk.folder / LEDGER
    verdict = verdict or verify(folder)
    gathered = gather(desk, folder, wanted, verdict)
    with files.whole(out) as file:
        file.write(render(gathered, verdict, wanted, language, desk.kinds))
    return verdict


def gather(desk: Desk, folder: Path, wanted: Wanted, verdict: Verdict) -> Gathered:
    """Nothing that came after the verdict. Where the ledger cannot be read any further, what was read until then."""
    found, damage = Gathered(), Damage.of(verdict)
    last = verdict.entries if verdict.ok else None
    try:
        with stored.opened(folder) as db:
            found.around = stored.between(db, damage.entry - AROUND, damage.entry + AROUND) if damage.entry else []
            found.desk = [one for one in stored.of_desk(db, last) if wanted.has_entry(one, None)]
            _pack(found, (one for one in records(db, folder, last) if wanted.has_record(one)), desk, damage)
    except LedgerDamaged as error:
        found.broken = str(error)
    return found


def _pack(found: Gathered, all_of_them: Iterable[Record], desk: Desk, damage: Damage) -> None:
    waiting: list[dict[str, Any]] = []
    try:
        for one in all_of_them:
            found.figures.add(one)
            found.rows.append(_row(one, damage))
            marks = {each.seq: damage.mark(each.seq) for each in one.history} if damage.entry else {}
            waiting.append(cards.card(one, desk.kinds, marks))
            if len(waiting) == A_PIECE:
                found.pieces.append(packed(waiting))
                waiting.clear()
    finally:
        if waiting:
            found.pieces.append(packed(waiting))


def packed(value: object) -> str:
    """JSON, deflated (RFC 1950), in base64."""
    return base64.b64encode(zlib.compress(_json(value).encode("utf-8", "replace"), 6)).decode()


def _row(one: Record, damage: Damage) -> list[Any]:
    """A line of the table: id, when, kind, who, door, state, queue, seconds, remark, damage, and what is searched beside these."""
    took = seconds(one)
    return [
        one.id,
        local(one.at),
        one.kind,
        one.who,
        one.door,
        one.state,
        one.run.queue if one.run else str(one.answers.get("resources.queue", "")),
        None if took is None else round(took, 1),
        _remark(one),
        damage.of_record(one),
        " ".join(dict.fromkeys(cards.texts(one))),
        int(one.erased),
    ]


def _remark(one: Record) -> str:
    if one.codes and one.state == "refused":
        return ", ".join(one.codes)
    return ", ".join(
        f"{name} {number:.4g}" for name, number in [*one.metrics.items()][:1] if isinstance(number, int | float)
    )


def render(found: Gathered, verdict: Verdict, wanted: Wanted, language: str, kinds: Mapping[str, Kind]) -> str:
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["sum_of"] = lambda shares: sum(shares.values())
    template = environment.get_template("page.html")
    return template.render(
        language=language,
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704
        title=words.text(f"{PREFIX}title", language),
        t=both,
        named={
            "kind": _kind_named(kinds),
            **{sort: partial(_word, f"{sort}_") for sort in ("door", "state", "action")},
        },
        of_code=_of_code,
        group_of=GROUP_OF,
        duration=duration,
        local=local,
        groups=GROUPS,
        figures=found.figures,
        verdict=verdict,
        further=_further(verdict),
        compared=_compared(verdict),
        damage=Damage.of(verdict),
        found=found,
        wanted=[*_said(wanted)],
        made={"at": local(now().isoformat()), "zone": zone(), "by": f"denpyo {denpyo_version()}"},
        first=found.rows[:FIRST],
        data=Markup(_escaped(_data(found, verdict, language, kinds))),  # noqa: S704 - every sign of HTML in it is spelled as JSON does
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(found: Gathered, verdict: Verdict, language: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    damage = Damage.of(verdict)
    return {
        "language": language,
        "texts": {one: _texts(one) for one in ("en", "ja")},
        "groups": GROUPS,
        "kinds": {name: cards.pair(kind.form.title) for name, kind in kinds.items()},
        "piece": A_PIECE,
        "rows": found.rows,
        "desk": [cards.entry(one, damage.mark(one.seq)) for one in found.desk],
    }


def _texts(language: str) -> dict[str, str]:
    """All texts of the page by their names without what they begin with."""
    texts = words.table(language)["texts"]
    return {name.removeprefix(PREFIX): text for name, text in texts.items() if name.startswith(PREFIX)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _escaped(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = _json(value)
    for sign, spelled in _UNSAFE.items():
        text = text.replace(sign, spelled)
    return text


def _word(prefix: str, name: str) -> Markup:
    """What a door or state is called; as it stands where it has no words."""
    known = f"{PREFIX}{prefix}{name}" in words.table("en")["texts"]
    return both(prefix + name) if known else escape(name or "–")


def _of_code(code: str) -> Markup:
    said = cards.of_code(code)
    return _spans(words.Words(*said)) if isinstance(said, tuple) else escape(said)


def _kind_named(kinds: Mapping[str, Kind]) -> Callable[[str], Markup]:
    def named(name: str) -> Markup:
        kind = kinds.get(name)
        return _spans(kind.form.title) if kind else escape(name or "–")

    return named


def both(name: str, **facts: object) -> Markup:
    """A text of the page in both languages, of which one is shown."""
    told: Mapping[str, words.Fact] = {key: str(fact) for key, fact in facts.items()}
    return _spans(words.both(PREFIX + name, **told))


def _spans(text: words.Words) -> Markup:
    spans = (f'<span class="{one}" lang="{one}">{escape(text.say(one))}</span>' for one in ("en", "ja"))
    return Markup("".join(spans))  # noqa: S704 - escaped above


def duration(took: float | None) -> Markup:
    """Seconds as people read them: ``12 s``, ``4 min``, ``1 h 05 min``."""
    if took is None:
        return Markup("–")
    if took < 60:
        return both("seconds", count=round(took))
    minutes = round(took / 60)
    if minutes < 60:
        return both("minutes", count=minutes)
    return both("hours", hours=minutes // 60, minutes=f"{minutes % 60:02d}")


def zone() -> str:
    """The zone of this machine, as ``UTC+09:00``."""
    return f"UTC{datetime.now().astimezone().isoformat()[-6:]}"


def _further(verdict: Verdict) -> Sequence[tuple[str, str]]:
    """What else the verdict says in texts, by its own names."""
    others = ((one.name, getattr(verdict, one.name)) for one in fields(verdict) if one.name not in KNOWN)
    return [(name.replace("_", " "), said) for name, value in others if (said := _line(value))]


def _line(value: object) -> str:
    """ "" for what is no text and no list of texts, such as how long the verdict took."""
    parts = value if isinstance(value, tuple) else (value,)
    return ", ".join(parts) if all(isinstance(one, str) for one in parts) else ""


def _compared(verdict: Verdict) -> Sequence[tuple[int, str]]:
    """How many entries each checkpoint covers that the ledger was found to agree with, and its root; the newest first."""
    found = sorted(getattr(verdict, "compared", ()), key=lambda one: -one.size)
    return [(one.size, one.root.hex() if isinstance(one.root, bytes) else str(one.root)) for one in found]


def _said(wanted: Wanted) -> Iterator[tuple[str, str]]:
    """What the page was narrowed to, by the names of the options."""
    for one in fields(wanted):
        value = getattr(wanted, one.name)
        if value:
            yield one.name, local(value.isoformat()) if isinstance(value, datetime) else str(value)
