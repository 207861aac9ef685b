"""LinkML: ``gen-excel`` writes the workbook; nothing reads one, so the sheet is saved as CSV for ``linkml-validate``."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from benchmarks.rivals.described import DEPENDENT, Asked, survey
from benchmarks.rivals.program import Finding, Ran, Verdict, headings, installed, last_line, run

RANGES = {"whole_number": "integer", "number": "float", "yes_no": "yes_no", "date": "date"}
"""Its boolean is refused in any spelling that comes from a CSV, so yes and no are an enumeration."""
YES_NO: dict[str, Any] = {"permissible_values": {"true": {}, "false": {}}}
CONTAINER = {
    "tree_root": True,
    "attributes": {"surveys": {"range": "Survey", "multivalued": True, "inlined_as_list": True}},
}
LINE = re.compile(r"\[(?:ERROR|WARN)\] \[[^\]]*?/(\d+)\] (.*)")


@dataclass(frozen=True)
class LinkML:
    python: Path
    folder: Path
    name: str = "LinkML gen-excel"
    sheet: str = "Survey"
    first_row: int = 2
    languages: str = "English"

    def version(self) -> str:
        return installed(self.python, "linkml", self.folder)

    def template(self, folder: Path, changed: bool = False) -> Path:
        made = folder / f"linkml{'-changed' * changed}.xlsx"
        run([self.python, "-m", "linkml.generators.excelgen", self._schema(changed), "-o", made], self.folder)
        return made

    def form(self, folder: Path) -> Path | None:
        return None

    def yaml(self, file: Path) -> str:
        made, many = self.folder / "converted.yaml", self.folder / "surveys.yaml"
        many.write_text(json.dumps(schema(survey("en"), container=True)), encoding="utf-8")
        words: list[str | Path] = ["-s", many, "-C", "Surveys", "-S", "surveys", "-t", "yaml", "-o", made]
        words.append(self._saved_as_csv(file))
        ran = run([self.python, "-c", "from linkml.cli.main import linkml; linkml()", "convert", *words], self.folder)
        return "`linkml convert` from CSV" if made.exists() else f"`linkml convert`: {last_line(ran.said)}"

    def record(self) -> str:
        return "no command"

    def columns(self, book: Path) -> Mapping[str, int]:
        return {text: column for column, text in headings(book, self.sheet, 1).items()}

    def spell(self, question: str, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value

    def check(self, file: Path, changed: bool = False) -> Verdict:
        data = file if file.suffix == ".csv" else self._saved_as_csv(file)
        ran = self.validate(data, changed)
        lines = [line for line in ran.said.splitlines() if line.startswith(("[ERROR]", "[WARN]"))]
        return Verdict(tuple(map(_finding, lines)), (), ran)

    def validate(self, data: Path, changed: bool = False) -> Ran:
        words: list[str | Path] = ["-s", self._schema(changed), "-C", "Survey", data]
        return run([self.python, "-c", "from linkml.validator.cli import cli; cli()", *words], self.folder)

    def marked(self, file: Path, folder: Path) -> Path | None:
        return None

    def _saved_as_csv(self, file: Path) -> Path:
        saved = self.folder / f"{file.stem}.csv"
        with saved.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(_text(row) for row in load_workbook(file, data_only=True).worksheets[0].values)
        return saved

    def _schema(self, changed: bool) -> Path:
        file = self.folder / f"survey{'-changed' * changed}.yaml"
        file.write_text(json.dumps(schema(survey("en", changed))), encoding="utf-8")
        return file


def _text(row: tuple[Any, ...]) -> Iterator[Any]:
    for value in row:
        yield value.date().isoformat() if isinstance(value, datetime) else value


def _finding(line: str) -> Finding:
    parts = LINE.match(line)
    return Finding(f"row {int(parts[1]) + 2}", parts[2]) if parts else Finding("", line)


def schema(asked: tuple[Asked, ...], container: bool = False) -> dict[str, Any]:
    """The survey as one class, and for conversion a class that holds many. The order of two dates it cannot check outside SQL."""
    return {
        "id": "https://example.com/survey",
        "name": "survey",
        "prefixes": {"linkml": "https://w3id.org/linkml/"},
        "imports": ["linkml:types"],
        "default_range": "string",
        "enums": {"yes_no": YES_NO}
        | {
            f"{one.name}_choices": {"permissible_values": {value: {"title": label} for value, label in one.choices}}
            for one in asked
            if one.choices
        },
        "classes": {
            "Survey": {"attributes": {one.name: _slot(one) for one in asked}, "rules": list(_rules(asked))},
            **({"Surveys": CONTAINER} if container else {}),
        },
    }


def _slot(one: Asked) -> dict[str, Any]:
    limits = one.limits
    slot: dict[str, Any] = {"description": f"{one.label}. {one.help}", "required": one.required}
    slot["range"] = f"{one.name}_choices" if one.choices else RANGES.get(one.sort, "string")
    if one.sort in ("whole_number", "number"):
        lowest = limits.get("least", limits.get("above"))
        bounds = {"minimum_value": lowest, "maximum_value": limits.get("greatest")}
        slot |= {name: bound for name, bound in bounds.items() if bound is not None}
    pattern = limits.get("pattern") or _length(limits)
    return {**slot, **({"pattern": pattern} if pattern else {})}


def _length(limits: Mapping[str, Any]) -> str:
    return f"^.{{{limits.get('shortest', 0)},{limits['longest']}}}$" if "longest" in limits else ""


def _rules(asked: tuple[Asked, ...]) -> Iterator[dict[str, Any]]:
    for one in asked:
        if one.when:
            on, values = one.when
            others = [{"equals_string": value} for value in _others(asked, on, values)]
            yield _rule({on: {"any_of": others}}, {one.name: {"value_presence": "ABSENT"}})
        if one.needed and one.when:
            chosen = [{"equals_string": value} for value in values]
            yield _rule({on: {"any_of": chosen}}, {one.name: {"value_presence": "PRESENT"}})
        for medium in sorted(set(one.offered.values())):
            fitting = [{"equals_string": value} for value, offered in one.offered.items() if offered == medium]
            yield _rule({DEPENDENT[one.name]: {"equals_string": medium}}, {one.name: {"any_of": fitting}})


def _rule(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"preconditions": {"slot_conditions": before}, "postconditions": {"slot_conditions": after}}


def _others(asked: tuple[Asked, ...], on: str, values: tuple[Any, ...]) -> list[str]:
    sibling = next(one for one in asked if one.name == on)
    return [value for value, _ in sibling.choices if value not in values]
