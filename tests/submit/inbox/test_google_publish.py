"""Forms made and brought up to date at a stand-in of Google's services, by their real client."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import pytest

from schema.question import Question
from schema.words import Words
from submit.datasets import offering
from submit.desk import LEDGER, Desk, DeskError
from submit.inbox import SourceDownError
from submit.inbox.google_publish import publish
from submit.inbox.published import Published, forms_of
from submit.ledger import LedgerBusy, verify
from submit.ledger.files import held
from tests.kinds_for_tests import KINDS
from tests.submit.inbox.google_desks import google, published
from tests.submit.inbox.google_service import RefusedError, as_told
from tests.submit.inbox.google_stand_in import DOWN, QUOTA, Fault, StandIn

ONCE = ["forms.forms.create", "forms.forms.batchUpdate", "forms.forms.setPublishSettings", "drive.permissions.create"]


def changed(desk: Desk, name: str, change: Callable[[Question], Question | None], version: int = 0) -> Desk:
    """The desk with a kind whose questions were changed, or taken out where nothing comes back."""
    kind = desk.kinds[name]
    questions = tuple(found for one in kind.form.questions if (found := change(one)) is not None)
    form = replace(kind.form, questions=questions, version=version or kind.form.version)
    return replace(desk, kinds=MappingProxyType({**desk.kinds, name: replace(kind, form=form)}))


def relabelled(key: str, label: str) -> Callable[[Question], Question]:
    return lambda one: replace(one, label=Words(label, ja=label)) if one.key == key else one


def kept(desk: Desk) -> Published:
    with desk.ledger() as ledger:
        (found,) = forms_of(ledger, "google")
    return found


def entries(desk: Desk) -> list[str]:
    assert verify(desk.folder / LEDGER).ok
    with desk.ledger() as ledger:
        return [one.action for one in ledger.entries()][1:]


def live(there: StandIn) -> dict[str, Any]:
    (found,) = there.service.forms.values()
    return found.form


def titles(there: StandIn) -> list[str]:
    return [one["title"] for one in live(there)["items"]]


def asked_now(there: StandIn) -> list[str]:
    return [one["questionItem"]["question"]["questionId"] for one in live(there)["items"] if "questionItem" in one]


@pytest.mark.parametrize(
    ("kind", "language"), [*((one, "en") for one in KINDS), ("train_supervised", "ja")], ids=lambda one: str(one)
)
def test_a_form_becomes_what_its_kind_says_in_one_atomic_update(
    desk: Desk, there: StandIn, kind: str, language: str
) -> None:
    report = published(desk, there, kind, language)
    wanted = [one["item"] for one in json.loads(definition(desk, kind, language))["items"]]
    assert there.service.writes() == ONCE
    assert live(there)["items"] == wanted
    assert live(there)["settings"] == {"emailCollectionType": "VERIFIED"}
    assert live(there)["publishSettings"]["publishState"] == {"isPublished": True, "isAcceptingResponses": True}
    assert (report.form, report.url) == (live(there)["formId"], live(there)["responderUri"])


def definition(desk: Desk, kind: str, language: str) -> bytes:
    from generators import google_form

    return google_form.write(offering(desk, desk.kinds[kind].form), language)


def test_a_form_is_made_unpublished_and_shared_with_those_who_may_only_answer(desk: Desk, there: StandIn) -> None:
    with google(desk.folder, there) as mine:
        publish(desk, mine, "inference", "ja", ["domain:example.com", "group:ml@example.com"])
    (stored,) = there.service.forms.values()
    assert [{name: one[name] for name in one if name != "id"} for one in stored.permissions] == [
        {"type": "domain", "domain": "example.com", "role": "reader", "view": "published"},
        {"type": "group", "emailAddress": "ml@example.com", "role": "reader", "view": "published"},
    ]
    assert there.asked["forms.forms.create"] == {"unpublished": "true"}
    assert there.asked["drive.permissions.create"]["sendNotificationEmail"] == "false"


def test_twice_in_a_row_changes_nothing(desk: Desk, there: StandIn) -> None:
    first = published(desk, there, "train_supervised", "ja")
    before = (kept(desk), entries(desk), [*there.service.writes()])
    second = published(desk, there, "train_supervised", "ja")
    assert (kept(desk), entries(desk), there.service.writes()) == before
    assert (second.form, second.steps) == (first.form, ())


def test_form_revision_and_the_map_of_ids_are_recorded_by_door_kind_and_language(desk: Desk, there: StandIn) -> None:
    published(desk, there, "inference", "en")
    row = kept(desk)
    assert (row.door, row.kind, row.language, row.form) == ("google", "inference", "en", live(there)["formId"])
    assert (row.revision, row.url) == (live(there)["revisionId"], live(there)["responderUri"])
    assert [row.questions[id].key for id in asked_now(there)] == [*desk.kinds["inference"].form.by_key]
    assert [(one.version, bool(one.at)) for one in row.publications] == [(1, True)]
    assert entries(desk) == ["publishing", "published"]
    published(desk, there, "inference", "ja")
    with desk.ledger() as ledger:
        assert [(one.kind, one.language) for one in forms_of(ledger, "google")] == [
            ("inference", "en"),
            ("inference", "ja"),
        ]


def test_one_changed_label_is_exactly_one_update_of_one_item(desk: Desk, there: StandIn) -> None:
    published(desk, there, "train_supervised")
    before = asked_now(there)
    there.service.calls.clear()
    report = published(
        changed(desk, "train_supervised", relabelled("seed", "Seed of chance")), there, "train_supervised"
    )
    assert there.service.changes() == ["updateItem"]
    ((_, body),) = [one for one in there.service.calls if one[0].endswith("batchUpdate")]
    assert body["requests"][0]["updateItem"]["updateMask"] == "title"
    assert report.steps == ("change “Random seed”: title",)
    assert asked_now(there) == before
    assert "Seed of chance" in titles(there)


def test_a_removed_question_goes_and_its_answers_stay_readable(desk: Desk, there: StandIn) -> None:
    published(desk, there, "inference")
    (note,) = [id for id, one in kept(desk).questions.items() if one.key == "note"]
    there.service.calls.clear()
    published(changed(desk, "inference", lambda one: one if one.key != "note" else None, 2), there, "inference")
    assert there.service.changes() == ["deleteItem"]
    assert note not in asked_now(there)
    row = kept(desk)
    assert (row.questions[note].key, row.questions[note].since, row.questions[note].until) == ("note", 0, 1)
    assert [one.version for one in row.publications] == [1, 2]


def test_a_question_that_comes_back_has_the_id_it_had(desk: Desk, there: StandIn) -> None:
    published(desk, there, "inference")
    before = kept(desk).questions
    published(changed(desk, "inference", lambda one: one if one.key != "note" else None, 2), there, "inference")
    published(desk, there, "inference")
    assert kept(desk).questions == before


CHANGES: dict[str, tuple[str, Callable[[Question], Question | None], list[str]]] = {
    "another help": (
        "inference",
        lambda one: replace(one, help=Words("New.", ja="新。")) if one.key == "note" else one,
        ["updateItem"],
    ),
    "not required any more": (
        "inference",
        lambda one: replace(one, required=False, default="x") if one.key == "model_id" else one,
        ["updateItem"],
    ),
    "another option": (
        "inference",
        lambda one: replace(one, choices=one.choices[:2]) if one.key == "output_format" else one,
        ["updateItem"],
    ),
    "another sort of control": (
        "inference",
        lambda one: replace(one, widget="date") if one.key == "note" else one,
        ["createItem", "deleteItem"],
    ),
    "a branch less": (
        "train_supervised",
        lambda one: None if one.name == "hyperparameters.alpha" and one.key.endswith("linear_regression") else one,
        ["updateItem", "deleteItem", "deleteItem", "deleteItem"],
    ),
}


@pytest.mark.parametrize(("kind", "change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_class_takes_the_fewest_requests(
    desk: Desk, there: StandIn, kind: str, change: Callable[[Question], Question | None], expected: list[str]
) -> None:
    published(desk, there, kind)
    there.service.calls.clear()
    new = changed(desk, kind, change, 2)
    published(new, there, kind)
    assert there.service.changes() == expected
    assert as_told(live(there)["items"]) == [one["item"] for one in json.loads(definition(new, kind, "en"))["items"]]


def test_questions_that_change_places_are_moved_and_keep_their_ids(desk: Desk, there: StandIn) -> None:
    published(desk, there, "inference")
    kind = desk.kinds["inference"]
    first, *rest = kind.form.questions
    form = replace(kind.form, questions=(*rest[:2], first, *rest[2:]))
    there.service.calls.clear()
    new = replace(desk, kinds=MappingProxyType({**desk.kinds, "inference": replace(kind, form=form)}))
    published(new, there, "inference")
    assert there.service.changes() == ["moveItem"]
    assert titles(there)[:3] == ["Which dataset?", "In which format do you want the predictions?", "Which model?"]


def test_what_somebody_edited_by_hand_is_put_right(desk: Desk, there: StandIn) -> None:
    published(desk, there, "inference")
    before = deepcopy(live(there)["items"])
    items = live(there)["items"]
    items[0]["title"] = "Something else"
    items[1]["questionItem"]["question"].pop("required")
    items.insert(
        2,
        {
            "itemId": "0000beef",
            "title": "By hand",
            "questionItem": {"question": {"questionId": "0000cafe", "textQuestion": {}}},
        },
    )
    items.append(items.pop(0))
    live(there)["settings"]["emailCollectionType"] = "RESPONDER_INPUT"
    report = published(desk, there, "inference")
    assert live(there)["items"] == before
    assert live(there)["settings"]["emailCollectionType"] == "VERIFIED"
    assert report.steps == (
        "collect verified e-mail addresses",
        "move “Something else”",
        "change “Something else”: title",
        "change “Which dataset?”: required",
        "remove “By hand”; answers given to it stay readable",
    )


@pytest.mark.parametrize("ids", ["refused", "replaced"])
def test_the_service_may_take_our_ids_or_give_its_own(
    desk: Desk, there: StandIn, ids: Literal["refused", "replaced"]
) -> None:
    there.service.ids = ids
    published(desk, there, "train_supervised")
    wanted = [one["item"]["title"] for one in json.loads(definition(desk, "train_supervised", "en"))["items"]]
    assert titles(there) == wanted
    row = kept(desk)
    assert [row.questions[id].key for id in asked_now(there) if row.questions[id].key] == [
        *desk.kinds["train_supervised"].form.by_key
    ]
    assert {*row.questions} == {*asked_now(there)}
    there.service.calls.clear()
    assert published(desk, there, "train_supervised").steps == ()
    assert there.service.writes() == []


def test_a_dry_run_prints_the_plan_and_changes_nothing_anywhere(desk: Desk, there: StandIn) -> None:
    report = published(desk, there, "inference", dry_run=True)
    assert (there.service.writes(), entries(desk)) == ([], [])
    assert report.steps[0] == "create the form “Predict with a trained model”"
    assert report.steps[-2:] == ("open it for responses", "share it with anyone")
    assert report.steps[1:4] == (
        "add “Which model?”",
        "add “Which dataset?”",
        "add “In which format do you want the predictions?”",
    )
    done = published(desk, there, "inference")
    assert done.steps == report.steps
    there.service.calls.clear()
    assert published(desk, there, "inference", dry_run=True).steps == ()


LOST: dict[str, Fault] = {
    "the answer to create": Fault("create", DOWN, done=True),
    "half the answer to create": Fault("forms.create", short=True),
    "the answer to the update": Fault("batchUpdate", short=True),
    "the look after create": Fault("forms.get", short=True),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_try_that_was_cut_off_is_taken_up_and_no_second_form_is_made(
    desk: Desk, there: StandIn, fault: Fault
) -> None:
    there.faults += [fault] * 3
    with pytest.raises(SourceDownError):
        published(desk, there)
    there.faults.clear()
    published(desk, there)
    assert len(there.service.forms) == 1
    assert live(there)["publishSettings"]["publishState"]["isAcceptingResponses"]
    assert there.service.writes().count("forms.forms.create") == 1
    assert entries(desk) == ["publishing", "published"]


def test_a_form_that_drive_does_not_show_yet_is_left_unpublished_and_named(desk: Desk, there: StandIn) -> None:
    there.faults.append(Fault("create", DOWN, done=True))
    with pytest.raises(SourceDownError):
        published(desk, there)
    (lost,) = there.service.forms
    there.service.lag = 1
    report = published(desk, there)
    assert f"leave the form {lost}, an empty one of the same name: delete it in Drive" in report.steps
    open_now = [
        id for id, one in there.service.forms.items() if one.form["publishSettings"]["publishState"]["isPublished"]
    ]
    assert open_now == [report.form]
    assert report.form != lost


def test_a_quota_is_waited_for_also_where_a_form_is_made(desk: Desk, there: StandIn) -> None:
    there.faults += [Fault("create", QUOTA), Fault("create", RefusedError(403, "rateLimitExceeded", "Slow down."))]
    there.faults += [Fault("batchUpdate", QUOTA)] * 2
    waited: list[float] = []
    with google(desk.folder, there, slept=waited) as mine:
        publish(desk, mine, "inference", "en", ["anyone"])
    assert len(there.service.forms) == 1
    assert waited[:2] == [1, 2]
    assert len(waited) == 4


def test_an_edit_of_somebody_else_in_between_is_seen_and_planned_anew(desk: Desk, there: StandIn) -> None:
    published(desk, there)

    def edited() -> None:
        live(there)["revisionId"] = "another"
        live(there)["items"][1]["title"] = "By hand"

    there.faults.append(Fault("forms.get", done=True, then=edited, told=True))
    published(changed(desk, "inference", relabelled("note", "Remark")), there)
    assert titles(there)[1] == "Which dataset?"
    assert "Remark" in titles(there)
    assert there.service.changes()[-3:] == ["updateItem", "updateItem", "updateItem"]


def test_an_update_whose_answer_is_lost_is_not_made_twice_and_its_revision_is_recorded(
    desk: Desk, there: StandIn
) -> None:
    published(desk, there)
    there.service.calls.clear()
    there.faults.append(Fault("batchUpdate", DOWN, done=True))
    published(changed(desk, "inference", relabelled("note", "Remark")), there)
    assert there.service.changes() == ["updateItem", "updateItem"]
    assert "Remark" in titles(there)
    assert kept(desk).revision == live(there)["revisionId"]


def test_a_form_that_is_gone_is_said_and_no_other_is_made(desk: Desk, there: StandIn) -> None:
    report = published(desk, there)
    there.service.forms.clear()
    with pytest.raises(DeskError) as gone:
        published(desk, there)
    assert str(gone.value) == (
        f"the form {report.form} of inference (en) is not there: take it out of Drive's bin, or use the account that made it"
    )
    assert there.service.forms == {}


def test_what_the_service_refuses_again_and_again_is_one_line(desk: Desk, there: StandIn) -> None:
    there.faults += [Fault("batchUpdate", RefusedError(400, "INVALID_ARGUMENT", "Too long a title."))] * 9
    with pytest.raises(SourceDownError) as refused:
        published(desk, there)
    assert str(refused.value) == "Google answers 400: Too long a title."
    there.faults.clear()
    assert published(desk, there).steps[-1] == "share it with anyone"


def test_one_process_publishes_at_a_time(desk: Desk, there: StandIn) -> None:
    with held(desk.folder / LEDGER / "publishing", 0), pytest.raises(LedgerBusy):
        published(desk, there)
    assert there.service.forms == {}
