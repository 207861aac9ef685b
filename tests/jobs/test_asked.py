from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import asked
from jobs.outcome import Attempt
from schema.check import Change
from schema.words import Words
from tests.jobs.runs import attempt

REGRESSION = {
    "dataset_id": "wine",
    "algorithm": "linear_regression",
    "hyperparameters": {"alpha": 0.5},
    "evaluation_threshold": 0.85,
}


def lines(wanted: Attempt) -> dict[str, list[str]]:
    return {
        section: [f"{one.label}: {one.value}{' (default)' if one.is_default else ''}" for one in answers]
        for section, answers in asked.asked(wanted).items()
    }


def test_answers_stand_in_the_sections_and_words_of_the_form(tmp_path: Path) -> None:
    assert lines(attempt(tmp_path, "train_supervised", REGRESSION)) == {
        "Train a model on labelled data": [
            "Which dataset?: wine",
            "Which column should be predicted?: target (default)",
            "What kind of prediction?: Regression",
            "Which algorithm?: Linear regression (ridge)",
            "How good must the model be?: 0.85",
            "How often to try again below that?: 0 times (default)",
            "Random seed: 42 (default)",
            "Note: no note (default)",
        ],
        "Settings of the linear regression (ridge)": ["Strength of the regularisation (alpha): 0.5"],
        "Where and how long it runs": [
            "Which queue?: default (default)",
            "How many GPUs?: 0 GPUs (default)",
            "At most how many hours may it run?: 2 hours (default)",
        ],
    }


def test_in_japanese_a_unit_follows_its_number_without_a_space(tmp_path: Path) -> None:
    found = lines(attempt(tmp_path, "train_supervised", REGRESSION, "ja"))
    assert "最長で何時間実行しますか: 2時間 (default)" in found["実行する場所と時間"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            [
                "What kind of prediction?: “empty” → “Regression” (this algorithm does regression only)",
                "gone: “1” → “empty” (it is not asked any more)",
            ],
        ),
        (
            "ja",
            [
                "予測の種類：「空欄」→「回帰」（このアルゴリズムは回帰専用のため）",
                "gone：「1」→「空欄」（今はたずねないため）",
            ],
        ),
    ],
)
def test_changes_made_for_the_person_are_told_in_their_words(
    language: str, expected: list[str], tmp_path: Path
) -> None:
    wanted = attempt(tmp_path, "train_supervised", REGRESSION, language)
    gone = Change("gone", "1", "", Words("it is not asked any more", ja="今はたずねないため"))
    changed = replace(wanted, request=replace(wanted.request, changes=(*wanted.request.changes, gone)))
    assert asked.changes(changed) == expected


def test_nested_answers_become_dotted_names() -> None:
    nested: dict[str, Any] = {"a": {"b": {"c": 1}, "d": [1, 2]}, "e": None}
    assert asked.flat(nested) == {"a.b.c": 1, "a.d": [1, 2], "e": None}
