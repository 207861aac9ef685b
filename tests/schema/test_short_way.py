"""Good rows are judged the short way, all others the careful one; both ways come to the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.answers import Answers, Located, Row, Where
from schema.check import judge, judge_carefully
from schema.job import Job
from schema.kinds import Kind, load
from schema.question import Form, Question
from schema.quick_text import WRONG, reader
from schema.short_way import ShortWay, short_way
from schema.text import Misread, read
from tests.kinds_for_tests import FOLDER
from tests.kinds_for_tests._jobs import _asked, filled

BULK = Path(__file__).parents[2] / "benchmarks" / "kinds"
KINDS: Mapping[str, Kind] = load([FOLDER, BULK])
PLACE = Where("sheet.xlsx", "入力!4")
ODD_TEXTS = (
    "",
    " ",
    "-",
    "ー",
    "ｰ",
    "０",
    "1",
    "-0",
    "007",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "10²",
    "85%",
    "8割",
    "2割5分",
    "1,000",
    "9007199254740993",
    "12345678901234567890",
    "2 時間",
    "90分",
    "2時間30分",
    "1:30",
    "1日",
    "PT2H30M",
    "2026/11/21",
    "令和8年11月21日",
    "2026-02-30",
    "はい",
    "ｎｏ",
    "TRUE",
    "なし",
    "無制限",
    "１００、５０",
    "一家👨‍👩",
    "none",
    "上限なし",
    "red",
    "紺",
    "F1; auc",
    "accuracy、F1",
    "Wine Data",
    "wine-2",
    "AB-123",
    "ａｂ-１２３",
    "x\u200by",
    "一行\n二行",
    "\u3000幅\u3000",
    "水" * 90,
)
TEXTS = st.one_of(
    st.sampled_from(ODD_TEXTS), st.text(max_size=12), st.from_regex(r"-?[0-9]{0,20}\.?[0-9]{0,25}%?", fullmatch=True)
)


def typed(value: Any) -> str:
    """A value as it may stand in a cell."""
    if isinstance(value, bool):
        return "はい" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, timedelta):
        return f"{value / timedelta(seconds=1):f} seconds"
    return value.isoformat() if isinstance(value, date) else str(value)


def keyed(form: Form, values: Mapping[str, Any]) -> dict[str, str]:
    """Texts by the key of the question that is asked."""
    keys = {one.name: one.key for one in form.questions if one.name in values and _asked(form, one, values)}
    return {keys[name]: typed(value) for name, value in values.items()}


@st.composite
def cells(draw: st.DrawFn, form: Form) -> dict[str, str]:
    """Texts by question key: those of a job that could be sent, in which some answers may be spoilt, added or left out."""
    texts = keyed(form, draw(filled(form, as_read=True)))
    keys = [one.key for one in form.questions]
    return texts | draw(st.one_of(st.just({}), st.dictionaries(st.sampled_from(keys), TEXTS, max_size=3)))


def as_row(form: Form, texts: Mapping[str, str]) -> Answers:
    columns = {one.key: at for at, one in enumerate(form.questions)}
    line = [texts.get(one.key, "") for one in form.questions]
    return Answers(form.kind, PLACE, Row(columns, line, lambda at: PLACE.at(f"入力!{at}")))


def as_mapping(form: Form, texts: Mapping[str, str]) -> Answers:
    row = as_row(form, texts)
    return Answers(form.kind, PLACE, {key: Located(text, row.place(key)) for key, text in texts.items()})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
def test_both_ways_come_to_the_same_and_only_good_rows_go_the_short_one(kind: Kind, data: st.DataObject) -> None:
    texts = data.draw(cells(kind.form))
    for answers in (as_row(kind.form, texts), as_mapping(kind.form, texts)):
        careful = judge_carefully(kind, answers)
        assert judge(answers, KINDS) == careful
        assert (ShortWay(kind).take(answers) is not None) == (careful.checked is not None)
        assert (short_way(kind).take(answers) is not None) == (careful.checked is not None)


@given(data=st.data())
def test_a_quick_reader_reads_what_the_careful_one_reads(data: st.DataObject) -> None:
    question = data.draw(st.sampled_from(QUESTIONS))
    text = data.draw(st.one_of(TEXTS, st.sampled_from([one.value for one in question.choices] or ["x"])))
    careful, look = read(question, text), reader(question)
    for _ in range(2):
        quick = look(text)
        assert (
            quick is WRONG
            if isinstance(careful, Misread)
            else (type(quick), repr(quick)) == (type(careful), repr(careful))
        )


QUESTIONS: tuple[Question, ...] = tuple(one for kind in KINDS.values() for one in kind.form.questions)


def row(kind: str, columns: Mapping[str, int], line: list[str]) -> Answers:
    return Answers(kind, PLACE, Row(columns, line, lambda at: PLACE))


def test_columns_in_another_order_and_columns_nobody_filled_do_not_matter() -> None:
    columns = {"notes of my own": 0, "output_format": 1, "dataset_id": 2, "model_id": 3}
    taken = short_way(KINDS["inference"]).take(row("inference", columns, [" ", "Excel（xlsx）", "ｗｉｎｅ", "m-1"]))
    assert taken is not None
    assert taken.job.answers() == {"model_id": "m-1", "dataset_id": "wine", "output_format": "xlsx", "note": None}


def test_a_filled_column_that_no_question_has_goes_the_careful_way() -> None:
    columns = {"notes of my own": 0, "dataset_id": 1, "model_id": 2}
    answers = row("inference", columns, ["急ぎ", "wine", "m-1"])
    assert short_way(KINDS["inference"]).take(answers) is None
    assert [one.code for one in judge(answers, KINDS).problems] == ["unknown_question"]


def test_rows_without_resources_of_their_own_share_them() -> None:
    columns = {"dataset_id": 0, "model_id": 1, "resources.gpus": 2}
    taken = [
        short_way(KINDS["inference"]).take(row("inference", columns, ["wine", "m-1", gpus])) for gpus in ("", "", "2")
    ]
    assert [one.resources.gpus for one in taken if one] == [0, 0, 2]
    assert taken[0] is not None
    assert taken[1] is not None
    assert taken[0].resources is taken[1].resources


def test_what_followed_from_other_answers_is_told_the_short_way_too() -> None:
    answers = row("rules", {"first": 0, "weight": 1}, ["2026/11/21", "5"])
    judged = judge(answers, KINDS)
    assert short_way(KINDS["rules"]).take(answers) is not None
    assert judged.checked is not None
    assert [(one.question, one.after, one.why.en) for one in judged.checked.changes] == [
        ("parcel", "letter", "it is light")
    ]


def test_a_kind_whose_answers_pydantic_changes_is_judged_carefully(tmp_path: Path) -> None:
    (tmp_path / "lower.py").write_text(LOWER, encoding="utf-8")
    kinds = load([tmp_path])
    answers = [row("lower", {"word": 0}, [word]) for word in ("Abc", "abc")]
    assert [short_way(kinds["lower"]).take(one) is not None for one in answers] == [False, True]
    jobs = [judge(one, kinds).checked for one in answers]
    assert [isinstance(one.job, Job) and one.job.answers() for one in jobs if one] == [{"word": "abc"}, {"word": "abc"}]


LOWER = """
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from schema.job import Ask, Job
from schema.words import Words


class Lower(Job):
    title: ClassVar[Words] = Words("A word", ja="言葉")
    about: ClassVar[Words] = Words("Asks for a word.", ja="言葉を尋ねます。")
    workload: ClassVar[str] = "inference"

    word: Annotated[str, StringConstraints(to_lower=True), Ask("Word", ja="言葉", help=Words("Any.", ja="何でも。"))]
"""
