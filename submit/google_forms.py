"""``denpyo forms publish google`` and ``pull google``: the forms of the one source of denpyo.toml that is Google's."""

from __future__ import annotations

from collections.abc import Callable

from submit import journey
from submit.desk import Desk, DeskError
from submit.inbox import come_by, google_pull
from submit.inbox.google_publish import Report
from submit.inbox.google_publish import publish as publish_google
from submit.inbox.places import keep_place, place_of
from submit.judging import Outcome
from submit.response import Wishes
from submit.sources import Google


def publish(desk: Desk, kind: str, language: str, *, dry_run: bool = False) -> Report:
    """Make the Google form of a kind, or bring it up to date."""
    name, settings = _source(desk)
    with google_pull.service(desk, name, settings) as google:
        return publish_google(desk, google, kind, language, settings.responders, dry_run=dry_run)


def pull(desk: Desk, kind: str, told: Callable[[str, Outcome], None], *, everything: bool = False) -> int:
    """Take the new responses to the forms of a kind, or with ``everything`` all that there are; how many there were. What was read
    before is known again, so that neither this nor a watch beside it makes two requests of one response."""
    name, settings = _source(desk)
    inbox = google_pull.GoogleInbox(desk, google_pull.service(desk, name, settings), kind)
    if not inbox.forms():
        raise DeskError(f"no form of {kind} is published: `denpyo forms publish google {kind}` makes one")
    count = 0
    place = place_of(desk, name)
    for delivery in inbox.look(inbox.anew(place) if everything else place):
        outcome = journey.submit(desk, come_by(name, delivery), Wishes())
        told(name, outcome)
        delivery.settle(outcome)
        keep_place(desk, name, delivery.place)
        count += len(delivery.sources)
    return count


def _source(desk: Desk) -> tuple[str, Google]:
    """The one source of denpyo.toml that is Google's: a form belongs to one account."""
    found = [(name, one) for name, one in desk.config.sources.items() if isinstance(one, Google)]
    if len(found) != 1:
        raise DeskError(f"{desk.folder}/ needs one source of the kind google in denpyo.toml; it has {len(found)}")
    return found[0]
