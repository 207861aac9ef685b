"""Responses of Microsoft Forms on their way: the same response is one request, however it comes and however often."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook

from generators.microsoft import tags_of
from schema.kinds import Kind
from submit import journey, standing
from submit.desk import Desk
from submit.judging import Outcome
from submit.marked import marked
from submit.response import Source, Wishes
from tests.desks import denpyo, desk_in
from tests.generators.microsoft.workbooks import WHO, Value, exported, headings, row, workbook
from tests.kinds_for_tests import SHIPPED

INFERENCE = SHIPPED["inference"].form


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_in(tmp_path / "desk")


@pytest.fixture
def kind(desk: Desk) -> Kind:
    return desk.kinds["count_starts"]


def asks(desk: Desk, name: str, code: Value = 0) -> dict[str, Value]:
    return {"name": name, "file": str(desk.folder / "starts"), "code": code}


def flow_file(kind: Kind, given: Mapping[str, Value]) -> bytes:
    tags = tags_of(kind.form)
    document = {
        "denpyo": "microsoft forms 1",
        "form": f"count_starts {kind.form.version} en",
        "response": 1,
        "email": WHO,
        "answers": {tags[key]: value for key, value in given.items()},
    }
    return json.dumps(document).encode()


def submitted(desk: Desk, data: bytes, name: str = "responses.xlsx") -> Outcome:
    return journey.submit(desk, [Source(name, data)], Wishes())


def states(desk: Desk) -> dict[str, str]:
    return {one.request.id: one.request.state for one in standing.all_standing(desk)}


def test_a_workbook_that_is_downloaded_again_brings_what_is_new_and_what_was_edited(desk: Desk, kind: Kind) -> None:
    first = submitted(desk, exported(kind.form, "ja", asks(desk, "a"), asks(desk, "b")))
    assert first.problems == []
    one, two = (kept.id for kept in first.responses)
    rows = [row(kind.form, number, asks(desk, name), later=2) for number, name in ((3, "a"), (2, "c"), (1, "a"))]
    again = submitted(desk, workbook(headings(kind.form, "ja", later=True), rows, "フォーム1"), "responses (1).xlsx")
    new, edited, known = again.responses
    assert (known.id, known.known) == (one, True)
    assert edited.follows == two
    assert (new.known, new.follows) == (False, "")
    assert states(desk) == {one: "queued", two: "superseded", new.id: "queued", edited.id: "queued"}


def test_a_response_that_came_by_a_flow_is_known_when_its_workbook_comes(desk: Desk, kind: Kind) -> None:
    (first,) = submitted(desk, flow_file(kind, asks(desk, "a")), "count_starts.en.1.json").responses
    assert first.problems == ()
    (again,) = submitted(desk, exported(kind.form, "en", asks(desk, "a"))).responses
    assert (again.id, again.known) == (first.id, True)
    (slip,) = desk.folder.glob(f"ledger/slips/**/{first.id}.yaml")
    said = slip.read_text(encoding="utf-8")
    assert 'name: "hanako@example.co.jp"\n  trust: claimed\n' in said
    assert "door: microsoft" in said


def test_a_workbook_that_somebody_mailed_replaces_nobody_elses_request(desk: Desk, kind: Kind) -> None:
    (first,) = submitted(desk, exported(kind.form, "en", asks(desk, "a"))).responses
    forged = exported(kind.form, "en", asks(desk, "b"))
    mail = Source("responses.xlsx", forged, "", "mallory@elsewhere.example", "verified")
    outcome = journey.submit(desk, [mail], Wishes())
    assert [one.follows for one in outcome.responses] == [""]
    assert states(desk)[first.id] == "queued"
    live = Source("responses.xlsx", forged, "microsoft", trust="verified")
    assert [one.follows for one in journey.submit(desk, [live], Wishes()).responses] == [first.id]


def test_a_refused_response_is_one_request_once_it_is_mended(desk: Desk, kind: Kind) -> None:
    bad = submitted(desk, exported(kind.form, "en", asks(desk, "a", "ten")))
    assert [problem.line("en") for problem, _ in bad.problems] == [
        "responses.xlsx:Sheet1!I2: “ten” is not a number. Write a number in digits, such as 0. [not_a_number]"
    ]
    mended = submitted(desk, exported(kind.form, "en", asks(desk, "a")))
    assert mended.responses[0].id == bad.responses[0].id


def test_the_workbook_goes_back_with_the_wrong_answer_in_red(desk: Desk, kind: Kind) -> None:
    source = Source("responses.xlsx", exported(kind.form, "en", asks(desk, "a"), asks(desk, "b", "ten")))
    outcome = journey.submit(desk, [source], Wishes())
    data = marked(desk, source, outcome.responses, kept=True)
    assert data is not None
    book = load_workbook(io.BytesIO(data))
    (wrong,) = [one.split("!")[1] for one in (problem.where.spot for problem, _ in outcome.problems)]
    assert book["Sheet1"][wrong].fill.start_color.rgb == "FFFFC9C0"
    assert book["Sheet1"][wrong].comment is not None


def test_a_wrong_answer_of_a_flow_is_named_by_its_tag(desk: Desk, kind: Kind) -> None:
    outcome = submitted(desk, flow_file(kind, asks(desk, "a", "ten")), "flow.1.json")
    assert [problem.line("en") for problem, _ in outcome.problems] == [
        f"flow.1.json:answers.{tags_of(kind.form)['code']}: “ten” is not a number. Write a number in digits, such as 0. "
        "[not_a_number]"
    ]


def test_a_workbook_without_responses_is_told_so(desk: Desk, kind: Kind) -> None:
    assert [problem.code for problem, _ in submitted(desk, exported(kind.form, "en")).problems] == ["no_answers"]


def verify(tmp_path: Path, data: bytes, *words: str, code: int = 0) -> str:
    file = tmp_path / "r.xlsx"
    file.write_bytes(data)
    return denpyo("forms", "verify", "microsoft", "inference", file, *words, desk=tmp_path, code=code).stdout


def test_verify_says_what_to_mend_in_a_form(tmp_path: Path) -> None:
    good: Mapping[str, Value] = {"model_id": "m-1", "dataset_id": "wine"}
    assert verify(tmp_path, exported(INFERENCE, "ja", good), "--lang", "en") == "0 to mend, 0 to look over\n"
    wrong = exported(INFERENCE, "ja", {**good, "output_format": "XML"})
    data = json.loads(verify(tmp_path, wrong, "--json", code=1))
    assert [one["code"] for one in data["problems"]] == ["form_other_option"]
    assert data["warnings"] == []
