"""Files that are broken or hostile: each is refused with a code and the part or the cell, and nothing else happens."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generators.excel.workbooks import (
    GOOD,
    form_of_everything,
    one,
    only_problem,
    packed,
    parts_of,
    reading,
    replaced,
    table_of_everything,
)

FORM = form_of_everything()
SHEET, BOOK, RELS, TYPES = (
    "xl/worksheets/sheet1.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "[Content_Types].xml",
)
BOMB = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 1000 + b'">]>'


def in_sheet(new: bytes, before: bytes = b"</sheetData>") -> bytes:
    """The form with something more in its first sheet."""
    return replaced(FORM, SHEET, before, new + before)


def in_row_9(new: bytes) -> bytes:
    start, _, _ = parts_of(FORM)[SHEET].partition(b' r="10"')
    return in_sheet(new, start[start.rindex(b"</row>") :] + b' r="10"')


def with_part(name: str, part: bytes = b"<a/>") -> bytes:
    return packed({**parts_of(FORM), name: part})


def with_link(target: str, mode: str, sort: str = "externalLink") -> bytes:
    link = f'<Relationship Id="x" Type="http://example.com/{sort}" Target="{target}" TargetMode="{mode}"/>'
    return replaced(FORM, RELS, b"</Relationships>", link.encode() + b"</Relationships>")


def with_strings(strings: bytes, cells: bytes) -> bytes:
    """The form with a part of shared strings, and cells of the first sheet that point into it."""
    data = replaced(FORM, SHEET, b"</sheetData>", cells + b"</sheetData>")
    link = b'<Relationship Id="s" Type="http://schemas/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    parts = parts_of(replaced(data, RELS, b"</Relationships>", link))
    return packed({**parts, "xl/sharedStrings.xml": b"<sst>" + strings + b"</sst>"})


def twice(first: str, second: str) -> bytes:
    """A package with two parts of these names; the second is given its name afterwards, as only an attacker writes it."""
    placeholder = "~" * len(second)
    data = packed({**parts_of(FORM), first: b"<a/>", placeholder: b"<b/>"})
    return data.replace(placeholder.encode(), second.encode())


def with_header(name: str, offset: int, value: bytes) -> bytes:
    """The form with some bytes of one entry of its central directory written otherwise (APPNOTE 4.3.12)."""
    data = bytearray(FORM)
    at = data.rindex(name.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + offset : at + offset + len(value)] = value
    return bytes(data)


def nameless() -> bytes:
    """A package with one part more, whose name is empty in both of its headers."""
    header = struct.pack("<5H3L2H", 20, 0, 0, 0, 33, 0, 0, 0, 0, 0)
    end = FORM.rindex(b"PK\x05\x06")
    _, _, _, count, _, size, offset, _ = struct.unpack("<4s4H2LH", FORM[end:])
    local, central = b"PK\x03\x04" + header, b"PK\x01\x02\x14\x00" + header + struct.pack("<3H2L", 0, 0, 0, 0, offset)
    tail = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, count + 1, count + 1, size + len(central), offset + len(local), 0
    )
    return FORM[:offset] + local + FORM[offset:end] + central + tail


def overlapping() -> bytes:
    with zipfile.ZipFile(io.BytesIO(FORM)) as package:
        offset = package.getinfo(TYPES).header_offset
    return with_header(SHEET, 42, struct.pack("<I", offset + 1))


def bzip2() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_BZIP2) as package:
        for name, part in parts_of(FORM).items():
            package.writestr(name, part)
    return data.getvalue()


NOT_ALLOWED: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "macros without their content type": (lambda: with_part("xl/vbaProject.bin"), "xl/vbaProject.bin"),
    "a link to another workbook": (
        lambda: with_part("xl/externalLinks/externalLink1.xml"),
        "xl/externalLinks/externalLink1.xml",
    ),
    "a data connection": (lambda: with_part("xl/connections.xml"), "xl/connections.xml"),
    "an embedded object": (lambda: with_part("xl/embeddings/oleObject1.bin"), "xl/embeddings/oleObject1.bin"),
    "a control": (lambda: with_part("xl/activeX/activeX1.xml"), "xl/activeX/activeX1.xml"),
    "an old macro sheet": (lambda: with_part("xl/macrosheets/sheet1.xml"), "xl/macrosheets/sheet1.xml"),
    "a relationship that leads outside": (lambda: with_link("http://example.com/a.xlsx", "External"), RELS),
    "one that does so in other letters": (lambda: with_link("file:///c:/a.xlsx", "EXTERNAL", "oleObject"), RELS),
    "a doctype in a sheet": (lambda: replaced(FORM, SHEET, b"<worksheet", BOMB + b"<worksheet"), SHEET),
    "a doctype in the workbook": (lambda: replaced(FORM, BOOK, b"<workbook ", BOMB + b"<workbook "), BOOK),
    "a doctype in the relationships": (lambda: replaced(FORM, RELS, b"<Relationships", BOMB + b"<Relationships"), RELS),
    "a doctype in the content types": (lambda: replaced(FORM, TYPES, b"<Types", BOMB + b"<Types"), TYPES),
    "a doctype in the styles": (
        lambda: replaced(FORM, "xl/styles.xml", b"<styleSheet", BOMB + b"<styleSheet"),
        "xl/styles.xml",
    ),
    "utf-16 with its mark": (lambda: packed({**parts_of(FORM), SHEET: "<worksheet/>".encode("utf-16")}), SHEET),
    "utf-16 without": (lambda: packed({**parts_of(FORM), SHEET: "<worksheet/>".encode("utf-16-be")}), SHEET),
    "a part that is there twice": (lambda: twice("xl/a.xml", "xl/a.xml"), "xl/a.xml"),
    "names that differ by case": (lambda: twice("xl/a.xml", "xl/A.xml"), "xl/a.xml"),
    "a part without a name": (nameless, "ZIP"),
    "a name that climbs": (lambda: with_part("xl/../../etc/passwd"), "xl/../../etc/passwd"),
    "an absolute name": (lambda: with_part("/etc/passwd"), "/etc/passwd"),
    "a backslash": (lambda: with_part("xl\\a.xml"), "xl\\a.xml"),
    "a drive": (lambda: with_part("c:/a.xml"), "c:/a.xml"),
    "a very long name": (lambda: with_part("x" * 300), "x" * 59 + "…"),
    "another compression": (bzip2, TYPES),
    "an encrypted part": (lambda: with_header(SHEET, 8, b"\x01"), SHEET),
    "a part that is a patch": (lambda: with_header(SHEET, 8, b"\x20"), SHEET),
    "a strongly encrypted part": (lambda: with_header(SHEET, 8, b"\x40"), SHEET),
}


@pytest.mark.parametrize("case", NOT_ALLOWED)
def test_what_no_template_holds_is_refused_and_its_part_named(case: str) -> None:
    build, part = NOT_ALLOWED[case]
    problem = only_problem(build())
    assert (problem.code, problem.where.spot) == ("not_allowed_part", part)


def test_a_doctype_and_utf_16_are_named_beside_the_part() -> None:
    assert "(DOCTYPE)" in only_problem(replaced(FORM, SHEET, b"<worksheet", BOMB + b"<worksheet")).message("en")
    assert "(UTF-16)" in only_problem(packed({**parts_of(FORM), SHEET: "<a/>".encode("utf-16")})).message("ja")


BROKEN: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "parts that overlap": (overlapping, TYPES),
    "a part that claims to be smaller": (lambda: with_header(SHEET, 24, struct.pack("<I", 10)), SHEET),
    "a part whose checksum is wrong": (lambda: with_header(SHEET, 16, b"\0\0\0\0"), SHEET),
    "no relationships": (lambda: packed({TYPES: b"<Types/>"}), "_rels/.rels"),
    "a workbook that is not there": (
        lambda: replaced(FORM, "_rels/.rels", b"xl/workbook.xml", b"xl/other.xml"),
        "_rels/.rels",
    ),
    "a sheet that is not there": (
        lambda: replaced(FORM, RELS, b"sheet1.xml", b"sheet9.xml"),
        "xl/worksheets/sheet9.xml",
    ),
    "a sheet without relationship": (
        lambda: replaced(FORM, BOOK, b'r:id="rId1"', b'r:id="rId99"'),
        "xl/workbook.xml (入力)",
    ),
    "no sheets": (lambda: packed({**parts_of(FORM), BOOK: b"<workbook/>"}), BOOK),
    "two sheets of one name": (lambda: replaced(FORM, BOOK, "詳細設定".encode(), "入力".encode()), BOOK),
    "a sheet without a name": (lambda: replaced(FORM, BOOK, ' name="入力"'.encode(), b""), BOOK),
    "a sheet whose name is empty": (lambda: replaced(FORM, BOOK, "入力".encode(), b""), BOOK),
    "xml that does not end": (lambda: replaced(FORM, SHEET, b"</worksheet>", b""), SHEET),
    "another encoding": (
        lambda: replaced(
            FORM, SHEET, b"<worksheet", b"<?xml version='1.0' encoding='latin-1'?><!-- \xe4 --><worksheet"
        ),
        SHEET,
    ),
    "a cell that is there twice": (lambda: in_row_9(b'<c r="F9"/><c r="F9"/>'), "入力!F9"),
    "cells in the wrong order": (lambda: in_row_9(b'<c r="Z9"/><c r="Y9"/>'), "入力!Y9"),
    "a cell with a text and a value": (
        lambda: in_row_9(b'<c r="Z9" t="inlineStr"><is><t>a</t></is><v>1</v></c>'),
        "入力!Z9",
    ),
    "a yes or no in words": (lambda: in_row_9(b'<c r="Z9" t="b"><v>false</v></c>'), "入力!Z9"),
    "a text with an element in it": (
        lambda: in_row_9(b'<c r="Z9" t="inlineStr"><is><t>a<c/>b</t></is></c>'),
        "入力!Z9",
    ),
    "a number with an entity in it": (lambda: in_row_9(b'<c r="Z9"><v>1&#50;</v></c>'), "入力!Z9"),
    "a number that is a text with an entity": (lambda: in_row_9(b'<c r="Z9" t="n"><v>a&amp;b</v></c>'), "入力!Z9"),
    "a value with an element in it": (lambda: in_row_9(b'<c r="Z9"><v>1<b/>2</v></c>'), "入力!Z9"),
    "a cell with two values": (lambda: in_row_9(b'<c r="Z9"><v>1</v><v>2</v></c>'), "入力!Z9"),
    "a cell in another row": (lambda: in_row_9(b'<c r="G10"><v>1</v></c>'), "入力!G10"),
    "a row that is there twice": (lambda: in_sheet(b'<row r="9"/>'), "入力!9"),
    "a row beyond all numbers": (lambda: in_sheet(b'<row r="99999999999999"/>'), "入力!99999999999999"),
    "a row that is no number": (lambda: in_sheet(b'<row r="-1"/>'), "入力!-1"),
    "a row that is a cell": (lambda: in_sheet(b'<row r="A99"/>'), "入力!A99"),
    "a cell that is no cell": (lambda: in_sheet(b'<row r="99"><c r="99A"/></row>'), "入力!99A"),
    "a cell right of the last": (lambda: in_sheet(b'<row r="99"><c r="XFE99"/></row>'), "入力!XFE99"),
    "a merged area that is none": (lambda: in_sheet(b'<mergeCell ref="B2:A1"/>', b"</mergeCells>"), "入力!B2:A1"),
    "a text that is not there": (
        lambda: with_strings(b"<si><t>a</t></si>", b'<row r="99"><c r="A99" t="s"><v>1</v></c></row>'),
        "xl/sharedStrings.xml",
    ),
    "a yes or no that is neither": (
        lambda: in_sheet(b'<row r="99"><c r="A99" t="b"><v>maybe</v></c></row>'),
        "入力!A99",
    ),
    "a sheet that is neither shown nor hidden": (
        lambda: replaced(FORM, BOOK, b'state="visible"', b'state="away"'),
        BOOK,
    ),
    "a text that has no number": (
        lambda: with_strings(b"<si/>", b'<row r="99"><c r="A99" t="s"><v>x</v></c></row>'),
        "入力",
    ),
}


@pytest.mark.parametrize(
    "data", [FORM[:-30], FORM + b"more", b"PK\x03\x04"], ids=["no end", "something behind the end", "only a beginning"]
)
def test_a_file_that_is_cut_off_is_to_be_saved_and_sent_again(data: bytes) -> None:
    problem = only_problem(data)
    assert (problem.code, problem.where.spot) == ("cut_off", "")
    assert (
        problem.message("ja")
        == "ファイルが途中で切れているか、壊れています。Excelで開いてもう一度保存し、送り直してください。"
    )


@pytest.mark.parametrize("case", BROKEN)
def test_a_damaged_file_names_the_part_or_the_cell(case: str) -> None:
    build, spot = BROKEN[case]
    problem = only_problem(build())
    assert (problem.code, problem.where.spot) == ("broken_file", spot)


def part_of_161_mib() -> bytes:
    return with_part("xl/media/image1.png", bytes(161 * 1024**2))


def three_parts_of_70_mib() -> bytes:
    large = {f"xl/media/image{number}.png": bytes(70 * 1024**2) for number in (1, 2, 3)}
    return packed({**parts_of(FORM), **large})


def one_text_in_many_cells() -> bytes:
    cells = b"".join(b'<c r="%b99" t="s"><v>0</v></c>' % letter for letter in _letters())
    return with_strings(b"<si><t>" + b"a" * 1024**2 + b"</t></si>", b'<row r="99">' + cells + b"</row>")


def _letters() -> list[bytes]:
    one = [chr(65 + index) for index in range(26)]
    return [letter.encode() for letter in (*one, *(a + b for a in one for b in one))][:200]


TOO_LARGE: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "a cell in the last corner": (
        lambda: in_sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "入力!XFD1048576",
    ),
    "a cell without a number in a far row": (
        lambda: in_sheet(b'<row r="1048576"><c t="inlineStr"><is><t>a</t></is></c></row>'),
        "入力!A1048576",
    ),
    "a cell far right": (lambda: in_sheet(b'<row r="99"><c r="SS99"><v>1</v></c></row>'), "入力!SS99"),
    "an area of too many cells": (
        lambda: in_sheet(b'<row r="99999"><c r="AZ99999"><v>1</v></c></row>'),
        "入力!AZ99999",
    ),
    "a merged area of a whole sheet": (
        lambda: in_sheet(b'<mergeCell ref="A1:XFD1048576"/>', b"</mergeCells>"),
        "入力!XFD1048576",
    ),
    "a part that unpacks to 161 MiB": (part_of_161_mib, "xl/media/image1.png"),
    "parts that unpack to 210 MiB": (three_parts_of_70_mib, "xl/media/image3.png"),
    "a text that many cells share": (one_text_in_many_cells, "xl/sharedStrings.xml"),
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_what_would_take_all_memory_is_refused_before_the_parser_sees_it(case: str) -> None:
    build, spot = TOO_LARGE[case]
    problem = only_problem(build())
    assert (problem.code, problem.where.spot) == ("too_large", spot)


def test_a_cell_too_far_away_is_named_in_words() -> None:
    problem = only_problem(in_sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))
    assert problem.line("ja").startswith("request.xlsx:入力!XFD1048576: セルXFD1048576までの範囲が上限の")


HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "an empty cell in the last corner": lambda: in_sheet(b'<row r="1048576"><c r="XFD1048576" s="1"/></row>'),
    "a dimension that lies": lambda: replaced(FORM, SHEET, b'<dimension ref="', b'<dimension ref="A1:XFD1048576" x="'),
    "a formula of a rule behind the last cell": lambda: in_sheet(
        b'<extLst><ext><x14:f xmlns:x14="a">A1</x14:f></ext></extLst>', b"</worksheet>"
    ),
    "a link to a mail address": lambda: with_link("mailto:a@example.com", "External", "hyperlink"),
    "a picture and custom data in utf-16": lambda: packed(
        {**parts_of(FORM), "xl/media/image1.png": b"\x89PNG", "customXml/item1.xml": "<a/>".encode("utf-16")}
    ),
    "a relative target": lambda: replaced(FORM, RELS, b"/xl/worksheets/sheet1.xml", b"worksheets/sheet1.xml"),
    "names in other case": lambda: replaced(FORM, RELS, b"sheet1.xml", b"Sheet1.xml"),
    "a byte order mark": lambda: packed({**parts_of(FORM), SHEET: b"\xef\xbb\xbf" + parts_of(FORM)[SHEET]}),
    "shared strings": lambda: with_strings(b"<si><t>a</t></si>", b'<row r="99"><c r="H99" t="s"><v>0</v></c></row>'),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_honest_programs_write_passes(case: str) -> None:
    found = one(HARMLESS[case]())
    assert found.problems == ()
    assert {key: located.value for key, located in found.answers.given.items()} == {
        key: located.value for key, located in one(FORM).answers.given.items()
    }


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_some_bytes_changed_is_read_or_refused_and_never_an_exception(data: st.DataObject) -> None:
    parts = parts_of(data.draw(st.sampled_from([FORM, TABLE])))
    name = data.draw(st.sampled_from(sorted(name for name in parts if "theme" not in name)))
    part = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(part)))
        part[at : at + data.draw(st.integers(0, 9))] = data.draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
    reads, problems = reading(packed({**parts, name: bytes(part)}))
    assert reads or problems
    for problem in (*problems, *(found for read in reads for found in read.problems)):
        assert problem.where.file == "request.xlsx"
        assert problem.line("ja")


TABLE = table_of_everything(GOOD)
TOKENS = (
    b"",
    *(b'r="XFD1048576"', b't="s"', b't="e"', b't="d"', b't="b"', b's="3"', b'hidden="1"', b"<f>1</f>", b"<v>1e999</v>"),
    *(b"<v>2958466</v>", b"<v>-1</v>", b"&#0;", b"<!DOCTYPE a>", b'<row r="5">', b'<c r="A1">', b"</row>", b"<is>"),
)
