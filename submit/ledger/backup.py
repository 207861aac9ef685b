"""A copy of a desk's record in one file, made while others go on writing, and a new desk made from it.

The database is copied first, as it stood at one moment; then the slips that it names, which lie on the disk before their entry does. Before
the file gets its name it is unpacked once beside its place and verified, so that a file of that name is a whole backup. Each file in it
stands under its SHA-256, slips under the salted ones of their entries.

It holds people's text and the salt, and is for its owner alone. It holds no secrets, no folders of runs and no datasets.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from submit.ledger.files import (
    DATABASE,
    LOCK,
    SLIP_FILE,
    SLIPS,
    UNREADABLE,
    LedgerError,
    LedgerExists,
    NetworkFileSystem,
    connect,
    meaning,
    open_database,
    refuse_network,
    synced,
)
from submit.ledger.verify import Verdict, verify

ABOUT, LEDGER, DESK = "backup.json", "ledger", "desk"
FORMAT = 1
MOST_ABOUT = 10_000_000
TOLD: dict[str, type] = {"format": int, "at": str, "entries": int, "root": str, "files": dict}
PIECE = 1 << 20
NAMED = "SELECT slip FROM requests WHERE slip IS NOT NULL ORDER BY rowid"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: the tree as it stood then, when that was (RFC 3339), and the SHA-256 of the file."""

    file: Path
    entries: int
    root: str
    at: str
    sha256: str


def back_up(folder: Path, out: Path, at: str, beside: Mapping[str, Path]) -> Backup:
    """The ledger in `folder`, and files `beside` it by their path in the desk, as the new file `out`. LedgerError, and no file, where that
    is not possible; LedgerExists where there is one of that name."""
    with _said(out), _alone(out) as work:
        if out.exists():
            raise LedgerExists(f"{out}: is there already")
        entries, root = _copy_database(folder, work / DATABASE)
        about = {"format": FORMAT, "at": at, "entries": entries, "root": root}
        _pack(folder, work, about, {f"{DESK}/{path}": one.read_bytes() for path, one in beside.items()})
        (work / DATABASE).unlink()
        (work / "trial").mkdir(mode=0o700)
        unpack(work / "tar", work / "trial")
        verdict = verify(work / "trial" / LEDGER)
        if (verdict.ok, verdict.entries, verdict.root) != (True, entries, root):
            raise LedgerError(f"{folder}: no backup was made: {verdict.wrong or 'it is not what was copied'}")
        hashed = _hash(work / "tar")
        _named(work / "tar", out)
    return Backup(out, entries, root, at, hashed)


def look_into(file: Path) -> Backup:
    """What a backup says of itself. LedgerError where the file is none."""
    with _said(file), _opened(file) as tar:
        about = _told(file, tar)
        return Backup(file, int(about["entries"]), str(about["root"]), str(about["at"]), _hash(file))


def unpack(file: Path, folder: Path) -> None:
    """What a backup holds, into an empty folder, each file for its owner alone. Names that no backup has are refused."""
    with _said(file), _opened(file) as tar:
        made, names, known = set[Path](), set[str](), _told(file, tar)["files"]
        for one in (folder / LEDGER, folder / LEDGER / SLIPS):
            _make(folder, one, made)
        _write(folder / LEDGER / LOCK, iter(()), 0o600)
        for member in tar:
            _unpack_one(file, tar, member, folder, made)
            names.add(member.name)
        for path, hashed in known.items():
            if path not in names or _hash(folder / path) != hashed:
                raise LedgerError(f"{file}: {path!a} is not what was backed up")
        for one in made:
            synced(one)


def _unpack_one(file: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, made: set[Path]) -> None:
    target = folder / _checked(file, member)
    source = tar.extractfile(member)
    if source is not None and member.name != ABOUT:
        _make(folder, target.parent, made)
        _write(target, _pieces(source), 0o400 if member.name.startswith(f"{LEDGER}/{SLIPS}/") else 0o600)


def judged(folder: Path, told: Backup) -> Verdict:
    """The verdict on an unpacked backup. LedgerError where it is sound, but not the tree that the backup speaks of."""
    verdict = verify(folder / LEDGER)
    if verdict.ok and (verdict.entries, verdict.root) != (told.entries, told.root):
        raise LedgerError(f"{told.file}: holds {verdict.entries} entries with root {verdict.root}, and says otherwise")
    return verdict


def _copy_database(folder: Path, to: Path) -> tuple[int, str]:
    """As it stands at one moment: writers wait until it is read. How many entries it has, and their root."""
    from submit.ledger.writing import stored_frontier

    refuse_network(to.parent)
    _write(to, iter(()), 0o600)
    try:
        with closing(open_database(folder)) as db, closing(connect(to)) as copy:
            db.execute("BEGIN")
            db.execute(
                "SELECT size FROM frontier"
            ).fetchone()  # waits for a writer, and not without end as the next line would
            db.backup(copy)
            frontier = stored_frontier(copy.execute("SELECT size, hashes FROM frontier").fetchall())
    except UNREADABLE as error:
        raise meaning(error, error) from None
    return frontier.size, frontier.root().hex()


