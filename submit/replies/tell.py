"""One turn of telling people: note what has happened, then send what is due. ``watch`` takes turns beside its work.

``sending`` is written down before a message goes out, and its outcome after. A process that dies between the two leaves a message of
which nobody knows: by mail, in a comment or a page it is repeated, under the same name; in a chat it is not, and the operator is told.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial

from schema.problem import shown
from schema.words import text
from submit import orders, outbox
from submit.desk import Desk, DeskError, now
from submit.inbox import SourceDownError
from submit.ledger import Ledger, LedgerBusy, LedgerDamaged, LedgerError, Writing
from submit.ledger.files import held
from submit.outbox import Item
from submit.replies import events_mail, files, issues, slack, teams
from submit.replies.channel import Channel, Lot, PutOffError, RefusedError, UnsureError
from submit.replies.fill import fill
from submit.replies.foot import foot_of, newest_checkpoint, refuse_damaged
from submit.replies.hearers import FILES, GITHUB, MAIL, SLACK, TEAMS, Contacts, contacts_of
from submit.replies.news import Word, newest, news

LOCK = "replies.lock"
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
BOUND = timedelta(hours=24)
"""How long a message is tried for."""
MANY = 10
"""Requests handed in together from which on they are a table, and its messages are gathered; and messages about a smaller lot, within
the time of its channel, after which they are gathered too."""
TWICE = 2
"""Messages one after the other that a channel does not answer to, until it is left alone: one alone may be at fault itself."""
TRIES = 4
"""How often an outcome is written down while others keep the ledger: one that is lost is a message of which nobody knows."""
URGENT = ("failed", "refused", "rejected", "expired", "held")
CHANNELS: Mapping[str, Channel] = {SLACK: slack, TEAMS: teams, GITHUB: issues, FILES: files, MAIL: events_mail}
"""Every channel; the quick ones first. Adding one is a file and a line."""


def step(desk: Desk) -> None:
    """One turn; a SourceDownError says what did not go out. Where another process is at it, there is nothing to do."""
    try:
        with held(desk.folder / LOCK, 0):
            _take_turn_by_policy(desk)
    except LedgerBusy as error:
        if LOCK not in str(error):
            raise
    except LedgerError as error:
        raise SourceDownError(str(error)) from error


def _take_turn_by_policy(desk: Desk) -> None:
    """``step``, alone. While the policy cannot be read nobody knows who is to hear: what happens waits in the ledger until it can."""
    try:
        contacts = contacts_of(desk)
    except DeskError as error:
        return send_due(desk, f"{error}: what happens now is told once it can be read")
    take_turn(desk, contacts)


def take_turn(desk: Desk, contacts: Contacts) -> None:
    """``step``, alone, for whom the contacts name."""
    fill(desk, contacts)
    send_due(desk)


def send_due(desk: Desk, *wrong: str) -> None:
    """Send what is due; a SourceDownError says what did not go out, after what was wrong before."""
    turn = Turn(desk, [*wrong])
    turn.find_damage()
    turn.find_left()
    for name in CHANNELS:
        turn.send_all(name)
    if turn.wrong:
        raise SourceDownError("; ".join(dict.fromkeys(turn.wrong)))


@dataclass
class Turn:
    """``wrong`` is what an operator is to know, in lines."""

    desk: Desk
    wrong: list[str] = field(default_factory=list)

    @cached_property
    def checkpoint(self) -> str:
        return newest_checkpoint(self.desk)

    def find_damage(self) -> None:
        """A log that is not what was signed before is said, in every turn: messages go out without a checkpoint meanwhile."""
        try:
            refuse_damaged(self.desk)
        except LedgerDamaged as error:
            self.wrong.append(_line(error))

    def find_left(self) -> None:
        """What a process that died was about to send."""
        with self.desk.ledger() as ledger:
            left = outbox.in_state(ledger, outbox.SENDING)
            if not left:
                return
            with ledger.writing() as tx:
                for one in left:
                    if CHANNELS[one.channel].REPEATS:
                        again = _stamp(pause(one.attempts)) if one.attempts else _stamp()
                        outbox.put_off(tx, [one], again, "cut off while it was sent")
                    else:
                        outbox.end(tx, [one], outbox.UNSURE, "cut off while it was sent")
        unsure = [one for one in left if not CHANNELS[one.channel].REPEATS]
        self.wrong += [f"{one.channel}: nobody knows whether {one.request} {one.event} was told" for one in unsure]

    def send_all(self, name: str) -> None:
        """All that is due on a channel, until that does not answer. What was tried most often, and may be at fault itself, comes last."""
        with self.desk.ledger() as ledger:
            due = outbox.due(ledger, name, _stamp())
            lots = [lot for lot in gathered(due) if not self._waits(ledger, lot)]
        unanswered: list[Item] = []
        for lot in sorted(lots, key=lambda lot: lot[0].attempts):
            unanswered = [] if self._answers(CHANNELS[name], lot) else [*unanswered, lot[0]]
            if len(unanswered) == TWICE:
                return self._hold_back(unanswered[0])

    def _answers(self, channel: Channel, lot: Sequence[Item]) -> bool:
        """Send one message. Whether the channel answered, whatever it said."""
        try:
            self._send(channel, lot)
        except (SourceDownError, DeskError, OSError) as error:
            self._put_off(lot, error, None)
            return False
        except LedgerError:
            raise
        except Exception as error:  # a bug of ours stops this message, and no other
            traceback.print_exception(error, file=sys.stderr)
            self._unsure(channel, lot, error)
        return True

    def _waits(self, ledger: Ledger, items: Sequence[Item]) -> bool:
        """Whether a message is left to grow: its receiver has heard of the same table only just now, and there is more to come."""
        first, every = items[0], CHANNELS[items[0].channel].EVERY
        if first.message or not every:
            return False
        since = (now() - timedelta(seconds=every)).isoformat(timespec="seconds")
        freely = 1 if outbox.size_of(ledger, first.lot) > MANY else MANY
        return outbox.lately(ledger, first, since)[0] >= freely and not _is_over(ledger, first.lot)

    def _send(self, channel: Channel, items: Sequence[Item]) -> None:
        """One message, from *sending* to its outcome. What is wrong with the whole channel is raised."""
        with self.desk.ledger() as ledger:
            name = items[0].message or outbox.keyed(ledger, items[0].who, *(str(one.seq) for one in items))
        lot = composed(self.desk, channel, items, name, self.checkpoint)
        with self.desk.ledger() as ledger, ledger.writing() as tx:
            outbox.begin(tx, items, name)
        try:
            if lot.news:
                channel.send(self.desk, lot)
        except PutOffError as error:
            return self._put_off(items, error, error.seconds)
        except RefusedError as error:
            return self._end(items, outbox.GIVEN_UP, str(error))
        except UnsureError as error:
            return self._unsure(channel, items, error)
        self._note(lambda tx: outbox.sent(tx, items, _stamp()))

    def _unsure(self, channel: Channel, items: Sequence[Item], error: Exception) -> None:
        if channel.REPEATS:
            self._put_off(items, error, None)
        else:
            self._end(items, outbox.UNSURE, _line(error) or type(error).__name__)

    def _put_off(self, items: Sequence[Item], error: Exception, seconds: float | None) -> None:
        """Tried again later, or given up after a day."""
        first, said = items[0], _line(error)
        if now() - datetime.fromisoformat(first.since) > BOUND:
            return self._end(items, outbox.GIVEN_UP, f"{said}; tried for a day")
        wait = pause(first.attempts) if seconds is None else max(seconds, 1.0)
        self._note(lambda tx: outbox.put_off(tx, items, _stamp(wait), said))
        self.wrong.append(said)

    def _end(self, items: Sequence[Item], state: str, said: str) -> None:
        line = shown(" ".join(said.split()), 500)
        self._note(lambda tx: outbox.end(tx, items, state, line))
        word = "given up" if state == outbox.GIVEN_UP else "nobody knows whether it was told"
        self.wrong.append(f"{line}: {word}; see `denpyo replies list`")

    def _note(self, write: Callable[[Writing], None]) -> None:
        """Write down what became of a message, once others let go of the ledger."""
        for left in reversed(range(TRIES)):
            try:
                with self.desk.ledger() as ledger, ledger.writing() as tx:
                    return write(tx)
            except LedgerBusy:
                if not left:
                    raise

    def _hold_back(self, tried: Item) -> None:
        """The whole channel waits as long as the first message that it did not answer to."""
        with self.desk.ledger() as ledger, ledger.writing() as tx:
            outbox.hold_back(tx, tried.channel, _stamp(pause(tried.attempts)))


def gathered(due: Sequence[Item]) -> Iterator[list[Item]]:
    """What goes in one message each: what was tried together before, else all of one lot for one receiver in one role."""
    found: dict[tuple[str, ...], list[Item]] = {}
    for one in due:
        key = (one.message,) if one.message else (one.channel, one.who, one.role, one.lot, one.language)
        found.setdefault(key, []).append(one)
    yield from found.values()


def composed(desk: Desk, channel: Channel, items: Sequence[Item], name: str, checkpoint: str) -> Lot:
    """What one message says."""
    last = newest(items)
    states = Counter(text(f"news_state_{one.event}", one.language) for one in last)
    told = news(desk, _in_order(desk, last)[: channel.MOST], _word(desk))
    foot = foot_of(desk, items[0].language, told[0].id if len(last) == 1 and told else "", checkpoint)
    return Lot(items, told, [*states.items()], name, foot)


def _in_order(desk: Desk, items: Sequence[Item]) -> list[Item]:
    """What somebody should look at comes first; else as it stood in what was handed in."""
    with desk.ledger() as ledger:
        place = {request: number for number, request in enumerate(outbox.of_lot(ledger, items[0].lot))}
    return sorted(items, key=lambda one: (one.event not in URGENT, place.get(one.request, 0)))


def _word(desk: Desk) -> Word:
    """The single-use word for an approver, who alone gets it; none where there is no mailbox that could read their answer."""
    if not any(one.kind == "mail" for one in desk.config.sources.values()):
        return lambda item: ""
    return partial(_made_word, desk)


def _made_word(desk: Desk, item: Item) -> str:
    with desk.ledger() as ledger:
        entry = next((one for one in ledger.entries(item.request, item.seq - 1) if one.seq == item.seq), None)
        expires = str(entry.detail.get("expires", "")) if entry else ""
        if not expires:
            return ""
        with ledger.writing() as tx:
            return orders.word_for(tx, item.request, item.receiver, expires)


def _is_over(ledger: Ledger, lot: str) -> bool:
    return outbox.size_of(ledger, lot) > 0 and outbox.is_over(ledger, lot)


def pause(attempts: int) -> float:
    """Seconds until the next try: ever longer, an hour at most, and never the same for two."""
    return min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311


def _stamp(later: float = 0.0) -> str:
    return (now() + timedelta(seconds=later)).isoformat(timespec="seconds")


def _line(error: Exception) -> str:
    return shown(" ".join(str(error).split()), 500)
