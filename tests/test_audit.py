"""Advisories for what is locked: found ones fail, and what cannot be asked for does not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from requirements import audit

BAD = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"]}]}
GOOD = {"name": "rfc8785", "version": "0.1.4", "vulns": []}
SKIPPED = {"name": "nowhere", "skip_reason": "Dependency not found on PyPI"}


def test_an_advisory_fails_and_names_the_package_and_what_mends_it() -> None:
    told = json.dumps({"dependencies": [GOOD, BAD, SKIPPED], "fixes": []})
    assert audit.judged(told) == (1, ["jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2"])


def test_no_advisory_is_good_and_what_could_not_be_asked_for_is_counted() -> None:
    told = json.dumps({"dependencies": [GOOD, SKIPPED], "fixes": []})
    assert audit.judged(told) == (0, ["audited: nothing is known against 1 packages, 1 could not be asked for"])


def test_where_no_package_could_be_asked_for_nothing_was_audited() -> None:
    assert audit.judged(json.dumps({"dependencies": [SKIPPED]})) == (0, ["not audited: no package could be asked for"])


@pytest.mark.parametrize("told", ["", "ERROR: connection", "{}"])
def test_an_audit_that_could_not_be_made_is_a_line_and_no_failure(told: str) -> None:
    assert audit.judged(told) == (
        0,
        ["not audited: pip-audit could not ask for advisories"],
    )


def test_where_nobody_answers_that_is_a_line_and_soon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    began = time.monotonic()
    assert audit.main(mark=tmp_path / "done") == 0
    assert capsys.readouterr().out == "not audited: nobody tells of advisories here\n"
    assert time.monotonic() - began < 4 * audit.PATIENCE
    assert not (tmp_path / "done").exists()


def test_what_was_good_today_is_not_asked_again(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    mark.write_text("hash")
    assert (audit.fresh(mark, "hash"), audit.fresh(mark, "other"), audit.fresh(tmp_path / "none", "hash")) == (
        True,
        False,
        False,
    )
    os.utime(mark, (time.time() - 90_000,) * 2)
    assert not audit.fresh(mark, "hash")
