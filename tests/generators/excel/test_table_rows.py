"""Rows of plain text take a short way: it must lead where the careful one does."""

from __future__ import annotations

import time
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from generators.excel import AGAIN, HEAD, RESPONSE, SENDER, STATUS, TABLE
from generators.excel.answer_cell import Asking, request
from generators.excel.corner import corner_of
from generators.excel.read import answers_of
from generators.excel.sheet import Sheet, SheetFacts
from generators.excel.table import Table
from schema.answers import Answers, Where
from tests.generators.excel.workbooks import EVERYTHING, KINDS

QUESTIONS = tuple(one.key for one in EVERYTHING.form.questions)
TOLD = f"{STATUS} everything 3 {EVERYTHING.form.fingerprint} ja"
KEYS = (TABLE, TOLD, RESPONSE, SENDER, *QUESTIONS, AGAIN)
HEADS = ((HEAD, *[""] * (len(KEYS) - 1)),) * 2
BLANK = Answers("everything", Where("t.xlsx"), {}, "ja", 3, places={"kind": Where("t.xlsx", "denpyo!B2")})
TEXTS = st.sampled_from(
    ["", "", "", " ", "　", "a-1", " x ", "はい", "7k3m-9qx2-b4td 受付済み", "7k3m", "受付済み", "#N/A"]
)
ROWS = st.lists(st.lists(TEXTS, min_size=len(KEYS), max_size=len(KEYS)).map(tuple), max_size=6)
PLACES = st.tuples(st.integers(1, 9), st.integers(1, len(KEYS)))


@st.composite
def facts(draw: st.DrawFn) -> SheetFacts:
    def area() -> tuple[int, int, int, int]:
        top, left = draw(PLACES)
        return top, left, top + draw(st.integers(0, 3)), left + draw(st.integers(0, 3))

    def some(most: int) -> range:
        return range(draw(st.integers(0, most)))

    return SheetFacts(
        formulas=draw(st.frozensets(PLACES, max_size=3)),
        areas=tuple(area() for _ in some(1)),
        errors=draw(st.dictionaries(PLACES, st.just("#REF!"), max_size=2)),
        hidden_rows=draw(st.frozensets(st.integers(1, 9), max_size=3)),
        hidden_columns=draw(st.sampled_from([(), (), ((2, 3),), ((6, 6),)])),
        merged=tuple(area() for _ in some(2)),
        filtered=draw(st.sampled_from([None, (3, 2, 5, 9), (3, 2, 99, 9)])),
    )


def table(rows: list[tuple[str, ...]], known: SheetFacts, keys: tuple[str, ...] = KEYS) -> Table:
    corner = corner_of(Sheet("入力", False, (keys, *HEADS, *rows), known))
    assert corner is not None
    return Table(Asking(corner, Where("t.xlsx")))


@given(rows=ROWS, known=facts(), twice=st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_row_says_what_its_cells_say_one_by_one(
    rows: list[tuple[str, ...]], known: SheetFacts, twice: bool
) -> None:
    found = table(rows, known, KEYS if not twice else (*KEYS[:-1], "count"))
    asking, expected = found.asking, []
    for row in range(4, len(rows) + 4):
        cells = [asking.cell(key, row, column) for column, key in asking.columns]
        if any(one.holds for one in cells if one.key != RESPONSE):
            where = Where("t.xlsx", f"入力!{row}")
            expected.append(request(cells, replace(BLANK, where=where), EVERYTHING.form))
    assert list(found.requests(BLANK, EVERYTHING.form)) == expected


def test_a_row_knows_the_places_of_its_answers_and_of_its_file() -> None:
    (found,) = table([("", "OK", "", "t@example.com", *["x"] * len(QUESTIONS), "")], SheetFacts()).requests(
        BLANK, EVERYTHING.form
    )
    places = found.answers.places
    assert places["kind"] == Where("t.xlsx", "denpyo!B2")
    assert places["name"] == found.answers.given["name"].where == Where("t.xlsx", "入力!E4")
    assert set(places) == {"kind", RESPONSE, SENDER, AGAIN, *QUESTIONS}
    assert len(places) == len(dict(places))


def test_ten_thousand_rows_take_a_fraction_of_a_second() -> None:
    """Measured at 0.06 to 0.12 s; the bound leaves room for a busy machine and a tracer, and none for a look at all rows for each."""
    rows = [("", "OK", "", "t@example.com", f"a-{row}", *["x"] * (len(QUESTIONS) - 1), "") for row in range(10_000)]
    sheet = Sheet(
        "入力", False, (KEYS, *HEADS, *rows), SheetFacts(formulas=frozenset((row, 2) for row in range(4, 10_004)))
    )
    begun = time.process_time()
    reads, problems = answers_of([sheet], Where("t.xlsx"), KINDS)
    assert time.process_time() - begun < 2
    assert (len(reads), problems) == (10_000, [])


def test_areas_that_cover_everything_again_and_again_are_refused_at_once() -> None:
    rows = [("", "", "", "", f"a-{row}", *["x"] * len(QUESTIONS)) for row in range(20_000)]
    everywhere = ((1, 1, 1_048_576, 16_384),) * 1000
    for known in (SheetFacts(areas=everywhere), SheetFacts(merged=everywhere)):
        sheet = Sheet("入力", False, (KEYS, *HEADS, *rows), known)
        begun = time.process_time()
        reads, problems = answers_of([sheet], Where("t.xlsx"), KINDS)
        assert time.process_time() - begun < 2
        assert (reads, [(one.code, one.where.spot) for one in problems]) == ([], [("too_large", "入力")])
