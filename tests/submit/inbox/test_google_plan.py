"""The plan: from any live form to any definition, whatever the service makes of ids, and with nothing moved or changed for nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submit.inbox.google_plan import asked, plan, recognised
from tests.submit.inbox.google_service import GoogleService, as_told

IDS = st.sampled_from(["taken", "refused", "replaced"])


def item(number: int, draw: st.DrawFn, pages: list[str]) -> dict[str, Any]:
    """A question, page or heading of this number. The number is its identity; a question keeps its sort of control."""
    title = f"{draw(st.sampled_from(['A', 'B']))}{number // 2}"
    made: dict[str, Any] = {
        "itemId": f"{number:08x}",
        "title": title,
        "description": draw(st.sampled_from(["", "x\ny"])),
    }
    if number % 4 == 0:
        return made | {"pageBreakItem": {}}
    if number % 4 == 1:
        return made | {"textItem": {}}
    asked: dict[str, Any] = {"questionId": f"{number + 0x1000:08x}", "required": draw(st.booleans())}
    if number % 4 == 2:
        asked["textQuestion"] = draw(st.sampled_from([{}, {"paragraph": True}]))
    else:
        options = [{"value": one} for one in draw(st.sampled_from(["ab", "abc"]))]
        if pages:
            options[0] |= {"goToSectionId": draw(st.sampled_from(pages))}
        asked["choiceQuestion"] = {"type": "RADIO", "options": options}
    return made | {"questionItem": {"question": asked}}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """As ours are: an option leads to a page below."""
    numbers = draw(st.lists(st.integers(0, 15), unique=True, max_size=10))
    listed = []
    for index, one in enumerate(numbers):
        below = [f"{two:08x}" for two in numbers[index:] if two % 4 == 0]
        listed.append({"key": f"k{one}", "item": item(one, draw, below)})
    info = {"title": draw(st.sampled_from(["T", "U"])), "description": "about"}
    return {"info": info, "settings": {"emailCollectionType": "VERIFIED"}, "items": listed}


def new_form(service: GoogleService) -> dict[str, str]:
    made = service.call("forms.forms.create", {}, {"unpublished": "true"}, {"info": {"title": "T"}})
    return {"formId": made["formId"]}


def brought_to(
    service: GoogleService, form: dict[str, str], wanted: dict[str, Any], known: dict[str, str]
) -> dict[str, str]:
    """As a publisher does: planned anew from what is there until nothing is left to do."""
    for _ in range(4):
        live = service.call("forms.forms.get", form, {}, {})
        known = recognised(live, wanted, known)
        steps = plan(live, wanted, known, own_ids=service.ids == "taken")
        if not steps:
            return known
        service.call("forms.forms.batchUpdate", form, {}, {"requests": [one.request for one in steps]})
    raise AssertionError(steps[0].says)


def meant(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items without their own ids, and with the titles of the pages that they lead to."""
    pages = {one["itemId"]: one["title"] for one in items}
    found = deepcopy(items)
    for one in found:
        one.pop("itemId")
        question = one.get("questionItem", {}).get("question", {})
        question.pop("questionId", None)
        for option in question.get("choiceQuestion", {}).get("options", []):
            if "goToSectionId" in option:
                option["goToSectionId"] = pages[option["goToSectionId"]]
    return found


def ids_of(live: dict[str, Any], wanted: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    return {one.key: id for id, one in asked(live, wanted, known).items()}


@given(before=definitions(), after=definitions(), ids=IDS, again=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_form_becomes_any_definition_and_questions_that_stay_keep_their_ids(
    before: dict[str, Any], after: dict[str, Any], ids: Literal["taken", "refused", "replaced"], again: bool
) -> None:
    service = GoogleService(ids=ids)
    form = new_form(service)
    known = brought_to(service, form, before, {})
    first = ids_of(service.call("forms.forms.get", form, {}, {}), before, known)
    if again:
        known = brought_to(service, form, before, known)
    known = brought_to(service, form, after, known)
    live = service.call("forms.forms.get", form, {}, {})
    assert meant(live["items"]) == as_told(meant([one["item"] for one in after["items"]]))
    assert live["info"]["title"] == after["info"]["title"]
    second = ids_of(live, after, known)
    assert {key: second[key] for key in first if key in second} == {
        key: id for key, id in first.items() if key in second
    }


@given(wanted=definitions(), ids=IDS)
@settings(max_examples=25, deadline=None)
def test_a_form_that_is_as_it_should_be_needs_no_step(
    wanted: dict[str, Any], ids: Literal["taken", "refused", "replaced"]
) -> None:
    service = GoogleService(ids=ids)
    form = new_form(service)
    known = brought_to(service, form, wanted, {})
    live = service.call("forms.forms.get", form, {}, {})
    assert plan(live, wanted, recognised(live, wanted, known)) == []


@pytest.mark.parametrize(
    ("order", "moves"), [("abcd", 0), ("bcda", 1), ("dabc", 1), ("dcba", 3), ("badc", 2)], ids=lambda one: str(one)
)
def test_as_few_items_as_can_be_are_moved(order: str, moves: int) -> None:
    def of(letters: str) -> list[dict[str, Any]]:
        return [{"itemId": one, "title": one, "textItem": {}} for one in letters]

    live = {"items": of(order), "info": {"title": "T"}, "settings": {"emailCollectionType": "VERIFIED"}}
    wanted = {
        "items": [{"key": "", "item": one} for one in of("abcd")],
        "info": {"title": "T"},
        "settings": {"emailCollectionType": "VERIFIED"},
    }
    assert len(plan(live, wanted, {one: one for one in order})) == moves
