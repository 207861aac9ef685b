"""Where filled forms come from. An inbox is one file here, one class of settings in ``sources.py`` and one line in ``open_inbox``.

A source is looked at from where it stood the last time. What it has comes as deliveries: each is submitted, then settled (whoever
asked is answered, the file is put away), then the source's new place is kept. Whatever a crash leaves out happens again: a response
that comes twice is one request, and a settlement bears being made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from submit.sources import AnySource

if TYPE_CHECKING:
    from submit.desk import Desk
    from submit.judging import Outcome
    from submit.orders import Ordered
    from submit.response import Source


class SourceDownError(Exception):
    """A source that does not answer, or not as it should: one line for the operator. It is looked at again later."""


class StuckError(SourceDownError):
    """Some of what a source has cannot be read, judged or settled now; the rest was. It is tried again before long."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a source has for the desk at once: ``place`` is where the source stands after it, in words of its own. ``settle`` hears
    what became of it."""

    sources: tuple[Source, ...]
    place: str
    settle: Callable[[Outcome], None]
    """SourceDownError where whoever asked cannot be answered now, or the file not put away."""
    orders: tuple[Ordered, ...] = ()
    """What people ordered besides; carried out once the sources are submitted."""


def come_by(name: str, delivery: Delivery) -> list[Source]:
    """What a delivery brought, under the name that its source has in denpyo.toml."""
    return [replace(one, inbox=name) for one in delivery.sources]


class Inbox(Protocol):
    """One source. Only the thread that looks at it settles what it delivered; neither writes into the ledger. Either may read in one
    that it opens for the moment (``desk.ledger()``) while others write: it waits, or keeps them waiting, for no more than a commit."""

    def look(self, place: str) -> Iterator[Delivery]:
        """What is there, from ``place`` on ("" at first). SourceDownError where the source does not answer; StuckError, after all the
        others, where something in it cannot be read."""
        ...


def open_inbox(desk: Desk, name: str, settings: AnySource) -> Inbox:
    """The source of this name. DeskError where its settings cannot work. What a source needs is imported with it."""
    match settings.kind:
        case "folder":
            from submit.inbox import folder

            return folder.open_inbox(desk, name, settings)
        case "google":
            with extra(name, settings.kind):
                from submit.inbox import google_pull
            return google_pull.open_inbox(desk, name, settings)
        case "microsoft":
            with extra(name, settings.kind):
                from submit.inbox import microsoft
            return microsoft.open_inbox(desk, name, settings)
        case "mail":
            with extra(name, settings.kind):
                from submit.inbox import mail
            return mail.open_inbox(desk, name, settings)
        case "github":
            with extra(name, settings.kind):
                from submit.inbox import github
            return github.open_inbox(desk, name, settings)
        case "clearml":
            from submit.inbox import clearml

            return clearml.open_inbox(desk, name, settings)


@contextmanager
def extra(name: str, kind: str) -> Iterator[None]:
    """DeskError where what a source needs is not installed."""
    from submit.desk import DeskError

    try:
        yield
    except ModuleNotFoundError as error:
        raise DeskError(f"sources.{name}: {error.name} is missing: install denpyo with its extra {kind}") from error
