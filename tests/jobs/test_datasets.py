from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from sklearn.datasets import load_diabetes, load_wine

from jobs import datasets
from jobs.datasets import Dataset
from schema.words import said
from tests.jobs.runs import EXAMPLES, write_dataset


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENPYO_DATASETS", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("name", "loader"), [("wine", load_wine), ("diabetes", load_diabetes)])
def test_the_examples_are_the_rows_of_scikit_learn(name: str, loader: object) -> None:
    frame = loader(as_frame=True).frame  # type: ignore[operator]
    found = datasets.load(name)
    assert isinstance(found, Dataset)
    tables = [found.table(file) for file in ("train.csv", "test.csv")]
    assert [table.columns for table in tables] == [tuple(frame.columns)] * 2
    ours = sorted(tuple(map(float, row)) for table in tables for row in table.rows)
    assert ours == sorted(tuple(map(float, row)) for row in frame.to_numpy())


def test_the_named_folders_come_before_the_examples(folder: Path) -> None:
    write_dataset(folder, "wine", ["a", "target"], [[1, 2]], [[3, 4]])
    assert datasets.find("wine") == folder / "wine"
    found = datasets.find("diabetes")
    assert found is not None
    assert found.resolve() == EXAMPLES / "diabetes"


def test_without_the_variable_datasets_of_the_working_directory_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DENPYO_DATASETS", raising=False)
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "datasets", "wine", ["a", "target"], [[1, 2]], [[3, 4]])
    assert datasets.find("wine") == Path("datasets/wine")


def test_several_folders_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENPYO_DATASETS", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    write_dataset(tmp_path / "two", "mine", ["a"], [[1]], [[2]])
    assert datasets.find("mine") == tmp_path / "two" / "mine"


@pytest.mark.parametrize("name", ["../wine", "/etc", "Wine", "wine/raw", "", ".", "wine\n"])
def test_a_name_that_is_no_identifier_never_becomes_a_path(name: str) -> None:
    assert datasets.find(name) is None


def test_the_hash_is_over_what_sha256sum_prints(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [[1, 2]], [[3, 4]])
    train = hashlib.sha256(b"a,target\r\n1,2\r\n").hexdigest()
    test = hashlib.sha256(b"a,target\r\n3,4\r\n").hexdigest()
    listing = f"{train}  raw/train.csv\n{test}  raw/test.csv\n"
    found = datasets.load("mine")
    assert isinstance(found, Dataset)
    assert found.sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_everything_missing_or_unreadable_is_said_at_once(folder: Path) -> None:
    (folder / "mine" / "raw").mkdir(parents=True)
    (folder / "mine" / "raw" / "train.csv").write_bytes("列,target\n1,2\n".encode("shift_jis"))
    found = datasets.load("mine")
    assert isinstance(found, list)
    assert [(one.code, *(said(fact, "en") for fact in one.facts.values())) for one in found] == [
        ("bad_encoding", "train.csv"),
        ("no_dataset_file", "mine", "raw/test.csv"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_heading(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [[1, 2]], [[3, 4]])
    file = folder / "mine" / "raw" / "train.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    found = datasets.load("mine")
    assert isinstance(found, Dataset)
    assert found.table("train.csv").columns == ("a", "target")


def test_a_line_separator_inside_a_cell_ends_no_row(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [["one\u2028two\x0cthree", 2]], [[3, 4]])
    found = datasets.load("mine")
    assert isinstance(found, Dataset)
    assert found.table("train.csv").rows == [["one\u2028two\x0cthree", "2"]]
