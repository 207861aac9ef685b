"""``denpyo watch``: every source of the desk in one process, each on its own beat.

Each source has a thread that looks at it and settles what it delivered. What concerns the ledger is done by the thread that watches,
one thing at a time, so that a source that is down or slow never holds up another.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, TypeVar

from schema.problem import shown
from submit import approval, aside, hand_off, journey, policy
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError
from submit.inbox import Delivery, Inbox, SourceDownError, StuckError, come_by, open_inbox
from submit.inbox.health import LOCK, Board, Health, stamp
from submit.inbox.places import keep_place, place_of
from submit.judging import Outcome
from submit.ledger import LedgerBusy, LedgerDamaged
from submit.ledger.files import held
from submit.obey import obey
from submit.response import Wishes
from submit.sources import AnySource

T = TypeVar("T")
Told = Callable[[str, Outcome], None]
"""Hears of the name of a source and what became of what it delivered."""
BESIDE = "beside"
"""The kind, among the sources that were looked at once, of a step beside them that went wrong."""
BEAT = 0.2
ROUNDS = 5.0
"""Seconds between two looks at what waits or runs."""
MOST_DOUBLED = 16
STUCK, MOST_STUCK = 5.0, 3
"""Seconds at least between two looks at a source in which something is stuck; and after how many of those a look ends."""
MOST = 600.0
"""Seconds after which a source that is down is looked at again at the latest."""
LONGEST_LINE = 1000
GRACE = 20.0
"""Seconds that sources have to finish what they are at when the process is to end."""


@dataclass
class Counter:
    """What sources want of the ledger, done in the order they ask, by the one thread that serves."""

    _asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = field(default_factory=queue.SimpleQueue)

    def ask(self, work: Callable[[], T]) -> T:
        """Wait for one's turn; what goes wrong is raised here."""
        future: Future[T] = Future()
        self._asked.put((work, future))
        return future.result()

    def serve(self, seconds: float) -> None:
        """Serve whoever asks first within this time, if anybody does."""
        try:
            work, future = self._asked.get(timeout=seconds)
        except queue.Empty:
            return
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise


@dataclass
class Watched:
    """One source and the thread that looks at it. It is opened at its first look, so that one that cannot be opened stops no other;
    ``undelivered`` says why what it brought waits to be handed over."""

    name: str
    settings: AnySource
    health: Health
    inbox: Inbox | None = None
    undelivered: str = ""
    is_stuck: bool = False
    place: str | None = None
    fatal: BaseException | None = None
    thread: threading.Thread | None = None


@dataclass
class Watch:
    """One watch over a desk. ``stop`` is set when it is to end."""

    desk: Desk
    told: Told
    stop: threading.Event = field(default_factory=threading.Event)
    counter: Counter = field(default_factory=Counter)

    def follow(self, one: Watched, *, once: bool) -> None:
        """Look at a source until the watch ends, the more rarely the longer it has been down."""
        failures = 0
        while not self.stop.is_set():
            before, one.is_stuck = one.health.error, False
            wrong = self._looked(one)
            one.health.looked = stamp()
            if not wrong:
                one.health.succeeded = one.health.looked
            one.health.error = wrong or one.undelivered or _unread_policy(self.desk)
            if one.health.error not in ("", before):
                sys.stderr.write(f"denpyo: {one.name}: {one.health.error}\n")
            failures = failures + 1 if wrong and not one.is_stuck else 0
            if once or one.fatal:
                return
            self.stop.wait(pause(one, failures))

    def _looked(self, one: Watched) -> str:
        """One look; what was wrong with it, in a line."""
        try:
            self._look(one)
        except (SourceDownError, DeskError, LedgerBusy, EngineDownError) as error:
            one.is_stuck = isinstance(error, StuckError)
            return _line(error)
        except LedgerDamaged as error:
            one.fatal = error
            return _line(error)
        except Exception as error:
            return _bug(error)
        return ""

    def _look(self, one: Watched) -> None:
        if one.inbox is None:
            one.inbox = open_inbox(self.desk, one.name, one.settings)
        if one.place is None:
            one.place = self.counter.ask(partial(place_of, self.desk, one.name))
        stuck: list[str] = []
        for delivery in one.inbox.look(one.place):
            wrong = self._took(one, delivery)
            stuck += [wrong] if wrong else []
            if not stuck and delivery.place != one.place:  # else what is stuck would be passed over
                self.counter.ask(partial(keep_place, self.desk, one.name, delivery.place))
                one.place = delivery.place
            if self.stop.is_set() or len(stuck) == MOST_STUCK:
                break
        if stuck:
            raise StuckError("; ".join(stuck))

    def _took(self, one: Watched, delivery: Delivery) -> str:
        """Submit and settle one delivery; what was wrong with it alone, in a line."""
        try:
            outcome = self.counter.ask(partial(self._submit, one, delivery))
            delivery.settle(outcome)
        except SourceDownError as error:
            return _line(error)
        except (DeskError, LedgerBusy, LedgerDamaged):
            raise
        except Exception as error:
            return _bug(error)
        self._tell(one, outcome)
        return ""

    def _tell(self, one: Watched, outcome: Outcome) -> None:
        """Whoever reads along may have gone away: that is no reason to take nothing more."""
        with suppress(BrokenPipeError):
            self.told(one.name, outcome)

    def _submit(self, one: Watched, delivery: Delivery) -> Outcome:
        """Keep and hand over. Where the engine is down, what was accepted is handed over later."""
        outcome = journey.submit(self.desk, come_by(one.name, delivery), Wishes())
        if delivery.orders:
            outcome.orders = obey(self.desk, delivery.orders, outcome)
        one.undelivered = shown(outcome.undelivered, LONGEST_LINE)
        new = [each for each in outcome.responses if not (each.good and each.known)]
        refused = sum(bool(each.problems) or not each.good for each in new)
        one.health.accepted += len(new) - refused
        one.health.refused += refused
        return outcome


