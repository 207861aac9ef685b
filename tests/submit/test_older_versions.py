"""What a desk does when one of its kinds changes: blank forms from older documents, schemas, kept slips, and runs of them."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from generators import json_schema
from generators.excel import Layout
from generators.excel.read import read
from generators.excel.template import Filled, write
from schema import slip
from schema.yaml_text import dump
from submit import blank, journey, judging
from submit.build import build
from submit.desk import Desk, open_desk
from submit.kept_slip import read_slip
from submit.marked import marked
from submit.new_desk import make_desk
from submit.response import Source, Wishes
from tests.generators.test_versions_in_doors import V1
from tests.kinds_for_tests.versions import AT, FOLDER

OLD = {"data": "wine", "method": "boost", "lr": 0.2, "limit": 1.5, "wait": 3}


def at(folder: Path, version: int) -> Desk:
    """The desk with this version of the growing kind."""
    if not (folder / "denpyo.toml").exists():
        make_desk(folder)
    shutil.copyfile(FOLDER / f"v{version}.py", folder / "kinds" / "growing.py")
    return open_desk(folder)


def document(**job: object) -> Source:
    return Source("old.yaml", dump({"kind": "growing", "version": 1, "job": OLD | job}).encode())


def test_a_template_is_filled_from_an_older_document_and_what_is_new_is_left_to_the_person(tmp_path: Path) -> None:
    desk, out = at(tmp_path / "desk", 3), tmp_path / "new.xlsx"
    found = blank.write(desk, "growing", "en", "form", document(careful=True, check="leaks", wait=""), out)
    assert found == []
    given = read(out.read_bytes(), "new.xlsx", desk.kinds)[0][0].answers.given
    assert {name: given[name].value for name in ("look", "owner", "wait", "limit")} == {
        "look": "leaks",
        "owner": "",
        "wait": "",
        "limit": "90",
    }


def test_a_new_version_gets_a_schema_of_its_own_and_the_released_one_stays(tmp_path: Path) -> None:
    schemas = tmp_path / "desk" / "forms" / "json_schema"
    schemas.mkdir(parents=True)
    released = schemas / "growing.v1.json"
    released.write_bytes(json_schema.write(at(tmp_path / "desk", 1).kinds["growing"].form))
    report = build(at(tmp_path / "desk", 3), write=False)
    assert report.frozen == []
    assert (schemas / "growing.v3.json").as_posix() in report.drifted
    assert not [one for one in report.drifted if "growing.v1" in one]


def test_a_change_without_a_new_version_is_still_refused(tmp_path: Path) -> None:
    schemas = tmp_path / "desk" / "forms" / "json_schema"
    schemas.mkdir(parents=True)
    released = schemas / "growing.v3.json"
    released.write_bytes(json_schema.write(at(tmp_path / "desk", 1).kinds["growing"].form))
    assert build(at(tmp_path / "desk", 3), write=False).frozen == [released.as_posix()]


@pytest.mark.parametrize("version", [2, 3])
def test_a_slip_that_was_kept_before_the_kind_changed_goes_on_as_the_same_request(tmp_path: Path, version: int) -> None:
    before = at(tmp_path / "desk", 1)
    (kept,) = journey.convert(before, [document()], Wishes(sender="hanako")).requests
    with before.ledger() as ledger:
        row = ledger.request(kept.id)
        assert row is not None
        assert row.slip is not None
        written = (ledger.folder / row.slip).read_bytes()
    after = at(tmp_path / "desk", version)
    with after.ledger() as ledger:
        request = read_slip(after, ledger, row)
    assert (request.id, request.version) == (kept.id, version)
    assert request.job.answers()["method"] == "xgboost"
    outcome = journey.keep(after, [Source(f"{kept.id}.yaml", written)], Wishes(), queue=False)
    assert [one.id for one in outcome.requests] == [kept.id]
    assert outcome.problems == []
    assert slip.read(written, before.kinds).version == 1


def sheet(layout: Layout, *rows: dict[str, Any], version: int = 1, sender: str = "hanako") -> Source:
    """A workbook as that version of the kind made it, filled."""
    form = AT[version]["growing"].form
    return Source("old.xlsx", write(form, "en", layout, [Filled(one, sender) for one in rows], rows=20))


def saved_again(source: Source) -> Source:
    book, saved = load_workbook(io.BytesIO(source.data)), io.BytesIO()
    book.save(saved)
    return Source("copy.xlsx", saved.getvalue())


def ids(outcome: judging.Outcome) -> list[tuple[str, bool]]:
    assert outcome.problems == []
    return [(one.id, one.known) for one in outcome.requests]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_sheet_that_was_submitted_before_its_kind_changed_is_known_when_it_is_sent_again(
    tmp_path: Path, version: int, layout: Layout
) -> None:
    rows = [V1, V1 | {"lr": 0.5}, V1][: 1 if layout == "form" else 3]
    first = ids(journey.submit(at(tmp_path / "desk", 1), [sheet(layout, *rows)], Wishes()))
    assert [known for _, known in first] == [False] * len(rows)
    after = at(tmp_path / "desk", version)
    known = [(one, True) for one, _ in first]
    assert ids(journey.submit(after, [saved_again(sheet(layout, *rows))], Wishes())) == known
    assert ids(journey.submit(after, [sheet(layout, *rows)], Wishes())) == known


def test_one_more_row_an_edited_one_and_one_of_another_sender_are_new_after_the_kind_changed(tmp_path: Path) -> None:
    ((first, _),) = ids(journey.submit(at(tmp_path / "desk", 1), [sheet("table", V1)], Wishes()))
    after = at(tmp_path / "desk", 3)
    found = ids(journey.submit(after, [sheet("table", V1, V1, V1 | {"lr": 0.5})], Wishes()))
    assert found[0] == (first, True)
    assert [known for _, known in found] == [True, False, False]
    assert ids(journey.submit(after, [sheet("table", V1, V1, V1 | {"lr": 0.5})], Wishes())) == [
        (one, True) for one, _ in found
    ]
    ((_, known),) = ids(journey.submit(after, [sheet("table", V1, sender="jiro")], Wishes()))
    assert not known


def test_a_marked_copy_that_comes_back_as_it_was_after_the_kind_changed_is_known(tmp_path: Path) -> None:
    before = at(tmp_path / "desk", 1)
    source = sheet("table", V1, V1 | {"lr": 0.5})
    outcome = journey.submit(before, [source], Wishes())
    copy = marked(before, source, outcome.responses, kept=True)
    assert copy is not None
    after = at(tmp_path / "desk", 3)
    first = ids(outcome)
    assert ids(journey.submit(after, [Source("old.marked.xlsx", copy)], Wishes())) == [(one, True) for one, _ in first]


def test_a_document_that_names_no_version_and_says_the_same_is_known_after_the_kind_changed(tmp_path: Path) -> None:
    same = {"data": "wine", "method": "forest", "limit": 2, "wait": 3}
    text = dump({"kind": "growing", "job": same}).encode()
    before = at(tmp_path / "desk", 2)
    ((first, _),) = ids(journey.submit(before, [Source("one.yaml", text)], Wishes(sender="hanako")))
    now = dump({"kind": "growing", "job": same | {"place": "here", "depth": 5, "optimizer": {"learning_rate": 0.1}}})
    outcome = journey.submit(at(tmp_path / "desk", 3), [Source("one.yaml", now.encode())], Wishes(sender="hanako"))
    assert ids(outcome) == [(first, True)]
