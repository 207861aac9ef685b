"""What became of a dropped file stands beside it, and in its marked copy where that is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from openpyxl import load_workbook

from generators.excel import template
from generators.excel.template import Filled
from submit import standing, watch
from submit.desk import CONFIG, Desk, open_desk
from submit.replies.files import page_of
from submit.replies.fill import fill
from tests.desks import counting, denpyo, desk_in
from tests.submit.replies.telling import NOBODY, Submitted, later, told

DROP = '[sources.drop]\nkind = "folder"\npath = "drop"\nevery = 0.2\nwrite_back = {write_back}\n'


def dropping(folder: Path, *, write_back: bool = False) -> Desk:
    desk = desk_in(folder)
    (folder / "drop").mkdir()
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(DROP.format(write_back=str(write_back).lower()))
    return open_desk(desk.folder)


def dropped(desk: Desk, name: str, data: bytes) -> Submitted:
    """A file that was dropped, taken and put away."""
    (desk.folder / "drop" / name).write_bytes(data)
    known = {one.request.id for one in standing.all_standing(desk)}
    watch.watch(desk, lambda source, outcome: None, once=True)
    return Submitted(desk, [one.request.id for one in standing.all_standing(desk) if one.request.id not in known])


def table(desk: Desk, *names: str) -> bytes:
    filled = [Filled({"name": name, "file": str(desk.folder.parent / "starts")}) for name in names]
    return template.write(desk.kinds["count_starts"].form, "en", "table", filled, rows=len(names) + 1)


def page(desk: Desk, name: str) -> str:
    return (desk.folder / "drop" / "done" / name).read_text(encoding="utf-8")


def cells(file: Path) -> set[str]:
    book = load_workbook(file)
    return {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}


def test_a_page_beside_a_dropped_file_says_how_each_of_its_requests_is(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    one = dropped(desk, "<b>依頼.yaml", counting(tmp_path, "one", more="language: ja\n").read_bytes())
    (shown,) = (desk.folder / "drop" / "done").glob("*.denpyo.html")
    text = shown.read_text(encoding="utf-8")
    assert f'<td class="id">{one.ids[0]}</td>' in text
    assert '<td class="state queued">' in text
    one.became("done", metrics={"<script>": 0.5})
    told(desk)
    text = shown.read_text(encoding="utf-8")
    assert '<td class="state done">完了</td><td>&lt;script&gt; 0.5</td>' in text
    assert "<script" not in text
    assert "<b>" not in text


def test_the_page_of_a_table_has_a_row_for_each_request_with_its_place(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two", "three"))
    rows.became("failed", rows.ids[1], reason="No data.")
    told(desk)
    text = page(desk, "jobs.xlsx.denpyo.html")
    assert text.count("<tr><td") == 3
    assert "<p>3 requests: accepted, waiting to run 2, failed 1</p>" in text
    assert f'<tr><td class="id">{rows.ids[1]}</td>' in text
    assert "No data." in text


def test_a_page_says_what_is_to_be_put_right_and_what_to_do_and_its_checkpoint_is_one(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    one = dropped(desk, "job.yaml", counting(tmp_path, "one", more="language: en\n").read_bytes())
    told_by_the_run = [{"spot": "data/<b>.csv:3", "code": "x", "message": "has no label"}]
    one.became("failed", reason="Put it right.", problems=told_by_the_run)
    told(desk)
    text = page(desk, "job.yaml.denpyo.html")
    assert (
        "Put it right.<ul><li>data/&lt;b&gt;.csv:3: has no label</li></ul><p>Please correct what the reason names"
        in text
    )
    saved = tmp_path / "saved.html"
    saved.write_text(text, encoding="utf-8")
    denpyo("audit", "verify", "--checkpoint", saved, desk=desk.folder)


def test_a_page_stands_beside_the_right_file_of_several_of_one_name(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    first = dropped(desk, "job.yaml", counting(tmp_path, "one").read_bytes())
    second = dropped(desk, "job.yaml", counting(tmp_path, "two").read_bytes())
    assert first.ids[0] in page(desk, "job.yaml.denpyo.html")
    assert second.ids[0] in page(desk, "job (2).yaml.denpyo.html")


def test_a_file_that_somebody_took_away_has_no_page_and_stops_nothing(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    one = dropped(desk, "job.yaml", counting(tmp_path, "one").read_bytes())
    for file in (desk.folder / "drop" / "done").iterdir():
        file.unlink()
    one.became("done")
    assert told(desk) == ""
    assert [*(desk.folder / "drop" / "done").iterdir()] == []


def test_nothing_is_written_through_a_link_in_the_place_of_a_page(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    one = dropped(desk, "job.yaml", counting(tmp_path, "one").read_bytes())
    precious = tmp_path / "precious"
    precious.write_text("untouched", encoding="utf-8")
    there = desk.folder / "drop" / "done" / "job.yaml.denpyo.html"
    there.unlink()
    there.symlink_to(precious)
    one.became("done")
    told(desk)
    assert precious.read_text(encoding="utf-8") == "untouched"
    assert not there.is_symlink()


def test_a_page_that_cannot_be_written_is_said_and_written_later(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    one = dropped(desk, "job.yaml", counting(tmp_path, "one").read_bytes())
    there = desk.folder / "drop" / "done" / "job.yaml.denpyo.html"
    there.unlink()
    there.mkdir()
    (there / "in the way").touch()
    one.became("done")
    assert told(desk) == "drop: Is a directory"
    (there / "in the way").unlink()
    there.rmdir()
    later(desk)
    assert told(desk) == ""
    assert "done" in page(desk, "job.yaml.denpyo.html")


def test_pages_that_cannot_be_written_keep_no_other_from_being_written(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    wrong = [dropped(desk, f"{name}.yaml", counting(tmp_path, name).read_bytes()) for name in ("one", "two")]
    for name in ("one", "two"):
        there = desk.folder / "drop" / "done" / f"{name}.yaml.denpyo.html"
        there.unlink()
        there.mkdir()
    good = dropped(desk, "three.yaml", counting(tmp_path, "three").read_bytes())
    for each in (*wrong, good):
        each.became("done")
    assert told(desk) == "drop: Is a directory"
    assert 'class="state done"' in page(desk, "three.yaml.denpyo.html")


def test_a_long_name_still_has_a_page() -> None:
    found = page_of(Path("/drop") / f"{'依' * 83}.yaml")
    assert len(os.fsencode(f".{found.name}.00000000")) <= 255


def test_a_marked_copy_is_kept_up_to_date_when_that_is_asked_for(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk", write_back=True)
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two"))
    copy = desk.folder / "drop" / "done" / "jobs.marked.xlsx"
    assert {*rows.ids, "accepted, waiting to run"} <= cells(copy)
    rows.became("done", rows.ids[0])
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE runs SET url = 'https://app.example/1' WHERE request = ?", (rows.ids[0],))
    later(desk, 60)
    assert told(desk) == ""
    assert {*rows.ids, "accepted, waiting to run", "done https://app.example/1"} <= cells(copy)
    rows.became("failed", rows.ids[1], reason="No data.")
    later(desk, 60)
    told(desk)
    assert {*rows.ids, "failed", "done https://app.example/1"} <= cells(copy)
    assert "accepted, waiting to run" not in cells(copy)
    assert (desk.folder / "drop" / "done" / "jobs.xlsx").read_bytes() != copy.read_bytes()


def test_a_marked_copy_is_left_as_it_is_when_that_is_not_asked_for(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk")
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two"))
    copy = desk.folder / "drop" / "done" / "jobs.marked.xlsx"
    before = copy.read_bytes()
    rows.became("done")
    told(desk)
    assert copy.read_bytes() == before


def test_a_marked_copy_that_somebody_has_worked_in_is_theirs(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk", write_back=True)
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two"))
    copy = desk.folder / "drop" / "done" / "jobs.marked.xlsx"
    copy.write_bytes(copy.read_bytes() + b"mine")
    os.utime(copy, (copy.stat().st_atime, copy.stat().st_mtime + 60))
    rows.became("done")
    told(desk)
    assert copy.read_bytes().endswith(b"mine")


def test_a_marked_copy_is_kept_up_to_date_after_a_crash_on_either_side_of_its_replacement(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk", write_back=True)
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two"))
    copy = desk.folder / "drop" / "done" / "jobs.marked.xlsx"
    before = copy.read_bytes()
    rows.became("running", rows.ids[0])
    told(desk)
    assert "running" in cells(copy)
    copy.write_bytes(before)  # as a crash leaves it that comes before the new one is in its place
    rows.became("done", rows.ids[0])
    later(desk, 60)
    told(desk)
    assert "done" in cells(copy)
    rows.became("failed", rows.ids[1])
    later(desk, 60)
    told(desk)
    assert "failed" in cells(copy)


def test_a_marked_copy_that_somebody_has_open_waits(tmp_path: Path) -> None:
    desk = dropping(tmp_path / "desk", write_back=True)
    rows = dropped(desk, "jobs.xlsx", table(desk, "one", "two"))
    lock = desk.folder / "drop" / "done" / "~$jobs.marked.xlsx"
    lock.touch()
    rows.became("done")
    assert told(desk) == f"{desk.folder}/drop/done/jobs.marked.xlsx: somebody has it open"
    lock.unlink()
    later(desk)
    assert told(desk) == ""
    assert "done" in cells(desk.folder / "drop" / "done" / "jobs.marked.xlsx")


def test_a_message_that_cannot_be_made_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = dropping(tmp_path / "desk")
    first = dropped(desk, "one.yaml", counting(tmp_path, "one").read_bytes())
    second = dropped(desk, "two.yaml", counting(tmp_path, "two").read_bytes())
    first.became("done")
    fill(desk, NOBODY)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE outbox SET receiver = 'no JSON' WHERE state = 'waiting'")
    second.became("done")
    assert told(desk) == "Expecting value: line 1 column 1 (char 0)"
    assert "JSONDecodeError" in capsys.readouterr().err
    assert 'class="state done"' in page(desk, "two.yaml.denpyo.html")
