"""The command line as a contract: words, exit codes, JSON. Every command runs in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from generators.excel import STATUS, template
from generators.excel.cells import read_cells
from generators.excel.template import Filled
from schema import kinds
from submit.desk import LEDGER, machine_user
from submit.ledger import open_ledger
from tests.desks import counting, denpyo, desk_in
from tests.generators.excel.marking import reds, summary

FORM = kinds.load()["train_supervised"].form
GOOD = {"dataset_id": "wine", "algorithm": "logistic_regression"}
EIGHT_MISTAKES = {
    "dataset_id": "Wine",
    "target": "x" * 101,
    "task_type": "ぶんるい",
    "algorithm": "xgbost",
    "evaluation_threshold": "１２０％",
    "max_retry": "2.5",
    "seed": "=1+1",
    "resources.max_hours": "ながく",
}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    denpyo("init", desk=tmp_path / "desk")
    return tmp_path / "desk"


def sheet(folder: Path, values: dict[str, Any], name: str = "request.xlsx", language: str = "ja") -> Path:
    file = folder / name
    file.write_bytes(template.write(FORM, language, "form", [Filled(values, "", "")]))
    return file


def data(*words: str | Path, desk: Path, code: int | None = 0) -> Any:
    return json.loads(denpyo(*words, "--json", desk=desk, code=code).stdout)


def test_eight_mistakes_give_eight_problems_at_eight_cells_in_japanese_in_one_go(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, EIGHT_MISTAKES)
    found = data("submit", file, desk=desk, code=1)
    assert found["requests"] == []
    assert [(one["question"], one["code"]) for one in found["problems"]] == [
        ("dataset_id", "bad_identifier"),
        ("target", "too_long"),
        ("task_type", "unknown_choice"),
        ("algorithm", "unknown_choice"),
        ("evaluation_threshold", "too_big"),
        ("max_retry", "not_whole"),
        ("seed", "not_a_number"),
        ("resources.max_hours", "not_a_number"),
    ]
    assert len({one["spot"] for one in found["problems"]}) == 8
    assert all(
        one["file"] == "request.xlsx" and one["spot"].startswith(("入力!", "詳細設定!")) for one in found["problems"]
    )
    assert found["problems"][3]["message"].endswith("「XGBoost」のことですか？")
    assert data("status", desk=desk)["requests"][0]["state"] == "refused"
    assert data("audit", "verify", desk=desk)["entries"] == 2
    lines = denpyo("check", file, desk=desk, code=1).stdout.splitlines()
    assert len(lines) == 9
    assert lines[-1] == "問題なし 0件、要修正 1件"
    assert lines[0] == (
        "request.xlsx:入力!C9: 「Wine」は名前として使えません。半角の英小文字・数字・ハイフンで、英小文字か数字から始め、"
        "63文字以内で書いてください。「wine」のことですか？ [bad_identifier]"
    )


def test_check_says_how_many_are_good_and_needs_no_desk(tmp_path: Path) -> None:
    found = data("check", sheet(tmp_path, GOOD), desk=tmp_path / "none")
    assert (found["accepted"], found["refused"], found["problems"], found["warnings"]) == (1, 0, [], [])
    assert [(one["question"], one["before"], one["after"]) for one in found["changes"]] == [
        ("task_type", "", "classification")
    ]
    assert not (tmp_path / "none").exists()


def test_a_sheet_goes_from_submit_through_work_to_its_result(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, GOOD)
    submitted = data("submit", file, "--as", "hanako@example.com", desk=desk)
    (request,) = submitted["requests"]
    assert (request["kind"], request["state"], request["known"]) == ("train_supervised", "queued", False)
    schema = Path(request["slip"]).parent / "schemas" / "train_supervised.v1.json"
    assert json.loads(schema.read_text(encoding="utf-8"))["x-denpyo-kind"] == "train_supervised"
    assert request["run"]["engine"] == "local"
    assert request["run"]["id"] == f"{request['id']}.1"
    assert 'name: "hanako@example.com"\n  trust: claimed' in Path(request["slip"]).read_text(encoding="utf-8")
    assert data("work", "--drain", desk=desk) == {"ended": 1}
    status = data("status", request["id"], desk=desk)
    assert set(status) == {"id", "kind", "state", "run", "metrics", "result"}
    assert status["state"] == "done"
    assert status["metrics"]["accuracy"] > 0.9
    assert data("open", request["id"], desk=desk)["url"].endswith("/summary.html")
    shown = denpyo("show", request["id"], desk=desk).stdout
    assert f"{machine_user()}  accepted" in shown
    assert "denpyo: 1" in shown
    assert data("audit", "verify", desk=desk)["ok"] is True


def test_the_same_sheet_twice_says_so_and_again_makes_a_new_one(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, GOOD)
    first = data("submit", file, desk=desk)["requests"][0]
    assert denpyo("submit", file, desk=desk).stdout == (
        f"{first['id']}  受付済み（実行待ち）  train_supervised  request.xlsx:入力  前に受け付けた依頼と同じ内容です\n"
    )
    judged = denpyo("check", file, desk=desk).stdout.splitlines()
    assert judged[-2:] == [f"request.xlsx:入力: {first['id']}として受付済み、変更なし", "問題なし 1件、要修正 0件"]
    dry = data("submit", file, "--dry-run", desk=desk)
    before = {"file": "request.xlsx", "spot": "入力", "id": first["id"], "unchanged": True}
    assert (dry["accepted"], dry["handed_in_before"]) == (1, [before])
    second = data("submit", file, "--again", "new data", desk=desk)["requests"][0]
    assert second["id"] != first["id"]
    assert not second["known"]


def test_run_does_it_all_in_one_go(desk: Path, tmp_path: Path) -> None:
    found = data("run", sheet(tmp_path, GOOD), desk=desk)
    assert found["state"] == "done"
    assert found["result"]["passed"] is None
    assert "marked" not in found
    copies = tmp_path / "marked"
    refused = data("run", sheet(tmp_path, EIGHT_MISTAKES), "--annotate", copies, desk=desk, code=1)
    assert (refused["requests"], refused["marked"]) == ([], [str(copies / "request.marked.xlsx")])
    assert len(reds((copies / "request.marked.xlsx").read_bytes())) == 8
    again = denpyo("run", sheet(tmp_path, GOOD), "--annotate", copies, desk=desk, code=2).stderr
    assert again == f"denpyo: {copies}/request.marked.xlsx is there already: --force replaces it\n"
    done = denpyo("run", sheet(tmp_path, GOOD), "--annotate", copies, "--force", desk=desk).stdout
    assert done.splitlines()[-1] == f"wrote {copies}/request.marked.xlsx"
    assert [cell for row in summary((copies / "request.marked.xlsx").read_bytes()) for cell in row if "完了" in cell]


def test_a_dry_run_keeps_nothing(desk: Path, tmp_path: Path) -> None:
    denpyo("submit", sheet(tmp_path, GOOD), "--dry-run", desk=desk)
    assert data("status", desk=desk) == {"requests": []}
    assert data("audit", "verify", desk=desk)["entries"] == 1


def test_convert_writes_slips_that_can_be_submitted_later(desk: Path, tmp_path: Path) -> None:
    denpyo("convert", sheet(tmp_path, GOOD), "-o", tmp_path / "slips", desk=desk)
    (slip,) = (tmp_path / "slips").glob("*.yaml")
    assert (tmp_path / "slips" / "schemas" / "train_supervised.v1.json").is_file()
    assert data("status", desk=desk)["requests"][0]["state"] == "accepted"
    assert [one["id"] for one in data("submit", slip, desk=desk)["requests"]] == [slip.stem]


def test_cancel_stops_what_waits(desk: Path, tmp_path: Path) -> None:
    request = data("submit", sheet(tmp_path, GOOD), desk=desk)["requests"][0]["id"]
    assert data("cancel", request, desk=desk) == {"id": request, "stopping": True, "state": "stopped"}
    assert data("work", "--drain", desk=desk) == {"ended": 0}
    assert data("cancel", request, desk=desk, code=1)["stopping"] is False


def test_a_template_is_filled_in_from_documents(tmp_path: Path, desk: Path) -> None:
    file = tmp_path / "requests.yaml"
    one = "kind: train_supervised\nrequested_by: hanako@example.com\njob: {dataset_id: wine, algorithm: xgboost}\n"
    file.write_text(
        f"{one}---\n{one.replace('wine', 'diabetes').replace('algorithm', 'task_type: regression, algorithm')}",
        encoding="utf-8",
    )
    out = tmp_path / "table.xlsx"
    denpyo("template", "train_supervised", "--layout", "table", "--lang", "en", "--from", file, "-o", out, desk=desk)
    found = data("check", out, desk=desk)
    assert (found["accepted"], found["refused"], found["problems"]) == (2, 0, [])
    refused = data("template", "train_supervised", "--from", file, "-o", tmp_path / "form.xlsx", desk=desk, code=1)
    assert [problem["code"] for problem in refused["problems"]] == ["one_request_only"]
    assert not (tmp_path / "form.xlsx").exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("submit", "{file}"), id="submit"),
        pytest.param(("convert", "{file}", "-o", "slips"), id="convert"),
        pytest.param(("run", "{file}"), id="run"),
        pytest.param(("work", "--drain"), id="work"),
        pytest.param(("status",), id="status"),
        pytest.param(("show", "7k3m-9qx2-b4td"), id="show"),
        pytest.param(("cancel", "7k3m-9qx2-b4td"), id="cancel"),
        pytest.param(("audit", "verify"), id="audit verify"),
    ],
)
def test_without_a_desk_nothing_is_written_and_the_exit_code_is_2(words: tuple[str, ...], tmp_path: Path) -> None:
    file = sheet(tmp_path, GOOD)
    done = denpyo(*(word.format(file=file) for word in words), desk=tmp_path / "none", code=2)
    assert done.stderr == f"denpyo: no desk in {tmp_path / 'none'}/: run `denpyo init` or name one with --desk\n"
    assert not (tmp_path / "none").exists()


def test_a_second_init_is_refused(desk: Path) -> None:
    assert denpyo("init", desk=desk, code=2).stderr == f"denpyo: {desk}/ has a desk already\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param(
            ("show", "7k3m-9qx2-b4td"),
            "no request 7k3m-9qx2-b4td on this desk: `denpyo status` lists them",
            id="an unknown id",
        ),
        pytest.param(
            ("check", "nowhere.xlsx"), "nowhere.xlsx: No such file or directory", id="a file that is not there"
        ),
    ],
)
def test_wrong_use_is_one_line_and_2(words: tuple[str, ...], line: str, desk: Path) -> None:
    assert denpyo(*words, desk=desk, code=2).stderr == f"denpyo: {line}\n"


def test_a_misspelt_setting_is_one_line_and_2(desk: Path) -> None:
    (desk / "denpyo.toml").write_text('enginee = "local"\n', encoding="utf-8")
    done = denpyo("status", desk=desk, code=2)
    assert done.stderr == f"denpyo: {desk / 'denpyo.toml'}: enginee: there is no such setting\n"


def test_a_secret_that_is_missing_stops_nothing_that_does_not_need_it(desk: Path) -> None:
    with open(desk / "denpyo.toml", "a", encoding="utf-8") as lines:
        lines.write('[secrets]\nmail = "mail"\n')
    assert denpyo("status", desk=desk).stderr == ""


def test_a_secret_that_is_not_secret_is_refused(desk: Path) -> None:
    with open(desk / "denpyo.toml", "a", encoding="utf-8") as lines:
        lines.write('[secrets]\nmail = "mail"\n')
    (desk / "mail").write_text("canary", encoding="utf-8")
    (desk / "mail").chmod(0o644)
    done = denpyo("status", desk=desk, code=2)
    assert done.stderr.startswith(f"denpyo: secrets.mail: {desk / 'mail'}")
    assert "canary" not in done.stdout + done.stderr


def test_a_damaged_ledger_is_4_and_names_the_first_wrong_entry(desk: Path, tmp_path: Path) -> None:
    slip = Path(data("submit", sheet(tmp_path, GOOD), desk=desk)["requests"][0]["slip"])
    slip.chmod(0o600)
    slip.write_text(slip.read_text(encoding="utf-8").replace("seed: 42", "seed: 43"), encoding="utf-8")
    verdict = data("audit", "verify", desk=desk, code=4)
    assert verdict["ok"] is False
    assert slip.name in verdict["wrong"]
    sent = denpyo("submit", slip, desk=desk, code=4)
    assert (sent.stdout, sent.stderr.count("\n")) == ("", 1)
    assert f"{slip.name}: was changed or lost after it was recorded" in sent.stderr


def test_a_schema_that_changed_without_a_new_version_fails_build(desk: Path) -> None:
    shutil.copytree(Path(__file__).parent / "desks" / "kinds", desk / "kinds", dirs_exist_ok=True)
    denpyo("build", desk=desk)
    denpyo("build", "--check", desk=desk)
    file = desk / "kinds" / "count_starts.py"
    file.write_text(file.read_text(encoding="utf-8").replace("le=60", "le=90"), encoding="utf-8")
    for words in (("build", "--check"), ("build",)):
        assert "raise `version`" in denpyo(*words, desk=desk, code=1).stderr
    file.write_text(
        file.read_text(encoding="utf-8").replace("version: ClassVar[int] = 1", "version: ClassVar[int] = 2"),
        encoding="utf-8",
    )
    denpyo("build", desk=desk)
    assert sorted(one.name for one in (desk / "forms" / "json_schema").iterdir()) == [
        "count_starts.v1.json",
        "count_starts.v2.json",
    ]


def test_a_hostile_name_stays_in_its_line(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, GOOD | {"algorithm": "x\nforged: line"}, name="evil\nforged.xlsx")
    lines = denpyo("check", file, desk=desk, code=1).stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("evil forged.xlsx:入力!")


def test_the_demo_shows_slip_root_metrics_and_summary(tmp_path: Path) -> None:
    found = data("demo", "--desk", tmp_path / "demo", desk=tmp_path / "unused")
    assert found["state"] == "done"
    assert found["metrics"]["accuracy"] > 0.9
    assert "学習の結果" in Path(found["summary"]).read_text(encoding="utf-8")
    assert data("audit", "verify", desk=tmp_path / "demo")["root"] == found["root"]
    assert json.loads(denpyo("check", Path(found["sheet"]), "--json", desk=tmp_path / "demo").stdout)["accepted"] == 1


def test_run_takes_one_request_and_says_so_before_anything_is_kept(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    one = "kind: train_supervised\njob: {dataset_id: wine, algorithm: xgboost}\n"
    file.write_text(f"{one}---\n{one}", encoding="utf-8")
    found = data("run", file, "--annotate", tmp_path / "marked", desk=desk, code=1)
    assert ([problem["code"] for problem in found["problems"]], found["marked"]) == (["several_requests"], [])
    assert data("status", desk=desk) == {"requests": []}


def test_a_template_is_never_written_over_a_filled_sheet_unasked(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, GOOD)
    before = file.read_bytes()
    assert "is there already" in denpyo("template", "train_supervised", "-o", file, desk=desk, code=2).stderr
    other = tmp_path / "form.pdf"
    assert denpyo("template", "train_supervised", "-o", other, desk=desk, code=2).stderr == (
        f"denpyo: {other}: a template is an Excel workbook; give a name that ends in .xlsx\n"
    )
    assert not other.exists()
    assert file.read_bytes() == before
    denpyo("template", "train_supervised", "-o", file, "--force", desk=desk)
    assert file.read_bytes() != before


def test_show_tells_why_a_request_was_refused(desk: Path, tmp_path: Path) -> None:
    denpyo("submit", sheet(tmp_path, EIGHT_MISTAKES), desk=desk, code=1)
    request = data("status", desk=desk)["requests"][0]["id"]
    shown = denpyo("show", request.upper(), desk=desk).stdout
    assert shown.count(" [") >= 8
    assert "「XGBoost」のことですか？ [unknown_choice]" in shown


def test_converting_a_changed_slip_onto_itself_loses_no_edit(desk: Path, tmp_path: Path) -> None:
    denpyo("convert", sheet(tmp_path, GOOD), "-o", tmp_path / "slips", desk=desk)
    (slip,) = (tmp_path / "slips").glob("*.yaml")
    slip.write_text(slip.read_text(encoding="utf-8").replace("seed: 42", "seed: 43"), encoding="utf-8")
    denpyo("convert", slip, "-o", tmp_path / "slips", desk=desk, code=1)
    assert "seed: 43" in slip.read_text(encoding="utf-8")


def test_a_file_name_that_is_not_utf_8_is_shown_and_not_a_crash(desk: Path, tmp_path: Path) -> None:
    name = os.fsencode(str(tmp_path)) + "/依頼.yaml".encode("cp932")
    with open(name, "w", encoding="utf-8") as file:
        file.write("kind: train_supervised\njob: {dataset_id: wine, algorithm: xgboost}\n")
    denpyo("submit", os.fsdecode(name), desk=desk)
    assert data("status", desk=desk)["requests"][0]["state"] == "queued"


def test_watching_ends_when_only_a_converted_request_is_left(desk: Path, tmp_path: Path) -> None:
    denpyo("convert", sheet(tmp_path, GOOD), "-o", tmp_path / "slips", desk=desk)
    lines = denpyo("status", "--watch", "--json", desk=desk).stdout.splitlines()
    assert [json.loads(line)["requests"][0]["state"] for line in lines] == ["accepted"]


def test_a_csv_in_shift_jis_is_read_where_the_operator_said_so(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "request.csv"
    file.write_bytes(_as_csv().encode("cp932", "replace"))
    refused = denpyo("check", file, desk=desk, code=1)
    assert "[csv_encoding]" in refused.stdout
    assert data("check", file, "--encoding", "shift_jis", desk=desk)["accepted"] == 1
    assert data("submit", file, "--encoding", "shift_jis", "--dry-run", desk=desk)
    denpyo("check", file, "--encoding", "shift_jis", "--annotate", tmp_path / "marked", desk=desk)
    assert (tmp_path / "marked" / "request.marked.xlsx").is_file()
    (desk / "denpyo.toml").write_text('encoding = "shift_jis"\n', encoding="utf-8")
    assert data("check", file, desk=desk)["accepted"] == 1
    denpyo("convert", file, "-o", tmp_path / "slips", desk=desk)
    assert len(list((tmp_path / "slips").glob("*.yaml"))) == 1


def _as_csv() -> str:
    """A table as a spreadsheet program saves it, with the cell that says which template it is."""
    sheets = read_cells(template.write(FORM, "ja", "table", [Filled(GOOD, "", "再実行")]))
    assert isinstance(sheets, tuple)
    rows = [[*line] for line in sheets[0].rows]
    if not any(key.startswith(STATUS) for key in rows[0]):
        told = f"{STATUS} {FORM.kind} {FORM.version} {FORM.fingerprint} ja"
        rows = [[*line, "" if row else told] for row, line in enumerate(rows)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def test_check_gives_the_sheet_back_marked_and_never_over_another_file(desk: Path, tmp_path: Path) -> None:
    file, folder = sheet(tmp_path, EIGHT_MISTAKES), tmp_path / "marked"
    before = file.read_bytes()
    found = data("check", file, "--annotate", folder, desk=desk, code=1)
    assert found["marked"] == [str(folder / "request.marked.xlsx")]
    assert file.read_bytes() == before
    again = denpyo("check", file, "--annotate", folder, desk=desk, code=2)
    assert again.stderr == f"denpyo: {folder}/request.marked.xlsx is there already: --force replaces it\n"
    data("check", file, "--annotate", folder, "--force", desk=desk, code=1)
    own = denpyo("check", folder / "request.marked.xlsx", "--annotate", folder, "--force", desk=desk, code=2)
    assert "was handed in itself" in own.stderr
    other = shutil.copytree(folder, tmp_path / "other") / "request.marked.xlsx"
    two = denpyo("submit", file, other, "--annotate", tmp_path / "new", desk=desk, code=2)
    assert "two of the files would be written there" in two.stderr
    assert data("status", desk=desk) == {"requests": []}


def test_a_folder_that_takes_no_copies_is_said_before_anything_is_queued(desk: Path, tmp_path: Path) -> None:
    file, folder = sheet(tmp_path, GOOD), tmp_path / "a-file"
    folder.write_text("", encoding="utf-8")
    done = denpyo("submit", file, "--annotate", folder, desk=desk, code=2)
    assert done.stderr == f"denpyo: {folder}: no files can be written there (File exists)\n"
    assert data("status", desk=desk) == {"requests": []}


def test_a_marked_copy_is_read_again_and_says_the_same(desk: Path, tmp_path: Path) -> None:
    file = sheet(tmp_path, EIGHT_MISTAKES)
    first = data("submit", file, "--annotate", tmp_path / "marked", desk=desk, code=1)
    second = data("check", *first["marked"], desk=desk, code=1)
    assert [(one["spot"], one["code"]) for one in second["problems"]] == [
        (one["spot"], one["code"]) for one in first["problems"]
    ]


def test_documents_come_back_as_a_table_with_what_is_wrong(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "requests.yaml"
    one = "kind: train_supervised\nlanguage: ja\njob: {dataset_id: wine, algorithm: xgboost}\n"
    file.write_text(f"{one}---\n{one.replace('wine', 'nowhere')}", encoding="utf-8")
    found = data("submit", file, "--annotate", tmp_path, desk=desk, code=1)
    (marked,) = found["marked"]
    assert [problem["code"] for problem in data("check", marked, desk=desk, code=1)["problems"]] == ["no_dataset"]
    with ZipFile(marked) as book:  # its hidden sheet lists the datasets of today, none of which must be chosen
        asks, *hidden = (book.read(one) for one in book.namelist() if one.startswith("xl/worksheets/sheet"))
    assert asks.count(b'errorStyle="warning"') == 1
    assert any(b">diabetes<" in one for one in hidden)


def test_what_cannot_be_marked_is_said(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.xlsx"
    file.write_bytes(b"PK no workbook")
    done = denpyo("check", file, "--annotate", tmp_path / "marked", desk=desk, code=1)
    assert "broken.marked.xlsx: not written, the file that came in cannot be marked" in done.stderr
    assert data("check", file, "--annotate", tmp_path / "marked", desk=desk, code=1)["marked"] == []


def test_what_ran_is_said_though_its_marked_copy_could_not_be_written(tmp_path: Path) -> None:
    desk, file = desk_in(tmp_path / "desk").folder, counting(tmp_path, "one")
    (tmp_path / "marked" / ".one.marked.xlsx.new").mkdir(parents=True)
    done = denpyo("run", file, "--annotate", tmp_path / "marked", desk=desk, code=2)
    assert "  done  " in done.stdout
    assert done.stderr.endswith(f"Is a directory: '{tmp_path}/marked/.one.marked.xlsx.new'\n")


@pytest.mark.parametrize(
    "damage",
    [pytest.param(lambda slip: slip.write_bytes(b"\xff\xfe"), id="torn"), pytest.param(Path.unlink, id="lost")],
)
def test_a_slip_that_is_not_what_was_recorded_is_not_handed_out(
    desk: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("kind: train_supervised\njob: {dataset_id: wine, algorithm: xgboost}\n", encoding="utf-8")
    found = data("convert", file, "-o", tmp_path / "out", desk=desk)["requests"][0]
    slip = Path(found["slip"])
    slip.chmod(0o600)
    damage(slip)
    for words in (("show", found["id"]), ("convert", file, "-o", tmp_path / "again")):
        done = denpyo(*words, desk=desk, code=4)
        assert ("was changed or lost after it was recorded" in done.stderr, done.stderr.count("\n")) == (True, 1)
        assert not [*(tmp_path / "again").glob("*.yaml")]


def test_a_slip_that_was_erased_says_so(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("kind: train_supervised\njob: {dataset_id: wine, algorithm: xgboost}\n", encoding="utf-8")
    found = data("convert", file, "-o", tmp_path / "out", desk=desk)["requests"][0]
    Path(found["slip"]).unlink()
    with open_ledger(desk / LEDGER) as ledger, ledger.writing() as tx:
        tx.execute("DELETE FROM beside WHERE seq IN (SELECT seq FROM entries WHERE request = ?)", (found["id"],))
    assert denpyo("show", found["id"], desk=desk).stdout.endswith("\nthe slip was erased\n")
    done = denpyo("convert", file, "-o", tmp_path / "again", desk=desk)
    assert f"{found['id']}: its slip was erased" in done.stderr


def test_all_or_nothing_leaves_out_what_is_good_and_says_so(desk: Path, tmp_path: Path) -> None:
    good, bad = sheet(tmp_path, GOOD, "good.xlsx"), sheet(tmp_path, EIGHT_MISTAKES, "bad.xlsx")
    done = denpyo("submit", good, bad, "--all-or-nothing", desk=desk, code=1)
    assert "ほかの依頼に要修正があるため、問題のない1件も受け付けていません（--all-or-nothing）" in done.stdout
    found = data("convert", good, bad, "--all-or-nothing", "-o", tmp_path / "slips", desk=desk, code=1)
    assert (found["requests"], found["left_out"], len(found["problems"])) == ([], 1, 8)
    assert [one["state"] for one in data("status", desk=desk)["requests"]] == ["refused"]
    assert data("audit", "verify", desk=desk)["ok"] is True


def test_what_was_filled_in_is_said_in_the_persons_language(desk: Path, tmp_path: Path) -> None:
    done = denpyo("submit", sheet(tmp_path, GOOD), desk=desk)
    assert done.stderr == "request.xlsx:入力: 予測の種類：「空欄」→「分類」（このアルゴリズムは分類専用のため）\n"
    file = tmp_path / "both.yaml"
    file.write_text("kind: train_supervised\nlanguage: en\njob: {dataset_id: wine, algorithm: xgboost}\n")
    said = denpyo("submit", file, desk=desk).stderr.partition("What kind")[2]
    assert (
        said
        == " of prediction?: “empty” → “Classification” (it was left empty, and classification is the usual case)\n"
    )


def test_a_table_becomes_a_dataset_and_is_listed(desk: Path, tmp_path: Path) -> None:
    table = tmp_path / "売上.csv"
    table.write_text("size,kind\n" + "".join(f"{one},{'ab'[one % 2]}\n" for one in range(20)), encoding="utf-8")
    found = data("datasets", "add", "sales", table, "--share", "0.25", "--seed", "7", desk=desk)
    assert found == {
        "name": "sales",
        "folder": str(desk / "datasets" / "sales"),
        "rows": {"train.csv": 15, "test.csv": 5},
        "columns": ["size", "kind"],
        "sha256": found["sha256"],
        "parted": {"share": 0.25, "seed": 7},
        "known": False,
    }
    said = denpyo("datasets", "add", "sales", table, "--share", "0.25", "--seed", "7", desk=desk).stdout.splitlines()
    assert said == [
        f"sales: 15 rows to train on, 5 to test on, 2 columns, sha256 {found['sha256'][:12]}",
        "the test rows were drawn with --share 0.25 --seed 7",
        f"it was added before, and nothing changed: {desk}/datasets/sales",
    ]
    (mine,) = [one for one in data("datasets", "list", desk=desk)["datasets"] if one["name"] == "sales"]
    assert mine["clearml"] is None
    assert (mine["state"], mine["added_by"], mine["sha256"]) == ("recorded", machine_user(), found["sha256"])
    table.write_text("size,kind\n1\n", encoding="utf-8")
    assert denpyo("datasets", "add", "worse", table, desk=desk, code=1).stderr == (
        "売上.csv:2: 売上.csvの2行目の列の数が見出しと合いません。その行を直してください。 [bad_csv]\n"
    )
