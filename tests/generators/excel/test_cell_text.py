"""How the values of cells are told: as a person would type them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from generators.excel import numbers
from generators.excel.parser import text
from generators.excel.template import Filled
from schema.check import check
from tests.generators.excel.workbooks import (
    KINDS,
    edited,
    form_of_everything,
    one,
    parts_of,
    sheet,
)


def texts(data: bytes) -> dict[str, object]:
    return {key: located.value for key, located in one(data).answers.given.items()}


@pytest.mark.parametrize(
    ("value", "percent", "expected"),
    [
        (100.0, False, "100"),
        (0.03, False, "0.03"),
        (1e-05, False, "0.00001"),
        (-0.0, False, "0"),
        (1234567890123.0, False, "1234567890123"),
        (0.1 + 0.2, False, "0.30000000000000004"),
        (1e300, False, "1e+300"),
        (float("inf"), False, "inf"),
        (0.85, True, "85%"),
        (0.07, True, "7%"),
        (0.005, True, "0.5%"),
        (1e-17, True, "0.000000000000001%"),
        (float("inf"), True, "inf%"),
        (True, False, "TRUE"),
        (False, False, "FALSE"),
        (date(2026, 11, 21), False, "2026-11-21"),
        (datetime(2026, 11, 21), False, "2026-11-21"),
        (datetime(2026, 11, 21, 9, 30), False, "2026-11-21T09:30:00"),
        (time(2, 30), False, "02:30:00"),
        (timedelta(hours=26, minutes=30), False, "PT26H30M"),
        (timedelta(seconds=1.5), False, "PT1.5S"),
        (timedelta(0), False, "PT0S"),
        (-timedelta(minutes=90), False, "-PT1H30M"),
        ("１２３ ", False, "１２３ "),
    ],
    ids=str,
)
def test_a_value_is_told_as_a_person_would_type_it(value: object, percent: bool, expected: str) -> None:
    assert text(value, percent=percent) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "cell", "value", "format", "expected"),
    [
        ("count", "C12", 100, "General", "100"),
        ("share", "C10", 0.85, "0%", "85%"),
        ("share", "C10", 0.855, '0.0%;[Red]"minus "0.0%', "85.5%"),
        ("share", "C10", 0.855, '0.0"%"', "0.855"),
        ("start", "C13", datetime(2026, 11, 21), 'ggge"年"m"月"d"日"', "2026-11-21"),
        ("start", "C13", 46347, "General", "46347"),
        ("length", "C14", timedelta(hours=2, minutes=30), "[h]:mm", "PT2H30M"),
        ("length", "C14", time(2, 30), "h:mm", "02:30:00"),
        ("urgent", "C11", True, "General", "TRUE"),
        ("name", "C9", "０１２", "@", "０１２"),
    ],
)
def test_a_cell_of_excel_is_told_as_a_person_sees_it(
    key: str, cell: str, value: object, format: str, expected: str
) -> None:
    def fill(workbook: Workbook) -> None:
        name = "詳細設定" if key in ("count", "share", "start", "length") else "入力"
        sheet(workbook, name)[cell] = value  # type: ignore[assignment]
        sheet(workbook, name)[cell].number_format = format

    assert texts(edited(form_of_everything(), fill))[key] == expected


def test_a_per_cent_cell_means_what_the_person_sees_whatever_the_unit() -> None:
    def fill(workbook: Workbook) -> None:
        for cell in ("C10", "C11"):
            sheet(workbook, "詳細設定")[cell] = 0.85
            sheet(workbook, "詳細設定")[cell].number_format = "0%"

    found = check(one(edited(form_of_everything(), fill)).answers, KINDS)
    assert not isinstance(found, list)
    assert found.job.answers()["share"] == 85.0
    assert found.job.answers()["rate"] == 0.85


@pytest.mark.parametrize("epoch", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904], ids=["from 1900", "from 1904"])
@pytest.mark.parametrize(
    ("typed", "told", "code"),
    [
        (1, "1", "unsure_date"),
        (8, "8", "unsure_date"),
        (20, "20", "unsure_date"),
        (59, "59", "unsure_date"),
        (61, "61", "unsure_date"),
        (2026, "2026", "unsure_date"),
        (8.5, "8.5", "unsure_date"),
        (12345, "12345", "not_a_date"),
    ],
)
def test_a_small_number_in_a_date_cell_is_the_number_that_was_typed(
    epoch: datetime, typed: float, told: str, code: str
) -> None:
    def fill(workbook: Workbook) -> None:
        workbook.epoch = epoch
        sheet(workbook, "詳細設定")["C13"] = typed

    data = edited(form_of_everything(), fill)
    assert texts(data)["start"] == told
    found = check(one(data).answers, KINDS)
    assert isinstance(found, list)
    assert [(problem.code, problem.where.spot) for problem in found] == [(code, "詳細設定!C13")]


@pytest.mark.parametrize("day", ["1950-01-01", "1949-12-31", "1900-01-08"])
def test_a_day_long_ago_that_was_typed_as_text_stays_as_typed(day: str) -> None:
    def fill(workbook: Workbook) -> None:
        sheet(workbook, "詳細設定")["C13"] = day

    assert texts(edited(form_of_everything(), fill))["start"] == day


@pytest.mark.parametrize(("day", "told"), [("1950-01-01", "1950-01-01"), ("1949-12-31", "1949/12/31")])
def test_a_day_long_ago_is_written_so_that_it_is_read_back(day: str, told: str) -> None:
    assert texts(form_of_everything(filled=Filled({"start": day})))["start"] == told


def test_a_workbook_that_counts_its_days_from_1904_gives_the_same_date() -> None:
    def count_from_1904(workbook: Workbook) -> None:
        workbook.epoch = CALENDAR_MAC_1904

    data = edited(form_of_everything(), count_from_1904)
    assert b"date1904" in parts_of(data)["xl/workbook.xml"]
    assert texts(data)["start"] == "2026-11-21"


@given(st.floats() | st.integers(-(10**25), 10**25) | st.decimals(-1000, 1000, places=3).map(float))
@example(-0.0)
@example(1e15)
@example(1e16)
@example(0.0001)
def test_a_number_is_spelled_the_same_without_decimals_as_with_them(value: float) -> None:
    exact = numbers._plain(Decimal(repr(value))) if numbers._is_ordinary(value) else repr(value)
    assert numbers.number(value) == exact
