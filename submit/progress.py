"""How long work goes on: bars on a terminal, plain lines elsewhere; all of it on the error stream, so that the output stays one result."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from submit.terminal import complain

if TYPE_CHECKING:
    from rich.progress import TaskID

    from submit.work import Told

EVERY = 1000
QUIET_SECONDS = 1.0


@contextmanager
def told(quiet: bool) -> Iterator[Told]:
    """Something that hears of each run's states: a running bar on a terminal, plain lines elsewhere. It writes to the error stream,
    so that the output stays one document or one result."""
    if quiet:
        yield lambda run, state: None
    elif sys.stderr.isatty():
        with _running_bar() as hears:
            yield hears
    else:
        yield lambda run, state: complain(f"{run}: {state}")


@contextmanager
def _running_bar() -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def hears(run: str, state: str) -> None:
            if state == "running":
                tasks[run] = progress.add_task(f"{run}: {state}", total=None)
                return
            progress.remove_task(tasks.pop(run))
            progress.console.print(f"{run}: {state}", markup=False, highlight=False)

        yield hears


@contextmanager
def counted(what: str, quiet: bool) -> Iterator[Callable[[], None]]:
    """Something to call for each thing done: a bar on a terminal when it takes long, a line for every thousand elsewhere."""
    if quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        with _bar(what) as advance:
            yield advance
    else:
        yield _lines(what)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed:.0f}"), TimeElapsedColumn())
    began = time.monotonic()
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task(what, total=None)

    def advance() -> None:
        progress.advance(task)
        if time.monotonic() - began > QUIET_SECONDS and not progress.live.is_started:
            progress.start()

    try:
        yield advance
    finally:
        if progress.live.is_started:
            progress.stop()


def _lines(what: str) -> Callable[[], None]:
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % EVERY == 0:
            complain(f"{what}: {done}")

    return advance
