"""What `check` says of a sheet that the desk has something of: the same as `submit` would, and nothing is kept."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from generators.excel import RESPONSE, template
from generators.excel.read import read
from generators.excel.template import Filled
from schema import kinds
from submit import journey, judging, standing, terminal
from submit.desk import LEDGER, POLICY, Desk, open_desk
from submit.marked import marked
from submit.new_desk import make_desk
from submit.response import Source, Wishes, foreseen
from tests.generators.excel.marking import summary

KINDS = kinds.load()
GOOD = {"dataset_id": "wine", "algorithm": "logistic_regression"}
BAD = GOOD | {"dataset_id": "Wine"}
NONE = Wishes()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return open_desk(make_desk(tmp_path / "desk").folder)


def table(*rows: dict[str, str], name: str = "request.xlsx") -> Source:
    filled = [Filled(one, "", "") for one in rows]
    return Source(name, template.write(KINDS["train_supervised"].form, "en", "table", filled, rows=20))


def sent(desk: Desk, source: Source) -> tuple[judging.Outcome, Source]:
    """What became of a sheet, and its marked copy."""
    outcome = journey.submit(desk, [source], NONE)
    copy = marked(desk, source, outcome.responses, kept=True)
    assert copy is not None
    return outcome, Source("request.marked.xlsx", copy)


def corrected(copy: Source, row: int, values: dict[str, str]) -> Source:
    """The same workbook with other answers in one of its rows."""
    book, saved = load_workbook(io.BytesIO(copy.data)), io.BytesIO()
    answers = read(copy.data, copy.name, KINDS)[0][row].answers
    for name, value in values.items():
        where = answers.places[RESPONSE] if name == RESPONSE else answers.place(name)
        sheet, _, cell = where.spot.rpartition("!")
        book[sheet][cell] = value
    book.save(saved)
    return Source(copy.name, saved.getvalue())


def told(outcome: judging.Outcome) -> list[tuple[bool, bool, str, list[str], list[str]]]:
    """What a response's sender hears: good, known, after which request, problems and warnings."""
    return [
        (one.good, one.known, one.follows, [each.code for each in one.problems], [each.code for each in one.warnings])
        for one in outcome.responses
    ]


def test_a_sheet_that_the_desk_has_is_known_with_its_id_and_an_edited_one_becomes_its_next_version(desk: Desk) -> None:
    source = table(GOOD, GOOD | {"algorithm": "xgboost"})
    first, copy = sent(desk, source)
    one, two = (each.id for each in first.requests)
    edited = corrected(copy, 1, {"seed": "7"})
    for known in (source, copy):
        found = judging.check(desk, [known], NONE)
        assert [(each.id, each.known) for each in found.responses] == [(one, True), (two, True)]
    found = judging.check(desk, [edited], NONE)
    assert [(each.id, each.known, each.follows) for each in found.responses] == [(one, True, ""), ("", False, two)]
    assert [foreseen(each) for each in found.responses] == [
        f"handed in before as {one}, unchanged",
        f"becomes the next version of {two}",
    ]
    assert (found.accepted, found.refused, found.problems) == (2, 0, [])
    shown = marked(desk, edited, found.responses, kept=False)
    assert shown is not None
    assert [line for line in summary(shown) if any(two in cell for cell in line)] == [
        ["2", "Request, row 5", f"becomes the next version of {two}"]
    ]


def test_check_says_of_every_row_what_submit_then_says_and_keeps_nothing(desk: Desk) -> None:
    first, copy = sent(desk, table(GOOD, GOOD | {"algorithm": "xgboost"}, BAD, GOOD | {"seed": "3"}))
    ids = [each.id for each in first.responses]
    back = corrected(copy, 1, {"seed": "7"})
    back = corrected(back, 2, {"dataset_id": "diabetes", "algorithm": "random_forest", "task_type": "regression"})
    back = corrected(back, 3, {RESPONSE: "7k3m-9qx2-b4td"})
    before = standing.all_standing(desk)
    foretold = judging.check(desk, [back, table(GOOD)], NONE)
    assert standing.all_standing(desk) == before
    then = journey.submit(desk, [back, table(GOOD)], NONE)
    assert told(foretold) == told(then)
    assert [(each.good, each.known, each.follows) for each in then.responses] == [
        (True, True, ""),
        (True, False, ids[1]),
        (True, False, ids[2]),
        (False, False, ""),
        (True, True, ""),
    ]


def test_an_id_of_another_desk_is_refused_at_its_cell_by_a_desk_that_has_nothing_yet(
    desk: Desk, tmp_path: Path
) -> None:
    _, copy = sent(desk, table(GOOD))
    other = open_desk(make_desk(tmp_path / "other").folder)
    found = judging.check(other, [copy], NONE)
    cell = read(copy.data, copy.name, KINDS)[0][0].answers.places[RESPONSE]
    assert [(one.code, one.where) for one, _ in found.problems] == [("unknown_response", cell)]
    assert (found.accepted, found.refused) == (0, 1)
    none = Desk(tmp_path / "none", other.config, KINDS)
    assert (judging.check(none, [copy], NONE).problems, (tmp_path / "none").exists()) == ([], False)


