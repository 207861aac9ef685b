"""The rules of the Forms and Drive services that a publisher and a reader of responses meet. No network: one call, one answer.

What nobody outside the service knows for sure is a switch: whether ids that are given at creation are taken, refused or replaced.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.generators.google_respondent import Answer, fill_in
from tests.submit.inbox.google_sheets import Sheets, UnknownError

Json = dict[str, Any]
GIVEN_ID = re.compile("[0-7][0-9a-f]{7}")
CONTROLS = ("choiceQuestion", "textQuestion", "scaleQuestion", "dateQuestion", "timeQuestion", "ratingQuestion")
KINDS = ("questionItem", "pageBreakItem", "textItem")
FILTER = re.compile(r"timestamp (>=?) ([0-9T:.-]+Z)")
QUERY = re.compile(
    r"name = '((?:[^'\\]|\\.)*)' and mimeType = 'application/vnd\.google-apps\.form' and trashed = false"
)


class RefusedError(Exception):
    """An answer that is no success: HTTP status, the service's status word, and what it says."""

    def __init__(self, code: int, status: str, says: str) -> None:
        super().__init__(says)
        self.code, self.status, self.says = code, status, says


def invalid(says: str) -> RefusedError:
    return RefusedError(400, "INVALID_ARGUMENT", says)


