"""The commands that show the record, as an operator types them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from submit.desk import Desk
from submit.new_desk import make_desk
from tests.desks import denpyo


def test_a_report_is_written_once_and_replaced_only_when_asked(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "review.html"
    assert denpyo("audit", "report", "-o", page, "--lang", "en", desk=desk.folder).stdout == f"wrote {page}\n"
    assert '<html lang="en">' in page.read_text(encoding="utf-8")
    again = denpyo("audit", "report", "-o", page, desk=desk.folder, code=2)
    assert again.stderr == f"denpyo: {page} is there already: --force replaces it\n"
    denpyo("audit", "report", "-o", page, "--force", "--who", "alice", desk=desk.folder)
    assert "記録の一部だけを表示" in page.read_text(encoding="utf-8")


def test_a_report_of_a_damaged_ledger_is_written_and_ends_with_4(own_desk: Desk, tmp_path: Path) -> None:
    with closing(sqlite3.connect(own_desk.folder / "ledger" / "ledger.sqlite")) as db:
        db.executescript("UPDATE entries SET body = '{}' WHERE seq = 100")
    done = denpyo("audit", "report", "-o", tmp_path / "review.html", desk=own_desk.folder, code=4)
    assert done.stderr == "denpyo: entry 100: is not the body of an entry\n"
    assert "entry 100: is not the body of an entry" in (tmp_path / "review.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_said_in_one_line(desk: Desk, tmp_path: Path) -> None:
    done = denpyo("audit", "report", "-o", tmp_path / "none" / "review.html", desk=desk.folder, code=2)
    assert done.stderr == f"denpyo: {tmp_path / 'none' / 'review.html'}: No such file or directory\n"


def test_entries_are_shown_a_line_each_or_as_json_lines(desk: Desk) -> None:
    lines = denpyo("audit", "show", "--action", "rejected", desk=desk.folder).stdout.splitlines()
    exact = denpyo("audit", "show", "--action", "rejected", "--json", desk=desk.folder).stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == [json.loads(line)["seq"] for line in exact]
    assert {json.loads(line)["action"] for line in exact} == {"rejected"}
    assert all("  rejected  " in line and "rule 2" in line for line in lines)


def test_requests_go_into_a_csv_and_another_ending_is_refused(desk: Desk, tmp_path: Path) -> None:
    said = denpyo("audit", "export", "-o", tmp_path / "all.csv", "--of", "requests", "--json", desk=desk.folder).stdout
    assert json.loads(said) == {"file": str(tmp_path / "all.csv"), "requests": 200}
    done = denpyo("audit", "export", "-o", tmp_path / "all.xlsx", desk=desk.folder, code=2)
    assert done.stderr == f"denpyo: {tmp_path / 'all.xlsx'}: give a name that ends in .jsonl or .csv\n"


def test_a_day_that_is_none_is_wrong_use(desk: Desk) -> None:
    done = denpyo("audit", "show", "--since", "yesterday", desk=desk.folder, code=2)
    assert done.stderr == "denpyo: --since yesterday: write a day as 2026-11-21, or a moment as 2026-11-21T09:30\n"


def test_status_leaves_what_is_in_a_state_and_of_a_person(desk: Desk) -> None:
    found = json.loads(denpyo("status", "--state", "failed", "--who", "alice", "--json", desk=desk.folder).stdout)
    exact = json.loads(denpyo("status", "--json", desk=desk.folder).stdout)
    assert {one["state"] for one in found["requests"]} == {"failed"}
    assert 0 < len(found["requests"]) < sum(one["state"] == "failed" for one in exact["requests"])
    assert json.loads(denpyo("status", "--until", "2026-01-01", "--json", desk=desk.folder).stdout) == {"requests": []}


def test_show_tells_who_asked_with_labels_history_and_slip(desk: Desk) -> None:
    (one, *_) = json.loads(
        denpyo("status", "--state", "done", "--kind", "inference", "--json", desk=desk.folder).stdout
    )["requests"]
    said = denpyo("show", one["id"], desk=desk.folder).stdout
    for part in (one["id"], "desk  accepted", "desk  done", "denpyo: 1", "CSV"):
        assert part in said
    assert "mail:" in said or "github:" in said


def test_an_action_that_there_is_not_is_wrong_use_and_one_that_has_not_happened_has_no_entries(tmp_path: Path) -> None:
    folder = make_desk(tmp_path / "desk").folder
    done = denpyo("audit", "show", "--action", "nosuch", desk=folder, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("denpyo: --action nosuch: is none of made, changed, ")
    assert "rejected" in done.stderr
    assert denpyo("audit", "show", "--action", "rejected", desk=folder).stdout == "no entries\n"
    assert denpyo("audit", "show", "--action", "rejected", "--json", desk=folder).stdout == ""