def test_an_older_marked_copy_is_said_to_be_replaced_before_it_is_sent(desk: Desk) -> None:
    _, copy = sent(desk, table(GOOD))
    newer, _ = sent(desk, corrected(copy, 0, {"seed": "7"}))
    found = judging.check(desk, [copy], NONE)
    assert [(one.code, one.facts) for one, _ in found.warnings] == [
        ("replaced_since", {"newest": newer.requests[0].id})
    ]
    assert [foreseen(one) for one in found.responses] == ["replaced by a newer version"]


def test_a_slip_is_judged_by_its_id_too(desk: Desk) -> None:
    kept = journey.convert(desk, [table(GOOD)], NONE).requests[0].id
    slip = standing.standing(desk, kept).slip
    assert slip is not None
    text = slip.read_text(encoding="utf-8")
    changed, unknown = text.replace("seed: 42", "seed: 43"), text.replace(kept, "7k3m-9qx2-b4td")
    found = judging.check(desk, [Source(slip.name, one.encode()) for one in (text, changed, unknown)], NONE)
    assert told(found) == [
        (True, False, "", [], []),
        (False, False, "", ["changed_slip"], []),
        (False, False, "", ["unknown_slip"], []),
    ]


def test_a_request_that_was_only_converted_is_not_said_to_be_accepted(desk: Desk) -> None:
    source = table(GOOD)
    journey.convert(desk, [source], NONE)
    found = judging.check(desk, [source], NONE)
    assert (told(found), [foreseen(one) for one in found.responses]) == ([(True, False, "", [], [])], [""])
    assert told(journey.submit(desk, [source], NONE)) == told(found)


def test_a_request_that_the_policy_denied_is_not_said_to_be_accepted(desk: Desk) -> None:
    source = table(GOOD)
    (desk.folder / POLICY).unlink()
    assert told(journey.submit(desk, [source], NONE)) == [(True, False, "", ["no_policy"], [])]
    found = judging.check(desk, [source], NONE)
    assert (told(found), [foreseen(one) for one in found.responses]) == ([(True, False, "", [], [])], [""])


def test_check_makes_no_table_in_a_ledger_that_it_looks_into(desk: Desk) -> None:
    tables = "SELECT name FROM sqlite_master ORDER BY name"
    with desk.ledger() as ledger:
        before = ledger.query(tables)
    judging.check(desk, [table(GOOD)], NONE)
    with desk.ledger() as ledger:
        assert ledger.query(tables) == before


def test_a_ledger_that_may_not_be_read_is_said_and_the_answers_are_judged_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    database = desk.folder / LEDGER / "ledger.sqlite"
    database.unlink()
    database.mkdir()  # root may read every file, but no folder as one
    found = judging.check(desk, [table(GOOD, BAD)], NONE)
    assert (found.accepted, found.refused) == (1, 1)
    terminal.judgement(desk, found, as_json=False, marked=([], []))
    said = capsys.readouterr()
    assert said.err == "earlier requests could not be looked up: ledger.sqlite: unable to open database file\n"
    assert said.out.endswith("1 good, 1 refused\n")


@pytest.mark.parametrize(
    ("language", "head", "said"),
    [
        pytest.param(
            "ja",
            "このファイルからは依頼を読み取れませんでした。どうすればよいかは下の一覧をご覧ください。",
            "denpyoのテンプレートから作られたファイルではありません。依頼したい内容のテンプレートに記入して送ってください。"
            "テンプレートは運用担当者から受け取れます：学習済みモデルで予測する、正解つきデータでモデルを学習する。",
            id="ja",
        ),
        pytest.param(
            "en",
            "No request could be read from this file. What to do is listed below.",
            "This file was not made from a denpyo template. Take the template of what you want to ask for, fill it in and send that "
            "file; your operator has the templates: Predict with a trained model, Train a model on labelled data.",
            id="en",
        ),
    ],
)
def test_a_workbook_of_ones_own_comes_back_with_what_it_is_and_which_templates_there_are(
    desk: Desk, language: str, head: str, said: str
) -> None:
    book, saved = Workbook(), io.BytesIO()
    book.worksheets[0]["A1"] = "dataset"
    book.save(saved)
    source = Source("mine.xlsx", saved.getvalue())
    there = replace(desk, config=desk.config.model_copy(update={"language": language}))
    copy = marked(there, source, judging.check(there, [source], NONE).responses, kept=False)
    assert copy is not None
    found = summary(copy)
    assert [found[2], found[-1][-1]] == [[head], said]
    assert not [cell for line in found for cell in line if "0" in cell]  # no requests are counted
