"""What goes on beside the journey and never in its way: each in a thread of its own, on its own beat, for as long as ``watch`` runs.

A step is a function of the desk. It takes what the ledger says, does its own work (answer people, show a checkpoint to a witness), and
writes down what it did; it is begun anew on the next beat, so that whatever went wrong is tried again.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from schema.problem import shown
from submit.desk import Desk, DeskError
from submit.inbox import SourceDownError
from submit.ledger import LedgerError

BEAT = 5.0
"""Seconds between two turns of a step."""
LONGEST_LINE = 1000


@dataclass
class Aside:
    """One step and the thread it runs in. ``said`` is what was wrong with its last turn, told once for as long as it is so."""

    name: str
    step: Callable[[Desk], None]
    desk: Desk
    stop: threading.Event
    said: str = ""
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.go, name=self.name, daemon=True)

    def go(self) -> None:
        while not self.stop.is_set():
            self.turn()
            self.stop.wait(BEAT)

    def turn(self) -> None:
        """One turn; nothing that goes wrong in it stops anything else."""
        before, self.said = self.said, ""
        try:
            self.step(self.desk)
        except (SourceDownError, DeskError, LedgerError, OSError) as error:
            self.said = shown(" ".join(str(error).split()), LONGEST_LINE)
        except Exception as error:
            traceback.print_exception(error, file=sys.stderr)
            self.said = f"{type(error).__name__}: a bug of denpyo, see above"
        if self.said not in ("", before):
            sys.stderr.write(f"denpyo: {self.name}: {self.said}\n")


def steps() -> dict[str, Callable[[Desk], None]]:
    """What there is to do beside, by name. Adding one is a line."""
    from submit import witness
    from submit.replies import tell

    return {"replies": tell.step, "witness": witness.step}


def begun(desk: Desk, stop: threading.Event) -> list[Aside]:
    """Each step in a thread that has begun, until ``stop`` is set."""
    found = [Aside(name, step, desk, stop) for name, step in steps().items()]
    for one in found:
        one.thread.start()
    return found


def once(desk: Desk) -> dict[str, str]:
    """Each step a single time, one after the other: for cron and CI. What was wrong with those that went wrong, by name."""
    found = [Aside(name, step, desk, threading.Event()) for name, step in steps().items()]
    for one in found:
        one.turn()
    return {one.name: one.said for one in found if one.said}
