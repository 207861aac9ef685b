"""Whose word an address is: the service vouches only for what was sent since it was seen to take addresses from those signed in."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from submit import google_forms, standing
from submit.desk import LEDGER, POLICY, Desk, open_desk
from submit.inbox import SourceDownError
from submit.inbox.google_pull import GoogleInbox
from submit.inbox.places import keep_place, place_of
from submit.judging import Outcome
from submit.ledger import verify
from tests.desks import desk_in
from tests.submit.inbox.google_desks import credentials_file, shared
from tests.submit.inbox.google_service import RefusedError
from tests.submit.inbox.google_stand_in import Fault, StandIn
from tests.submit.inbox.test_google_pull import HANAKO, KIND, wants

BOSS = "boss@example.jp"


@pytest.fixture
def desk(tmp_path: Path, there: StandIn) -> Desk:
    """A desk that lets everybody of a domain run everything, with a form that its one source of Google's has published."""
    folder = desk_in(tmp_path / "desk").folder
    with (folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n")
    credentials_file(folder, there, "authorized_user")
    with (folder / "denpyo.toml").open("a", encoding="utf-8") as config:
        config.write('\n[secrets]\ngoogle = "authorized_user.json"\n\n[sources.forms]\nkind = "google"\n')
        config.write(f'credentials = "google"\nresponders = ["domain:example.jp"]\nendpoint = "{there.url}"\n')
    found = open_desk(folder)
    google_forms.publish(found, KIND, "en")
    return found


def form_of(there: StandIn, number: int = 0) -> str:
    return sorted(there.service.forms)[number]


def set_to(there: StandIn, collects: str) -> None:
    """Somebody changes by hand how the form comes by addresses."""
    there.service.forms[form_of(there)].form["settings"]["emailCollectionType"] = collects


def sent(desk: Desk, there: StandIn, name: str, email: str = BOSS) -> None:
    there.service.answer(form_of(there), wants(desk, name), email)


def pulled(desk: Desk, *, everything: bool = False) -> list[str]:
    """What became of what a pull brought: the codes of its problems, or of each response whether it is known."""
    found: list[str] = []

    def told(source: str, outcome: Outcome) -> None:
        codes = [problem.code for problem, _ in outcome.problems]
        found.extend(codes or ["known" if one.known else "new" for one in outcome.responses])

    google_forms.pull(desk, KIND, told, everything=everything)
    return found


def states(desk: Desk) -> list[str]:
    assert verify(desk.folder / LEDGER).ok
    return [one.request.state for one in standing.all_standing(desk)]


def renamed(desk: Desk) -> Desk:
    """The desk with its source under another name, which was never looked at."""
    file = desk.folder / "denpyo.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("[sources.forms]", "[sources.others]"), encoding="utf-8")
    return open_desk(desk.folder)


def test_a_typed_address_is_a_claim_also_when_everything_is_read_again(desk: Desk, there: StandIn) -> None:
    set_to(there, "RESPONDER_INPUT")
    sent(desk, there, "one")
    assert pulled(desk) == ["not_allowed"]
    set_to(there, "VERIFIED")
    assert pulled(desk, everything=True) == ["not_allowed"]
    assert pulled(desk, everything=True) == ["not_allowed"]
    assert "queued" not in states(desk)


def test_a_typed_address_is_a_claim_where_publishing_put_the_setting_right_before_anybody_looked(
    desk: Desk, there: StandIn
) -> None:
    set_to(there, "RESPONDER_INPUT")
    sent(desk, there, "one")
    google_forms.publish(desk, KIND, "en")
    assert pulled(desk) == ["not_allowed"]
    assert pulled(desk, everything=True) == ["not_allowed"]
    there.service.now += timedelta(seconds=1)
    sent(desk, there, "two", HANAKO)
    assert pulled(desk) == ["new"]


@pytest.mark.parametrize("done", [False, True], ids=["before its work", "after its work"])
def test_a_typed_address_is_a_claim_where_publishing_ended_while_it_put_the_setting_right(
    desk: Desk, there: StandIn, done: bool
) -> None:
    set_to(there, "RESPONDER_INPUT")
    sent(desk, there, "one")
    there.faults += [Fault("batchUpdate", RefusedError(403, "PERMISSION_DENIED", "No."), done=done)]
    with pytest.raises(SourceDownError):
        google_forms.publish(desk, KIND, "en")
    set_to(there, "VERIFIED")
    assert pulled(desk) == ["not_allowed"]
    google_forms.publish(desk, KIND, "en")
    assert pulled(desk, everything=True) == ["not_allowed"]


def test_a_typed_address_is_a_claim_for_a_source_that_goes_by_another_name(desk: Desk, there: StandIn) -> None:
    set_to(there, "RESPONDER_INPUT")
    sent(desk, there, "one")
    assert pulled(desk) == ["not_allowed"]
    set_to(there, "VERIFIED")
    assert pulled(renamed(desk)) == ["not_allowed"]
    there.service.now += timedelta(seconds=1)
    sent(desk, there, "two", HANAKO)
    assert pulled(renamed(desk)) == ["new"]


def test_what_was_sent_before_a_hand_put_the_setting_right_is_a_claim_whatever_was_read_since(
    desk: Desk, there: StandIn
) -> None:
    set_to(there, "RESPONDER_INPUT")
    assert pulled(desk) == []
    sent(desk, there, "one")
    set_to(there, "VERIFIED")
    there.service.now += timedelta(hours=1)
    assert pulled(desk) == ["not_allowed"]
    assert pulled(desk, everything=True) == ["not_allowed"]


def test_who_was_signed_in_is_vouched_for_also_by_a_source_that_never_looked(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one", HANAKO)
    assert pulled(desk) == ["new"]
    assert pulled(renamed(desk)) == ["known"]
    assert states(desk) == ["queued"]


def test_everything_of_one_kind_is_read_again_and_the_others_stay_where_they_stand(desk: Desk, there: StandIn) -> None:
    sent(desk, there, "one", HANAKO)
    google_forms.publish(desk, "inference", "en")
    there.service.forms[form_of(there, 1)].form["settings"]["emailCollectionType"] = "RESPONDER_INPUT"
    inbox = GoogleInbox(desk, shared(there.url)[0])
    for delivery in inbox.look(""):
        keep_place(desk, "forms", delivery.place)
    before = json.loads(place_of(desk, "forms"))
    assert before[form_of(there, 1)]["collects"] == "RESPONDER_INPUT"
    assert pulled(desk, everything=True) == ["new"]
    assert json.loads(place_of(desk, "forms")) == before
