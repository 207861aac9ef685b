"""The desk's side of the process that parses workbooks, or marks them: started anew for each, and killed when it takes too long.

It is spawned, never forked, so that it inherits no lock, no open ledger and nothing of the environment; what it answers is data.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread, Timer
from types import TracebackType
from typing import IO, Self

import generators
from generators.excel.bounds import LARGEST_FILE, MIB, no_memory
from generators.excel.frame import NEWLINE, FrameError, unframed
from generators.excel.order import Order
from generators.excel.refusal import Refusal, RefusedError
from generators.excel.sheet import Sheet
from schema.words import both

LARGEST_ANSWER = 512 * MIB
SECONDS, BYTES_PER_SECOND = 60, MIB // 4
"""By the clock: far more than the CPU time that the process allows itself, because a busy machine makes no file slow."""
BOOT = "import sys; sys.path[:] = sys.argv[1:]; from generators.excel.__main__ import main; main()"
MARK = BOOT.replace("import main; main()", "import marking; marking()")
OURS = str(Path(generators.__file__).parents[1])
"""Where our own rooms lie; an editable install is found by a hook that the process does not have."""
OUT_OF_TIME = (-signal.SIGXCPU,)


class ChildError(RuntimeError):
    """The process itself failed, whatever the file held: a mistake of the program or of the machine, told with its last words."""


class Child:
    """One process that waits for one workbook."""

    boot = BOOT

    def __init__(self) -> None:
        self.last_words = TemporaryFile()  # noqa: SIM115 - closed on exit; a pipe would fill up while nobody reads it
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            [sys.executable, *self.words()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.last_words,
            cwd="/",
            env={},
        )
        self.late = False
        self.handing: Thread | None = None

    def words(self) -> list[str]:
        """What the interpreter is told: nothing of the environment or of site packages' start-up code, only where modules lie."""
        return ["-I", "-S", "-X", "utf8", "-c", self.boot, OURS, *map(os.path.abspath, sys.path)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever happened, no process and no pipe stays behind."""
        self.process.kill()
        if self.handing:
            self.handing.join()
        for pipe in self._pipes():
            with suppress(BrokenPipeError):
                pipe.close()
        self.last_words.close()
        self.process.wait()

    def hand(self, data: bytes) -> None:
        """Let it begin with these bytes, while we do something else before we ask what it made of them."""
        self.handing = Thread(target=self._hand, args=(data,))
        self.handing.start()

    def _hand(self, data: bytes) -> None:
        stdin, _ = self._pipes()
        with suppress(BrokenPipeError):  # how a process died says more than that it no longer listens
            stdin.write(data)
            stdin.close()

    def read(self, data: bytes, seconds: float | None = None) -> tuple[Sheet, ...] | Refusal:
        """Every sheet of a workbook, or why the file as a whole is refused. After ``seconds`` by the clock it is too slow."""
        code, answer = self._told(data[: LARGEST_FILE + 1], seconds or SECONDS + len(data) / BYTES_PER_SECOND)
        return self._judged(code, answer, data)

    def _told(self, data: bytes, seconds: float) -> tuple[int, bytes]:
        """How the process ended, and what it answered. ChildError where it failed by itself."""
        timer = Timer(seconds, self._stop)
        timer.start()
        try:
            answer = self._asked(data)
            code = self.process.wait()
        finally:
            timer.cancel()
        if code > 0:
            self.last_words.seek(0)
            raise ChildError(self.last_words.read(MIB).decode(errors="replace"))
        return code, answer

    def _pipes(self) -> Iterator[IO[bytes]]:
        yield from (one for one in (self.process.stdin, self.process.stdout) if one)

    def _asked(self, data: bytes) -> bytes:
        if self.handing is None:
            self.hand(data)
        _, stdout = self._pipes()
        answer = stdout.read(LARGEST_ANSWER + 1)
        if len(answer) > LARGEST_ANSWER:
            self.process.kill()
        return answer

    def _stop(self) -> None:
        self.late = True
        self.process.kill()

    def _judged(self, code: int, answer: bytes, data: bytes) -> tuple[Sheet, ...] | Refusal:
        if self.late or code in OUT_OF_TIME:
            return Refusal("too_slow")
        if code < 0 or len(answer) > LARGEST_ANSWER:
            return _died(code, data)
        try:
            return unframed(answer)
        except FrameError:
            return Refusal("broken_file", _largest(data), {"part": both("contents")})


class Marker(Child):
    """One process that waits for one workbook to mark."""

    boot = MARK

    def mark(self, data: bytes, order: Order, seconds: float | None = None) -> bytes | None:
        """The marked copy; None for a workbook that cannot be marked, or not with the time and memory that one may take."""
        told = order.line() + NEWLINE + data[: LARGEST_FILE + 1]
        code, answer = self._told(told, seconds or SECONDS + len(told) / BYTES_PER_SECOND)
        whole = not (self.late or code or len(answer) > LARGEST_ANSWER)
        return answer if whole and answer.startswith(b"PK") else None


def _died(code: int, data: bytes) -> Refusal:
    """A process that is killed, or aborts, for want of memory has met a file that is too large; others have met a broken one."""
    part = _largest(data)
    return (
        no_memory(len(data), part)
        if code in (0, -signal.SIGKILL, -signal.SIGABRT)
        else Refusal("broken_file", part, {"part": both("contents")})
    )


def _largest(data: bytes) -> str:
    """The part that unpacks to the most, as far as the directory of the file can be read."""
    from generators.excel.archive import Archive

    try:
        members = Archive(data).members
    except RefusedError as error:
        return error.refusal.spot
    return max(members, key=lambda name: members[name].file_size)


_ready: dict[bytes, Child] = {}


@contextmanager
def started_early(data: bytes) -> Iterator[None]:
    """Let a process read this workbook while this one still imports; ``read_cells`` of the same bytes takes it."""
    with Child() as early:
        early.hand(data[: LARGEST_FILE + 1])
        _ready[data] = early
        try:
            yield
        finally:
            _ready.clear()


def read_cells(data: bytes) -> tuple[Sheet, ...] | Refusal:
    """Every sheet of a workbook, or why the file as a whole is refused, read in a process of its own."""
    with _ready.pop(data, None) or Child() as child:
        return child.read(data)


def mark(data: bytes, order: Order) -> bytes | None:
    """The marked copy of a workbook, made in a process of its own; None where there can be none."""
    with Marker() as child:
        return child.mark(data, order)
