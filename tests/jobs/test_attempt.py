"""Real processes: what ``python -P -m jobs`` leaves behind, and that an attempt is run at most once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest

from jobs import attempt as marks
from jobs.outcome import Done
from tests.jobs.runs import EXAMPLE_KINDS, FOREST, ROOT, command, request, start, with_hours, write_slip

KIND = """
from typing import Annotated, ClassVar
from schema.job import Ask, Job, Script
from schema.words import Words

class Waits(Job):
    title: ClassVar[Words] = Words("Waits", ja="待つ")
    about: ClassVar[Words] = Words("Waits.", ja="待ちます。")
    workload: ClassVar[Script] = Script(entry="scripts/waits.py")
    seconds: Annotated[float, Ask("How long?", ja="秒数", help=Words("Seconds.", ja="秒です。"))] = 0.0
"""
SCRIPT = """
import argparse, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float)
print("begun", flush=True)
time.sleep(parser.parse_known_args()[0].seconds)
"""


KIND_TODAY = """
from typing import Annotated, ClassVar
from schema.job import Ask, Job, Script, Unit
from schema.versions import Renamed, UnitChanged
from schema.words import Words

class Waits(Job):
    version: ClassVar[int] = 2
    title: ClassVar[Words] = Words("Waits", ja="待つ")
    about: ClassVar[Words] = Words("Waits.", ja="待ちます。")
    workload: ClassVar[Script] = Script(entry="scripts/today.py")
    history = {2: (Renamed("seconds", "pause"), UnitChanged("pause", Unit("seconds", ja="秒"), 1000))}
    pause: Annotated[
        float, Ask("How long?", ja="休む時間", unit=Unit("ms", ja="ミリ秒"), help=Words("Pause.", ja="休みます。"))
    ] = 0.0
"""
SCRIPT_TODAY = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--pause", type=float)
given = parser.parse_known_args()[0]
pathlib.Path(os.environ["DENPYO_OUT"], "metrics.json").write_text(json.dumps({"pause": given.pause}))
"""


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    folder = tmp_path / "kinds"
    (folder / "scripts").mkdir(parents=True)
    (folder / "waits.py").write_text(KIND, encoding="utf-8")
    (folder / "scripts" / "waits.py").write_text(SCRIPT, encoding="utf-8")
    return folder


def result(out: Path) -> Any:
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


def test_a_slip_that_was_kept_before_its_kind_changed_runs_with_todays_answers_and_says_what_was_changed(
    tmp_path: Path, kinds: Path
) -> None:
    file, out = write_slip(tmp_path, request("waits", {"seconds": 1.5}, "ja", folders=[kinds])), tmp_path / "7k3m.1"
    (kinds / "waits.py").write_text(KIND_TODAY, encoding="utf-8")
    (kinds / "scripts" / "today.py").write_text(SCRIPT_TODAY, encoding="utf-8")
    assert b"\nversion: 1\n" in file.read_bytes()
    ended = start(file, out, DENPYO_KINDS=str(kinds))
    assert (ended.returncode, ended.stderr) == (0, "")
    found = result(out)
    assert (found["state"], found["metrics"]) == ("done", {"pause": 1500.0})
    assert found["changes"] == [
        "休む時間：「1.5」→「1500」（版2から項目の名前が変わりました。以前は「seconds」でした、版2から答えの単位が変わりました）"
    ]
    assert (out / "answers.yaml").read_text(encoding="utf-8") == "pause: 1500.0\n"