def _unread_policy(desk: Desk) -> str:
    """Why everything is denied, if it is; who asks does not hear it."""
    found = policy.read_of(desk)
    return f"everything is denied: {shown(found.reason, LONGEST_LINE)}" if found.reason else ""


def pause(one: Watched, failures: int) -> float:
    """Seconds until a source is looked at again after so many looks that failed one after the other."""
    every = max(one.settings.every, STUCK) if one.is_stuck else one.settings.every
    return min(every * (1 << min(failures, MOST_DOUBLED)), max(MOST, every))


def watch(desk: Desk, told: Told, *, once: bool = False) -> dict[str, Health]:
    """Watch every source of denpyo.toml, until SIGTERM or SIGINT, or with ``once`` look at each a single time; how they were at last, and
    which steps beside them went wrong.

    What waited to be handed over is handed over first. DeskError where there is no source, or another process watches this desk.
    """
    if not desk.config.sources:
        raise DeskError(f"{desk.folder}/ has no sources: name some in denpyo.toml")
    wrong: dict[str, str] = {}
    with _alone(desk), _until_told(Watch(desk, told)) as going:
        watched = [Watched(name, settings, Health(settings.kind)) for name, settings in desk.config.sources.items()]
        _go_rounds(desk)
        board = Board(desk, {one.name: one.health for one in watched})
        for one in watched:
            one.thread = threading.Thread(target=going.follow, args=(one,), kwargs={"once": once}, daemon=True)
            one.thread.start()
        beside = [] if once else aside.begun(desk, going.stop)
        _serve(going, watched, board)
        with suppress(OSError):
            board.write(at_once=True)
        if once:
            wrong = aside.once(desk)
    for each in beside:
        each.thread.join(GRACE)
    for one in watched:
        if one.fatal:
            raise one.fatal
    return {**board.sources} | {f"{BESIDE}: {name}": Health(BESIDE, error=said) for name, said in wrong.items()}


def _serve(going: Watch, watched: list[Watched], board: Board) -> None:
    """Serve the sources until all of them are finished; once told to end, only as long as their grace lasts."""
    rounds, deadline = time.monotonic(), 0.0
    while any(one.thread and one.thread.is_alive() for one in watched):
        going.counter.serve(BEAT)
        if any(one.fatal for one in watched):
            going.stop.set()
        if going.stop.is_set():
            deadline = deadline or time.monotonic() + GRACE
            if time.monotonic() > deadline:
                return
        elif time.monotonic() > rounds + ROUNDS:
            if _go_rounds(going.desk):
                for one in watched:
                    one.undelivered = ""
            rounds = time.monotonic()
        _write(board)


def _write(board: Board) -> None:
    try:
        board.write()
    except OSError as error:  # a full disk: the sources go on, each as far as it can
        sys.stderr.write(f"denpyo: {_line(error)}\n")


def _line(error: Exception) -> str:
    """What went wrong, as it may stand in a line and in a file: names that people gave to files are in it."""
    return shown(" ".join(str(error).split()), LONGEST_LINE)


def _bug(error: Exception) -> str:
    """A bug of ours: said in full, and no reason for anything else to stop."""
    traceback.print_exception(error, file=sys.stderr)
    return f"{type(error).__name__}: a bug of denpyo, see what watch printed"


def _go_rounds(desk: Desk) -> bool:
    """Note what has ended or expired, and hand over what waits; whether nothing was in the way. An engine that is down is asked again on
    the next round."""
    good = True
    for step in (approval.expire, hand_off.follow, hand_off.deliver):
        try:
            step(desk)
        except (EngineDownError, DeskError, LedgerBusy, OSError) as error:
            sys.stderr.write(f"denpyo: {_line(error)}\n")
            good = False
    return good


@contextmanager
def _alone(desk: Desk) -> Iterator[None]:
    try:
        with held(desk.folder / LOCK, 0):
            yield
    except LedgerBusy as error:
        if LOCK not in str(error):
            raise
        raise DeskError(f"{desk.folder}/ is watched by another process") from error


@contextmanager
def _until_told(going: Watch) -> Iterator[Watch]:
    """SIGTERM and SIGINT end the watch after what it is at."""

    def end(number: int, frame: FrameType | None) -> None:
        going.stop.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield going
    finally:
        going.stop.set()
        for one, handler in before.items():
            signal.signal(one, handler)
