"""Responses of published forms, pulled from a stand-in of Google's services and submitted."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from generators import google_form
from submit import journey, standing
from submit.desk import LEDGER, POLICY, Desk
from submit.inbox import SourceDownError
from submit.inbox.google import Google
from submit.inbox.google_pull import GoogleInbox
from submit.inbox.places import keep_place, place_of
from submit.judging import Outcome
from submit.ledger import verify
from submit.response import Source, Wishes
from tests.desks import desk_in
from tests.generators.google_respondent import Answer, person
from tests.submit.inbox.google_desks import google, published, shared
from tests.submit.inbox.google_service import RefusedError
from tests.submit.inbox.google_stand_in import DOWN, QUOTA, Fault, StandIn

HANAKO = "hanako@example.jp"
KIND = "count_starts"


@pytest.fixture
def desk(tmp_path: Path, there: StandIn) -> Desk:
    """A desk that lets everybody of a domain run everything, with a published form."""
    desk = desk_in(tmp_path / "desk")
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n")
    published(desk, there, KIND)
    return desk


def form_of(there: StandIn) -> str:
    (found,) = there.service.forms
    return found


def wants(desk: Desk, name: str, language: str = "en") -> Answer:
    """Somebody who asks for a start of this name."""
    form = desk.kinds[KIND].form
    asked = [one for one in json.loads(google_form.write(form, language))["items"] if "questionItem" in one["item"]]
    keys = {one["item"]["questionItem"]["question"]["questionId"]: one["key"] for one in asked}
    return person(form, keys, {"name": name, "file": str(desk.folder.parent / "starts")}, language)


def sent(desk: Desk, there: StandIn, name: str, response: str = "", email: str = HANAKO) -> str:
    return there.service.answer(form_of(there), wants(desk, name), email, response)


def pulled(desk: Desk, there: StandIn, client: Google | None = None) -> list[Outcome]:
    """What one look brings, submitted and with its place kept."""
    found = []
    for delivery in GoogleInbox(desk, client or shared(there.url)[0]).look(place_of(desk, "google")):
        found.append(journey.submit(desk, delivery.sources, Wishes()))
        delivery.settle(found[-1])
        keep_place(desk, "google", delivery.place)
    return found


def states(desk: Desk) -> list[str]:
    assert verify(desk.folder / LEDGER).ok
    return [one.request.state for one in standing.all_standing(desk)]


def looked(desk: Desk, there: StandIn, place: str = "") -> list[Source]:
    inbox = GoogleInbox(desk, shared(there.url)[0])
    return [one for delivery in inbox.look(place) for one in delivery.sources]


def test_a_response_is_a_request_of_whom_the_service_vouches_for(desk: Desk, there: StandIn) -> None:
    response = sent(desk, there, "one")
    (outcome,) = pulled(desk, there)
    assert outcome.problems == []
    (kept,) = outcome.responses
    assert str(kept.where) == f"response {response}"
    (slip,) = (desk.folder / LEDGER).glob("slips/**/*.yaml")
    assert f'name: "{HANAKO}"\n  trust: verified\n' in slip.read_text(encoding="utf-8")
    assert states(desk) == ["queued"]


def test_what_was_read_is_not_read_again(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one")
    assert len(pulled(desk, there)) == 1
    assert pulled(desk, there) == []
    sent(desk, there, "two")
    (outcome,) = pulled(desk, there)
    assert [one.known for one in outcome.responses] == [False]
    assert states(desk) == ["queued", "queued"]
    assert there.asked["forms.forms.responses.list"]["filter"] == "timestamp >= 2026-11-21T08:50:00.000000Z"


def test_many_pages_in_no_order_are_all_read_each_response_once(desk: Desk, there: StandIn) -> None:
    there.service.page = 7
    names = [f"n{number}" for number in range(60)]
    ids = [sent(desk, there, name) for name in names]
    outcomes = pulled(desk, there)
    read = [str(one.where) for outcome in outcomes for one in outcome.responses]
    assert read == [f"response {one}" for one in ids]
    assert [len(outcome.responses) for outcome in outcomes] == [50, 10]
    assert states(desk) == ["queued"] * 60


def test_an_edited_response_is_the_next_version_of_the_same_request(desk: Desk, there: StandIn) -> None:
    response = sent(desk, there, "one")
    pulled(desk, there)
    sent(desk, there, "two", response)
    (outcome,) = pulled(desk, there)
    (kept,) = outcome.responses
    assert (kept.known, bool(kept.follows)) == (False, True)
    assert states(desk) == ["superseded", "queued"]


def test_a_response_that_shows_up_after_one_that_was_sent_later_is_read(desk: Desk, there: StandIn) -> None:
    late = sent(desk, there, "late")
    stored = there.service.forms[form_of(there)].responses
    held_back = stored.pop(late)
    there.service.now += timedelta(minutes=9)
    sent(desk, there, "early")
    pulled(desk, there)
    stored[late] = held_back
    (outcome,) = pulled(desk, there)
    assert [str(one.where) for one in outcome.responses] == [f"response {late}"]
    assert states(desk) == ["queued", "queued"]


def test_the_place_holds_no_more_than_the_last_minutes(desk: Desk, there: StandIn) -> None:
    for number in range(5):
        sent(desk, there, f"n{number}")
        there.service.now += timedelta(minutes=6)
    pulled(desk, there)
    (stand,) = json.loads(place_of(desk, "google")).values()
    assert len(stand["seen"]) == 2


@pytest.mark.parametrize("kept", [0, 1], ids=["nothing kept", "one kept"])
def test_killed_before_its_place_is_kept_nothing_is_skipped_or_read_into_two_requests(
    desk: Desk, there: StandIn, kept: int
) -> None:
    for number in range(51):
        sent(desk, there, f"n{number}")
    for number, delivery in enumerate(GoogleInbox(desk, shared(there.url)[0]).look("")):
        journey.submit(desk, delivery.sources, Wishes())
        if number < kept:
            keep_place(desk, "google", delivery.place)
    pulled(desk, there)
    pulled(desk, there)
    assert states(desk) == ["queued"] * 51


def test_addresses_that_people_type_themselves_are_claims(desk: Desk, there: StandIn) -> None:
    there.service.forms[form_of(there)].form["settings"]["emailCollectionType"] = "RESPONDER_INPUT"
    sent(desk, there, "one", email="boss@example.jp")
    (source,) = looked(desk, there)
    assert (source.sender, source.trust, source.subject) == ("", "claimed", "unverified")
    (outcome,) = pulled(desk, there)
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]
    assert states(desk) == ["refused"]


def test_a_setting_that_was_changed_and_changed_back_vouches_for_nobody_in_between(desk: Desk, there: StandIn) -> None:
    settings = there.service.forms[form_of(there)].form["settings"]
    settings["emailCollectionType"] = "RESPONDER_INPUT"
    pulled(desk, there)
    sent(desk, there, "one", email="boss@example.jp")
    settings["emailCollectionType"] = "VERIFIED"
    (outcome,) = pulled(desk, there)
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]
    there.service.now += timedelta(seconds=1)
    sent(desk, there, "two")
    assert pulled(desk, there)[0].problems == []


def test_a_response_without_an_address_says_nobody_asks(desk: Desk, there: StandIn) -> None:
    there.service.forms[form_of(there)].form["settings"]["emailCollectionType"] = "DO_NOT_COLLECT"
    sent(desk, there, "one")
    (outcome,) = pulled(desk, there)
    assert [problem.code for problem, _ in outcome.problems] == ["no_sender"]


def forbidden(reason: str) -> RefusedError:
    return RefusedError(403, "PERMISSION_DENIED", reason)


PASSING: dict[str, list[Fault]] = {
    "a quota": [Fault("responses.list", QUOTA)] * 3,
    "an error of the service": [Fault("forms.get", DOWN)] * 2,
    "half an answer": [Fault("responses.list", short=True)] * 2,
}


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for(desk: Desk, there: StandIn, faults: list[Fault]) -> None:
    sent(desk, there, "one")
    there.faults += faults
    slept: list[float] = []
    assert len(pulled(desk, there, google(desk.folder, there, slept=slept))) == 1
    assert there.faults == []
    assert len(slept) == (0 if faults[0].short else len(faults))


def test_a_quota_that_is_told_as_forbidden_is_waited_for_too(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one")
    there.faults += [Fault("responses.list", RefusedError(403, "rateLimitExceeded", "Rate Limit Exceeded"))] * 2
    assert len(pulled(desk, there)) == 1


def test_a_token_that_is_taken_back_is_asked_for_anew(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one")
    client = google(desk.folder, there)
    with client:
        client.get(form_of(there))
        there.tokens.clear()
        assert client.get(form_of(there))["formId"] == form_of(there)


DOWN_FOR_NOW: dict[str, tuple[Fault, str]] = {
    "forbidden": (
        Fault("responses.list", forbidden("The caller does not have permission")),
        "count_starts (en): Google does not allow it: The caller does not have permission",
    ),
    "gone": (
        Fault("forms.get", RefusedError(404, "NOT_FOUND", "Requested entity was not found.")),
        "count_starts (en): Google does not find it, or does not show it to this account: Requested entity was not found.",
    ),
    "the quota of a day": (
        Fault("responses.list", QUOTA),
        "count_starts (en): Google's quota is spent; it is counted by the minute: "
        "Quota exceeded for quota metric 'Read requests' per minute.",
    ),
    "down": (
        Fault("responses.list", DOWN),
        "count_starts (en): Google answers 500: Internal error encountered.",
    ),
    "cut off": (Fault("responses.list", short=True), "count_starts (en): Google's answer was cut off: IncompleteRead"),
}


@pytest.mark.parametrize(("fault", "line"), DOWN_FOR_NOW.values(), ids=DOWN_FOR_NOW)
def test_a_source_that_is_down_is_one_line_and_loses_nothing(
    desk: Desk, there: StandIn, fault: Fault, line: str
) -> None:
    sent(desk, there, "one")
    there.faults += [fault] * 20
    with pytest.raises(SourceDownError) as down:
        pulled(desk, there)
    assert str(down.value) == line
    assert states(desk) == []
    there.faults.clear()
    pulled(desk, there)
    assert states(desk) == ["queued"]


def test_pages_that_never_end_are_left(desk: Desk, there: StandIn) -> None:
    there.service.page = 0
    sent(desk, there, "one")
    with pytest.raises(SourceDownError, match=r"^count_starts \(en\): Google Forms: the list of responses has no end$"):
        pulled(desk, there)


def test_a_form_that_cannot_be_read_keeps_none_of_the_others_back(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one")
    report = published(desk, there, "inference")
    del there.service.forms[report.form]
    with pytest.raises(SourceDownError, match=r"^inference \(en\): Google does not find it"):
        pulled(desk, there)
    assert states(desk) == ["queued"]


def test_a_form_that_is_published_while_the_desk_watches_is_read_too(desk: Desk, there: StandIn) -> None:
    inbox = GoogleInbox(desk, shared(there.url)[0])
    assert [*inbox.look("")] == []
    published(desk, there, KIND, "ja")
    (japanese,) = [one for one in there.service.forms if one != sorted(there.service.forms)[0]]
    there.service.answer(japanese, wants(desk, "one", "ja"), HANAKO)
    (delivery,) = inbox.look("")
    (source,) = delivery.sources
    assert json.loads(source.data)["form"]["language"] == "ja"
