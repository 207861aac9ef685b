"""What must be done to a live Google form so that it is what its kind says: a list of steps, each one request of ``batchUpdate``. Pure.

Steps come in an order in which each holds when its turn comes: new items from the last to the first, so that a page is there before an
option leads to it; then moves, changes, and at last what goes, when nothing leads there any more. A change names in its mask what it
changes and never an id, because a blank id in a mask makes the service take a new one, and earlier responses would lose their question.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from submit.inbox.published import Asked

Json = dict[str, Any]
NEXT = "NEXT_SECTION"
"""What an option does anyway: the service may leave it out."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request of ``batchUpdate``, and what it does in one line for an operator."""

    says: str
    request: Json


def plan(live: Json, wanted: Json, ids: Mapping[str, str], *, own_ids: bool = True) -> list[Step]:
    """The fewest steps from the live form to its definition. ``ids``: the service's item id by ours, see ``recognised``. Without
    ``own_ids`` new items are left to be named by the service, and what leads to them waits until they have names."""
    change = _Change(list(live.get("items", [])), wanted, ids, own_ids)
    return [*_around(live, wanted), *change.created(), *change.moved(), *change.changed(), *change.deleted()]


def told(steps: Iterable[Step]) -> list[str]:
    """What steps do, new items in the order of the form."""
    listed = list(steps)
    new = [one.says for one in listed if "createItem" in one.request]
    return [*reversed(new), *(one.says for one in listed if "createItem" not in one.request)]


def recognised(live: Json, wanted: Json, known: Mapping[str, str]) -> dict[str, str]:
    """The service's item id by ours, of all items that are there: those that were recorded, those that bear our id, and of the items
    that nobody has recorded those of the same sort and title, in their order."""
    there = {one["itemId"]: one for one in live.get("items", [])}
    found = {ours: theirs for ours, theirs in known.items() if theirs in there}
    items = [one["item"] for one in wanted["items"]]
    found |= {one["itemId"]: one["itemId"] for one in items if one["itemId"] in there and one["itemId"] not in found}
    strange = [one for id, one in there.items() if id not in {*found.values(), *known.values()}]
    for item in (one for one in items if one["itemId"] not in found):
        same = next((one for one in strange if _likeness(one) == _likeness(item)), None)
        if same is not None:
            strange.remove(same)
            found[item["itemId"]] = same["itemId"]
    return found


def asked(live: Json, wanted: Json, ids: Mapping[str, str]) -> dict[str, Asked]:
    """The questions that are asked now, by the service's id; ours where the item is not there yet."""
    there = {one["itemId"]: one for one in live.get("items", [])}
    found = {}
    for one in wanted["items"]:
        item = there.get(ids.get(one["item"]["itemId"], ""), one["item"])
        if question := item.get("questionItem", {}).get("question"):
            found[question["questionId"]] = Asked(one["key"], 0, options=one.get("options", {}))
    return found


def _likeness(item: Json) -> tuple[str, str, str]:
    kind = next((name for name in item if name.endswith("Item")), "")
    control = next((name for name in item.get("questionItem", {}).get("question", {}) if name.endswith("Question")), "")
    return kind, control, item.get("title", "").strip()


def _around(live: Json, wanted: Json) -> Iterator[Step]:
    info = {name: value for name, value in wanted["info"].items() if live.get("info", {}).get(name, "") != value}
    if info:
        mask = ",".join(info)
        yield Step(f"change the form's {mask}", {"updateFormInfo": {"info": info, "updateMask": mask}})
    if live.get("settings", {}).get("emailCollectionType") != wanted["settings"]["emailCollectionType"]:
        request = {"settings": wanted["settings"], "updateMask": "emailCollectionType"}
        yield Step("collect verified e-mail addresses", {"updateSettings": request})


