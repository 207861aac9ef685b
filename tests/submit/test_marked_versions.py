"""Sheets of older versions on the command line: marked in place with what was changed, or back as the template of today."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from generators.excel import Layout
from generators.excel.read import read
from generators.excel.template import Filled, write
from submit import judging
from submit.desk import open_desk
from submit.marked import marked
from submit.new_desk import make_desk
from submit.response import Source, Wishes
from tests.desks import denpyo
from tests.generators.excel.marking import comments, light, reds, summary
from tests.generators.excel.workbooks import answer, edited
from tests.generators.test_versions_in_doors import V1
from tests.kinds_for_tests.versions import AT, FOLDER

GUESS = {name: value for name, value in V1.items() if not name.startswith("settings")} | {"method": "guess"}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A desk whose growing kind has its third version."""
    folder = tmp_path / "desk"
    denpyo("init", desk=folder)
    (folder / "kinds").mkdir(exist_ok=True)
    shutil.copyfile(FOLDER / "v3.py", folder / "kinds" / "growing.py")
    return folder


def old(folder: Path, layout: Layout, *rows: dict[str, Any], language: str = "en") -> Path:
    """A filled workbook as the first version made it."""
    file = folder / "old.xlsx"
    filled = [Filled(one, "hanako") for one in rows]
    file.write_bytes(write(AT[1]["growing"].form, language, layout, filled, rows=20))
    return file


def _set(key: str, value: object) -> Callable[[Workbook], object]:
    def change(book: Workbook) -> None:
        answer(book, key).value = value  # type: ignore[assignment]

    return change


def annotated(command: str, file: Path, desk: Path, code: int) -> tuple[Any, bytes]:
    done = denpyo(command, file, "--annotate", file.parent / "marked", "--force", "--json", desk=desk, code=code)
    return json.loads(done.stdout), light((file.parent / "marked" / f"{file.stem}.marked.xlsx").read_bytes())


def test_a_sheet_that_could_be_brought_up_to_date_says_what_was_changed(desk: Path, tmp_path: Path) -> None:
    told, copy = annotated("check", old(tmp_path, "form", V1), desk, 0)
    assert told["problems"] == []
    lines = [" | ".join(row) for row in summary(copy)]
    at = next(
        number for number, line in enumerate(lines) if line.startswith("What was filled in or brought up to date")
    )
    assert any("Time limit" in line and "1.5" in line and "90" in line for line in lines[at:])
    assert not [line for line in lines if "current form" in line]


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_sheet_that_could_not_be_comes_back_as_todays_template_and_is_accepted_once_it_is_completed(
    desk: Path, tmp_path: Path, layout: Layout
) -> None:
    rows = [GUESS | {"note": "see below"}] + [V1] * (layout == "table")
    told, copy = annotated("submit", old(tmp_path, layout, *rows), desk, 1)
    assert {one["code"] for one in told["problems"]} == {"removed_choice", "removed_question"}
    found = [one.answers for one in read(copy, "m.xlsx", AT[3])[0]]
    assert [one.version for one in found] == [3] * len(rows)
    assert found[0].given["limit"].value == "90"
    method = found[0].place("method").spot
    of_the_row = ["Request!D4"] * (layout == "table")  # what is no longer asked has no cell of its own any more
    assert reds(copy) == [*of_the_row, method]
    assert "can no longer be chosen" in comments(copy)[method]
    text = "\n".join(" ".join(row) for row in summary(copy))
    assert "This is the current form (version 3) with your answers in it." in text
    assert "“Note” is no longer asked since version 3" in text
    assert all(one.response for one in found)

    book = load_workbook(io.BytesIO(copy))
    sheet, _, cell = method.rpartition("!")
    book[sheet][cell] = "Forest"
    book.save(tmp_path / "old.marked.xlsx")
    told = json.loads(denpyo("submit", tmp_path / "old.marked.xlsx", "--json", desk=desk).stdout)
    assert told["problems"] == []
    states = json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"]
    assert sorted(one["state"] for one in states) == sorted(["superseded", *["queued"] * len(rows)])


MARKED = {
    "form": ["Request!C10", "Request!C13", "Details!C15", "Details!C16"],
    "table": [f"Request!{column}{row}" for row in (4, 5) for column in "FLMR"],
}


RATE = {"form": "Details!C12", "table": "Request!K4"}


