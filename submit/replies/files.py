"""What became of a dropped file, beside it: a page that opens anywhere, kept up to date, and its marked copy where that is asked for.

Whoever may drop files may have put anything in their place: only plain files are read, nothing is written through a link, and a marked
copy that somebody has worked in is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from schema.problem import shown
from schema.words import text
from submit import asked, lineage, outbox, standing
from submit.desk import Desk
from submit.foresight import Unasked
from submit.inbox.folder import DONE, LARGEST, REFUSED
from submit.judging import judged, nobody
from submit.ledger import Ledger
from submit.marked import marked
from submit.marked_files import LONGEST_NAME, marked_name
from submit.prepared import Preparing
from submit.replies import why
from submit.replies.channel import Lot, PutOffError, RefusedError
from submit.replies.news import TODO, metric_name, problems_of
from submit.replies.texts import laid_out
from submit.response import Kept, Source, Wishes
from submit.sources import Folder
from submit.standing import Standing

REPEATS = True
EVERY = 60.0
MOST = 1
SUFFIX = ".denpyo.html"
MOST_NUMBERED = 1_000
"""Files of one name that are looked through."""
SLACK = 2.0
"""Seconds that a marked copy may be younger than the moment its file was put away, and still be as it was written."""
WRITTEN = "CREATE TABLE IF NOT EXISTS written_back (path TEXT PRIMARY KEY NOT NULL, sha256 TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page."""

    id: str
    where: str
    state: str
    said: str
    result: str
    url: str
    problems: tuple[str, ...] = ()
    todo: str = ""


def send(desk: Desk, lot: Lot) -> None:
    name, thread = json.loads(lot.first.receiver)
    settings = desk.config.sources.get(name)
    if not isinstance(settings, Folder):
        raise RefusedError(f"{name} is no folder any more")
    with desk.ledger() as ledger:
        requests = outbox.of_lot(ledger, lot.first.lot)
        known = ledger.first_beside(requests)
    there = standing.standings(desk, requests)
    found = [replace(there[id], beside=known.get(id, "")) for id in requests if id in there]
    with desk.ledger() as ledger:
        reasons = {
            one.request.id: why.now_is(ledger, one, lot.language) for one in found if one.request.state in why.TOLD_OF
        }
    sha256 = next((one.asked.get("source_sha256", "") for one in found if one.asked), "")
    try:
        file = _put_away(desk.folder / settings.path, thread, sha256)
        if file is None:
            return  # somebody has taken it away: there is nothing to stand beside
        _replace(page_of(file), page(lot, file.name, found, reasons).encode())
        if settings.write_back:
            _write_back(desk, name, thread, file)
    except OSError as error:
        raise PutOffError(f"{name}: {error.strerror}") from error


def page(lot: Lot, name: str, found: Sequence[Standing], reasons: Mapping[str, str]) -> str:
    """The page of a file, with a row for each of its requests; ``reasons`` says by id why it is held or was rejected."""
    language = lot.language
    head = tuple(f"{state} {number}" for state, number in _counted(found, language))
    return laid_out(
        "page.html",
        language,
        file=shown(name, 200),
        head=text("news_many", language, count=str(len(found)), states=head),
        rows=[_row(one, language, reasons.get(one.request.id, "")) for one in found],
        foot="\n".join(lot.foot),
    )


def _counted(found: Sequence[Standing], language: str) -> list[tuple[str, int]]:
    states: dict[str, int] = {}
    for one in found:
        said = text(one.receipt, language)
        states[said] = states.get(said, 0) + 1
    return [*states.items()]


def _row(one: Standing, language: str, held: str) -> Row:
    metrics = [*one.result.get("metrics", {}).items()][:3]
    result = ", ".join(f"{metric_name(key, language)} {value:.4g}" for key, value in metrics)
    reason = shown(str(one.result.get("reason") or ""), 500)
    url = (one.run.url if one.run else "") or ""
    return Row(
        one.request.id,
        shown(one.asked.get("where", ""), 100),
        one.request.state,
        text(one.receipt, language),
        " ".join(part for part in (result, reason, held) if part),
        url if url.startswith(("https://", "http://")) else "",
        problems_of(one.result),
        text(f"news_todo_{one.request.state}", language) if one.request.state in TODO else "",
    )


def page_of(file: Path) -> Path:
    """Where the page of a file stands: beside it, under its whole name."""
    name = file.name
    while len(os.fsencode(f".{name}{SUFFIX}.00000000")) > LONGEST_NAME:
        name = name[:-1]
    return file.with_name(f"{name}{SUFFIX}")


