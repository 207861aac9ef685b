"""The marks of one attempt in its folder: ``alive`` while it runs, ``started`` for ever after, ``result.json`` at its end.

They make one promise: an attempt runs at most once. ``alive`` is held with flock, which the kernel drops with the last process
that has the file open, however it dies; ``started`` is made with O_EXCL, so that of two processes one finds it there.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ALIVE, STARTED, RESULT, LOG = "alive", "started", "result.json", "log"
GRACE_SECONDS = 5


def hold_alive(folder: Path) -> int | None:
    """Take the lock for the life of this process and write its id into the file; None if another process has it.

    The descriptor that comes back stays open to the end.
    """
    descriptor = os.open(folder / ALIVE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def mark_started(folder: Path, run: str, at: str) -> bool:
    """Leave the mark that this attempt has begun, on the disk before anything is run; False if it was there."""
    try:
        descriptor = os.open(folder / STARTED, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps({"run": run, "at": at, "pid": os.getpid()}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(folder)
    return True


def limit_time(hours: float) -> None:
    """End this process when its time is over, even inside a library's C code: the default action of SIGALRM asks nobody.

    The worker stops it before; this holds when there is no worker any more.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, hours * 3600 + GRACE_SECONDS)


def write_result(folder: Path, result: Mapping[str, Any]) -> None:
    """``result.json``, there as a whole or not at all. A number that JSON does not know is a ValueError."""
    write_whole(folder / RESULT, json.dumps(result, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_whole(target: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all, and on the disk when this returns."""
    draft = target.with_name(f"{target.name}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)  # on a full disk it takes the room of a shorter one
        raise
    _sync_folder(target.parent)


def denpyo_version() -> str:
    """The installed version; ``0`` in a checkout that was never installed."""
    try:
        return importlib.metadata.version("denpyo")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    with suppress(OSError):  # some file systems cannot sync a folder; the file itself is safe
        os.fsync(descriptor)
    os.close(descriptor)
