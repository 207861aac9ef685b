"""Workbooks of responses as Microsoft Forms writes them, and as people change them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

from openpyxl import Workbook

from generators.microsoft.asked import asked
from schema.question import Form

ENGLISH = ("ID", "Start time", "Completion time", "Email", "Name")
JAPANESE = ("ID", "開始時刻", "完了時刻", "メール", "名前")
LATER = {"en": ("Language", "Last modified time"), "ja": ("言語", "最終変更時刻")}
WHO = "hanako@example.co.jp"
Value = str | int | float | datetime | None


def titles(form: Form, language: str) -> dict[str, str]:
    """The titles of a form by question key, as it was imported."""
    return {one.key: one.title for one in asked(form, language)}


def headings(form: Form, language: str, *, later: bool = False) -> list[str]:
    own = ENGLISH if language == "en" else JAPANESE
    return [*own, *(LATER[language] if later else ()), *titles(form, language).values()]


def row(form: Form, number: Value, given: Mapping[str, Value], email: str = WHO, *, later: int = 0) -> list[Value]:
    """One response: answers by question key."""
    times: list[Value] = [datetime(2026, 11, 21, 9, 0, 5), datetime(2026, 11, 21, 9, 4, 10)]
    answers = [given.get(one.key) for one in asked(form, "en")]
    return [number, *times, email, "Hanako", *([""] * later), *answers]


def workbook(heads: Sequence[str], rows: Sequence[Sequence[Value]], sheet: str = "Sheet1") -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    page.append(list(heads))
    for one in rows:
        page.append(list(one))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def exported(form: Form, language: str, *responses: Mapping[str, Value]) -> bytes:
    """What "Open in Excel" gives: one row a response, numbered from 1."""
    rows = [row(form, number, given) for number, given in enumerate(responses, 1)]
    return workbook(headings(form, language), rows)