@dataclass
class _Change:
    """The items of a form while they are being changed: ``now`` is what the service has after the steps so far."""

    now: list[Json]
    wanted: Json
    ids: Mapping[str, str]
    own_ids: bool

    def __post_init__(self) -> None:
        self.items = [self._theirs(one["item"]) for one in self.wanted["items"]]
        self.order = [one["itemId"] for one in self.items]
        there = {one["itemId"] for one in self.now}
        self.new = [one for one in self.items if one["itemId"] not in there]
        self.kept = {one["itemId"]: one for one in self.items if one["itemId"] in there}
        self.pages = there | ({one["itemId"] for one in self.new} if self.own_ids else set())

    def _theirs(self, item: Json) -> Json:
        """A wanted item with the ids that the service knows it and its pages by."""
        item = {**item, "itemId": self.ids.get(item["itemId"], item["itemId"])}
        question = item.get("questionItem", {}).get("question", {})
        if "choiceQuestion" in question:
            choice = question["choiceQuestion"]
            choice = {**choice, "options": [self._leading(one) for one in choice["options"]]}
            item["questionItem"] = {"question": {**question, "choiceQuestion": choice}}
        return item

    def _leading(self, option: Json) -> Json:
        to = option.get("goToSectionId")
        return {**option, "goToSectionId": self.ids.get(to, to)} if to else option

    def created(self) -> Iterator[Step]:
        after = len(self.now)
        new = {one["itemId"] for one in self.new}
        for item in reversed(self.items):
            if item["itemId"] not in new:
                after = self._at(item["itemId"])
                continue
            sent = self._sendable(item)
            yield Step(f"add “{item['title']}”", {"createItem": {"item": sent, "location": {"index": after}}})
            self.now.insert(after, item)

    def _sendable(self, item: Json) -> Json:
        """An item as it can be sent now: leading to pages that are there, and without our ids where the service names it."""
        item = self._reachable(item)
        if self.own_ids:
            return item
        item.pop("itemId")
        if question := item.get("questionItem", {}).get("question"):
            item["questionItem"] = {"question": {name: part for name, part in question.items() if name != "questionId"}}
        return item

    def _reachable(self, item: Json) -> Json:
        question = item.get("questionItem", {}).get("question", {})
        if "choiceQuestion" not in question:
            return dict(item)
        choice = question["choiceQuestion"]
        options = [
            {name: part for name, part in one.items() if name != "goToSectionId" or part in self.pages}
            for one in choice["options"]
        ]
        return {**item, "questionItem": {"question": {**question, "choiceQuestion": {**choice, "options": options}}}}

    def _at(self, id: str) -> int:
        return next(index for index, one in enumerate(self.now) if one["itemId"] == id)

    def moved(self) -> Iterator[Step]:
        """Those items that do not stand in order already, each behind the one that it follows."""
        stay = _longest_in_order([self.order.index(one["itemId"]) for one in self.now if one["itemId"] in self.order])
        for index, id in enumerate(self.order):
            if index in stay:
                continue
            before = self._at(id)
            item = self.now.pop(before)
            after = self._at(self.order[index - 1]) + 1 if index else 0
            self.now.insert(after, item)
            places = {"originalLocation": {"index": before}, "newLocation": {"index": after}}
            yield Step(f"move “{item.get('title', '')}”", {"moveItem": places})

    def changed(self) -> Iterator[Step]:
        for index, one in enumerate(self.now):
            item = self.kept.get(one["itemId"])
            parts = _differing(one, self._reachable(item)) if item else {}
            if parts:
                body: Json = {}
                for path, value in parts.items():
                    _put(body, path.split("."), value)
                request = {"item": body, "location": {"index": index}, "updateMask": ",".join(parts)}
                yield Step(f"change “{one.get('title', '')}”: {', '.join(map(_last, parts))}", {"updateItem": request})

    def deleted(self) -> Iterator[Step]:
        for index, one in reversed(list(enumerate(self.now))):
            if one["itemId"] not in self.order:
                says = f"remove “{one.get('title', '')}”; answers given to it stay readable"
                yield Step(says, {"deleteItem": {"location": {"index": index}}})


def _longest_in_order(places: Sequence[int]) -> set[int]:
    """The longest run of places that already rise: what need not be moved."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(ends, place)
        before[place] = ends[at - 1] if at else None
        ends[at:] = [place, *ends[at + 1 :]]
    found, last = set(), ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _differing(live: Json, wanted: Json) -> Json:
    """What differs, by the path that a mask names it by."""
    found = {
        name: wanted.get(name, "") for name in ("title", "description") if _plain(live, name) != _plain(wanted, name)
    }
    asked, question = (one.get("questionItem", {}).get("question", {}) for one in (live, wanted))
    if bool(asked.get("required")) != bool(question.get("required")):
        found["questionItem.question.required"] = bool(question.get("required"))
    for name in (name for name in question if name.endswith("Question")):
        if _significant(asked.get(name)) != _significant(question[name]):
            found[f"questionItem.question.{name}"] = question[name]
    return found


def _plain(item: Json, name: str) -> str:
    return str(item.get(name, "")).replace("\r\n", "\n").strip()


def _significant(value: Any) -> Any:
    """A value without what the service leaves out: what is false or empty, and that an option leads to the next page."""
    if isinstance(value, list):
        return [_significant(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _significant(one) for name, one in value.items() if one not in (False, "", NEXT)}


def _put(body: Json, path: Sequence[str], value: Any) -> None:
    *groups, last = path
    for one in groups:
        body = body.setdefault(one, {})
    body[last] = value


def _last(path: str) -> str:
    return path.rpartition(".")[2].removesuffix("Question")
