"""The files of a ledger, each readable by their owner alone, on a local disk:

ledger.sqlite            entries, what lies beside them, requests, runs
lock                     held by whoever writes
slips/YYYY/MM/ID.yaml    the slip of request ID, written once
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from submit.ledger.rows import TABLES

FORMAT = 1
DATABASE, LOCK, SLIPS = "ledger.sqlite", "lock", "slips"
WAIT_SECONDS = 30.0
MANY = 16  # slips from which on one flush of the file system is cheaper than one a file
_SETTINGS = (
    "PRAGMA synchronous = EXTRA",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # an erased text must not live on in a free page
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -32768",  # KiB: a transaction of ten thousand requests is not written out before its end
)
STRAY = "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') ORDER BY rowid"
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)  # Python cannot decode SQLite's words on a torn schema

SLIP_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SLIP_FILE = re.compile(r"slips/[0-9]{4}/[0-9]{2}/([a-z0-9][a-z0-9-]{0,62})\.yaml")
_NETWORK = {"afs", "beegfs", "ceph", "ceph-fuse", "cifs", "glusterfs", "gpfs", "lustre", "sshfs"}


class LedgerError(Exception):
    """A ledger that cannot be used as asked; the message is one line."""


class LedgerExists(LedgerError):
    """There is a ledger already where one was to be created."""


class LedgerMissing(LedgerError):
    """There is no ledger in that folder."""


class LedgerDamaged(LedgerError):
    """What is stored cannot have been written by a ledger; the message names the first wrong entry or file."""


class LedgerBusy(LedgerError):
    """Others held the ledger for longer than we wait."""


class NetworkFileSystem(LedgerError):
    """The folder lies on a file system whose locks and flushes cannot be relied on."""


def network_file_system(mountinfo: str, path: Path) -> str | None:
    """The type of the file system under an absolute `path`, if it is a network one.

    `mountinfo` is the text of /proc/self/mountinfo, see proc(5); of several mounts on one point the last holds.
    """
    longest, found = -1, ""
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split(" ")[4]))
        if path.is_relative_to(point) and len(point.parts) >= longest:
            longest, found = len(point.parts), source.split(" ")[0]
    kind = found.removeprefix("fuse.")
    return found if kind in _NETWORK or kind.startswith(("nfs", "smb")) else None


def refuse_network(folder: Path) -> None:
    """NetworkFileSystem if the folder lies on one; systems without /proc/self/mountinfo are taken at their word."""
    try:
        mountinfo = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return
    if kind := network_file_system(mountinfo, Path(os.path.realpath(folder))):
        raise NetworkFileSystem(f"{folder}: lies on {kind}, a network file system; a ledger needs a local disk")


@contextmanager
def held(lock: Path, wait: float) -> Iterator[None]:
    """Hold the lock; the kernel releases it however the process ends. LedgerBusy after `wait` seconds."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LedgerError(f"{lock}: {error.strerror}") from error
    try:
        _take(fd, lock, time.monotonic() + wait)
        yield
    finally:
        os.close(fd)


def _take(fd: int, lock: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LedgerBusy(f"{lock}: another process has been writing for too long") from error
        time.sleep(0.005)


def connect(database: Path, wait: float = WAIT_SECONDS) -> sqlite3.Connection:
    """A connection to an existing file, without implicit transactions; one for each thread, never across a fork."""
    db = sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=wait)
    try:
        for setting in _SETTINGS:
            db.execute(setting)
    except UNREADABLE:
        db.close()
        raise
    return db


def open_database(folder: Path, wait: float = WAIT_SECONDS, known: int | None = FORMAT) -> sqlite3.Connection:
    """Never creates. LedgerMissing, LedgerDamaged, or a plain LedgerError for a format other than the one that is `known`; None for any."""
    try:
        (folder / DATABASE).stat()
        db = connect(folder / DATABASE, wait)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LedgerMissing(f"{folder}: there is no ledger") from error
    except OSError as error:
        raise LedgerError(f"{folder}: {error.strerror}") from error
    except UNREADABLE as error:
        raise meaning(error, LedgerDamaged(f"{DATABASE}: {error}")) from error
    try:
        _check_meta(db, known)
    except LedgerError:
        db.close()
        raise
    return db


def _check_meta(db: sqlite3.Connection, known: int | None) -> None:
    found = format_of(db)
    if known is not None and found > known:
        raise LedgerError(f"{DATABASE}: format {found} is newer than this program, which knows {known}")
    if known is not None and found < known:
        raise LedgerError(
            f"{DATABASE}: format {found} is older than this program's {known}: `denpyo audit upgrade` first"
        )


def format_of(db: sqlite3.Connection) -> int:
    try:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        stray = db.execute(STRAY).fetchone()
    except UNREADABLE as error:
        raise meaning(error, LedgerDamaged(f"{DATABASE}: {error}")) from error
    if stray:
        raise LedgerDamaged(f"{DATABASE}: holds {stray[0]} {stray[1]!a}, which no ledger has")
    found, salt = meta.get("format"), meta.get("salt")
    if not isinstance(found, int) or found < 1 or not isinstance(salt, bytes):
        raise LedgerDamaged(f"{DATABASE}: is not marked as a ledger")
    return found


