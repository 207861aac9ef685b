"""What was read of a workbook ↔ bytes, for a pipe between two processes. Nothing in them can run: JSON, and texts between separators.

The side that reads takes the other for an enemy's: whatever is not exactly such a frame is a FrameError.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from generators.excel.refusal import Refusal
from generators.excel.sheet import Place, Sheet, SheetFacts
from schema.words import Fact, Words

SEPARATORS = "\0\1\2\3\4\5\6\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
NEWLINE = b"\n"
MOST_ROWS = 1_048_576
"""Of a sheet of Excel's."""


class FrameError(Exception):
    """The bytes are no frame."""


def framed(read: tuple[Sheet, ...] | Refusal) -> bytes:
    """One line of JSON, then the texts of each sheet."""
    if isinstance(read, Refusal):
        facts = {name: _fact(one) for name, one in read.facts.items()}
        return _line({"code": read.code, "spot": read.spot, "facts": facts})
    bodies = [_body(sheet) for sheet in read]
    heads = [_head(sheet, *body) for sheet, body in zip(read, bodies, strict=True)]
    return _line({"sheets": heads}) + b"".join(body for _, body in bodies)


def unframed(data: bytes) -> tuple[Sheet, ...] | Refusal:
    """What ``framed`` was given."""
    line, _, rest = data.partition(NEWLINE)
    try:
        head = json.loads(line)
        if "code" in head:
            return Refusal(
                _text(head["code"]), _text(head["spot"]), {_text(k): _known(v) for k, v in head["facts"].items()}
            )
        return tuple(_sheets(head["sheets"], rest))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def _line(head: Mapping[str, object]) -> bytes:
    return json.dumps(head, separators=(",", ":")).encode() + NEWLINE


def _body(sheet: Sheet) -> tuple[str, bytes]:
    """All texts of a sheet in one, and what stands between two of them: a control character that none of them holds; where they hold
    all of them, the texts are JSON and nothing stands between."""
    texts = list(chain.from_iterable(sheet.rows))
    for separator in SEPARATORS:
        whole = separator.join(texts)
        if whole.count(separator) == max(len(texts) - 1, 0):
            return separator, whole.encode()
    return "", json.dumps(texts).encode()


def _head(sheet: Sheet, separator: str, body: bytes) -> dict[str, object]:
    facts = sheet.facts
    return {
        **{"name": sheet.name, "hidden": sheet.hidden, "separator": separator, "size": len(body)},
        **{"height": len(sheet.rows), "width": len(sheet.rows[0]) if sheet.rows else 0},
        "facts": {
            "formulas": list(chain.from_iterable(facts.formulas)),
            "areas": facts.areas,
            "errors": [(*place, text) for place, text in facts.errors.items()],
            "percents": list(chain.from_iterable(facts.percents)),
            "hidden_rows": list(facts.hidden_rows),
            "hidden_columns": facts.hidden_columns,
            "merged": facts.merged,
            "validated": facts.validated,
            "filtered": facts.filtered,
        },
    }


def _sheets(heads: Iterable[Mapping[str, Any]], rest: bytes) -> Iterator[Sheet]:
    start = 0
    for head in heads:
        end = start + _number(head["size"])
        yield Sheet(_text(head["name"]), head["hidden"] is True, _rows(head, rest[start:end]), _facts(head["facts"]))
        start = end
    if start != len(rest):
        raise ValueError("more or less than was said")


def _rows(head: Mapping[str, Any], body: bytes) -> tuple[tuple[str, ...], ...]:
    width, count = _number(head["width"]), _number(head["width"]) * _number(head["height"])
    if not count:
        return _empty_rows(width, _number(head["height"]), body)
    texts = _texts(_text(head["separator"]), body)
    if len(texts) != count:
        raise ValueError("more or fewer texts than were said")
    return tuple(zip(*[iter(texts)] * width, strict=True))


def _texts(separator: str, body: bytes) -> list[str]:
    return body.decode().split(separator) if separator else [_text(one) for one in json.loads(body)]


def _empty_rows(width: int, height: int, body: bytes) -> tuple[tuple[str, ...], ...]:
    if body or width or height > MOST_ROWS:
        raise ValueError("texts where there are no columns, or columns without rows")
    return ((),) * height


def _facts(facts: Mapping[str, Any]) -> SheetFacts:
    return SheetFacts(
        formulas=_places(facts["formulas"]),
        areas=_areas(facts["areas"]),
        errors={(_number(row), _number(column)): _text(text) for row, column, text in facts["errors"]},
        percents=_places(facts["percents"]),
        hidden_rows=frozenset(map(_number, facts["hidden_rows"])),
        hidden_columns=tuple((_number(first), _number(last)) for first, last in facts["hidden_columns"]),
        merged=_areas(facts["merged"]),
        validated=_areas(facts["validated"]),
        filtered=_areas([facts["filtered"]])[0] if facts["filtered"] else None,
    )


def _places(flat: Iterable[object]) -> frozenset[Place]:
    numbers = map(_number, flat)
    return frozenset(zip(numbers, numbers, strict=True))


def _areas(areas: Iterable[tuple[object, ...]]) -> tuple[tuple[int, int, int, int], ...]:
    return tuple((_number(a), _number(b), _number(c), _number(d)) for a, b, c, d in areas)


def _fact(fact: Fact) -> object:
    if isinstance(fact, Words):
        return {"en": fact.en, "ja": fact.ja}
    return fact if isinstance(fact, str) else [_fact(one) for one in fact]


def _known(fact: Any) -> Fact:
    if isinstance(fact, list):
        return tuple(_known(one) for one in fact)  # type: ignore[misc]  # of texts and Words, as Fact says
    return fact if isinstance(fact, str) else Words(_text(fact["en"]), ja=_text(fact["ja"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no number")
    return value
