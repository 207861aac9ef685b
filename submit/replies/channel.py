"""What every channel keeps to, and how it says that a message did not go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schema.words import text
from submit.desk import Desk
from submit.inbox import SourceDownError
from submit.outbox import Item
from submit.replies.news import News


class RefusedError(Exception):
    """A message that will never be taken: one line for the operator."""


class PutOffError(SourceDownError):
    """A message that is not taken now, though others may be; ``seconds`` is how long it is to wait, where that was said."""

    def __init__(self, said: str, seconds: float | None = None) -> None:
        super().__init__(said)
        self.seconds = seconds


class UnsureError(Exception):
    """Nobody knows whether a message went out: it was handed over, and nothing came back."""


@dataclass(frozen=True)
class Lot:
    """What goes out in one message: ``items`` are all the events, ``news`` what there is to say of each request; of more than a message
    lists, ``counts`` says how many there are of each sort. ``id`` names the message; ``foot`` are its last lines."""

    items: Sequence[Item]
    news: Sequence[News]
    counts: Sequence[tuple[str, int]]
    id: str
    foot: Sequence[str]

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def language(self) -> str:
        return self.first.language

    @property
    def head(self) -> str:
        """What the message is about, in words of ours alone."""
        if self.total == 1:
            return self.news[0].said
        states = tuple(f"{state} {count}" for state, count in self.counts)
        return text("news_many", self.language, count=str(self.total), states=states)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


class Channel(Protocol):
    """One way to reach people. ``REPEATS``: a message may go out a second time, because whoever reads it cannot tell or is not bothered;
    without that, one of which nobody knows is never repeated."""

    REPEATS: bool
    EVERY: float
    """Seconds at least between two messages to one receiver about a table of many requests."""
    MOST: int
    """Requests that one message tells of by name."""

    def send(self, desk: Desk, lot: Lot) -> None:
        """RefusedError, PutOffError, UnsureError; a SourceDownError where the whole channel does not answer, a DeskError where it is not
        set up as it must be."""


def lines(one: News) -> list[str]:
    """What a channel that many read hears of a request beside its first line: never its log."""
    said = [f"{label}: {value}" for label, value in (*one.facts, *one.metrics)]
    reason = [f"{text('news_reason', one.language)}: {one.reason}"] if one.reason else []
    return [*said, *reason, *one.problems]