def test_a_training_leaves_its_result_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "7k3m.1"
    wanted = request("train_supervised", {**FOREST, "dataset_id": "wine", "evaluation_threshold": 0.5}, "ja")
    ended = start(write_slip(tmp_path, wanted), out, DENPYO_DATASETS=str(ROOT / "examples" / "datasets"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "training random_forest with seed 42 on 133 rows\n"
    assert sorted(path.name for path in out.rglob("*")) == [
        *("alive", "model", "model.joblib", "model.json", "model.onnx", "result.json", "started", "summary.html")
    ]
    found = result(out)
    assert found["state"] == "done"
    assert found["passed"] is True
    assert found["model"] == {"id": "m-7k3m-1", "path": "model/model.onnx", "sha256": found["model"]["sha256"]}
    assert found["changes"] == ["予測の種類：「空欄」→「分類」（空欄だったため、よく使われる「分類」としました）"]
    assert found["problems"] == []
    assert found["reason"] is None
    assert found["seed"] == 42
    assert found["lock_sha256"] == hashlib.sha256((ROOT / "requirements" / "jobs.txt").read_bytes()).hexdigest()
    assert found["started_at"] < found["ended_at"]


def test_a_second_start_of_an_attempt_runs_nothing(tmp_path: Path, kinds: Path) -> None:
    file, out = write_slip(tmp_path, request("waits", {}, folders=[kinds])), tmp_path / "7k3m.1"
    assert start(file, out, DENPYO_KINDS=str(kinds)).returncode == 0
    first = (out / "result.json").read_bytes()
    again = start(file, out, DENPYO_KINDS=str(kinds))
    assert (again.returncode, again.stdout) == (76, "")
    assert again.stderr == "7k3m.1: this attempt has already started\n"
    assert (out / "result.json").read_bytes() == first


def begun(file: Path, out: Path, kinds: Path) -> subprocess.Popen[str]:
    """A run whose script has begun."""
    process = subprocess.Popen(
        command(file, out), env={**os.environ, "DENPYO_KINDS": str(kinds)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_a_run_under_way_is_left_alone_and_counts_as_alive_while_its_script_lives(tmp_path: Path, kinds: Path) -> None:
    file, out = write_slip(tmp_path, request("waits", {"seconds": 5}, folders=[kinds])), tmp_path / "7k3m.1"
    with begun(file, out, kinds) as process:
        assert (out / "alive").read_text() == str(process.pid)
        second = start(file, out, DENPYO_KINDS=str(kinds))
        assert (second.returncode, second.stderr) == (75, "7k3m.1: already running\n")
        process.kill()
        process.wait()
        assert marks.hold_alive(out) is None, "its script still runs"
        limit = time.monotonic() + 20
        while (held := marks.hold_alive(out)) is None and time.monotonic() < limit:
            time.sleep(0.05)
        assert held is not None
        os.close(held)
    assert not (out / "result.json").exists()
    assert start(file, out, DENPYO_KINDS=str(kinds)).returncode == 76


def test_the_script_ends_with_the_group_of_its_run(tmp_path: Path, kinds: Path) -> None:
    """As a worker ends a run: asked first, then made to. The script does not listen."""
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SCRIPT
    (kinds / "scripts" / "waits.py").write_text(deaf, encoding="utf-8")
    file, out = write_slip(tmp_path, request("waits", {"seconds": 60}, folders=[kinds])), tmp_path / "7k3m.1"
    environment = {**os.environ, "DENPYO_KINDS": str(kinds)}
    with subprocess.Popen(
        command(file, out), env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM
        assert marks.hold_alive(out) is None
        os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout.read() == b"", "nobody is left to write"
    assert sorted(path.name for path in out.iterdir()) == ["alive", "answers.yaml", "output", "started"]


@pytest.mark.parametrize(("entry", "state"), [("print('x' * 100_000)", "done"), ("raise SystemExit(3)", "failed")])
def test_a_log_that_takes_no_more_does_not_stop_the_run(entry: str, state: str, tmp_path: Path, kinds: Path) -> None:
    (kinds / "scripts" / "waits.py").write_text(entry, encoding="utf-8")
    file, out = write_slip(tmp_path, request("waits", {}, folders=[kinds])), tmp_path / "7k3m.1"
    environment = {**os.environ, "DENPYO_KINDS": str(kinds)}
    with open("/dev/full", "wb") as full:
        subprocess.run(command(file, out), env=environment, stdout=full, stderr=full, check=False, timeout=60)
    assert result(out)["state"] == state


def test_where_a_result_cannot_be_written_a_short_one_is(tmp_path: Path, kinds: Path) -> None:
    many = "for n in range(1000): open('a file with a rather long name %d' % n, 'w')\nraise SystemExit(3)"
    (kinds / "scripts" / "waits.py").write_text(many, encoding="utf-8")
    file, out = write_slip(tmp_path, request("waits", {}, folders=[kinds])), tmp_path / "7k3m.1"
    ended = subprocess.run(
        command(file, out),
        env={**os.environ, "DENPYO_KINDS": str(kinds)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )
    assert ended.returncode == 1
    assert "OSError: [Errno 27] File too large" in ended.stderr
    assert result(out)["state"] == "failed"
    assert result(out)["reason"].startswith("This is an error of the program")
    assert not (out / "result.json.tmp").exists()


def test_a_folder_of_kinds_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    kinds = tmp_path / "\udc95"
    kinds.mkdir()
    (kinds / "wrong.py").write_text("1 / 0", encoding="utf-8")
    file = write_slip(tmp_path, request("train_supervised", {**FOREST, "dataset_id": "wine"}))
    out = tmp_path / "7k3m.1"
    assert start(file, out, DENPYO_KINDS=str(kinds)).returncode == 1
    assert "/\ufffd/wrong.py: ZeroDivisionError" in result(out)["reason"]


def test_a_checkout_that_was_never_installed_has_the_version_0(tmp_path: Path, kinds: Path) -> None:
    (tmp_path / "packages").mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "denpyo" not in package.name:
            (tmp_path / "packages" / package.name).symlink_to(package)
    file, out = write_slip(tmp_path, request("waits", {}, folders=[kinds])), tmp_path / "7k3m.1"
    ended = subprocess.run(
        [command(file, out)[0], "-S", *command(file, out)[1:]],
        env={**os.environ, "DENPYO_KINDS": str(kinds), "PYTHONPATH": f"{ROOT}:{tmp_path / 'packages'}"},
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert result(out)["denpyo"] == "0"


def test_only_one_of_many_starts_at_once_runs(tmp_path: Path, kinds: Path) -> None:
    file, out = write_slip(tmp_path, request("waits", {"seconds": 0.3}, folders=[kinds])), tmp_path / "7k3m.1"
    environment = {**os.environ, "DENPYO_KINDS": str(kinds)}
    started = [
        subprocess.Popen(command(file, out), env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert sorted(said) == [b"", b"", b"", b"begun\n"]
    assert sorted(process.returncode for process in started)[0] == 0
    assert {process.returncode for process in started} <= {0, 75, 76}


def test_the_time_limit_kills_even_what_does_not_listen(tmp_path: Path) -> None:
    program = (
        "import signal, jobs.attempt as marks\n"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "marks.limit_time(-4.8 / 3600)\n"
        "sum(range(10**12))\n"
    )
    begun_at = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False)
    assert ended.returncode == -signal.SIGALRM
    assert time.monotonic() - begun_at < 10


def test_problems_at_the_start_are_printed_one_a_line_and_stand_in_the_result(tmp_path: Path) -> None:
    wanted = request("train_supervised", {**FOREST, "dataset_id": "absent", "target": "x"}, "ja")
    out = tmp_path / "7k3m.1"
    ended = start(write_slip(tmp_path, wanted), out)
    message = (
        "「absent」というデータセットはありません。"
        "使えるのは次のものです：diabetes、wine。ほかのものは運用担当者に用意を頼んでください。"
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1:] == [f"7k3m:dataset_id: {message} [no_dataset]"]
    found = result(out)
    assert found["state"] == "failed"
    english = "There is no dataset named “absent”. Use one of: diabetes, wine; or ask your operator to put it in place."
    assert found["problems"] == [
        {
            "code": "no_dataset",
            "question": "dataset_id",
            "message": message,
            "where": "7k3m:dataset_id",
            "messages": {"ja": message, "en": english},
        }
    ]
    assert found["reason"] == "回答またはデータに直す必要があるところが見つかったため、実行できませんでした。"
    assert found["reasons"] == {
        "ja": "回答またはデータに直す必要があるところが見つかったため、実行できませんでした。",
        "en": "The run could not start, because something about its answers or data has to be put right first.",
    }


def test_a_slip_that_was_changed_to_something_wrong_is_refused_again(tmp_path: Path) -> None:
    file = write_slip(tmp_path, request("train_supervised", {**FOREST, "dataset_id": "wine"}, "ja"))
    file.write_bytes(file.read_bytes().replace(b"n_estimators: 10", b"n_estimators: 0"))
    out = tmp_path / "7k3m.1"
    assert start(file, out).returncode == 1
    (problem,) = result(out)["problems"]
    assert problem["code"] == "too_small"
    assert problem["message"].startswith("0")


def test_a_slip_of_another_request_is_not_run(tmp_path: Path) -> None:
    file, out = (
        write_slip(tmp_path, request("train_supervised", {**FOREST, "dataset_id": "wine"})),
        tmp_path / "other.2",
    )
    assert start(file, out, "other.2").returncode == 1
    assert result(out)["reason"] == "The slip is for the request 7k3m, but the run other.2 was to be started."


def test_an_error_of_the_program_says_so_and_leaves_its_traceback_in_the_log(kinds: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "7k3m.1", write_slip(tmp_path, request("waits", {}, folders=[kinds]))
    broken = KIND + "    @classmethod\n    def complete(cls, given):\n        return {}['no_such_answer']\n"
    (kinds / "waits.py").write_text(broken, encoding="utf-8")
    ended = start(file, out, DENPYO_KINDS=str(kinds))
    assert ended.returncode == 1
    assert "KeyError: 'no_such_answer'" in ended.stderr
    assert result(out)["reason"] == (
        "This is an error of the program, not of your answers. Tell your operator; the details are in the log: "
        "the log of this run"
    )


def test_a_kind_that_cannot_be_read_fails_the_run_with_its_file(tmp_path: Path) -> None:
    file = write_slip(tmp_path, request("column_statistics", {"dataset_id": "wine"}, folders=[EXAMPLE_KINDS]))
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "wrong.py").write_text("1 / 0", encoding="utf-8")
    out = tmp_path / "7k3m.1"
    assert start(file, out, DENPYO_KINDS=str(tmp_path / "kinds")).returncode == 1
    assert result(out)["reason"].startswith("A kind of this desk cannot be used; tell your operator: ")
    assert "wrong.py: ZeroDivisionError" in result(out)["reason"]


@pytest.mark.parametrize("run", ["7k3m", "7k3m.0", "../x.1", "7k3m.1.1"])
def test_a_run_is_named_by_its_request_and_attempt(run: str, tmp_path: Path) -> None:
    file = write_slip(tmp_path, request("train_supervised", {**FOREST, "dataset_id": "wine"}))
    assert start(file, tmp_path / "out", run).returncode == 2
    assert not (tmp_path / "out").exists()


def test_a_result_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    marks.write_result(tmp_path, {"metrics": {"a": 1.5}, "reason": "理由"})
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == (
        '{\n  "metrics": {\n    "a": 1.5\n  },\n  "reason": "理由"\n}\n'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        marks.write_result(tmp_path, {"metrics": {"a": float("nan")}})
    with pytest.raises(UnicodeEncodeError):
        marks.write_result(tmp_path, {"reason": "\ud800"})
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert result(tmp_path)["reason"] == "理由"


@pytest.mark.parametrize("metrics", [{"a\nb": 2**53, "c": 1.0}, {"a\nb": float("nan"), "c": 1.0}])
def test_a_figure_that_no_record_can_hold_is_left_out_whatever_ran(metrics: dict[str, float]) -> None:
    from jobs.result import result as result_of

    found = result_of(Done(metrics=metrics), "en", "2026-11-21T09:30:00+00:00", [])
    assert found["metrics"] == {"c": 1.0}
    assert found["warnings"] == [
        "These figures were left out, because each must be one finite number, a whole one at most 2^53 - 1: a b"
    ]


def test_a_lock_that_another_process_has_is_not_taken(tmp_path: Path) -> None:
    with (tmp_path / "alive").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert marks.hold_alive(tmp_path) is None


def test_a_run_may_last_as_long_as_the_slip_says(tmp_path: Path, kinds: Path) -> None:
    wanted = with_hours(request("waits", {"seconds": 60}, folders=[kinds]), 0.2 / 3600)
    out = tmp_path / "7k3m.1"
    assert start(write_slip(tmp_path, wanted), out, DENPYO_KINDS=str(kinds)).returncode == 1
    assert result(out)["reason"].startswith("The time of ")
