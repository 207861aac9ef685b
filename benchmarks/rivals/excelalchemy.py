"""ExcelAlchemy: a library, so inside/around_excelalchemy.py is the program around it, as its README shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from benchmarks.rivals.described import survey
from benchmarks.rivals.program import Finding, Verdict, headings, installed, run

INSIDE = Path(__file__).parent / "inside" / "around_excelalchemy.py"


@dataclass(frozen=True)
class ExcelAlchemy:
    python: Path
    folder: Path
    name: str = "ExcelAlchemy"
    sheet: str = "Sheet1"
    first_row: int = 3
    languages: str = "Chinese, English, Japanese"

    def version(self) -> str:
        return installed(self.python, "excelalchemy", self.folder)

    def template(self, folder: Path, changed: bool = False) -> Path:
        made = folder / f"excelalchemy{'-changed' * changed}.xlsx"
        run([self.python, INSIDE, "template", self._questions(changed), made], self.folder)
        return made

    def form(self, folder: Path) -> Path | None:
        return None

    def yaml(self, file: Path) -> str:
        return "no; good rows go to a function of yours"

    def record(self) -> str:
        return "no; events to a function of yours"

    def columns(self, book: Path) -> Mapping[str, int]:
        named = {one.label: one.name for one in survey("ja")}
        return {named[text]: column for column, text in headings(book, self.sheet, 2).items() if text in named}

    def spell(self, question: str, value: Any) -> Any:
        if isinstance(value, bool):
            return "はい" if value else "いいえ"
        if isinstance(value, date):
            return f"{value:%Y/%m/%d}"  # its storage hands on "2026-12-01 00:00:00" for a date cell, and its date codec refuses that
        asked = next(one for one in survey("ja") if one.name == question)
        return dict(asked.choices).get(value, value) if isinstance(value, str) else value

    def check(self, file: Path, changed: bool = False) -> Verdict:
        findings, result = self.folder / "findings.json", self.folder / "result.xlsx"
        for old in (findings, result):
            old.unlink(missing_ok=True)
        ran = run([self.python, INSIDE, "check", self._questions(changed), file, result, findings], self.folder)
        if not findings.exists():
            return Verdict((), (), ran)
        told = json.loads(findings.read_text(encoding="utf-8"))
        columns = {one.label: self.columns(file).get(one.name) for one in survey("ja")}
        found = tuple(Finding(self._cell(one, columns), one["text"]) for one in told["cells"])
        return Verdict(found, self._header(told["result"]), ran)

    def marked(self, file: Path, folder: Path) -> Path | None:
        self.check(file)
        result = self.folder / "result.xlsx"
        return result if result.exists() else None

    def _cell(self, found: Mapping[str, Any], columns: Mapping[str, int | None]) -> str:
        column = columns.get(found["label"])
        row = found["row"] + self.first_row
        return f"{get_column_letter(column)}{row}" if column else f"row {row}"

    @staticmethod
    def _header(result: Mapping[str, Any]) -> tuple[str, ...]:
        issues = result.get("header_issues", {})
        told = {name: labels for name, labels in issues.items() if labels} if isinstance(issues, dict) else {}
        return (f"headings: {json.dumps(told, ensure_ascii=False)}",) if told and not result.get("is_success") else ()

    def _questions(self, changed: bool) -> Path:
        file = self.folder / f"questions{'-changed' * changed}.json"
        asked = [asdict(one) for one in survey("ja", changed)]
        file.write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
        return file
