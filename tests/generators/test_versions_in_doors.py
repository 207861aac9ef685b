"""Older templates, tables, documents and slips through every door; and version 1 of the shipped kinds, to be read for ever."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from pydantic_core import to_jsonable_python

from generators import Read
from generators.excel import ANSWER, Layout, csv_table
from generators.excel.cells import read_cells
from generators.excel.read import read as read_excel
from generators.excel.renew import renewed
from generators.excel.spelling import letters
from generators.excel.template import Filled
from generators.excel.template import write as write_template
from generators.json_schema import read as read_yaml
from schema import slip
from schema.answers import Answers
from schema.check import Checked, check
from schema.history import form_at
from schema.kinds import Kind
from schema.problem import Problem
from schema.slip import Request, Via
from schema.yaml_text import dump
from tests.kinds_for_tests import SHIPPED
from tests.kinds_for_tests._jobs import filled
from tests.kinds_for_tests.versions import AT

write = partial(write_template, rows=20)  # openpyxl takes seconds to load thousands of prepared rows
RELEASED = Path(__file__).parents[1] / "released"
GROWING = AT[3]["growing"]
V1: dict[str, Any] = {
    "data": "wine",
    "method": "boost",
    "settings.rounds": 60,
    "settings.depth": 9,
    "lr": 0.2,
    "limit": 1.5,
    "marks": ("chart", "song"),
    "wait": 3,
}
V2: dict[str, Any] = {
    "data": "wine",
    "method": "xgboost",
    "settings.rounds": 60,
    "settings.depth": 9,
    "learning_rate": 0.2,
    "limit": 90,
    "marks": ("table", "graph"),
    "wait": 3,
}
NOW = {
    "data": "wine",
    "method": "xgboost",
    "settings": {"rounds": 60},
    "depth": 9,
    "optimizer": {"learning_rate": 0.2},
    "limit": 90,
    "marks": ["table", "graph"],
    "wait": 3,
    "careful": False,
    "place": "here",
    "priority": 5,
}
OLD = {1: V1, 2: V2}


def only(found: tuple[list[Read], list[Problem]]) -> Read:
    reads, problems = found
    assert problems == []
    assert len(reads) == 1
    assert reads[0].problems == ()
    return reads[0]


def accepted(one: Read) -> Checked:
    found = check(one.answers, AT[3])
    assert isinstance(found, Checked), [problem.line("en") for problem in found]
    return found


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("layout", ["form", "table"])
def test_an_older_workbook_gives_the_job_of_today(version: int, language: str, layout: Layout) -> None:
    data = write(AT[version]["growing"].form, language, layout, [Filled(OLD[version], "hanako")])
    one = only(read_excel(data, "old.xlsx", AT[3]))
    assert accepted(one).job.answers() == NOW
    assert one.answers.sender is not None
    assert one.answers.sender.value == "hanako"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_older_table_saved_as_csv_gives_the_job_of_today(version: int, language: str) -> None:
    sheets = read_cells(write(AT[version]["growing"].form, language, "table", [Filled(OLD[version], "hanako")]))
    assert isinstance(sheets, tuple)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(sheets[0].rows)
    one = only(csv_table.read(text.getvalue().encode(), "old.csv", AT[3]))
    assert accepted(one).job.answers() == NOW


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_document_written_by_hand_gives_the_job_of_today(version: int) -> None:
    data = dump({"kind": "growing", "version": version, "job": _nested(OLD[version])}).encode()
    assert accepted(only(read_yaml(data, "old.yaml", AT[3]))).job.answers() == NOW


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in flat.items() if "." not in name
    }
    plain["settings"] = {name[9:]: value for name, value in flat.items() if name.startswith("settings.")}
    return plain


def old_slip(version: int) -> bytes:
    kind = AT[version]["growing"]
    document = dump({"kind": "growing", "job": _nested(OLD[version])}).encode()
    checked = check(only(read_yaml(document, "old.yaml", AT[version])).answers, AT[version])
    assert isinstance(checked, Checked)
    return slip.write(
        Request(
            id="7k3m-9qx2-b4td",
            kind="growing",
            version=version,
            schema=kind.form.fingerprint,
            denpyo="0.1.0",
            requested_by="hanako",
            trust="claimed",
            requested_at=datetime(2026, 11, 21, tzinfo=UTC),
            via=Via("excel", "old.xlsx", "0" * 64, "入力"),
            language="ja",
            job=checked.job,
            resources=checked.resources,
            changes=checked.changes,
        )
    )


@pytest.mark.parametrize("version", [1, 2])
def test_a_kept_slip_of_an_older_version_is_read_with_what_was_changed(version: int) -> None:
    request = slip.read(old_slip(version), AT[3])
    assert request.job.answers() == NOW | {"settings": {"rounds": 60}}
    assert (request.version, request.schema) == (3, GROWING.form.fingerprint)
    assert "optimizer.learning_rate" in {one.question for one in request.changes}
    again = slip.read(slip.write(request), AT[3])
    assert again == request


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_slip_handed_in_as_a_document_is_judged_the_same(version: int) -> None:
    assert accepted(only(read_yaml(old_slip(version), "7k3m.yaml", AT[3]))).job.answers() == NOW


def test_a_name_of_today_in_a_document_of_version_1_is_unknown_there() -> None:
    data = b"kind: growing\nversion: 1\njob: {data: wine, method: boost, learning_rate: 0.2}\n"
    reads, _ = read_yaml(data, "old.yaml", AT[3])
    assert [(one.code, one.where.spot) for one in reads[0].problems] == [("unknown_question", "3:34")]


def edited(data: bytes, **cells: str | None) -> bytes:
    workbook = load_workbook(io.BytesIO(data))
    for name, value in cells.items():
        workbook.worksheets[0][name] = value
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def test_an_older_template_that_lost_a_key_of_its_own_is_damaged() -> None:
    data = write(AT[1]["growing"].form, "ja", "table", [Filled(V1)])
    keys = {cell.value: cell.coordinate for cell in load_workbook(io.BytesIO(data)).worksheets[0][1]}
    _, problems = read_excel(edited(data, **{keys["lr"]: None}), "old.xlsx", AT[3])
    assert [one.code for one in problems] == ["damaged_template"]


def test_a_workbook_of_a_version_that_nobody_declared_is_told_which_template_to_use() -> None:
    form = AT[1]["growing"].form
    data = write(form, "en", "form", [Filled(V1)])
    workbook = load_workbook(io.BytesIO(data))
    workbook["denpyo"]["B3"] = "0"
    saved = io.BytesIO()
    workbook.save(saved)
    _, problems = read_excel(saved.getvalue(), "old.xlsx", AT[3])
    assert [one.line("en") for one in problems] == [
        "old.xlsx:denpyo!B3: This template has version 0; the current one is 3. "
        "Use the current template growing.form.xlsx and copy the answers into it. [old_template]"
    ]


def test_a_problem_of_an_older_sheet_stands_at_its_own_cell() -> None:
    refused = {**V1, "method": "guess", "wait": None, "colour": "blue"}
    refused = {name: value for name, value in refused.items() if value is not None and "settings" not in name}
    data = write(AT[1]["growing"].form, "ja", "form", [Filled(refused)])
    one = only(read_excel(data, "old.xlsx", AT[3]))
    found = check(one.answers, AT[3])
    assert isinstance(found, list)
    assert {(problem.code, problem.where.spot) for problem in found} == {
        ("removed_choice", one.answers.given["method"].where.spot),
        ("removed_question", one.answers.given["colour"].where.spot),
        ("blank_changed", one.answers.given["wait"].where.spot),
    }


def renew(refused: Sequence[Answers], language: str, layout: Layout) -> bytes:
    kind = AT[3]["growing"]
    return write(kind.form, language, layout, [renewed(one, kind, AT[3]) for one in refused])


def test_what_was_refused_goes_back_as_the_template_of_today_with_all_that_could_be_carried_over() -> None:
    refused: dict[str, Any] = {"data": "wine", "method": "boost", "lr": 0.2, "limit": 1.5, "colour": "blue", "wait": 3}
    data = write(AT[1]["growing"].form, "ja", "form", [Filled(refused, "hanako", "もう一度")])
    one = only(read_excel(data, "old.xlsx", AT[3]))
    assert isinstance(check(one.answers, AT[3]), list)
    again = only(read_excel(renew([one.answers], "ja", "form"), "new.xlsx", AT[3]))
    assert (again.answers.version, again.answers.sender.value if again.answers.sender else "") == (3, "hanako")
    job = accepted(again).job.answers()
    assert job == NOW | {"settings": {"rounds": 50}, "depth": 5, "marks": ["table"]}


def test_raw_text_that_nobody_understood_is_kept_in_the_new_template() -> None:
    data = write(AT[1]["growing"].form, "en", "table", [Filled({"data": "wine", "method": "guess", "limit": 1.5})] * 2)
    keys = {cell.value: letters(cell.column or 0) for cell in load_workbook(io.BytesIO(data)).worksheets[0][1]}
    reads, _ = read_excel(edited(data, **{keys["limit"] + "4": "soon"}), "old.xlsx", AT[3])
    found, problems = read_excel(renew([one.answers for one in reads], "en", "table"), "new.xlsx", AT[3])
    assert problems == []
    assert [one.answers.given["limit"].value for one in found] == ["soon", "90"]
    assert [one.answers.given["method"].value for one in found] == ["", ""]


def test_the_same_version_with_another_fingerprint_is_still_a_changed_template() -> None:
    data = write(GROWING.form, "en", "form", [Filled({"data": "wine", "method": "forest", "place": "here"})])
    one = only(read_excel(data, "now.xlsx", AT[3]))
    assert accepted(one)
    workbook = load_workbook(io.BytesIO(data))
    workbook["denpyo"]["B4"] = "0" * 64
    saved = io.BytesIO()
    workbook.save(saved)
    found = check(only(read_excel(saved.getvalue(), "now.xlsx", AT[3])).answers, AT[3])
    assert isinstance(found, list)
    assert [problem.code for problem in found] == ["changed_template"]


ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ANY
@given(filled(AT[1]["growing"].form, as_read=True), st.sampled_from(["en", "ja"]))
def test_answers_that_version_1_took_are_carried_over_with_their_meaning_or_refused_at_a_place(
    values: dict[str, Any], language: str
) -> None:
    plain = to_jsonable_python(values)
    document = dump({"kind": "growing", "version": 1, **_document(plain), "language": language}).encode()
    then = check(only(read_yaml(document, "old.yaml", AT[1])).answers, AT[1])
    assert isinstance(then, Checked)
    now = check(only(read_yaml(document, "old.yaml", AT[3])).answers, AT[3])
    if isinstance(now, list):
        assert all(one.where.spot and one.line(language) for one in now)
        assert _cannot_be_said(then.job.answers())
    else:
        assert _meaning(now.job.answers()) == _as_today(then.job.answers())
        assert now.resources == then.resources


def _document(plain: dict[str, Any]) -> dict[str, Any]:
    taken = {name[10:]: value for name, value in plain.items() if name.startswith("resources.")}
    return {
        "job": _nested({name: value for name, value in plain.items() if not name.startswith("resources.")}),
        "resources": taken,
    }


def _cannot_be_said(job: dict[str, Any]) -> bool:
    """What version 3 has no words for, read from the history by hand."""
    minutes = job["limit"] * 60
    return (
        job["method"] == "guess"
        or job["colour"] != "red"
        or job["note"] is not None
        or job["wait"] is None
        or job["careful"]
        or (job["method"] == "boost" and job["seats"] != 4)
        or minutes != int(minutes)
        or minutes < 1
    )


def _as_today(job: dict[str, Any]) -> dict[str, Any]:
    forest = job["method"] == "forest"
    return {
        "data": job["data"],
        "method": {"boost": "xgboost"}.get(job["method"], job["method"]),
        "own": job["settings"]["trees" if forest else "rounds"],
        "depth": job["settings"]["depth"],
        "seats": job["seats"] if forest else 4,
        "rate": job["lr"],
        "minutes": job["limit"] * 60,
        "marks": {{"chart": "graph", "song": "table"}.get(one, one) for one in job["marks"]},
        "wait": job["wait"],
    }


def _meaning(job: dict[str, Any]) -> dict[str, Any]:
    forest = job["method"] == "forest"
    return {
        "data": job["data"],
        "method": job["method"],
        "own": job["settings"]["trees" if forest else "rounds"],
        "depth": job["depth"],
        "seats": job["settings"].get("seats", 4),
        "rate": job["optimizer"]["learning_rate"],
        "minutes": job["limit"],
        "marks": set(job["marks"]),
        "wait": job["wait"],
    }


RELEASED_ANSWERS: dict[str, dict[str, str | float]] = {
    "train_supervised": {"dataset_id": "wine", "target": "target", "algorithm": "random_forest", "max_retry": 2},
    "inference": {"model_id": "m-1", "dataset_id": "wine", "output_format": "json", "note": "=一回目"},
}


@pytest.mark.parametrize("kind", RELEASED_ANSWERS)
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("layout", ["form", "table"])
def test_the_templates_of_the_first_release_are_read_for_ever(kind: str, language: str, layout: Layout) -> None:
    released = (RELEASED / "v1" / language / f"{kind}.{layout}.xlsx").read_bytes()
    old = check(only(read_excel(_filled_in(released, kind, layout), "old.xlsx", SHIPPED)).answers, SHIPPED)
    assert isinstance(old, Checked), [one.line("en") for one in old]
    today = write(SHIPPED[kind].form, language, layout)
    new = check(only(read_excel(_filled_in(today, kind, layout), "new.xlsx", SHIPPED)).answers, SHIPPED)
    assert isinstance(new, Checked)
    assert (old.job, old.resources) == (new.job, new.resources)


def _filled_in(data: bytes, kind: str, layout: Layout) -> bytes:
    """The answers in the cells that their keys lead to, as a person would fill them in."""
    workbook = load_workbook(io.BytesIO(data))
    left = dict(RELEASED_ANSWERS[kind])
    for sheet in workbook.worksheets[:2]:
        places = [(cell.value, cell.row, cell.column) for row in sheet.iter_rows() for cell in row if cell.value]
        column = next((at for mark, _, at in places if mark == ANSWER), 0)
        heads = [row for mark, row, _ in places if mark == "denpyo:head"]
        for key, row, at in places:
            if key in left and isinstance(key, str):
                cell = sheet.cell(row, column) if layout == "form" else sheet.cell(max(heads) + 1, at)
                cell.value = left.pop(key)
                cell.data_type = "s" if isinstance(cell.value, str) else "n"
    assert left == {}
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


@pytest.mark.parametrize("kind", SHIPPED.values(), ids=SHIPPED)
def test_every_shipped_kind_takes_what_its_first_version_asked(kind: Kind) -> None:
    assert form_at(kind.job, kind.form, 1) is not None
