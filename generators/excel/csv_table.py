"""The table layout as CSV, as Excel, LibreOffice and Google Sheets save it: UTF-8, Excel's "Unicode text", or as declared."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping

from generators import Read
from generators.excel import FORM, HEAD, TABLE, formats
from generators.excel.bounds import LARGEST_FILE, mib
from generators.excel.read import answers_of
from generators.excel.refusal import Refusal, RefusedError, too_large
from generators.excel.remnant import FEWEST
from generators.excel.scan import LAST_COLUMN, LAST_ROW, MOST_CELLS
from generators.excel.sheet import Sheet, SheetFacts
from schema.answers import Where
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import Form
from schema.words import both, languages

MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
BEFORE = re.compile(rf'([,;\t])"?{TABLE}"?(?=[\r\n]|$)')
AFTER = re.compile(rf'{TABLE}"?([,;\t])')
NAMED = re.compile(r"sep=([,;\t])\r?\n")
"""A first line that names the separator. Excel obeys it and does not show it."""
LOOKED_AT = 50_000
"""Letters among which the headings stand."""
LONGEST_FIELD = 131_072
"""Python's own limit for a field. A cell of Excel's holds 32,767 characters."""
ERRORS = frozenset(["#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#N/A"])


def read(data: bytes, name: str, kinds: Mapping[str, Kind], encoding: str = "") -> tuple[list[Read], list[Problem]]:
    """Every request of a table that was saved as CSV, and what is wrong with the file as a whole; as ``excel.read.read`` does.

    Places are cells as Excel shows them when it opens the file (``C7``). ``encoding`` is what a file is written in
    that is not Unicode.
    """
    file = Where(name)
    try:
        found = sheet(data, encoding)
    except RefusedError as refused:
        return [], [Problem(refused.refusal.code, file.at(refused.refusal.spot), "", refused.refusal.facts)]
    reads, problems = answers_of([found], file, kinds)
    if problems and problems[0].code == "not_a_template":
        return [], [Problem(_torn(_decoded(data, _code(encoding)), kinds), file, "", problems[0].facts)]
    return reads, problems


def _torn(text: str, kinds: Mapping[str, Kind]) -> str:
    """The code for a text without the mark of a table: a form, or a table without its keys, if it is one."""
    if FORM in text:
        return "csv_of_a_form"
    shows_labels = any(_shows_labels(text, kind.form, language) for kind in kinds.values() for language in languages())
    return "csv_without_keys" if TABLE not in text and (HEAD in text or shows_labels) else "not_a_template"


def _shows_labels(text: str, form: Form, language: str) -> bool:
    labels = {one.label.say(language) for one in form.questions}
    return sum(one in text[:LOOKED_AT] for one in labels) >= max(FEWEST, len(labels) // 2)


def sheet(data: bytes, encoding: str) -> Sheet:
    """The table as if it were a sheet without a name. What is none is a RefusedError."""
    if len(data) > LARGEST_FILE:
        raise too_large("", both("the_file"), mib(LARGEST_FILE))
    formats.must_be_text(data)
    text = _decoded(data, _code(encoding))
    named = NAMED.match(text)
    separator = named or AFTER.search(text) or BEFORE.search(text)
    if separator is None:
        return Sheet("", hidden=False, rows=(), facts=SheetFacts())  # nothing of ours stands in it
    rows = _even(_rows(text[named.end() :] if named else text, separator[1]))
    return Sheet("", hidden=False, rows=rows, facts=SheetFacts(errors=_errors(rows) if "#" in text else {}))


def _code(declared: str) -> str:
    return formats.ENCODINGS[declared or "utf-8"]


def _decoded(data: bytes, declared: str) -> str:
    """A mark at the beginning is believed; without one it is UTF-8 if it can be, for no other text looks like it by chance."""
    mark, code = next(((mark, code) for mark, code in MARKS if data.startswith(mark)), (b"", ""))
    for one in (code,) if code else ("utf-8", declared):
        try:
            text = data[len(mark) :].decode(one)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise RefusedError(Refusal("csv_encoding"))


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    found, row = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 0
    try:
        for row, line in enumerate(found, 1):
            _within_limits(row, line)
            yield line
    except csv.Error as error:
        spot = str(row + 1)
        if "field limit" in str(error):
            cell = both("csv_cell", row=spot)
            raise too_large(spot, cell, f"{LONGEST_FIELD:,}") from error
        raise RefusedError(Refusal("csv_quotes", spot)) from error


def _within_limits(row: int, line: list[str]) -> None:
    if row > LAST_ROW or len(line) > LAST_COLUMN:
        what = both("csv_area", row=str(row))
        raise too_large(str(row), what, f"{LAST_ROW:,} × {LAST_COLUMN} ({MOST_CELLS:,})")


def _even(lines: Iterator[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Rows of the same length, without the empty columns that programs write after the last one."""
    rows = [*lines]
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((len(line) for line in rows), default=0)
    if width * len(rows) > MOST_CELLS:
        _within_limits(len(rows), [""] * (LAST_COLUMN + 1))
    return tuple(tuple(line) if len(line) == width else (*line, *[""] * (width - len(line))) for line in rows)


def _errors(rows: tuple[tuple[str, ...], ...]) -> dict[tuple[int, int], str]:
    """Excel writes what it shows, so that an error becomes its name."""
    return {
        (row, column): text
        for row, line in enumerate(rows, 1)
        for column, text in enumerate(line, 1)
        if text[:1] == "#" and text in ERRORS
    }
