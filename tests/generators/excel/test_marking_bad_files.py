"""Marked copies of workbooks that nobody's program would save: a copy or none, quickly, and never an exception."""

from __future__ import annotations

import io
import time
import zipfile
from itertools import pairwise
from random import Random

import pytest

from benchmarks.mutate import Seed, mutated
from generators.excel.annotate import Verdict, annotate
from generators.excel.archive import Archive
from schema.answers import Where
from schema.problem import Problem
from tests.generators.excel.marking import light, marked
from tests.generators.excel.workbooks import (
    GOOD,
    form_of_everything,
    packed,
    parts_of,
    replaced,
    table_of_everything,
)

FORM = form_of_everything()
WRONG = Problem("missing", Where("request.xlsx", "入力!C6"), "name", {"label": "x"})
FIRST = "xl/worksheets/sheet1.xml"
TYPES = "[Content_Types].xml"


def copy_of(data: bytes) -> bytes | None:
    where = Where("request.xlsx", "入力")
    return annotate(data, "request.xlsx", [Verdict(where, None, "7k3m-9qx2-b4td", "x", False, (WRONG,))], [WRONG], "ja")


MARKED = copy_of(FORM) or b""
NOTES = "xl/denpyo_comments.xml"


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "", "7", "４"])
def test_a_comment_whose_author_has_a_number_that_is_none_is_marked_beside(number: str) -> None:
    mine = replaced(MARKED, NOTES, "▼".encode(), b"mine")
    again = copy_of(replaced(mine, NOTES, b'authorId="0"', f'authorId="{number}"'.encode()))
    assert again is not None
    (said,) = [part for name, part in parts_of(again).items() if name == NOTES]
    assert said.count(b"mine") == said.count("▼".encode()) == 1


def test_a_sheet_that_is_listed_and_not_there_makes_no_copy() -> None:
    parts = parts_of(FORM)
    del parts[FIRST]
    assert copy_of(packed(parts)) is None


def test_a_list_without_any_sheet_makes_no_copy() -> None:
    part = parts_of(FORM)["xl/workbook.xml"]
    sheets = part[part.index(b"<sheets>") : part.index(b"</sheets>")]
    assert copy_of(replaced(FORM, "xl/workbook.xml", sheets, b"<sheets>")) is None


def test_elements_in_elements_without_end_make_no_copy() -> None:
    deep = b"<a>" * 3000 + b"</a>" * 3000
    assert copy_of(replaced(MARKED, NOTES, b"<commentList>", b"<commentList>" + deep)) is None
    assert copy_of(replaced(FORM, "xl/workbook.xml", b"<sheets>", deep + b"<sheets>")) is None


def test_comments_in_one_another_make_no_copy() -> None:
    part = parts_of(MARKED)[NOTES]
    one = part[part.index(b"<comment ") : part.index(b"</comment>") + len(b"</comment>")]
    assert copy_of(replaced(MARKED, NOTES, one, one[: -len(b"</comment>")] + one + b"</comment>")) is None


SEEDS = [
    Seed.of(f"{number}.xlsx", data)
    for number, data in enumerate((FORM, MARKED, light(marked(table_of_everything(GOOD, GOOD)))))
]


@pytest.mark.untraced
def test_workbooks_damaged_by_chance_are_marked_or_not_and_nothing_else() -> None:
    chance, made = Random(11), 0  # noqa: S311 - damage by chance, no secret
    for number in range(400):
        made += copy_of(mutated(SEEDS[number % len(SEEDS)], chance)) is not None
    assert 40 < made < 400


def test_a_chain_of_parts_behind_an_old_summary_is_let_go_quickly() -> None:
    parts = parts_of(MARKED)
    links = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    one = '<Relationship Id="rId1" Type="x/other" Target="/{}"/>'
    names = ["xl/worksheets/denpyo_summary.xml", *(f"x/{number}.xml" for number in range(900))]
    for name, after in pairwise(names):
        folder, _, base = name.rpartition("/")
        parts[f"{folder}/_rels/{base}.rels"] = links.format(one.format(after)).encode()
        parts[after] = b"<a/>"
    data, start = packed(parts), time.process_time()
    copy = copy_of(data)
    assert time.process_time() - start < 3  # 0.3 on a quiet machine; 32 when each step looked at every part
    assert copy is not None
    assert not [name for name in parts_of(copy) if name.startswith("x/")]


def test_many_parts_of_a_large_file_are_read_without_copying_the_rest_each_time() -> None:
    parts = {**parts_of(FORM), **{f"x/{number}": b"" for number in range(1500)}}
    data = io.BytesIO(packed(parts))
    with zipfile.ZipFile(data, "a") as package:
        package.writestr("x/large", bytes(48 * 2**20))
    whole = Archive(data.getvalue())
    start = time.process_time()
    assert len(dict(whole)) == len(parts) + 1
    assert time.process_time() - start < 1.5  # 0.1 on a quiet machine; 10 when the rest was copied
