"""A small disk of a test's own, in a process that alone sees it.

    python -m tests.submit.disks FULL|READ_ONLY FOLDER

Where the kernel lets nobody mount (``unshare -rm``), no file may grow past a limit instead, which SQLite takes for a failing disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from submit.desk import LEDGER
from submit.ledger import LedgerError, create, open_ledger, verify
from tests.desks import counting, denpyo, desk_in
from tests.submit.ledger.kill import keep

ROOT = Path(__file__).parents[2]
MOUNTS = ["unshare", "-rm", "--"]


def can_mount() -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run([*MOUNTS, "true"], capture_output=True, check=False).returncode == 0
    return False


def on_a_small_disk(what: str, folder: Path) -> dict[str, Any]:
    """What ``main`` tells of a disk of 2 MiB that fills up, or that becomes read-only."""
    folder.mkdir()
    words = [sys.executable, "-m", "tests.submit.disks", what, str(folder)]
    mounted = f'mount -t tmpfs -o size=2m,mode=700 tmpfs "{folder}" && exec "$@"'
    command = [*MOUNTS, "sh", "-c", mounted, "sh", *words] if can_mount() else words
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def full(folder: Path) -> dict[str, Any]:
    """Append until no more fits, make room, and go on."""
    ballast, there, said = folder / "ballast", folder / "ledger", ""
    create(there)
    ballast.write_bytes(b"\0" * 300_000)
    kept: list[str] = []
    with open_ledger(there) as ledger, _no_more_than(500_000):
        for number in range(5_000):
            try:
                kept += [key for key, new in keep(ledger, f"n{number}", number) if new]
            except LedgerError as error:
                said = str(error)
                break
    first = verify(there)
    ballast.unlink()
    with open_ledger(there) as ledger:
        kept += [key for key, new in keep(ledger, "after", 0) if new]
        lost = [key for key in kept if not ledger.has(key)]
    return {"said": said, "good": [first.ok, verify(there).ok], "kept": len(kept), "lost": lost}


def read_only(folder: Path) -> dict[str, Any]:
    desk = desk_in(folder / "desk").folder
    denpyo("submit", counting(folder, "one"), desk=desk)
    two = counting(folder, "two")
    if os.path.ismount(folder):
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    else:
        (desk / LEDGER / "ledger.sqlite").chmod(0o400)
        (desk / LEDGER).chmod(0o500)
    submitted = denpyo("submit", two, desk=desk, code=None)
    audited = denpyo("audit", "verify", desk=desk, code=None)
    return {"code": submitted.returncode, "said": submitted.stderr, "audit": [audited.returncode, audited.stdout[:5]]}


def full_desk(folder: Path) -> dict[str, Any]:
    """A whole submission onto a full disk, and again once there is room."""
    desk, files = desk_in(folder / "desk").folder, [counting(folder, name) for name in ("one", "two")]
    denpyo("submit", files[0], desk=desk)
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while os.path.ismount(folder):
            file.write(b"\0" * 4096)
    full = denpyo("submit", files[1], desk=desk, code=None)
    backup = denpyo("audit", "backup", "-o", folder / "b", desk=desk, code=None)
    left = sorted(one.name for one in folder.iterdir() if "b" in one.name and one != ballast)
    ballast.unlink()
    after = json.loads(denpyo("submit", files[1], "--json", desk=desk).stdout)
    good = verify(desk / LEDGER).ok
    told = [full.returncode, full.stderr, backup.returncode, backup.stderr]
    return {"told": told, "left": left, "states": [one["state"] for one in after["requests"]], "good": good}


@contextlib.contextmanager
def _no_more_than(size: int) -> Iterator[None]:
    """Where there is no disk of its own: no file of this process grows past that size."""
    if can_mount():
        yield
        return
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


if __name__ == "__main__":
    print(json.dumps({"full": full, "full_desk": full_desk, "read_only": read_only}[sys.argv[1]](Path(sys.argv[2]))))
