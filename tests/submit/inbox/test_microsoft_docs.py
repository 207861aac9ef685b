"""The administrator's page says what is so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from generators.microsoft import flow
from submit.desk import Config
from submit.sources import Folder, Microsoft
from tests.kinds_for_tests import SHIPPED

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/microsoft.md").read_text(encoding="utf-8")
HERE = ("tests/generators/microsoft", "tests/submit")
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)


def test_each_fault_survived_is_shown_by_a_test_of_that_name() -> None:
    there = "".join(file.read_text(encoding="utf-8") for room in HERE for file in (ROOT / room).rglob("test_*.py"))
    rows = [line for line in PAGE.splitlines() if line.endswith("` |") and "| `test_" in line]
    named = [line.split("`")[-2] for line in rows]
    assert len(named) > 25
    assert [one for one in named if f"def {one}(" not in there] == []


def test_the_settings_that_the_page_shows_are_taken_as_they_stand() -> None:
    shown = [tomllib.loads(re.sub(r"^ +", "", text, flags=re.MULTILINE)) for sort, text in BLOCKS if sort == "toml"]
    sources = [Config.model_validate(one).sources for one in shown]
    assert [type(one) for found in sources for one in found.values()] == [Folder, Microsoft]


def test_the_file_of_a_flow_that_the_page_shows_is_read() -> None:
    (text,) = [text for sort, text in BLOCKS if sort == "json"]
    ((found,), problems) = flow.read(json.dumps(json.loads(text)).encode(), "r.json", SHIPPED)
    assert problems == []
    assert {key: one.value for key, one in found.answers.given.items()} == {
        "dataset_id": "wine",
        "algorithm": "XGBoost",
    }
