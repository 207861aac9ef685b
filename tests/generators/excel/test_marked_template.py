"""What came in as another sort of file goes back as a marked workbook with the answers in it."""

from __future__ import annotations

from functools import cache

from generators.excel.annotate import Verdict
from generators.excel.marked_template import marked_template
from schema.answers import Answers, Located, Where
from schema.check import Checked, check
from schema.problem import Problem
from tests.generators.excel.marking import comments, light, links, reds, summary, verdicts
from tests.generators.excel.workbooks import EVERYTHING, KINDS, reading

Texts = dict[str, str | tuple[str, ...]]
GOOD: Texts = {
    "name": "a-1",
    "size": "large",
    "settings.depth": "50",
    "urgent": "no",
    "colours": ("red", "green"),
}
WRONG: Texts = {
    "name": "B 2",
    "size": "small",
    "settings.depth": "何段か",
    "count": "1,000",
    "start": "=1+1",
}


def given(row: int, answers: Texts) -> Answers:
    """One row of a CSV: every answer at a cell of its own."""
    file = Where("requests.csv")
    located = {key: Located(text, file.at(f"{'ABCDEFG'[at]}{row}")) for at, (key, text) in enumerate(answers.items())}
    sender = Located("tanaka@example.co.jp", file.at(f"H{row}"))
    places = {"request.again": file.at(f"I{row}")}
    return Answers("everything", file.at(f"row {row}"), located, "en", sender=sender, places=places)


@cache
def sent_back() -> bytes:
    answers = [given(2, GOOD), given(3, WRONG)]
    found = []
    for number, one in enumerate(answers, 1):
        checked = check(one, KINDS)
        wrong = () if isinstance(checked, Checked) else tuple(checked)
        found.append(Verdict(one.where, None, f"7k3m-9qx2-b{number:03}", "received", not wrong, wrong))
    around = Problem("formula", Where("requests.csv", "I3"), "request.again", {"label": "x"})
    return light(
        marked_template(
            EVERYTHING.form,
            "en",
            answers,
            "requests.csv",
            found,
            [Problem("csv_encoding", Where("requests.csv", "line 9")), around],
        )
    )


def test_the_answers_stand_in_a_template_as_they_were_written() -> None:
    first, second = (one.answers for one in reading(sent_back())[0])
    texts = [{key: one.value for key, one in answers.given.items() if one.value} for answers in (first, second)]
    assert texts == [
        {
            "name": "a-1",
            "size": "Large, very; so",
            "settings.depth@large": "50",
            "urgent": "no",
            "colours": "Red; Green",
        },
        {"name": "B 2", "size": "=Small", "settings.depth@small": "何段か", "count": "1000", "start": "=1+1"},
    ]
    assert second.sender is not None
    assert second.sender.value == "tanaka@example.co.jp"


def test_what_is_wrong_is_marked_where_it_stands_now() -> None:
    copy = sent_back()
    second = reading(copy)[0][1].answers
    where = [second.place(key).spot for key in ("name", "settings.depth@small", "start", "request.again")]
    assert sorted(reds(copy)) == sorted(where)
    assert set(comments(copy)) == set(where)
    assert set(where) < set(links(copy))
    assert {one.where.spot for one in verdicts(copy)[0][1].problems} == set(where[:3])


def test_what_is_no_answer_s_place_is_said_as_it_came() -> None:
    rows = summary(sent_back())
    assert rows[1] == ["File: requests.csv"]
    assert rows[7][:2] == ["1", "line 9"]


def test_the_ids_come_back_with_the_rows() -> None:
    assert [one.answers.response for one in reading(sent_back())[0]] == ["7k3m-9qx2-b001", "7k3m-9qx2-b002"]
