from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import dataset
from schema.words import said

GOOD = ["a,b,target\n", "1,x,yes\n", "2,y,no\n"]
NUMBERS = ["a,b,target\n", "1,x,1.5\n", "2,y,2\n"]


def faults(train: list[str], test: list[str], target: str = "target", task: str = "classification") -> list[str]:
    """Each fault as ``code field: facts in English``."""
    found = dataset.judge(train, test, target, task)
    return [f"{one.code} {one.field}: " + "; ".join(said(fact, "en") for fact in one.facts.values()) for one in found]


def test_a_good_dataset_has_no_faults() -> None:
    assert faults(GOOD, GOOD) == []
    assert faults(NUMBERS, NUMBERS, task="regression") == []


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        pytest.param([], GOOD, ["empty_dataset dataset_id: train.csv"], id="no line at all"),
        pytest.param(GOOD, GOOD[:1], ["empty_dataset dataset_id: test.csv"], id="a heading alone"),
        pytest.param([*GOOD, "1,2\n"], GOOD, ["bad_csv dataset_id: train.csv; 4"], id="a row too short"),
        pytest.param(GOOD, [*GOOD, "\n", "1,2,3,4\n"], ["bad_csv dataset_id: test.csv; 5"], id="a row too long"),
        pytest.param([*GOOD, '1,"x"y,no\n'], GOOD, ["bad_csv dataset_id: train.csv; 4"], id="broken quotes"),
        pytest.param(GOOD, ["a,target\n", "1,yes\n"], ["columns_differ dataset_id: test.csv; b"], id="a column less"),
        pytest.param(
            ["a,c\n", "1,2\n"],
            ["a,c\n", "1,2\n"],
            ["no_column target: target; a, c"],
            id="no such target",
        ),
        pytest.param(
            ["target\n", "x\n", "y\n"],
            ["target\n", "x\n"],
            ["no_features dataset_id: target"],
            id="nothing to learn from",
        ),
        pytest.param(
            ["a,,a,target\n", "1,2,3,x\n", "1,2,3,y\n"],
            ["a,,a,target\n", "1,2,3,x\n"],
            [
                "unnamed_column dataset_id: train.csv; 2",
                "duplicate_column dataset_id: train.csv; a",
                "unnamed_column dataset_id: test.csv; 2",
                "duplicate_column dataset_id: test.csv; a",
            ],
            id="headings missing and twice",
        ),
        pytest.param(GOOD, ["a,b,target\n", "x,1,yes\n"], ["text_columns dataset_id: a"], id="a text among numbers"),
        pytest.param(
            GOOD,
            ["a,b,target\n", "1,x,maybe\n", "1,x,perhaps\n"],
            ["unseen_class target: target; maybe, perhaps"],
            id="classes the training lacks",
        ),
        pytest.param(
            ["a,target\n", "1,x\n", "2, \n"],
            ["a,target\n", "1,x\n"],
            ["empty_target target: target; 3 of train.csv", "one_class target: target"],
            id="an empty target and one class, both said",
        ),
    ],
)
def test_every_fault_of_a_classification_is_named(train: list[str], test: list[str], expected: list[str]) -> None:
    assert faults(train, test) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("12人", ["not_numeric target: target; 2 of train.csv; 12人"], id="a unit"),
        pytest.param("1_000", ["not_numeric target: target; 2 of train.csv; 1_000"], id="an underscore"),
        pytest.param("①", ["not_numeric target: target; 2 of train.csv; ①"], id="a number in a circle"),
        pytest.param("10²", ["not_numeric target: target; 2 of train.csv; 10²"], id="a raised digit"),
        pytest.param("－", ["empty_target target: target; 2 of train.csv"], id="a full-width dash"),
        pytest.param("ー", ["empty_target target: target; 2 of train.csv"], id="a long vowel mark for a dash"),
        pytest.param("１２", [], id="full-width digits"),
        pytest.param("1e999", ["not_numeric target: target; 2 of train.csv; 1e999"], id="endless"),
        pytest.param("N/A", ["empty_target target: target; 2 of train.csv"], id="a word for nothing"),
        pytest.param("", ["empty_target target: target; 2 of train.csv"], id="nothing"),
        pytest.param("-1.5e-3", [], id="a number"),
    ],
)
def test_the_target_of_a_regression_is_a_number_in_every_row(cell: str, expected: list[str]) -> None:
    assert faults(["a,target\n", f"1,{cell}\n", "1,2\n"], ["a,target\n", "1,2\n"], task="regression") == expected


def test_a_fault_says_in_japanese_which_row_of_which_file() -> None:
    (found,) = dataset.judge(["a,t\n", "1,\n", "1,x\n", "1,y\n"], ["a,t\n", "1,x\n"], "t", "classification")
    assert said(found.facts["row"], "ja") == "train.csvの2"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("１２", 12.0),
        ("－１．５", -1.5),
        ("−3", -3.0),
        ("１ｅ３", 1000.0),
        ("５０，０００", None),
        ("½", None),
        ("٣", None),
    ],
)
def test_full_width_digits_are_numbers_and_nothing_else_is(typed: str, value: float | None) -> None:
    assert dataset.number(typed) == value


@pytest.mark.parametrize("typed", ["", "-", "－", "‐", "–", "—", "―", "−", "ー", "　", "ＮＡ", "N/A", "#N/A", "NaN"])
def test_dashes_of_any_width_and_words_for_nothing_are_missing(typed: str) -> None:
    assert dataset.is_missing(typed)


def measured(rows: int, different: int, last: str = "0") -> list[str]:
    return ["a,price\n", *(f"{row},{row % different}.5\n" for row in range(rows - 1)), f"1,{last}.5\n"]


