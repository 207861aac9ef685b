from __future__ import annotations

import base64
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from jobs import inference, plots, summary, train_supervised
from jobs.outcome import Attempt, Done
from jobs.training_page import SNIPPET, interval
from tests.jobs.runs import EXAMPLES, FOREST, ROOT, attempt, write_dataset

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7 * 7 }}$\\frac{1}{2}$"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser sees it: its elements in order, its visible text, and every address it mentions."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data


def page(wanted: Attempt) -> Page:
    found = Page((wanted.out / "summary.html").read_text(encoding="utf-8"))
    assert found.open == []
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENPYO_DATASETS", str(tmp_path))
    return tmp_path


def trained(folder: Path, language: str = "en", **job: Any) -> Attempt:
    wanted = attempt(folder, "train_supervised", {"dataset_id": "wine", **FOREST, **job}, language)
    assert isinstance(train_supervised.run(wanted), Done)
    return wanted


def test_what_people_wrote_stays_text_in_the_summary(folder: Path) -> None:
    rows = [[index % 7, f"{HOSTILE}{index % 2}"] for index in range(12)]
    write_dataset(folder, "mine", [HOSTILE, "target"], rows, rows)
    wanted = attempt(folder, "train_supervised", {**FOREST, "dataset_id": "mine", "note": HOSTILE})
    wanted = replace(wanted, request=replace(wanted.request, requested_by=HOSTILE))
    assert isinstance(train_supervised.run(wanted), Done)
    found = page(wanted)
    assert "script" not in found.tags
    assert not {name for name in found.attributes if name.startswith("on")}
    assert found.words.count(HOSTILE) >= 4
    assert all(address.startswith("data:image/svg+xml;base64,") for address in found.addresses)
    for address in found.addresses:
        assert b"<script" not in base64.b64decode(address.partition(",")[2])


def test_predictions_show_rows_and_columns_as_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[index % 7, f"{HOSTILE}{index % 2}"] for index in range(12)]
    write_dataset(folder, "mine", [HOSTILE, "target"], rows, rows)
    trained(folder, dataset_id="mine")
    monkeypatch.setenv("DENPYO_MODELS", str(folder))
    wanted = attempt(folder, "inference", {"model_id": "m-7k3m-1", "dataset_id": "mine"}, id="pr3d")
    assert isinstance(inference.run(wanted), Done)
    found = page(wanted)
    assert found.addresses == ["predictions.csv"]
    assert "script" not in found.tags
    assert found.words.count(HOSTILE) >= 24


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        pytest.param(
            "en",
            [
                "Training result",
                "Passed",
                "Asked for: at least 50.0%.",
                "Which dataset?",
                "no limit",
                "10 trees",
                "default",
            ],
            id="English",
        ),
        pytest.param(
            "ja",
            ["学習の結果", "合格", "合格の基準：50.0%以上", "どのデータセットですか", "上限なし", "10本", "初期値"],
            id="Japanese",
        ),
    ],
)
def test_a_summary_speaks_the_language_of_the_request(language: str, expected: list[str], tmp_path: Path) -> None:
    found = page(trained(tmp_path, language, evaluation_threshold=0.5))
    assert [text for text in expected if text not in found.words] == []
    assert "m-7k3m-1" in found.words
    assert "hanako@example.jp" in found.words
    assert "wine.xlsx" in found.words


def test_a_japanese_summary_holds_no_english_sentence_of_ours(tmp_path: Path) -> None:
    found = page(trained(tmp_path, "ja", evaluation_threshold=1.0, max_retry=1))
    english = tomllib.loads((ROOT / "jobs" / "texts.toml").read_text(encoding="utf-8"))["en"]
    sentences = [text for text in english.values() if " " in text and "{" not in text]
    assert [text for text in sentences if text in found.words] == []


def test_a_summary_may_fetch_nothing(tmp_path: Path) -> None:
    html = (trained(tmp_path).out / "summary.html").read_text(encoding="utf-8")
    assert '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; ' in html
    assert re.findall(r"(?:https?:)?//[^\s\"'<]+", html.replace(SNIPPET, "")) == []


@pytest.mark.parametrize(
    ("dataset", "job"),
    [("wine", {}), ("diabetes", {"task_type": "regression"})],
)
def test_the_snippet_for_engineers_runs_as_it_stands(dataset: str, job: dict[str, Any], tmp_path: Path) -> None:
    wanted = trained(tmp_path, dataset_id=dataset, **job)
    words = page(wanted).words
    code = words[words.index("import csv") : words.index("print(predicted[0])") + len("print(predicted[0])")]
    (wanted.out / "test.csv").write_bytes((EXAMPLES / dataset / "raw" / "test.csv").read_bytes())
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=wanted.out, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.stderr == ""
    assert ended.stdout.startswith("[")


def test_the_same_request_gives_the_same_page(tmp_path: Path) -> None:
    one, two = (trained(tmp_path / name).out / "summary.html" for name in ("one", "two"))
    assert without_hashes(one) == without_hashes(two)


def without_hashes(file: Path) -> str:
    return re.sub(r"sha256 [0-9a-f]{64}", "", file.read_text(encoding="utf-8"))


def test_many_classes_are_told_in_a_table_instead_of_a_picture(folder: Path) -> None:
    rows = [[index, index % 30] for index in range(150)]
    write_dataset(folder, "mine", ["a", "target"], rows, rows)
    assert "There are too many classes for a picture" in page(trained(folder, dataset_id="mine")).words


def test_a_neural_network_shows_how_its_training_went(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"algorithm": "neural_network", "hyperparameters": {"max_iter": 5}}
    assert "How the training went" in page(trained(tmp_path, **settings)).words


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    tables = tomllib.loads((ROOT / "jobs" / "texts.toml").read_text(encoding="utf-8"))

    def blanks(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    assert {name: blanks(text) for name, text in tables["en"].items()} == {
        name: blanks(text) for name, text in tables["ja"].items()
    }


def test_every_text_is_used_and_every_used_text_exists() -> None:
    known = tomllib.loads((ROOT / "jobs" / "texts.toml").read_text(encoding="utf-8"))["en"]
    sources = [*(ROOT / "jobs").glob("*.py"), *(ROOT / "jobs").glob("*.html")]
    code = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    used = set(re.findall(r"(?:say|label)\(\s*\"(\w+)\"", code))
    assert used - set(known) == set()
    composed = re.compile(r"(metric|explain)_\w+|plot_\w+_help|prediction_(least|average|greatest)")
    assert [name for name in known if f'"{name}"' not in code and not composed.fullmatch(name)] == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.0, "0"),
        (133, "133"),
        (12345, "12,345"),
        (0.5141698, "0.5142"),
        (1234.5678, "1,235"),
        (-0.00123456, "-0.001235"),
        (9.9999e-7, "1e-06"),
        (3.2e20, "3.2e+20"),
    ],
)
def test_numbers_are_written_for_reading(value: float, expected: str) -> None:
    assert summary.plain(value) == expected


def test_the_interval_is_wilsons() -> None:
    low, high = interval(43 / 45, 45)
    assert (round(low, 4), round(high, 4)) == (0.8517, 0.9877)
    assert interval(1.0, 10)[1] == 1.0
    assert interval(0.0, 10)[0] == 0.0


def test_a_plot_is_labelled_in_a_language_that_this_machine_can_draw() -> None:
    assert plots.language("en") == "en"
    assert plots.language("ja") == ("ja" if plots.japanese_font() else "en")
