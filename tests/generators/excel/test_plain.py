"""Large sheets are read by patterns. Wherever that way accepts a part, it says what the careful way says, and costs the same."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.mutate import TOKENS, Seed, mutated
from generators.excel import plain
from generators.excel.archive import Archive
from generators.excel.plain import facts_of
from generators.excel.refusal import Refusal, RefusedError
from generators.excel.scan import Budget, scan
from generators.excel.sheet import SheetFacts
from tests.generators.excel.workbooks import GOOD, ROOT, form_of_everything, parts_of, table_of_everything

PERCENTS = frozenset(["2", "3"])
NAME = "xl/worksheets/sheet1.xml"
SEEDS = tuple(
    Seed.of(name, data)
    for name, data in (
        ("form", form_of_everything()),
        ("table", table_of_everything(GOOD, GOOD)),
        *((file.name, file.read_bytes()) for file in sorted((ROOT / "tests/released").rglob("*.xlsx"))),
    )
)


def quick(part: bytes) -> tuple[SheetFacts, Budget] | None:
    """What the quick way says, None where it leaves the part to the careful one."""
    budget = Budget(PERCENTS)
    try:
        read = plain._sheet if plain.BEGIN in part else plain._strings
        return read(part, NAME, "S", budget), budget
    except (plain._NotPlainError, RefusedError):
        assert budget == Budget(PERCENTS), "what is not accepted costs nothing"
        return None


def careful(part: bytes) -> tuple[SheetFacts, Budget] | Refusal:
    budget = Budget(PERCENTS)
    try:
        return scan(part, NAME, "S", budget).facts(), budget
    except RefusedError as refused:
        return refused.refusal


def agrees(part: bytes) -> bool:
    """Whether the quick way took the part; where it did, the careful way must agree."""
    found = quick(part)
    assert found is None or found == careful(part)
    return found is not None


def sheet(body: str, before: str = "", after: str = "") -> bytes:
    return f'<?xml version="1.0"?>\n<worksheet>{before}<sheetData>{body}</sheetData>{after}</worksheet>'.encode()


def row(*cells: str, number: int = 1, more: str = "") -> str:
    return f'<row r="{number}"{more}>{"".join(cells)}</row>'


PLAIN = {
    "our own": parts_of(table_of_everything(GOOD, GOOD))[NAME],
    "no rows": sheet(""),
    "as Excel writes": sheet(
        row(
            '<c r="A1" s="2" t="s"><v>0</v></c><c r="B1" s="3"><v>0.85</v></c><c r="C1" s="1"/>',
            more=' spans="1:3" x:d="0.2"',
        )
        + row('<c r="A2" t="str"><f t="shared" ref="A2:A9" si="0">B2&amp;"&#10;"</f><v>a</v></c>', number=2)
        + row(
            '<c r="A3" t="str"><f t="shared" si="0"/><v></v></c><c r="C3" t="e"><f>1/0</f><v>#DIV/0!</v></c>', number=3
        )
        + row('<c r="B5" t="b"><v>1</v></c>', number=5, more=' hidden="1"'),
        '<cols><col min="2" max="3" hidden="1"/></cols>',
        '<mergeCells><mergeCell ref="A1:B2"/></mergeCells><dataValidations><dataValidation sqref="C1:C9"/></dataValidations>',
    ),
    "as LibreOffice writes": sheet(
        row(
            '<c r="A1" s="0" t="s"><v>7</v></c><c r="B1" s="2" t="n"><v>1</v></c>',
            more=' customFormat="false" ht="12.8" hidden="false"',
        )
        + row('<c r="A2" s="0"><f aca="false">B2</f><v>1</v></c>', number=2, more=' ht="0"'),
    ),
    "as XlsxWriter writes": sheet(
        row('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a</t></is></c>', more=' spans="1:1"')
    ),
    "as ElementTree writes": sheet(row('<c r="A1" t="n" /><c r="B1"><f>1</f><v /></c>') + '<row r="2" />'),
    "in canonical order": sheet(
        row('<c r="A1" t="str"><f ref="A1:A2" si="0" t="shared">IF(B1="","あ",C1)</f><v></v></c>', number=1)
        + row('<c r="A2" s="1"><f si="0" t="shared"></f></c>', number=2)
    ),
    "a template of many rows": parts_of((ROOT / "excel_templates/ja/train_supervised.table.xlsx").read_bytes())[NAME],
    "text in several looks": sheet(
        row(
            '<c r="A1" t="inlineStr"><is><r><rPr><b val="1"></b><sz val="9"/></rPr><t>a</t></r><r><t>b</t></r></is></c>'
        )
    ),
    "shared strings": (
        '<?xml version="1.0"?><sst><si><t>あ</t></si><si><t xml:space="preserve"> b</t><rPh sb="0" eb="1"><t>c</t></rPh>'
        '<phoneticPr fontId="1"/></si><si><r><rPr><b/><color theme="1" tint="0.5"/></rPr><t>d</t></r></si></sst>'
    ).encode(),
}


@pytest.mark.parametrize("case", PLAIN)
def test_what_programs_write_is_read_the_quick_way(case: str) -> None:
    assert agrees(PLAIN[case])


ROW = row('<c r="A1"><v>1</v></c>')
NOT_PLAIN = {
    "a comment around the rows": b"<worksheet><!--<sheetData>" + ROW.encode() + b"</sheetData>--></worksheet>",
    "a comment in a cell": sheet(row('<c r="A1"><v>1<!-- --></v></c>')),
    "cdata": sheet(row('<c r="A1" t="str"><v><![CDATA[<]]></v></c>')),
    "an instruction": sheet(ROW, "<?x <sheetData>?>"),
    "a second sheetData": sheet(ROW, "<sheetData></sheetData>"),
    "rows elsewhere": sheet(ROW, after='<mergeCells/><row r="9"><c r="C9"><v>1</v></c></row>'),
    "a value right behind the rows": sheet(ROW, after="<v>1</v>"),
    "a formula right behind the rows": sheet(ROW, after="<f>1</f>"),
    "digits behind an index": sheet(row('<c r="A1" t="s"><v>1</v></c>'), after="5<mergeCells/>"),
    "an unknown entity": sheet(row('<c r="A1" t="str"><v>&x;</v></c>')),
    "a number for a character": sheet(row('<c r="A1" t="str"><v>&#0;</v></c>')),
    "a bare ampersand": sheet(row('<c r="A1" t="str"><v>a & b</v></c>')),
    "the end of cdata": sheet(row('<c r="A1" t="str"><v>]]></v></c>')),
    "a control character": sheet(row('<c r="A1" t="str"><v>\x01</v></c>')),
    "no character": sheet(row('<c r="A1" t="str"><v>\uffff</v></c>')),
    "not utf-8": sheet(row('<c r="A1" t="str"><v>@</v></c>')).replace(b"@", b"\xe4"),
    "a surrogate": sheet(row('<c r="A1" t="str"><v>@</v></c>')).replace(b"@", b"\xed\xa0\x80"),
    "an attribute twice": sheet('<row r="1" ht="1" ht="1"></row>'),
    "a number that is not the row's": sheet('<row a=\'x r="1"\' r="2"><c r="A1"/></row>'),
    "attributes without a blank": sheet('<row r="1"ht="0"></row>'),
    "a tag that only begins like a row": sheet('<rowx r="1"></row>'),
    "a row whose tag has a prefix": sheet('<row:row r="1"></row>'),
    "a row twice": sheet(ROW + ROW),
    "a cell twice": sheet(row('<c r="A1"/><c r="A1"/>')),
    "cells in the wrong order": sheet(row('<c r="B1"/><c r="A1"/>')),
    "a cell of another row": sheet(row('<c r="A2"/>')),
    "a row without number": sheet("<row><c r='A1'/></row>"),
    "a row far away": sheet(row('<c r="A1048576"><v>1</v></c>', number=1_048_576)),
    "an array formula": sheet(row('<c r="A1"><f t="array" ref="A1:B2">1</f><v>1</v></c>')),
    "an index that is none": sheet(row('<c r="A1" t="s"><v>x</v></c>')),
    "a cell with two values": sheet(row('<c r="A1"><v>1</v><v>2</v></c>')),
    "a prefix": b'<x:worksheet xmlns:x="y"><x:sheetData><x:row r="1"/></x:sheetData></x:worksheet>',
    "a tag that is not closed": sheet('<row r="1"><c r="A1"></row>'),
    "a text in looks that nest": sheet(row('<c r="A1" t="inlineStr"><is><r><rPr><b></i></rPr><t>a</t></r></is></c>')),
    "strings of two parts": b"<sst><si><t>a</t></si><x/><si><t>b</t></si></sst>",
    "a cell among the strings": b'<sst><c r="A1"><v>1</v></c><si><t>a</t></si></sst>',
    "a tag of another name among the looks": b"<sst><si><r><rPr><c/></rPr><t>a</t></r></si></sst>",
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_whatever_could_mean_something_else_is_left_to_the_careful_way(case: str) -> None:
    assert not agrees(NOT_PLAIN[case])


ODD = st.sampled_from(
    [
        *TOKENS,
        b" ",
        b"<",
        b">",
        b'"',
        b"/",
        b"&",
        b"A",
        b"1",
        b"</c>",
        b"<row r='3'/>",
        b"<!--",
        b"<r>",
        b"</sheetData>",
    ]
)


@given(
    case=st.sampled_from(sorted(PLAIN)),
    at=st.integers(0, 10**6),
    cut=st.integers(0, 12),
    new=ODD | st.binary(max_size=3),
)
@settings(max_examples=1500, deadline=None)
@example(case="as Excel writes", at=100, cut=0, new=b"")
def test_a_part_with_some_bytes_changed_means_the_same_both_ways(case: str, at: int, cut: int, new: bytes) -> None:
    part = PLAIN[case]
    at %= len(part) + 1
    agrees(part[:at] + new + part[at + cut :])


@given(st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_a_damaged_workbook_means_the_same_both_ways(number: int) -> None:
    chance = Random(number)  # noqa: S311 - chance that can be repeated
    try:
        parts = Archive(mutated(chance.choice(SEEDS), chance))
        read = [parts[name] for name in parts if re.search("sheet[0-9]|sharedStrings", name)]
    except RefusedError:
        return
    for part in read:
        agrees(part)


def test_small_parts_are_not_worth_a_pattern_and_large_ones_are() -> None:
    cells = "<is><t>" + "あ" * 20 + "</t></is>"
    rows = (row(f'<c r="A{number}" t="inlineStr">{cells}</c>', number=number) for number in range(1, 900))
    large = sheet("".join(rows))
    assert len(large) > plain.WORTH_IT
    budget = Budget()
    assert facts_of(large, NAME, "S", budget) == scan(large, NAME, "S", Budget()).facts()
    assert (budget.cells, budget.elements) == (899, 899 * 4 + 2)


def test_a_large_part_that_is_broken_is_refused_by_the_careful_way_with_its_cell() -> None:
    rows = "".join(row(f'<c r="A{number}"><v>{number}</v></c>', number=number) for number in range(1, 4000))
    with pytest.raises(RefusedError) as raised:
        facts_of(sheet(rows + row('<c r="C3"/>', number=4000)), NAME, "入力", Budget())
    assert (raised.value.refusal.code, raised.value.refusal.spot) == ("broken_file", "入力!C3")