@pytest.mark.parametrize(
    ("rows", "different", "expected"),
    [
        pytest.param(100, 90, ["looks_numeric task_type: price; 90"], id="measured"),
        pytest.param(100, 21, ["looks_numeric task_type: price; 21"], id="just more than a fifth of the rows"),
        pytest.param(100, 20, [], id="twenty classes"),
        pytest.param(105, 21, [], id="a fifth of the rows"),
    ],
)
def test_a_target_of_many_different_numbers_is_no_class(rows: int, different: int, expected: list[str]) -> None:
    assert faults(measured(rows, different), measured(rows, different), "price") == expected


def test_a_measured_target_is_said_instead_of_the_classes_that_the_training_lacks() -> None:
    assert faults(measured(100, 90), measured(30, 30, "777"), "price") == ["looks_numeric task_type: price; 90"]
    assert faults(measured(100, 90), measured(30, 30, "777"), "price", "regression") == []


def test_many_different_names_with_digits_are_classes() -> None:
    rows = ["a,code\n", *(f"{row},A{row}\n" for row in range(50))]
    assert faults(rows, rows, "code") == []


def test_a_class_named_none_is_a_class_and_not_a_missing_value() -> None:
    rows = ["a,t\n", "1,none\n", "2,some\n"]
    assert faults(rows, rows, "t") == []


def test_a_column_that_is_empty_in_training_may_hold_anything_in_the_test_rows() -> None:
    assert faults(["a,b,t\n", "1,,x\n", "2,-,y\n"], ["a,b,t\n", "1,word,x\n"], "t") == []


def test_many_names_are_cut_to_what_a_person_reads_and_made_visible() -> None:
    wide = [",".join(f"c{index}" for index in range(50)) + "\n", ",".join("1" * 50) + "\n"]
    (found,) = faults(wide, wide, "z\u202e")
    assert found == "no_column target: z\ufffd; " + ", ".join(f"c{index}" for index in range(20)) + ", …"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["0", "1.0", "-2"], {"0": 0, "1.0": 1, "-2": -2}, id="whole numbers, however written"),
        pytest.param(["0", "x"], {"0": "0", "x": "x"}, id="one text makes all of them texts"),
        pytest.param(["007", "1"], {"007": "007", "1": "1"}, id="leading zeros are a name"),
        pytest.param(["1.5", "2"], {"1.5": "1.5", "2": "2"}, id="a fraction is a name"),
        pytest.param(
            ["12345678901234567890"], {"12345678901234567890": "12345678901234567890"}, id="many digits are a name"
        ),
    ],
)
def test_labels_are_numbers_only_if_all_of_them_are(texts: list[str], expected: dict[str, dataset.Label]) -> None:
    assert dataset.labels(texts) == expected


def test_the_header_is_read_without_the_rows() -> None:
    assert dataset.header(['a ,"b,c",d\n', "never read"]) == ("a", "b,c", "d")
    assert dataset.header([]) == ()


def test_a_cell_may_hold_line_breaks_and_rows_are_counted_as_a_spreadsheet_does() -> None:
    lines = ["a,t\n", '"one\n', 'two",x\n', "3\n"]
    assert list(dataset.records(lines)) == [(1, ["a", "t"]), (2, ["one\ntwo", "x"]), (3, ["3"])]


@given(st.lists(st.text(max_size=20), max_size=8), st.lists(st.text(max_size=20), max_size=8), st.text(max_size=5))
def test_any_text_is_judged_and_never_raises(train: list[str], test: list[str], target: str) -> None:
    for task in ("classification", "regression"):
        for fault in dataset.judge(train, test, target, task):
            assert fault.field in ("target", "dataset_id", "task_type")


def test_the_hash_of_a_dataset_is_that_of_the_lines_sha256sum_prints() -> None:
    assert (
        dataset.digest({"train.csv": "aa", "test.csv": "bb"})
        == sha256(b"aa  raw/train.csv\nbb  raw/test.csv\n").hexdigest()
    )


def pair(train: list[str], test: list[str]) -> list[str]:
    *_, found = dataset.judge_pair(train, test)
    return [f"{one.code}: " + "; ".join(said(fact, "en") for fact in one.facts.values()) for one in found]


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        pytest.param(GOOD, GOOD, [], id="good"),
        pytest.param(GOOD, ["target,b,a\n", "yes,x,1\n"], [], id="columns in another order"),
        pytest.param(GOOD, ["a,b\n", "1,x\n"], ["columns_differ: test.csv; target"], id="a column less"),
        pytest.param(GOOD, ["a,b,target\n", "one,x,yes\n"], ["text_columns: a"], id="text in a column of numbers"),
        pytest.param(["a\n", "1\n"], ["a\n", "1\n"], ["no_features: a"], id="a single column"),
        pytest.param([], GOOD[:1], ["empty_dataset: train.csv", "empty_dataset: test.csv"], id="nothing"),
        pytest.param(
            ["a,a,\n", "1,2\n"],
            GOOD,
            ["bad_csv: train.csv; 2", "duplicate_column: train.csv; a", "unnamed_column: train.csv; 3"],
            id="a bad heading and a bad row",
        ),
    ],
)
def test_two_files_are_judged_whichever_column_is_predicted(
    train: list[str], test: list[str], expected: list[str]
) -> None:
    assert pair(train, test) == expected


def test_the_shape_of_a_file_is_its_columns_and_rows() -> None:
    assert dataset.shape([*GOOD, "\n", "3,z,yes\n"], "mine.csv") == dataset.Shape(("a", "b", "target"), 3)