def meaning(error: Exception, otherwise: Exception) -> Exception:
    """What one of UNREADABLE says about the ledger; `otherwise` where it speaks of the statement instead."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    undecodable = not isinstance(error, sqlite3.ProgrammingError) and not hasattr(error, "sqlite_errorcode")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusy(f"{DATABASE}: another process has been using it for too long")
    if undecodable or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LedgerDamaged(f"{DATABASE}: {error}")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY):
        return LedgerError(f"{DATABASE}: {error}")
    return otherwise


def salted(salt: bytes, content: bytes) -> str:
    return sha256(salt + content).hexdigest()


def create(folder: Path) -> None:
    """A new, empty ledger in `folder`, which is made if need be. LedgerExists where there is one."""
    refuse_network(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / SLIPS).mkdir(mode=0o700, exist_ok=True)
        with held(folder / LOCK, WAIT_SECONDS):
            _create_database(folder)
    except OSError as error:
        raise LedgerError(f"{folder}: {error.strerror}") from error
    except sqlite3.DatabaseError as error:
        raise meaning(error, error) from None


def _create_database(folder: Path) -> None:
    """Built under another name, so that a crash leaves no half of a ledger behind."""
    new, journal = folder / f"{DATABASE}.new", folder / f"{DATABASE}.new-journal"
    if (folder / DATABASE).exists():
        raise LedgerExists(f"{folder}: there is a ledger already")
    new.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(new)) as db:
        db.execute("BEGIN IMMEDIATE")
        for statement in TABLES:
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('format', ?), ('salt', ?)", (FORMAT, secrets.token_bytes(32)))
        db.execute("COMMIT")
    new.rename(folder / DATABASE)
    synced(folder)
    synced(folder.parent)


def synced(path: Path) -> None:
    """What was written to this file, or the names in this folder, are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def slip_path(slip_id: str, year: int, month: int) -> str:
    """Relative to the ledger's folder. ValueError for what may not become a path."""
    if not SLIP_ID.fullmatch(slip_id) or not (1 <= year <= 9999 and 1 <= month <= 12):
        raise ValueError(f"no slip has the id {slip_id!r} of {year!r}-{month!r}")
    return f"{SLIPS}/{year:04d}/{month:02d}/{slip_id}.yaml"


def write_slip_files(folder: Path, month: str, slips: Mapping[str, bytes]) -> None:
    """On the disk, whole, before this returns; files of those names are replaced. The caller holds the lock."""
    path = month
    try:
        for made in ((folder / month).parent, folder / month):
            made.mkdir(mode=0o700, exist_ok=True)
        many = len(slips) >= MANY and (sync := _sync_of_file_system()) is not None
        base = os.fspath(folder)
        for path, slip in slips.items():
            _write_whole(os.path.join(base, path), slip, flush=not many)
        if many and sync is not None:
            sync(folder / month)
        for made in (folder / month, (folder / month).parent, folder / SLIPS):
            synced(made)
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error


def _write_whole(file: str, content: bytes, *, flush: bool) -> None:
    """Under its own name where nothing lies there: until an entry records it, nobody reads it, and the next writer replaces it."""
    try:
        _write_new(file, content, flush=flush)
    except FileExistsError:
        new = Path(file).parent / ".new"
        new.unlink(missing_ok=True)
        _write_new(str(new), content, flush=True)
        new.rename(file)


def _write_new(file: str, content: bytes, *, flush: bool) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(fd, left) :]
        if flush:
            os.fsync(fd)
    finally:
        os.close(fd)


def _sync_of_file_system() -> Callable[[Path], None] | None:
    """A call that brings all of a file system to the disk and fails when that failed; None where there is no such call.

    Linux has `syncfs`, which tells of failed writes since 5.8.
    """
    version = re.match(r"([0-9]+)\.([0-9]+)", os.uname().release)
    if os.uname().sysname != "Linux" or not version or (int(version[1]), int(version[2])) < (5, 8):
        return None
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return None

    def sync(folder: Path) -> None:
        fd = os.open(folder, os.O_RDONLY)
        try:
            if call(fd) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(fd)

    return sync


def slip_files(folder: Path) -> list[tuple[str, str]]:
    """Path and id of all that lies under slips/, sorted. Without the name of a slip: path in quotes, id ""."""
    found = [Path(root, name) for root, _, names in os.walk(folder / SLIPS) for name in names]
    return sorted(_named(file.relative_to(folder).as_posix()) for file in found)


def _named(path: str) -> tuple[str, str]:
    slip = SLIP_FILE.fullmatch(path)
    return (path, slip[1]) if slip else (ascii(path), "")


def read_slip_file(file: Path) -> bytes | None:
    """None if it is no plain file."""
    return file.read_bytes() if stat.S_ISREG(file.lstat().st_mode) else None
