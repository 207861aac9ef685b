"""How the real server searches: database/model/base.py (GetMixin), in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record

LARGEST_PAGE = 500
"""``services._mongo.max_page_size``: no answer has more, asked for or not."""
Over = Callable[[Iterable[bool]], bool]
Test = Callable[[Record], bool]
_OPERATORS: dict[str, Over] = {"__$all": all, "__$and": all, "__$any": any, "__$or": any}
_WITHIN = re.compile(r"(>=|>|<=|<)?(.*)")


@dataclass(frozen=True)
class Options:
    """Which fields of a record are searched in which way; the others of a query are no filter."""

    patterns: tuple[str, ...] = ("name",)
    lists: tuple[str, ...] = ("tags", "system_tags", "id")
    equal: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


def find(records: Iterable[Record], query: Mapping[str, Any], options: Options) -> list[Record]:
    """The page of records that was asked for, each cut to ``only_fields`` (dotted; without ``id`` unless it is asked for)."""
    tests = _tests(query, options)
    matching = [one for one in records if all(test(one) for test in tests)]
    for field in reversed(_order(query)):
        matching = _ordered(matching, field)
    page, size = _page(query)
    only = query.get("only_fields") or []
    return [projected(one, only) for one in matching[page * size : (page + 1) * size]]


def _tests(query: Mapping[str, Any], options: Options) -> list[Test]:
    """What a record has to pass, read once from the query."""
    given = {key: value for key, value in query.items() if value is not None}
    return [
        *(_fits(one, given[one]) for one in options.patterns if given.get(one)),
        *(_listed(one, given[one]) for one in options.lists if one in given),
        *(_equal(one, given[one]) for one in options.equal if one in given),
        *(_timely(one, given[one]) for one in options.times if one in given),
        *_any_and_all(given),
    ]


def _fits(field: str, pattern: str, flags: int = 0) -> Test:
    try:
        compiled = re.compile(pattern, flags)
    except re.error as error:
        raise Refused("fields_value_error", "failed parsing query field", error=error, field=field) from None
    return lambda record: isinstance(at(record, field), str) and compiled.search(at(record, field)) is not None


def _equal(field: str, wanted: Any) -> Test:
    return lambda record: record.get(field) == wanted


def _any_and_all(query: Mapping[str, Any]) -> Iterator[Test]:
    for keys, over in ((("_any_", "_or_"), any), (("_all_", "_and_"), all)):
        for asked in (query[key] for key in keys if key in query):
            each = [_fits(one, asked.get("pattern") or "", re.IGNORECASE) for one in asked.get("fields") or []]
            if each:
                yield partial(_over, over, each)


def _over(over: Over, each: list[Test], record: Record) -> bool:
    return over(one(record) for one in each)


def _listed(field: str, asked: Any) -> Test:
    """A filter over a list: any of them, unless an operator says otherwise; "-x" or "__$not" before x means without x.

    The first operator joins what the operators gather (NewListFieldBucketHelper).
    """
    inside: Over = any
    joined: Over | None = None
    empty = negated = False
    buckets: dict[tuple[Over, bool], list[str]] = {}
    for one in asked if isinstance(asked, list) else [asked]:
        if one is None:
            empty = True
        elif one in ("__$not", "__$nop"):
            negated = one == "__$not"
        elif one.startswith("__$"):
            inside = _operator(one)
            joined = joined or inside
        else:
            without = negated or one.startswith("-")
            buckets.setdefault((inside, not without), []).append(one.removeprefix("-"))
            joined, negated = joined or any, False
    return partial(_has, field, list(buckets.items()), joined or any, empty)


def _operator(word: str) -> Over:
    if word not in _OPERATORS:
        raise Refused("fields_value_error", "Unsupported operator", operator=word)
    return _OPERATORS[word]


def _has(field: str, buckets: list[Any], joined: Over, empty: bool, record: Record) -> bool:
    value = record.get(field)
    have = value if isinstance(value, list) else [value]
    found = [over(one in have for one in wanted) is include for (over, include), wanted in buckets]
    return (not found and not empty) or joined(found) or (empty and not set(have) - {None})


def _timely(field: str, asked: Any) -> Test:
    bounds = [_WITHIN.fullmatch(one) for one in (asked if isinstance(asked, list) else [asked])]
    limits = [(one[1] or "", _time(one[2])) for one in bounds if one]
    return lambda record: (
        bool(record.get(field)) and all(_compares(sign, _time(record[field]), one) for sign, one in limits)
    )


def _compares(sign: str, left: datetime, right: datetime) -> bool:
    order = (left > right) - (left < right)
    return order in {">=": (0, 1), ">": (1,), "<=": (-1, 0), "<": (-1,)}.get(sign, (0,))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _order(query: Mapping[str, Any]) -> list[str]:
    asked = query.get("order_by") or []
    fields = list(asked) if isinstance(asked, list) else [asked]
    return [*fields, "id"] if fields and not {"id", "-id"} & set(fields) else fields


def _ordered(records: list[Record], field: str) -> list[Record]:
    """What has no such field comes last either way."""
    path = field.removeprefix("-")
    have = [one for one in records if at(one, path) not in (None, "")]
    lack = [one for one in records if at(one, path) in (None, "")]
    return [*sorted(have, key=lambda one: at(one, path), reverse=field.startswith("-")), *lack]


def _page(query: Mapping[str, Any]) -> tuple[int, int]:
    page, size = query.get("page"), query.get("page_size")
    if page is not None and page < 0:
        raise Refused("validation_error", "page must be >=0", field="page")
    if size is not None and size < 1:
        raise Refused("validation_error", "page_size must be >0", field="page_size")
    return page or 0, min(size or LARGEST_PAGE, LARGEST_PAGE)


def at(record: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def projected(record: Record, only: Iterable[str]) -> Record:
    """A record cut to dotted paths; utilities/dicts.py: project_dict. "-path" leaves a path out."""
    include = [one for one in only if not one.startswith("-")]
    result: Record = {} if include else dict(record)
    for path in include:
        source, target, parts = record, result, path.split(".")
        for part in parts[:-1]:
            source = source.get(part) or {}
            target = target.setdefault(part, {})
        if isinstance(source, dict) and parts[-1] in source:
            target[parts[-1]] = source[parts[-1]]
    return {key: value for key, value in result.items() if f"-{key}" not in only}