def _put_away(folder: Path, name: str, sha256: str) -> Path | None:
    """Where the file lies that was dropped under this name with these bytes."""
    for one in (folder / DONE, folder / REFUSED):
        for file in islice(_numbered(one / Path(name).name), MOST_NUMBERED):
            data = _plain_bytes(file)
            if data is None:
                break
            if hashlib.sha256(data).hexdigest() == sha256:
                return file
    return None


def _numbered(file: Path) -> Iterator[Path]:
    """``request.xlsx``, ``request (2).xlsx``, … as the folder's inbox numbers them."""
    yield file
    for number in count(2):
        yield file.with_stem(f"{file.stem} ({number})")


def _plain_bytes(file: Path) -> bytes | None:
    """What a plain file holds; None for anything else, and where there is none."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as opened:
        return opened.read(LARGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else None


def _replace(file: Path, data: bytes) -> None:
    """Put a file in its place at once, never through what stands there."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(fd, "wb") as opened:
            opened.write(data)
        new.replace(file)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _write_back(desk: Desk, name: str, thread: str, file: Path) -> None:
    """The marked copy with the state and link of each row as they are now. PutOffError while somebody has it open."""
    target = marked_name(file)
    if target.with_name(f"~${target.name}").exists() or target.with_name(f".~lock.{target.name}#").exists():
        raise PutOffError(f"{target}: somebody has it open")
    data, before = _plain_bytes(file), _ours(desk, file, target)
    if data is None or before is None:
        return
    source = Source(shown(thread, 200), data, subject=_owner_subject(desk, name, thread), inbox=name, thread=thread)
    kept = _as_kept(desk, source)
    copy = marked(desk, source, kept, kept=True, links=_links(desk, kept))
    if copy is None or _plain_bytes(target) != before:
        return
    _note_ours(desk, target, before, copy)
    _replace(target, copy)


def _note_ours(desk: Desk, target: Path, *copies: bytes) -> None:
    """Both that which stands there and that which takes its place, before it does: whichever a crash leaves is known again."""
    sha256 = " ".join(hashlib.sha256(one).hexdigest() for one in copies)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("INSERT OR REPLACE INTO written_back (path, sha256) VALUES (?, ?)", (str(target), sha256))


def _ours(desk: Desk, file: Path, target: Path) -> bytes | None:
    """A marked copy that is as we have left it: written back before, or not touched since its file was put away. None for another."""
    data = _plain_bytes(target)
    with desk.ledger() as ledger:
        ledger.ensure(WRITTEN)
        known = ledger.query("SELECT sha256 FROM written_back WHERE path = ?", (str(target),))
    if data is None:
        return None
    if known:
        return data if hashlib.sha256(data).hexdigest() in known[0][0].split() else None
    return data if target.lstat().st_mtime <= file.lstat().st_ctime + SLACK else None


def _owner_subject(desk: Desk, inbox: str, thread: str) -> str:
    """For whom the policy was asked when it was dropped: ids follow from it."""
    with desk.ledger() as ledger:
        asked.ensure(ledger)
        found = ledger.query("SELECT subject FROM asked WHERE inbox = ? AND thread = ? LIMIT 1", (inbox, thread))
    return str(found[0][0]) if found else ""


def _as_kept(desk: Desk, source: Source) -> list[Kept]:
    """The responses of a source as they were kept, found again by what they say."""
    with desk.ledger() as ledger:
        preparing = Preparing(desk, ledger.salt, Wishes(), {0: source})
        planning = Unasked(desk, ledger, preparing, lineage.Lineage(ledger))
        plans = planning.plans(
            [preparing.ready(one) for one in judged(desk, [source], Wishes(), nobody)], queue=True, whole=False
        )
        kept = [plan.kept() for plan in plans]
        return [replace(one, id=one.id if one.id in _there(ledger, kept) else "") for one in kept]


def _links(desk: Desk, kept: Sequence[Kept]) -> dict[str, str]:
    """Where the runs of these can be looked at in a browser."""
    found = standing.standings(desk, [one.id for one in kept if one.id])
    urls = {id: (one.run.url if one.run else "") or "" for id, one in found.items()}
    return {id: url for id, url in urls.items() if url.startswith(("https://", "http://"))}


def _there(ledger: Ledger, kept: Sequence[Kept]) -> Mapping[str, object]:
    return ledger.requests_among([one.id for one in kept if one.id])