@pytest.fixture
def forgetful(tmp_path: Path) -> Path:
    """A desk whose kind has its third version, with a history that begins at the second."""
    folder = tmp_path / "forgetful"
    denpyo("init", desk=folder)
    (folder / "kinds").mkdir(exist_ok=True)
    whole = (FOLDER / "v3.py").read_text(encoding="utf-8")
    begin, end = whole.index("        2: ("), whole.index("        3: (")
    (folder / "kinds" / "growing.py").write_text(whole[:begin] + whole[end:], encoding="utf-8")
    return folder


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_sheet_older_than_the_history_comes_back_as_todays_template_with_what_has_the_same_name(
    forgetful: Path, tmp_path: Path, layout: Layout
) -> None:
    rows = [GUESS | {"data": "wine", "lr": 0.3}] + [GUESS | {"data": "diabetes"}] * (layout == "table")
    told, copy = annotated("check", old(tmp_path, layout, *rows), forgetful, 1)
    assert [one["code"] for one in told["problems"]] == ["old_template"]
    found, problems = read(copy, "m.xlsx", AT[3])
    assert problems == []
    assert [one.answers.version for one in found] == [3] * len(rows)
    names = ("data", "method", "limit")
    given = [tuple(one.answers.given[name].value for name in names) for one in found]
    assert given == [("wine", "Guess", "1.5"), ("diabetes", "Guess", "1.5")][: len(rows)]
    assert reds(copy) == MARKED[layout]
    text = "\n".join(" ".join(row) for row in summary(copy))
    assert "This is the current form (version 3) with those of your answers that it still asks for." in text
    assert f"The current form does not ask for “Learning rate”, so “0.3” ({RATE[layout]} in your file) was not" in text
    assert "with your answers in it" not in text


def test_what_the_door_finds_in_a_sheet_older_than_the_history_is_red_in_todays_template(
    forgetful: Path, tmp_path: Path
) -> None:
    file = old(tmp_path, "form", GUESS | {"data": "wine"})
    file.write_bytes(edited(file.read_bytes(), _set("data", '="wi"&"ne"'), _set("lr", "=1+1"), _set("limit", 90)))
    copy = annotated("check", file, forgetful, 1)[1]
    (one,), _ = read(copy, "m.xlsx", AT[3])
    data = one.answers.place("data").spot
    assert data in reds(copy)
    assert "There is a formula here instead of an answer." in comments(copy)[data]
    text = "\n".join(" ".join(row) for row in summary(copy))
    assert "The current form does not ask for “Learning rate”, so “…” (Details!C12 in your file)" in text


def test_what_was_carried_over_without_a_mistake_is_to_be_looked_over(tmp_path: Path) -> None:
    folder = make_desk(tmp_path / "desk").folder
    (folder / "kinds").mkdir(exist_ok=True)
    second = (FOLDER / "v2.py").read_text(encoding="utf-8")
    begin = second.index("        2: (")
    forgotten = second[:begin] + second[second.index("    }\n", begin) :]
    (folder / "kinds" / "growing.py").write_text(forgotten, encoding="utf-8")
    desk = open_desk(folder)
    source = Source("old.xlsx", old(tmp_path, "form", {"data": "wine", "method": "forest", "limit": 3}).read_bytes())
    copy = marked(desk, source, judging.check(desk, [source], Wishes()).responses, kept=False)
    assert copy is not None
    assert summary(copy)[-1] == ["1", "Request", "carried over; please look it over"]


def test_a_marked_copy_older_than_the_history_keeps_its_receipt_and_is_the_next_version_when_it_returns(
    forgetful: Path, tmp_path: Path
) -> None:
    now = forgetful / "kinds" / "growing.py"
    later = now.read_bytes()
    shutil.copyfile(FOLDER / "v1.py", now)
    first, copy = annotated("submit", old(tmp_path, "form", V1), forgetful, 0)
    now.write_bytes(later)
    (tmp_path / "old.xlsx").write_bytes(copy)
    renewed = annotated("check", tmp_path / "old.xlsx", forgetful, 1)[1]
    (one,), _ = read(renewed, "m.xlsx", AT[3])
    assert one.answers.response == first["requests"][0]["id"]
    mended = {"method": "XGBoost", "limit": 90, "marks": "Table", "place": "here"}
    (tmp_path / "old.marked.xlsx").write_bytes(edited(renewed, *(_set(*one) for one in mended.items())))
    told = json.loads(denpyo("submit", tmp_path / "old.marked.xlsx", "--json", desk=forgetful).stdout)
    assert told["requests"][0]["follows"] == one.answers.response


def test_an_older_document_comes_back_as_todays_table(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(
        "kind: growing\nversion: 1\njob: {data: wine, method: guess, lr: 0.2, limit: 1.5, wait: 3}\n", encoding="utf-8"
    )
    denpyo("check", file, "--annotate", tmp_path / "marked", desk=desk, code=1)
    copy = light((tmp_path / "marked" / "old.marked.xlsx").read_bytes())
    ((one,), problems) = read(copy, "m.xlsx", AT[3])
    assert problems == []
    assert (one.answers.version, one.answers.given["limit"].value) == (3, "90")
    assert reds(copy) == [one.answers.place("method").spot]