def as_told(value: Any) -> Any:
    """As the service tells it: what is false or an empty text is left out."""
    if isinstance(value, list):
        return [as_told(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: as_told(one) for name, one in value.items() if one is not False and one != ""}


@dataclass
class Stored:
    """A form as the service keeps it, and its file in Drive."""

    form: Json
    created: datetime
    permissions: list[Json] = field(default_factory=list)
    responses: dict[str, Json] = field(default_factory=dict)
    trashed: bool = False


@dataclass
class GoogleService:
    """``now`` is the service's clock, ``page`` how many responses stand on a page, ``lag`` how many searches do not see a new file yet."""

    ids: Literal["taken", "refused", "replaced"] = "taken"
    page: int = 5000
    lag: int = 0
    now: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    forms: dict[str, Stored] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    sheets: Sheets = field(default_factory=Sheets)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def call(self, method: str, where: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        """One call of a method, by its id in the discovery document."""
        self.calls.append((method, body))
        known: Mapping[str, Callable[[Mapping[str, str], Mapping[str, str], Json], Json]] = {
            "forms.forms.create": self._create,
            "forms.forms.get": self._get,
            "forms.forms.batchUpdate": self._update,
            "forms.forms.setPublishSettings": self._publish,
            "forms.forms.responses.list": self._list,
            "drive.files.list": self._find,
            "drive.permissions.list": self._permissions,
            "drive.permissions.create": self._share,
        }
        if method.startswith("sheets."):
            try:
                return self.sheets.call(method, where, asked, body)
            except UnknownError:
                raise invalid("Unable to parse range or find it.") from None
        found: Json = as_told(known[method](where, asked, body))
        return found

    def writes(self) -> list[str]:
        """The calls so far that change something."""
        reading = ("get", "list")
        return [method for method, _ in self.calls if method.rpartition(".")[2] not in reading]

    def changes(self) -> list[str]:
        """The kinds of all requests of all updates so far."""
        bodies = (body for method, body in self.calls if method.endswith("batchUpdate"))
        return [next(iter(one)) for body in bodies for one in body["requests"]]

    def answer(self, form: str, answer: Answer, email: str = "", response: str = "") -> str:
        """Somebody fills in and sends a form, or changes the response they sent before."""
        stored = self.forms[form]
        state = stored.form["publishSettings"]["publishState"]
        assert state["isAcceptingResponses"], "the form takes no responses"
        assert any(one.get("view") == "published" for one in stored.permissions), "nobody may see the form"
        id = response or f"ACYD{next(self._numbers)}"
        before = stored.responses.get(id, {"responseId": id, "createTime": self._time()})
        collected = stored.form["settings"]["emailCollectionType"] != "DO_NOT_COLLECT"
        stored.responses[id] = {
            **before,
            "lastSubmittedTime": self._time(),
            **({"respondentEmail": email} if collected and email else {}),
            "answers": fill_in(stored.form["items"], answer),
        }
        self.now += timedelta(milliseconds=1)
        return id

    def _time(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _stored(self, where: Mapping[str, str]) -> Stored:
        found = self.forms.get(where.get("formId", where.get("fileId", "")))
        if found is None:
            raise RefusedError(404, "NOT_FOUND", "Requested entity was not found.")
        return found

    def _create(self, _: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        if {*body} != {"info"} or not {*body["info"]} <= {"title", "documentTitle"}:
            raise invalid(
                "Only info.title can be set when creating a form. To add items and change settings, use batchUpdate."
            )
        if not body["info"].get("title"):
            raise invalid("info.title is required")
        id = f"1FAIpQL{next(self._numbers):04}"
        published = asked.get("unpublished") == "false"
        form = {
            "formId": id,
            "info": {"documentTitle": "Untitled form", **body["info"]},
            "settings": {"emailCollectionType": "DO_NOT_COLLECT"},
            "revisionId": f"{next(self._numbers):08}",
            "responderUri": f"https://docs.google.com/forms/d/e/{id}/viewform",
            "publishSettings": {"publishState": {"isPublished": published, "isAcceptingResponses": published}},
            "items": [],
        }
        self.forms[id] = Stored(form, self.now)
        return form

    def _get(self, where: Mapping[str, str], _: Mapping[str, str], body: Json) -> Json:
        return self._stored(where).form

    def _update(self, where: Mapping[str, str], _: Mapping[str, str], body: Json) -> Json:
        stored = self._stored(where)
        required = body.get("writeControl", {}).get("requiredRevisionId")
        if required is not None and required != stored.form["revisionId"]:
            raise invalid("The form was changed since this revision.")
        form = deepcopy(stored.form)
        replies = [self._one(form, request) for request in body["requests"]]
        if not replies:
            raise invalid("Must specify at least one request.")
        _refuse_loose_ends(form)
        form["revisionId"] = f"{next(self._numbers):08}"
        stored.form = form
        answer: Json = {"replies": replies, "writeControl": {"requiredRevisionId": form["revisionId"]}}
        return {**answer, "form": form} if body.get("includeFormInResponse") else answer

    def _one(self, form: Json, request: Json) -> Json:
        if len(request) != 1:
            raise invalid("A request has exactly one kind.")
        (kind, asked), items = next(iter(request.items())), form["items"]
        match kind:
            case "createItem":
                return {"createItem": self._new_item(form, asked)}
            case "deleteItem":
                items.pop(_index(asked["location"], len(items)))
            case "moveItem":
                item = items.pop(_index(asked["originalLocation"], len(items)))
                items.insert(_index(asked["newLocation"], len(items) + 1), item)
            case "updateItem":
                self._change(form, asked)
            case "updateFormInfo":
                _masked(form["info"], asked["info"], asked["updateMask"], ("title", "description"))
            case "updateSettings":
                _masked(form["settings"], asked["settings"], asked["updateMask"], ("emailCollectionType",))
        return {}

    def _new_item(self, form: Json, asked: Json) -> Json:
        item, items = deepcopy(asked["item"]), form["items"]
        _refuse_item(item)
        question = item.get("questionItem", {}).get("question")
        named = [("itemId", item, _item_ids(form))] + (
            [("questionId", question, _question_ids(form))] if question else []
        )
        for name, part, taken in named:
            given = part.get(name)
            if given and (self.ids == "refused" or not GIVEN_ID.fullmatch(given) or given in taken):
                raise invalid(f"{name} cannot be given here.")
            part[name] = given if given and self.ids == "taken" else f"{0x20000000 + next(self._numbers):08x}"
        _refuse_missing_page(form, item)
        items.insert(_index(asked["location"], len(items) + 1), item)
        return {"itemId": item["itemId"], **({"questionId": [question["questionId"]]} if question else {})}

    def _change(self, form: Json, asked: Json) -> None:
        item = form["items"][_index(asked["location"], len(form["items"]))]
        for path in asked["updateMask"].split(","):
            if path not in ("title", "description", "questionItem.question.required") and not any(
                path == f"questionItem.question.{one}" for one in CONTROLS
            ):
                raise invalid(
                    f"Invalid update mask: {path}"
                )  # a wider one would make new ids where the body names none
            _copy(item, asked["item"], path)
        _refuse_item(item)
        _refuse_missing_page(form, item)

    def _publish(self, where: Mapping[str, str], _: Mapping[str, str], body: Json) -> Json:
        form, state = self._stored(where).form, body["publishSettings"]["publishState"]
        if state["isAcceptingResponses"] and not state["isPublished"]:
            raise invalid("A form that is not published cannot accept responses.")
        form["publishSettings"]["publishState"] = state
        return {"formId": form["formId"], "publishSettings": form["publishSettings"]}

    def _list(self, where: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        """In no order that anybody promised; a page's token holds for the same filter alone."""
        stored, asked_filter = self._stored(where), asked.get("filter", "")
        found = FILTER.fullmatch(asked_filter)
        if asked_filter and not found:
            raise invalid("Invalid filter.")
        responses = sorted(stored.responses.values(), key=lambda one: str(one["responseId"])[::-1])
        if found:
            at = datetime.fromisoformat(found[2])
            responses = [one for one in responses if _is_since(one, found[1], at)]
        start, _, same = asked.get("pageToken", f"0|{asked_filter}").partition("|")
        if same != asked_filter:
            raise invalid("The page token belongs to another filter.")
        end = int(start) + min(self.page, int(asked.get("pageSize", 0)) or 5000)
        answer: Json = {"responses": responses[int(start) : end]} if responses else {}
        return {**answer, "nextPageToken": f"{end}|{asked_filter}"} if end < len(responses) else answer

    def _find(self, _: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        found = QUERY.fullmatch(asked.get("q", ""))
        if not found:
            raise invalid("Invalid Value")
        if self.lag:
            self.lag -= 1
            return {"files": []}
        name = re.sub(r"\\(.)", r"\1", found[1])
        mine = [one for one in self.forms.values() if one.form["info"]["documentTitle"] == name and not one.trashed]
        return {"files": [{"id": one.form["formId"], "createdTime": one.created.isoformat()} for one in mine]}

    def _permissions(self, where: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        shown = asked.get("includePermissionsForView") == "published"
        return {"permissions": [one for one in self._stored(where).permissions if shown or "view" not in one]}

    def _share(self, where: Mapping[str, str], asked: Mapping[str, str], body: Json) -> Json:
        stored = self._stored(where)
        needed = {"user": "emailAddress", "group": "emailAddress", "domain": "domain"}.get(body["type"])
        if needed and not body.get(needed):
            raise invalid(f"{needed} is required")
        if body.get("view") == "published" and body["role"] != "reader":
            raise invalid("Only readers have a published view.")
        made = {**body, "id": f"p{next(self._numbers)}"}
        stored.permissions.append(made)
        return made


def _is_since(response: Json, sign: str, at: datetime) -> bool:
    when = datetime.fromisoformat(response["lastSubmittedTime"])
    return when > at or (sign == ">=" and when == at)


def _index(location: Json, length: int) -> int:
    if not 0 <= location["index"] < length:
        raise invalid("The index is out of range.")
    return int(location["index"])


def _item_ids(form: Json) -> set[str]:
    return {one["itemId"] for one in form["items"]}


def _question_ids(form: Json) -> set[str]:
    asked = (one.get("questionItem", {}).get("question") for one in form["items"])
    return {one["questionId"] for one in asked if one}


def _refuse_item(item: Json) -> None:
    if sum(one in item for one in KINDS) != 1:
        raise invalid("An item has exactly one kind.")
    question = item.get("questionItem", {}).get("question", {})
    if question and sum(one in question for one in CONTROLS) != 1:
        raise invalid("A question has exactly one kind.")
    choice, scale = question.get("choiceQuestion", {}), question.get("scaleQuestion")
    values = [one.get("value", "") for one in choice.get("options", [])]
    if any("\n" in text or "\r" in text for text in (item.get("title", ""), *values)):
        raise invalid("Displayed text cannot contain newlines.")
    if choice and (not values or "" in values or len({*values}) < len(values)):
        raise invalid("Options must not be empty or occur twice.")
    leads = [one for one in choice.get("options", []) if one.keys() & {"goToAction", "goToSectionId"}]
    if leads and (choice["type"] == "CHECKBOX" or any({"goToAction", "goToSectionId"} <= one.keys() for one in leads)):
        raise invalid("This option cannot lead anywhere.")
    if scale and not (scale.get("low") in (0, 1) and 2 <= scale["high"] <= 10):
        raise invalid("Invalid scale.")


def _led_to(item: Json) -> set[str]:
    choice = item.get("questionItem", {}).get("question", {}).get("choiceQuestion", {})
    return {one["goToSectionId"] for one in choice.get("options", []) if "goToSectionId" in one}


def _refuse_missing_page(form: Json, item: Json) -> None:
    pages = {one["itemId"] for one in form["items"] if "pageBreakItem" in one}
    if not _led_to(item) <= pages:
        raise invalid("There is no such section to go to.")


def _refuse_loose_ends(form: Json) -> None:
    for item in form["items"]:
        _refuse_missing_page(form, item)


def _masked(stored: Json, given: Json, mask: str, known: tuple[str, ...]) -> None:
    for name in mask.split(","):
        if name not in known:
            raise invalid(f"Invalid update mask: {name}")
        stored[name] = given.get(name, "")


def _copy(item: Json, given: Json, path: str) -> None:
    *groups, last = path.split(".")
    for one in groups:
        item, given = item[one], given.get(one, {})
    if last in CONTROLS and last not in item:
        for one in CONTROLS:
            item.pop(one, None)
    item[last] = deepcopy(given.get(last, ""))
