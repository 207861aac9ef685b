"""gen3-metadata-templates: the survey as a Gen3 dictionary (JSON Schema draft 4), through its own command line ``g3mt``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rivals.described import DEPENDENT, Asked, survey
from benchmarks.rivals.program import Finding, Verdict, headings, installed, run

COMMAND = ("-m", "gen3_metadata_templates.cli")
KEY = "submitter_id"
TYPES = {"whole_number": "integer", "number": "number", "yes_no": "boolean"}
BOUNDS = {"least": "minimum", "greatest": "maximum", "shortest": "minLength", "longest": "maxLength"}
DATE = r"^\d{4}-\d{2}-\d{2}$"


@dataclass(frozen=True)
class Gen3:
    python: Path
    folder: Path
    name: str = "gen3-metadata-templates"
    sheet: str = "survey"
    first_row: int = 3
    languages: str = "English"

    def version(self) -> str:
        return installed(self.python, "gen3-metadata-templates", self.folder)

    def template(self, folder: Path, changed: bool = False) -> Path:
        made = folder / f"gen3{'-changed' * changed}.xlsx"
        run([self.python, *COMMAND, "generate", self._schema(changed), "survey", "-o", made, "--force"], self.folder)
        return made

    def form(self, folder: Path) -> Path | None:
        return None

    def yaml(self, file: Path) -> str:
        return "no command"

    def record(self) -> str:
        return "no command"

    def columns(self, book: Path) -> Mapping[str, int]:
        return {text: column for column, text in headings(book, self.sheet, 1).items()}

    def spell(self, question: str, value: Any) -> Any:
        return value

    def check(self, file: Path, changed: bool = False) -> Verdict:
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        ran = run(
            [self.python, *COMMAND, "validate", file, "-s", self._schema(changed), "--json-out", report], self.folder
        )
        if not report.exists():
            return Verdict((), (), ran)
        told = json.loads(report.read_text(encoding="utf-8"))
        found = (Finding(one.get("cell") or _row(one), one["message"]) for one in told["findings"])
        return Verdict(tuple(found), tuple(told.get("warnings", ())), ran)

    def marked(self, file: Path, folder: Path) -> Path | None:
        made = folder / "gen3-marked.xlsx"
        run([self.python, *COMMAND, "validate", file, "-s", self._schema(False), "--annotate", made], self.folder)
        return made if made.exists() else None

    def _schema(self, changed: bool) -> Path:
        file = self.folder / f"schema{'-changed' * changed}.json"
        file.write_text(json.dumps(dictionary(survey("en", changed)), ensure_ascii=False), encoding="utf-8")
        return file


def _row(finding: Mapping[str, Any]) -> str:
    return f"row {finding['row']}" if finding.get("row") else ""


def dictionary(asked: tuple[Asked, ...]) -> dict[str, Any]:
    """The survey as the one node of a Gen3 dictionary."""
    node = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "id": "survey",
        "title": "Survey",
        "type": "object",
        "category": "clinical",
        "description": "Plan a measuring survey",
        "additionalProperties": False,
        "links": [],
        "required": ["type", KEY, *(one.name for one in asked if one.required)],
        "properties": {
            "type": {"enum": ["survey"]},
            KEY: {"type": ["string", "null"]},
            **{one.name: _property(one) for one in asked},
        },
        "allOf": list(_across(asked)),
    }
    return {
        "survey.yaml": node,
        "_definitions.yaml": {"id": "_definitions"},
        "_terms.yaml": {"id": "_terms"},
        "_settings.yaml": {"_dict_version": "1.0.0"},
    }


def _property(one: Asked) -> dict[str, Any]:
    about = {"description": f"{one.label}. {one.help}"}
    if one.choices:
        return {**about, "enum": [value for value, _ in one.choices]}
    bounds = {BOUNDS[name]: bound for name, bound in one.limits.items() if name in BOUNDS and one.sort != "date"}
    if "above" in one.limits:
        bounds |= {"minimum": one.limits["above"], "exclusiveMinimum": True}
    pattern = DATE if one.sort == "date" else one.limits.get("pattern")
    return {**about, "type": TYPES.get(one.sort, "string"), **bounds, **({"pattern": pattern} if pattern else {})}


def _across(asked: tuple[Asked, ...]) -> list[dict[str, Any]]:
    """Conditions as draft 4 can say them. The order of two dates it cannot say."""
    rules: list[dict[str, Any]] = []
    for one in asked:
        if one.when:
            on, values = one.when
            rules.append({"anyOf": [{"properties": {on: {"enum": list(values)}}}, {"not": {"required": [one.name]}}]})
        if one.needed and one.when:
            others = [value for value, _ in _named(asked, on).choices if value not in values]
            rules.append({"anyOf": [{"properties": {on: {"enum": others}}}, {"required": [one.name]}]})
        for medium in sorted(set(one.offered.values())):
            fitting = [value for value, offered in one.offered.items() if offered == medium]
            other = {"not": {"properties": {DEPENDENT[one.name]: {"enum": [medium]}}}}
            rules.append({"anyOf": [other, {"properties": {one.name: {"enum": fitting}}}]})
    return rules


def _named(asked: tuple[Asked, ...], name: str) -> Asked:
    return next(one for one in asked if one.name == name)
