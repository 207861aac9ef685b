"""Workbooks that a desk makes offer the datasets it has that day."""

from __future__ import annotations

from pathlib import Path

import pytest

from submit import blank
from submit.desk import Config, Desk
from tests.generators.test_known_names import listed
from tests.kinds_for_tests import SHIPPED


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("DENPYO_DATASETS", raising=False)
    for name in ("sales-2026", "weather"):
        (tmp_path / "datasets" / name / "raw").mkdir(parents=True)
    return Desk(tmp_path, Config(), SHIPPED)


def test_a_template_offers_the_datasets_of_today(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "request.xlsx"
    assert blank.write(desk, "inference", "en", "form", None, out) == []
    assert listed(out.read_bytes())[0] == ["diabetes", "sales-2026", "weather", "wine"]
    (desk.folder / "datasets" / "later" / "raw").mkdir(parents=True)
    assert blank.write(desk, "inference", "en", "form", None, out) == []
    assert listed(out.read_bytes())[0] == ["diabetes", "later", "sales-2026", "weather", "wine"]
