"""Each dataset with what was recorded of it, and whether its bytes are still those."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from submit.dataset_list import listed
from submit.desk import machine_user
from submit.new_dataset import Added, Given, add
from submit.new_desk import make_desk


def test_the_list_says_of_each_dataset_how_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DENPYO_DATASETS", raising=False)
    monkeypatch.chdir(tmp_path)
    desk = make_desk(tmp_path / "desk")
    for name in ("added", "changed", "missing", "unreadable"):
        raw = desk.folder / "datasets" / name / "raw"
        raw.mkdir(parents=True)
        for file in ("train.csv", "test.csv"):
            (raw / file).write_text("a,b\n1,2\n" if name != "unreadable" else "a,b\n1\n", encoding="utf-8")
        if name != "unreadable":
            assert isinstance(add(desk, name, Given()), Added)
    (desk.folder / "datasets" / "changed" / "raw" / "test.csv").write_text("a,b\n1,3\n", encoding="utf-8")
    shutil.rmtree(desk.folder / "datasets" / "missing")
    told = {one.name: one for one in listed(desk)}
    day = told["added"].at[:10]
    known = f"1 + 1 rows, 2 columns  b3567cf49dce  since {day} by {machine_user()}"
    assert [one.line() for one in told.values()] == [
        f"added  {known}  recorded",
        f"changed  {known}  changed",
        "diabetes  331 + 111 rows, 11 columns  bd5264e3c7c1  not recorded",
        f"missing  {known}  missing",
        "unreadable  not recorded, and cannot be used as it is: `denpyo datasets add unreadable` says why",
        "wine  133 + 45 rows, 14 columns  b39a94ea6271  not recorded",
    ]
    assert told["unreadable"].data() == {
        "name": "unreadable",
        "state": "not recorded",
        "rows": None,
        "columns": None,
        "sha256": None,
        "added_at": None,
        "added_by": None,
        "clearml": None,
    }
