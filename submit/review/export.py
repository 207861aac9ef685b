"""``denpyo audit show`` and ``export``: requests or entries, one a line, as JSON Lines or CSV.

JSON Lines are exact: the stored text of an entry stands in ``body`` and hashes to ``hash``. In CSV a text that a spreadsheet could take
for a formula gets an apostrophe in front, and so does one that begins with an apostrophe: taking one away gives every text back.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from schema.problem import shown
from submit.desk import LEDGER, Desk
from submit.review import cards, files, stored
from submit.review.figures import seconds
from submit.review.records import Record, records
from submit.review.stored import Stored
from submit.review.wanted import Wanted

FORMULA = (*"=+-@＝＋－＠\t\r\n",)
"""What makes a cell a formula, or ends one (OWASP, CSV Injection); full width too, as Excel in Japanese takes it."""
APOSTROPHE = "'"
_UNSEEN = re.compile("[\\s\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]*")
BOM = "\ufeff"
"""Excel takes a CSV without it for the code page of its machine."""
ENTRY = ("seq", "at", "user", "action", "request", "key", "detail", "beside", "erased", "hash", "before")
REQUEST = (
    "id",
    "at",
    "kind",
    "version",
    "state",
    "language",
    "who",
    "subject",
    "trust",
    "door",
    "source",
    "source_sha256",
    "where",
)
MORE = ("again", "queue", "engine", "seconds", "codes", "metrics", "slip_is", "follows", "next", "previous")
ANSWERS, OTHERS = "answers.", "other_answers"
"""How the columns of answers begin; and the column for answers to questions that no kind has today."""


def entries(desk: Desk, wanted: Wanted) -> Iterator[Stored]:
    """The entries that are wanted, in order."""
    with stored.opened(desk.folder / LEDGER) as db:
        mine = _ids(db, desk, wanted) if wanted.by_request else None
        yield from (one for one in stored.entries(db) if wanted.has_entry(one, mine))


def _ids(db: sqlite3.Connection, desk: Desk, wanted: Wanted) -> set[str]:
    return {one.id for one in records(db, desk.folder / LEDGER) if wanted.has_request(one)}


def requests(desk: Desk, wanted: Wanted) -> Iterator[Record]:
    """The requests that are wanted, the first to come first."""
    with stored.opened(desk.folder / LEDGER) as db:
        yield from (one for one in records(db, desk.folder / LEDGER) if wanted.has_record(one))


def entry_data(one: Stored) -> dict[str, Any]:
    """An entry with what lies beside it: as an object where it is one, null once it is erased."""
    beside = one.written() or one.beside
    plain = {name: one.told.get(name) for name in ("at", "user", "action")}
    told = {"seq": one.seq, **plain, "request": one.request, "key": one.key, "detail": one.detail}
    return {
        **told,
        "beside": beside,
        "erased": one.beside is None,
        "hash": one.hash,
        "before": one.text("before"),
        "body": one.body,
    }


def request_data(one: Record) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in REQUEST}
    run = one.run
    return {
        **plain,
        "erased": one.erased,
        "again": one.again,
        "queue": run.queue if run else one.answers.get("resources.queue", ""),
        "engine": run.engine if run else "",
        "seconds": seconds(one),
        "codes": one.codes,
        "metrics": one.metrics,
        "slip_is": one.slip_is,
        "follows": one.follows,
        "next": one.next,
        "previous": one.previous,
        "answers": dict(one.answers),
        "changes": list(one.changes),
        "problems": one.problems,
        "rulings": [cards.ruling(each) for each in one.history if cards.is_ruling(each)],
        "runs": [cards.run(each) for each in one.runs],
        "entries": [each.seq for each in one.history],
        "slip": one.slip,
    }


def json_lines(found: Iterator[dict[str, Any]], out: IO[str]) -> int:
    """One JSON object a line; how many."""
    count = 0
    for count, one in enumerate(found, 1):  # noqa: B007
        out.write(json.dumps(one, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n")
    return count


def entries_csv(found: Iterator[Stored], out: IO[str]) -> int:
    return _table(ENTRY, ({**entry_data(one), "beside": one.beside or ""} for one in found), out)


def requests_csv(desk: Desk, found: Iterator[Record], out: IO[str]) -> int:
    """A column for each question that any kind of the desk asks."""
    names = dict.fromkeys(each.name for kind in desk.kinds.values() for each in kind.form.questions)
    columns = (*REQUEST, *MORE, *(f"{ANSWERS}{name}" for name in names), OTHERS)
    return _table(columns, (_flat(one, names) for one in found), out)


def _flat(one: Record, names: Mapping[str, None]) -> dict[str, Any]:
    others = {name: given for name, given in one.answers.items() if name not in names}
    answers = {f"{ANSWERS}{name}": given for name, given in one.answers.items() if name in names}
    return {**request_data(one), **answers, OTHERS: others or ""}


def _table(columns: tuple[str, ...], found: Iterator[Mapping[str, Any]], out: IO[str]) -> int:
    out.write(BOM)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for count, one in enumerate(found, 1):  # noqa: B007
        writer.writerow([cell(one.get(name)) for name in columns])
    return count


def cell(value: Any) -> Any:
    """A value as it stands in a cell: numbers as they are, texts so that none is a formula, lists and objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula. Blanks and invisible signs in front do not hide one."""
    before = _UNSEEN.match(text)
    hidden = before[0] if before else ""
    risky = (
        text.startswith(APOSTROPHE)
        or any(sign in hidden for sign in "\t\r\n")
        or text[len(hidden) :].startswith(FORMULA)
    )
    return APOSTROPHE + text if risky else text


def as_written(text: str) -> str:
    """The text that ``harmless`` was given."""
    return text.removeprefix(APOSTROPHE)


def line(one: Stored) -> str:
    """An entry in one line of a terminal: number, when, who, what, of which request, and what it says."""
    told = ", ".join(
        f"{shown(name)} {_short(value)}" for name, value in one.detail.items() if value not in (None, "", [], {})
    )
    plain = (shown(part) for part in (one.text("at"), one.text("user"), one.text("action"), one.request or "-"))
    parts = (f"{one.seq:>6}", *plain)
    return "  ".join((*parts, *([told] if told else [])))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown(f"{text[:12]}…" if len(text) == 64 and text.isalnum() else text)


def write(desk: Desk, out: Path, of: str, wanted: Wanted) -> int:
    """``entries`` or ``requests``, as the name of the file says; how many. Nothing is left half written."""
    as_csv = out.suffix.lower() == ".csv"
    with files.whole(out) as file:
        if of == "entries":
            found = entries(desk, wanted)
            return entries_csv(found, file) if as_csv else json_lines(map(entry_data, found), file)
        asked = requests(desk, wanted)
        return requests_csv(desk, asked, file) if as_csv else json_lines(map(request_data, asked), file)
