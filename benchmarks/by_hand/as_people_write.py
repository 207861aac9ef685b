"""The check as most teams write it: openpyxl reads, a function for each sort of cell, jsonschema judges, PyYAML writes.

``python -m benchmarks.by_hand.as_people_write BOOK.xlsx OUT.yaml`` prints the faulty cells as a JSON list and writes the good rows.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from benchmarks.by_hand import rules


def number(text: str) -> Any:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def whole_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def day(text: str) -> str:
    found = re.fullmatch(rules.DATE, text)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else text


def seconds(text: str) -> Any:
    found = re.fullmatch(rules.DURATION, text)
    if not found or not text:
        return text
    return sum(int(amount) * scale for amount, scale in zip(found.groups(), rules.SCALES, strict=True) if amount)


def coerced(name: str, value: Any) -> Any:
    """A cell as the schema means it; what cannot be read stays as it is, and the schema refuses it."""
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, str):
        return from_text(name, unicodedata.normalize("NFKC", value).strip())
    if name in rules.WHOLE_NUMBERS:
        return whole_number(value)
    return value if name in rules.NUMBERS or name in rules.YES_NO else str(value)


def from_text(name: str, text: str) -> Any:
    if name == "metrics":
        return [rules.LABELS[name].get(one.strip(), one.strip()) for one in text.split(";")]
    if name in rules.LABELS:
        return rules.LABELS[name].get(text, text)
    if name in rules.YES_NO:
        return rules.SAID.get(text, text)
    if name == "start_on":
        return day(text)
    if name == "time_limit":
        return seconds(text)
    return whole_number(number(text)) if name in (*rules.WHOLE_NUMBERS, *rules.NUMBERS) else text


def blamed(error: Any) -> Iterator[str]:
    if error.validator == "required":
        yield from (name for name in error.validator_value if name not in error.instance)
    else:
        yield str(error.absolute_path[0])


def main(book: str, out: str) -> None:
    validator = Draft202012Validator(rules.SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    sheet = load_workbook(book, read_only=True, data_only=True).worksheets[0]
    lines = sheet.iter_rows(values_only=True)
    columns = {str(name): at for at, name in enumerate(next(lines)) if name in rules.SCHEMA["properties"]}
    faults, good = [], []
    for row, line in enumerate(lines, 2):
        if row <= rules.HEADS:
            continue
        record = {}
        for name, at in columns.items():
            value = line[at]
            if value is not None and str(value).strip() != "":
                record[name] = coerced(name, value)
        if not record:
            continue
        wrong = {name for error in validator.iter_errors(record) for name in blamed(error)}
        faults += [f"{get_column_letter(columns[name] + 1)}{row}" for name in sorted(wrong)]
        if not wrong:
            good.append(record)
    with Path(out).open("w", encoding="utf-8") as file:
        yaml.safe_dump_all(good, file, allow_unicode=True, sort_keys=False)
    print(json.dumps(faults))


if __name__ == "__main__":
    main(*sys.argv[1:])
