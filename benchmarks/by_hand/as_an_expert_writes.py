"""The check as somebody writes it who knows which libraries are fast: calamine reads, a table of functions by column reads the cells,
jsonschema-rs judges, libyaml writes.

``python -m benchmarks.by_hand.as_an_expert_writes BOOK.xlsx OUT.yaml`` prints the faulty cells as a JSON list and writes the good rows.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

import jsonschema_rs
import yaml
from python_calamine import CalamineWorkbook

from benchmarks.by_hand import rules

DATE, DURATION = re.compile(rules.DATE), re.compile(rules.DURATION)


def text(value: Any) -> Any:
    return normalize("NFKC", value).strip() if isinstance(value, str) else str(value)


def number(value: Any) -> Any:
    if isinstance(value, float):
        return value
    plain = text(value)
    try:
        return float(plain.replace(",", ""))
    except ValueError:
        return plain


def whole_number(value: Any) -> Any:
    found = number(value)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def day(value: Any) -> Any:
    return value.isoformat()[:10] if isinstance(value, date) else day_of(text(value))


@lru_cache(10_000)
def day_of(plain: str) -> str:
    found = DATE.fullmatch(plain)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else plain


def seconds(value: Any) -> Any:
    return value if isinstance(value, float) else seconds_of(text(value))


@lru_cache(10_000)
def seconds_of(plain: str) -> Any:
    found = DURATION.fullmatch(plain)
    if not found:
        return plain
    return sum(int(amount) * scale for amount, scale in zip(found.groups(), rules.SCALES, strict=True) if amount)


def yes_no(value: Any) -> Any:
    return value if isinstance(value, bool) else rules.SAID.get(text(value), value)


def label(name: str) -> Callable[[Any], Any]:
    values = rules.LABELS[name]

    @lru_cache(10_000)
    def read(value: Any) -> Any:
        plain = text(value)
        return values.get(plain, plain)

    return read


def members(value: Any) -> list[str]:
    values = rules.LABELS["metrics"]
    return [values.get(one.strip(), one.strip()) for one in text(value).split(";")]


READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(rules.SCHEMA["properties"], text),
    **dict.fromkeys(rules.WHOLE_NUMBERS, whole_number),
    **dict.fromkeys(rules.NUMBERS, number),
    **dict.fromkeys(rules.YES_NO, yes_no),
    "task": label("task"),
    "algorithm": label("algorithm"),
    "metrics": members,
    "start_on": day,
    "time_limit": seconds,
}


def letters(column: int) -> str:
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def blamed(error: Any) -> Iterator[str]:
    if error.instance_path:
        yield str(error.instance_path[0])
    else:
        yield str(error.kind.property)


def main(book: str, out: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(rules.SCHEMA, validate_formats=True)
    rows = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python(skip_empty_area=False)
    columns = [(name, at, READERS[name]) for at, name in enumerate(map(str, rows[0])) if name in READERS]
    faults, good = [], []
    for row, line in enumerate(rows[rules.HEADS :], rules.HEADS + 1):
        record = {name: read(line[at]) for name, at, read in columns if line[at] != ""}
        if not record:
            continue
        if validator.is_valid(record):
            good.append(record)
            continue
        wrong = {name for error in validator.iter_errors(record) for name in blamed(error)}
        places = {name: letters(at + 1) for name, at, _ in columns}
        faults += [f"{places[name]}{row}" for name in sorted(wrong)]
    with Path(out).open("w", encoding="utf-8") as file:
        yaml.dump_all(good, file, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    print(json.dumps(faults))


if __name__ == "__main__":
    main(*sys.argv[1:])
