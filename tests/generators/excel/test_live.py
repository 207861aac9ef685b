"""What the sheet says by formulas alone, computed by LibreOffice, beside what ``check`` says of the same sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from generators.excel.read import read
from generators.excel.template import Filled, write
from schema.check import check
from schema.kinds import Kind
from schema.problem import Problem
from tests.generators.excel.cases import COMPUTED, LOGICAL, Case, as_typed, cases, typed
from tests.generators.excel.marking import marked
from tests.generators.excel.office import Rows, computed, live_line, many_forms, notes, seconds_to_open, shades
from tests.generators.excel.workbooks import packed, parts_of
from tests.kinds_for_tests import KINDS

pytestmark = pytest.mark.untraced
JUDGED = ("inference", "train_supervised", "orders")
COUNT = 200
LAYOUTS = ("form", "table")
OK, LATER, MISSING, UNSURE = (
    "入力OK",
    "記入済み（一部は受付時に確認）",
    "記入してください",
    "受け付けるときに確認します",
)
RULES = {
    "inference": ("required", "type", "list", "least", "greatest", "length"),
    "train_supervised": ("required", "type", "list", "least", "greatest", "length", "condition", "choice"),
    "orders": (
        "required",
        "type",
        "list",
        "least",
        "greatest",
        "length",
        "condition",
        "choice",
        "date order",
        "order of numbers",
    ),
}
every = pytest.mark.parametrize(("kind", "layout"), [(kind, layout) for kind in JUDGED for layout in LAYOUTS])


@dataclass(frozen=True, slots=True)
class Seen:
    """A case, what is wrong with it, and what the sheet says: its live line or status, and in the form beside each answer."""

    case: Case
    problems: tuple[Problem, ...]
    live: str
    notes: Mapping[str, str]


def problems(data: bytes, kind: Kind) -> list[tuple[Problem, ...]]:
    """All that the door and ``check`` find, request by request."""
    reads, wrong = read(data, "a.xlsx", KINDS)
    assert wrong == []
    found = []
    for one in reads:
        judged = check(one.answers, KINDS)
        found.append((*one.problems, *(judged if isinstance(judged, list) else ())))
    return found


def filled(case: Case) -> Filled:
    return Filled(case.answers, "hanako@example.com")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[Seen]]:
    made = {name: cases(KINDS[name], COUNT, seed=7) for name in JUDGED}
    tables = {
        name: as_typed(write(KINDS[name].form, "ja", "table", [filled(one) for one in found], rows=COUNT))
        for name, found in made.items()
    }
    forms = {
        name: as_typed(many_forms(KINDS[name], [filled(one) for one in found], "ja")) for name, found in made.items()
    }
    workbooks = {f"{name}-table": data for name, data in tables.items()}
    workbooks |= {f"{name}-form": data for name, data in forms.items()}
    values = computed(workbooks, tmp_path_factory.mktemp("live"))
    result: dict[tuple[str, str], list[Seen]] = {}
    for name, found in made.items():
        wrong = problems(tables[name], KINDS[name])
        rows = values[f"{name}-table"]["入力"][3:]
        result[name, "table"] = [
            Seen(case, mine, str(row[1]), {}) for case, mine, row in zip(found, wrong, rows, strict=False)
        ]
        result[name, "form"] = [
            Seen(case, mine, *_said(values[f"{name}-form"], number))
            for number, (case, mine) in enumerate(zip(found, wrong, strict=True))
        ]
    return result


def _said(sheets: Mapping[str, Rows], number: int) -> tuple[str, dict[str, str]]:
    return live_line(sheets, "入力", number), notes(sheets, ["入力", "詳細設定"], number)


@every
def test_two_hundred_cases_were_judged_and_each_rule_is_broken_at_least_five_times(
    seen: dict[tuple[str, str], list[Seen]], kind: str, layout: str
) -> None:
    found = seen[kind, layout]
    broken = Counter(one.case.broken for one in found if one.problems)
    assert len(found) == COUNT
    assert sum(broken.values()) >= 100
    assert {rule: broken[rule] for rule in RULES[kind] if broken[rule] < 5} == {}


@every
def test_the_sheet_never_says_ok_where_check_refuses(
    seen: dict[tuple[str, str], list[Seen]], kind: str, layout: str
) -> None:
    assert [one for one in seen[kind, layout] if one.problems and one.live in (OK, "")] == []


@every
def test_the_sheet_blames_nothing_where_check_accepts(
    seen: dict[tuple[str, str], list[Seen]], kind: str, layout: str
) -> None:
    accepted = [one for one in seen[kind, layout] if not one.problems]
    assert [one for one in accepted if one.live not in (OK, LATER)] == []
    assert [one for one in accepted if set(one.notes.values()) - {"", UNSURE}] == []
    assert len([one for one in accepted if one.live == OK]) >= 5


@every
def test_what_is_broken_is_called_missing_or_wrong_and_not_left_to_later(
    seen: dict[tuple[str, str], list[Seen]], kind: str, layout: str
) -> None:
    left = [one for one in seen[kind, layout] if one.problems and one.live == LATER]
    known = [one for one in left if _is_a_list_of_choices(kind, one.case) or _is_a_text_for_a_number(layout, one.case)]
    assert [one for one in left if one not in known] == []


def _is_a_text_for_a_number(layout: str, case: Case) -> bool:
    """A table leaves every text in a cell for a number, a day or a length of time to ``check``; Excel lets nobody type one there."""
    return layout == "table" and case.broken == "type" and isinstance(case.answers[case.key], str)


def _is_a_list_of_choices(kind: str, case: Case) -> bool:
    """What is not in the list, among several answers in one cell, may be a spelling that only ``check`` knows."""
    return case.broken == "list" and KINDS[kind].form.by_key[case.key].widget == "many_choice"


@pytest.mark.parametrize("kind", JUDGED)
def test_the_words_stand_beside_the_answers_that_check_blames(
    seen: dict[tuple[str, str], list[Seen]], kind: str
) -> None:
    for one in seen[kind, "form"]:
        blamed = {key for key, note in one.notes.items() if note not in ("", UNSURE)}
        wrong = {problem.question for problem in one.problems}
        assert {key for key in blamed if not _is_bounded_by(KINDS[kind], key, wrong)} <= wrong, one
        if one.problems and not _is_a_list_of_choices(kind, one.case):
            assert one.notes[one.case.key] not in ("", UNSURE), one


def _is_bounded_by(kind: Kind, key: str, wrong: set[str]) -> bool:
    """Whether an answer must be above one that is wrong itself: ``check`` waits for that one, the sheet says both."""
    limits = kind.form.by_key[key].limits if key in kind.form.by_key else None
    return limits is not None and bool({limits.at_least, limits.more_than} & wrong)


@pytest.mark.parametrize("kind", JUDGED)
def test_the_live_line_counts_what_is_missing(seen: dict[tuple[str, str], list[Seen]], kind: str) -> None:
    counted = 0
    for one in seen[kind, "form"]:
        if one.problems and {problem.code for problem in one.problems} == {"missing"}:
            assert one.live == f"あと{len(one.problems)}項目"
            counted += 1
    assert counted >= 5


RULES_OK = {"first": "2026-11-21", "weight": 5, "parcel": "letter"}
ORDERS_OK = {
    "code": "a-1",
    "title_of": "秋の便",
    "first": "2026-11-21",
    "pieces": 5,
    "express": False,
    "way": "road",
    "carriage.lorries": 2,
}
CANNOT_SAY: Mapping[str, tuple[str, dict[str, object], str]] = {
    "a rule across fields, written in Python": ("rules", RULES_OK | {"last": "2026-11-20"}, "rule"),
    "a rule about a choice": ("rules", RULES_OK | {"weight": 64}, "rule"),
    "an invisible character": ("orders", ORDERS_OK | {"title_of": "秋の\u200b便"}, "hidden_character"),
}
"""What no formula says: here the sheet says OK and ``check`` refuses. A formula in a cell for a text, an answer in a hidden row, a
number of a day without the format of a date, and a number shown as per cent where its unit is per cent are what only the file
tells. Excel, not LibreOffice, counts a rare character such as 𠮷 as two, so that a text may seem longer than it is."""
LEFT_TO_CHECK: Mapping[str, tuple[str, dict[str, object], str]] = {
    "the form of a code": ("every_field", {"code": "A-1"}, "bad_pattern"),
    "a length of time": ("every_field", {"limit": "600日"}, "too_big"),
    "the order of two lengths of time": ("orders", ORDERS_OK | {"wait": "3時間", "longest_wait": "2時間"}, "order"),
    "a number that was typed as text": ("orders", ORDERS_OK | {"pieces": typed("９，０００")}, "too_big"),
    "a date that was typed as text": ("orders", ORDERS_OK | {"first": typed("令和３年１月１日")}, "too_early"),
    "a list of choices that are not all in it": ("orders", ORDERS_OK | {"goods": "本; 石"}, "unknown_choice"),
    "a truth value for a number": ("orders", ORDERS_OK | {"pieces": LOGICAL}, "not_a_number"),
    "a formula for a number": ("orders", ORDERS_OK | {"share": COMPUTED}, "formula"),
    "what hangs on an answer that follows from others": (
        "rules",
        RULES_OK | {"parcel": None, "weight": 20, "stamps": 1},
        "switched_off",
    ),
}
EVERY_OK = {"name": "a", "subject": "水質", "count": 1, "notify": True, "due": "2026-11-21"}


@pytest.fixture(scope="module")
def said_of_the_rest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, set[str]]]:
    """Of every case below: the status of its row, and the codes of its problems."""
    made: dict[str, dict[str, dict[str, object]]] = {}
    for name, (kind, answers, _) in {**CANNOT_SAY, **LEFT_TO_CHECK}.items():
        made.setdefault(kind, {})[name] = (EVERY_OK if kind == "every_field" else {}) | answers
    tables = {
        kind: as_typed(write(KINDS[kind].form, "ja", "table", [Filled(one) for one in some.values()], rows=20))  # type: ignore[arg-type]
        for kind, some in made.items()
    }
    both = Filled({"model_id": "m-1", "dataset_id": "wine"})
    kept = write(KINDS["inference"].form, "ja", "table", [both], rows=5)
    others = {"kept": kept, "moved": _columns_changed_places(kept)}
    values = computed({**tables, **others}, tmp_path_factory.mktemp("rest"))
    found = {
        name: (str(values[name]["入力"][3][1]), {one.code for one in problems(data, KINDS["inference"])[0]})
        for name, data in others.items()
    }
    for kind, some in made.items():
        wrong = problems(tables[kind], KINDS[kind])
        for index, name in enumerate(some):
            found[name] = (str(values[kind]["入力"][3 + index][1]), {one.code for one in wrong[index]})
    return found


def _columns_changed_places(data: bytes) -> bytes:
    """As Excel moves them: keys, headings and answers go along, the rows of the hidden sheet do not."""
    parts = parts_of(data)
    text = parts["xl/worksheets/sheet1.xml"].decode()
    for one, other in (
        ("model_id", "dataset_id"),
        ("どのモデルを使いますか", "どのデータセットですか"),
        ("m-1", "wine"),
    ):
        text = other.join(one.join(piece.split(other)) for piece in text.split(one))
    return packed({**parts, "xl/worksheets/sheet1.xml": text.encode()})


def test_a_table_whose_columns_were_moved_says_that_it_cannot_judge_and_is_read_all_the_same(
    said_of_the_rest: dict[str, tuple[str, set[str]]],
) -> None:
    assert said_of_the_rest["kept"] == (OK, set())
    assert said_of_the_rest["moved"] == ("ここでは確認できません", set())


@pytest.mark.parametrize("name", CANNOT_SAY)
def test_what_formulas_cannot_say_is_this(said_of_the_rest: dict[str, tuple[str, set[str]]], name: str) -> None:
    assert said_of_the_rest[name] == (OK, {CANNOT_SAY[name][2]})


@pytest.mark.parametrize("name", LEFT_TO_CHECK)
def test_what_only_check_can_judge_is_said_to_be_judged_later(
    said_of_the_rest: dict[str, tuple[str, set[str]]], name: str
) -> None:
    assert said_of_the_rest[name] == (LATER, {LEFT_TO_CHECK[name][2]})


GOOD = {"dataset_id": "wine", "algorithm": "random_forest", "evaluation_threshold": 0.85}
LINES: Mapping[str, tuple[str, dict[str, object], str]] = {
    "blank, in Japanese": ("ja", {}, "あと2項目"),
    "blank, in English": ("en", {}, "2 answers to go"),
    "one missing": ("en", {"dataset_id": "wine"}, "1 answer to go"),
    "good": ("ja", GOOD, "入力OK"),
    "good, in English": ("en", GOOD, "All set"),
    "wrong": ("ja", {**GOOD, "evaluation_threshold": 85}, "要修正1か所"),
    "wrong and missing": ("ja", {"dataset_id": "wine", "evaluation_threshold": 85}, "要修正1か所・あと1項目"),
    "wrong on the other sheet": ("ja", {**GOOD, "seed": -1}, "要修正1か所（シート「詳細設定」）"),
    "wrong on both sheets": (
        "ja",
        {"dataset_id": "wine", "evaluation_threshold": 85, "seed": -1},
        "要修正2か所（入力1か所、詳細設定1か所）・あと1項目",
    ),
    "wrong on both sheets, in English": (
        "en",
        {**GOOD, "evaluation_threshold": 85, "seed": -1},
        "2 answers to mend (Request: 1, Details: 1)",
    ),
    "a truth value": ("ja", {**GOOD, "evaluation_threshold": LOGICAL}, "要修正1か所"),
    "a formula": ("ja", {**GOOD, "evaluation_threshold": COMPUTED}, "要修正1か所"),
    "typed as text": ("ja", {**GOOD, "evaluation_threshold": typed("８５％")}, LATER),
}


def test_the_live_line_of_a_form_in_a_file_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    form = KINDS["train_supervised"].form
    files = {
        f"form{index}": as_typed(write(form, language, "form", [Filled(answers)] if answers else []))  # type: ignore[arg-type]
        for index, (language, answers, _) in enumerate(LINES.values())
    }
    values = computed(files, tmp_path_factory.mktemp("forms"))
    titles = {"ja": "入力", "en": "Request"}
    lines = [live_line(values[f"form{index}"], titles[one[0]]) for index, one in enumerate(LINES.values())]
    assert dict(zip(LINES, lines, strict=True)) == {name: line for name, (_, _, line) in LINES.items()}


def test_a_table_is_prepared_for_ten_thousand_requests_in_a_small_file_that_opens_quickly(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = max((write(kind.form, "ja", "table") for kind in KINDS.values()), key=len)
    assert len(data) < 400_000
    assert seconds_to_open(data, tmp_path_factory.mktemp("opened")) < 5


def test_a_missing_answer_of_a_marked_table_is_red_and_no_longer_yellow(tmp_path: Path) -> None:
    table = write(KINDS["train_supervised"].form, "ja", "table", [Filled({"algorithm": "xgboost"})], rows=5)
    seen = shades({"sent": table, "marked": marked(table, kinds=KINDS)}, tmp_path)
    yellow, red = "FFE699", "FFC9C0"
    assert (seen["sent"][yellow], seen["sent"][red]) == (2, 0), "the status and the cell"
    assert (seen["marked"][yellow], seen["marked"][red]) == (1, 1), "the status; the cell"
