from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jobs import predictions
from jobs.datasets import Table
from jobs.predictions import Predictions

TABLE = Table(
    ("=SUM(A1)", "id", "value"),
    [["=1+1", "007", "13.20"], ["@cmd", "-5", "-5.5e-3"], ["-", "", "+81-3-1234"], ["\u000bx", "1e5", "－1"]],
)
ADDED: dict[str, list[Any]] = {"prediction": ["=no", "yes", "yes", "-2"], "probability": [0.5, 1.0, 0.25, 0.75]}
RESULT = Predictions(TABLE, ADDED)


def test_csv_keeps_every_text_and_defuses_what_would_be_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    predictions.write_csv(RESULT, file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf'=SUM(A1),id,value,prediction,probability\r\n")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert list(csv.reader(lines))[1:] == [
            ["'=1+1", "007", "13.20", "'=no", "0.5"],
            ["'@cmd", "-5", "-5.5e-3", "yes", "1.0"],
            ["-", "", "'+81-3-1234", "yes", "0.25"],
            ["\u000bx", "1e5", "'－1", "-2", "0.75"],
        ]


def test_excel_gets_numbers_as_numbers_and_everything_else_as_text(tmp_path: Path) -> None:
    file = tmp_path / "p.xlsx"
    assert predictions.write_xlsx(RESULT, file) == 0
    sheet = openpyxl.load_workbook(file)["predictions"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["=SUM(A1)", "id", "value", "prediction", "probability"],
        ["=1+1", "007", 13.2, "=no", 0.5],
        ["@cmd", -5, -0.0055, "yes", 1],
        ["-", None, "+81-3-1234", "yes", 0.25],
        ["\ufffdx", 100000, "－1", "-2", 0.75],
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s", "n"}
    assert sheet.freeze_panes == "A2"


def test_a_text_longer_than_a_cell_is_cut_and_counted(tmp_path: Path) -> None:
    table = Table(("a",), [["x" * 40_000], ["y"]])
    assert predictions.write_xlsx(Predictions(table, {"prediction": [1, 2]}), tmp_path / "p.xlsx") == 1


def test_json_is_a_list_of_objects(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    predictions.write_json(RESULT, file)
    assert json.loads(file.read_text(encoding="utf-8"))[0] == {
        "=SUM(A1)": "=1+1",
        "id": "007",
        "value": 13.2,
        "prediction": "=no",
        "probability": 0.5,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-12", -12),
        ("1.0", 1.0),
        ("0.50", 0.5),
        ("007", "007"),
        ("-007", "-007"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e400", "1e400"),
        ("nan", "nan"),
        ("１．５", "１．５"),
        ("０1.5", "０1.5"),
        ("", ""),
    ],
)
def test_a_cell_becomes_a_number_only_where_nothing_is_lost(text: str, expected: object) -> None:
    found = predictions.typed(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_column_of_ours_takes_a_free_name() -> None:
    assert predictions.free("prediction", ["a", "prediction", "prediction_2"]) == "prediction_3"