def _pack(folder: Path, work: Path, about: Mapping[str, object], beside: Mapping[str, bytes]) -> None:
    file = work / "tar"
    _write(file, iter(()), 0o600)
    hashes = {path: sha256(content).hexdigest() for path, content in beside.items()}
    hashes[f"{LEDGER}/{DATABASE}"] = _hash(work / DATABASE)
    told = json.dumps({**about, "files": hashes}, sort_keys=True)
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, ABOUT, f"{told}\n".encode())
        tar.add(work / DATABASE, f"{LEDGER}/{DATABASE}", filter=_nobodys)
        for slip in _slips_named(work / DATABASE):
            with suppress(FileNotFoundError):  # erased, as its entry then shows; or lost, which the trial finds
                tar.add(folder / slip, f"{LEDGER}/{slip}", filter=_nobodys)
        for path, content in sorted(beside.items()):
            _add(tar, path, content)
    synced(file)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


def _slips_named(database: Path) -> list[str]:
    with closing(connect(database)) as db:
        return [str(slip) for (slip,) in db.execute(NAMED) if SLIP_FILE.fullmatch(str(slip))]


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Nothing of who made it, and only plain files."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member if member.isreg() else None


def _checked(file: Path, member: tarfile.TarInfo) -> Path:
    """Where a member belongs. LedgerError for what no backup of ours holds, such as `../../etc/passwd` or a link."""
    name = member.name
    under, _, rest = name.partition("/")
    of_ledger = under == LEDGER and (rest == DATABASE or SLIP_FILE.fullmatch(rest) is not None)
    of_desk = under == DESK and all(part and part[0] != "." and part.isprintable() for part in rest.split("/"))
    if not (member.isreg() and not member.sparse and (name == ABOUT or of_ledger or of_desk)):
        raise LedgerError(f"{file}: {name!a} belongs to no backup")
    return Path(name)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece


def _make(base: Path, folder: Path, made: set[Path]) -> None:
    for one in (*reversed(folder.relative_to(base).parents), folder.relative_to(base)):
        if (base / one) not in made:
            (base / one).mkdir(mode=0o700, exist_ok=True)
            made.add(base / one)


def _write(file: Path, pieces: Iterator[bytes], mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as out:
        for piece in pieces:
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())


def _told(file: Path, tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    told = tar.extractfile(first) if first and first.name == ABOUT and first.size <= MOST_ABOUT else None
    try:
        about = json.loads(told.read()) if told else None
    except RecursionError:  # whoever wrote it chose how deep it goes
        about = None
    if not (isinstance(about, dict) and all(type(about.get(key)) is sort for key, sort in TOLD.items())):
        raise LedgerError(f"{file}: is no backup of a ledger")
    if about["format"] != FORMAT:
        raise LedgerError(f"{file}: format {about['format']!r} is not the one that this program knows, {FORMAT}")
    return about


def _hash(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as content:
        for piece in _pieces(content):
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    with tarfile.open(file, "r:") as tar:
        yield tar


def _named(file: Path, out: Path) -> None:
    """Give it its name; never over a file that came meanwhile."""
    try:
        os.link(file, out)
    except FileExistsError as error:
        raise LedgerExists(f"{out}: is there already") from error
    synced(out.parent)


@contextmanager
def _alone(out: Path) -> Iterator[Path]:
    """A folder for what is not a backup yet, gone at the end; what crashes left of others of that name is cleared away first, and what
    another backup is being made in is not."""
    for left in out.parent.glob(f".{escape(out.name)}.*.new"):
        with _lock(left, fcntl.LOCK_NB) as free:
            if free:
                shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".new", dir=out.parent))
    with _lock(work) as mine:
        if not mine:
            raise LedgerError(f"{out}: another backup of that name begins at this moment: try again")
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _lock(folder: Path, how: int = 0) -> Iterator[bool]:
    """Whether the folder is there and held by us alone; the kernel lets go of it when this process dies."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        yield _held(fd, how) and folder.exists()
    finally:
        os.close(fd)


def _held(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _said(file: Path) -> Iterator[None]:
    """What goes wrong with files, in an operator's line."""
    try:
        yield
    except (NetworkFileSystem, LedgerError):
        raise
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise LedgerError(f"{file}: is no whole backup: {' '.join(str(error).split())}") from error
    except sqlite3.DatabaseError as error:
        raise meaning(error, LedgerError(f"{file}: {error}")) from None
    except OSError as error:
        raise LedgerError(f"{error.filename or file}: {error.strerror}") from error
