from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from jobs import script
from jobs.outcome import Attempt, Done, Failed
from schema.run_result import is_metric
from schema.yaml_text import load
from tests.jobs.runs import EXAMPLE_KINDS, attempt, with_hours

KIND = """
from typing import Annotated, ClassVar, Literal
from schema.job import Ask, Choice, Job, Part, Script
from schema.words import Words

H = Words("help", ja="説明")

class Inner(Part):
    title: ClassVar[Words] = Words("Inner", ja="内")
    rate: Annotated[float, Ask("Rate?", ja="率", help=H)] = 0.5

class Asked(Job):
    title: ClassVar[Words] = Words("Asked", ja="依頼")
    about: ClassVar[Words] = Words("About.", ja="説明。")
    workload: ClassVar[Script] = Script({arguments})
    text: Annotated[str, Ask("Text?", ja="文", help=H)] = "plain"
    flag: Annotated[bool, Ask("Flag?", ja="旗", help=H)] = True
    many: Annotated[
        tuple[Literal["a", "b"], ...],
        Ask("Many?", ja="複数", help=H, choices=(Choice("a", "A", ja="A"), Choice("b", "B", ja="B"))),
    ] = ("a", "b")
    nothing: Annotated[str | None, Ask("Nothing?", ja="無", help=H, blank=Words("none", ja="なし"))] = None
    inner: Inner = Inner()
"""
TELL = """
import json, os, sys
print("hello from the script")
env = {name: value for name, value in os.environ.items() if name.startswith(("DENPYO", "PYTHONPATH"))}
json.dump({"argv": sys.argv[1:], "env": env}, open("told.json", "w"))
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENPYO_CACHE", str(tmp_path / "cache"))


def prepared(folder: Path, code: str = TELL, arguments: str = 'entry="run.py"', **job: Any) -> Attempt:
    """A kind in a folder of its own with its script beside it, and one attempt of it."""
    kinds = folder / "kinds"
    kinds.mkdir(parents=True)
    (kinds / "asked.py").write_text(KIND.replace("{arguments}", arguments), encoding="utf-8")
    (kinds / "scripts").mkdir()
    (kinds / "scripts" / "run.py").write_text(code, encoding="utf-8")
    return attempt(folder / "runs", "asked", job, folders=[kinds])


def beside(folder: Path, code: str = TELL, **job: Any) -> Attempt:
    return prepared(folder, code, 'entry="scripts/run.py"', **job)


def done(wanted: Attempt) -> Done:
    found = script.run(wanted)
    assert isinstance(found, Done), found
    return found


def reason(wanted: Attempt) -> str:
    found = script.run(wanted)
    assert isinstance(found, Failed)
    return found.reason


def told(wanted: Attempt) -> Any:
    return json.loads((wanted.out / "output" / "told.json").read_text(encoding="utf-8"))


def test_answers_arrive_as_arguments_as_yaml_and_in_the_environment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wanted = beside(tmp_path, text="$(touch x) ; 'quoted' \n second")
    found = done(wanted)
    answers = wanted.out / "answers.yaml"
    assert told(wanted)["argv"] == [
        *("--text", "$(touch x) ; 'quoted' \n second"),
        *("--flag", "true"),
        *("--many", "a"),
        *("--many", "b"),
        *("--inner.rate", "0.5"),
        *("--answers", str(answers)),
    ]
    (document,) = load(answers.read_bytes(), "answers.yaml")
    assert not isinstance(document, list)
    assert told(wanted)["env"]["DENPYO_ANSWERS"] == str(answers)
    assert told(wanted)["env"]["DENPYO_OUT"] == str(wanted.out / "output")
    assert "PYTHONPATH" not in told(wanted)["env"]
    assert found.artifacts == ("output/told.json",)
    assert "hello from the script" in capfd.readouterr().out


def test_a_value_that_begins_with_a_hyphen_cannot_be_taken_for_an_option(tmp_path: Path) -> None:
    wanted = beside(tmp_path, text="--answers", flag=False, inner={"rate": -1.5})
    done(wanted)
    assert told(wanted)["argv"][:3] == ["--text=--answers", "--flag", "false"]
    assert "--inner.rate=-1.5" in told(wanted)["argv"]


def test_the_example_kind_describes_the_wine(tmp_path: Path) -> None:
    job = {"dataset_id": "wine", "part": "test"}
    wanted = attempt(tmp_path, "column_statistics", job, "ja", folders=[EXAMPLE_KINDS])
    found = done(wanted)
    entry = EXAMPLE_KINDS / "scripts" / "column_statistics.py"
    assert found.metrics == {"rows": 45, "columns": 14, "number_columns": 14}
    assert found.artifacts == ("output/metrics.json", "output/statistics.csv")
    assert found.source == {
        "entry": "scripts/column_statistics.py",
        "sha256": hashlib.sha256(entry.read_bytes()).hexdigest(),
        "repository": None,
        "commit": None,
        "packages": [],
    }
    statistics = (wanted.out / "output" / "statistics.csv").read_text(encoding="utf-8").splitlines()
    assert statistics[0] == "column,least,mean,greatest"
    assert len(statistics) == 15


def test_a_script_that_ends_with_an_error_fails_with_its_last_lines(tmp_path: Path) -> None:
    code = "import sys\nfor n in range(9): print('line', n)\nopen('left.txt', 'w')\nsys.exit('no \\x1b[31mluck')"
    wanted = beside(tmp_path, code)
    found = script.run(wanted)
    assert isinstance(found, Failed)
    assert found.reason == (
        "The script ended with an error (exit code 1). The last it said: "
        "line 5 / line 6 / line 7 / line 8 / no \ufffd[31mluck"
    )
    assert found.artifacts == ("output/left.txt",)


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    wanted = beside(tmp_path)
    (tmp_path / "kinds" / "scripts" / "run.py").unlink()
    assert reason(wanted) == "The script scripts/run.py does not exist."


def test_a_container_image_is_refused(tmp_path: Path) -> None:
    wanted = prepared(tmp_path, arguments='entry="scripts/run.py", image="debian"')
    assert reason(wanted).startswith("This kind runs in a container image, which this engine cannot do.")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("open('metrics.json', 'w').write('[1]')", id="a list"),
        pytest.param("open('metrics.json', 'w').write('{')", id="no JSON"),
        pytest.param("open('metrics.json', 'w').write('1')", id="a number"),
        pytest.param("open('metrics.json', 'w').write('[' * 100_000)", id="nested deeply"),
        pytest.param("open('metrics.json', 'wb').write(b'{\"\\x8e\": 1}')", id="not UTF-8"),
    ],
)
def test_metrics_that_are_no_list_of_names_fail_the_run(code: str, tmp_path: Path) -> None:
    assert reason(beside(tmp_path, code)).startswith(
        "The script's metrics.json is not a list of names with one finite number each"
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("NaN", id="NaN"),
        pytest.param("-Infinity", id="infinity"),
        pytest.param("1e999", id="a float that is too large"),
        pytest.param("9007199254740992", id="2^53"),
        pytest.param("-9007199254740992", id="-2^53"),
        pytest.param("1" + "0" * 400, id="an integer that is no float"),
        pytest.param("1" + "0" * 5000, id="an integer that Python does not read"),
        pytest.param("true", id="yes"),
        pytest.param("null", id="nothing"),
        pytest.param('"1"', id="a text"),
        pytest.param('{"b": 1}', id="an object"),
    ],
)
def test_a_metric_that_is_no_number_for_everyone_is_left_out_with_a_warning(value: str, tmp_path: Path) -> None:
    text = f'{{"odd\\u001b[31m": {value}, "least": -9007199254740991, "half": 0.5}}'
    found = done(beside(tmp_path, f"open('metrics.json', 'w').write({text!r})"))
    assert found.metrics == {"least": -9007199254740991, "half": 0.5}
    assert found.warnings == (
        "These figures were left out, because each must be one finite number, a whole one at most 2^53 - 1: "
        "odd\ufffd[31m",
    )


@given(st.integers() | st.floats() | st.sampled_from([None, True, "1", [1], {"a": 1}]))
def test_every_metric_that_is_kept_has_canonical_json(value: Any) -> None:
    if is_metric(value):
        assert float(rfc8785.dumps(value)) == value


def test_the_name_of_a_metric_is_fit_to_be_shown(tmp_path: Path) -> None:
    text = '{"\\ud800": 1, "\\ud801": 2, "\\n": 3, "' + "n" * 200 + '": 4}'
    found = done(beside(tmp_path, f"open('metrics.json', 'w').write({text!r})"))
    assert found.metrics == {"\ufffd": 1, "n" * 99 + "…": 4}
    assert len(found.warnings) == 1


def test_a_file_whose_name_is_no_text_is_shown_and_linked(tmp_path: Path) -> None:
    code = (
        "import os\nos.makedirs(b'd')\nopen(b'd/\\x95\\x5c.csv', 'w')\nopen('a\\nb', 'w')\nos.symlink('a\\nb', 'link')"
    )
    wanted = beside(tmp_path, code)
    found = done(wanted)
    assert found.artifacts == ("output/a b", "output/d/\ufffd\\.csv")
    page = (wanted.out / "summary.html").read_text(encoding="utf-8")
    assert '<a href="output/d/%95%5C.csv">output/d/\ufffd\\.csv</a>' in page


def test_a_file_whose_name_is_no_text_does_not_hide_the_error_of_the_script(tmp_path: Path) -> None:
    wanted = beside(tmp_path, "open(b'\\x95', 'w')\nraise SystemExit('no luck')")
    found = script.run(wanted)
    assert isinstance(found, Failed)
    assert "no luck" in found.reason
    assert found.artifacts == ("output/\ufffd",)


def hurried(wanted: Attempt) -> Attempt:
    return Attempt(with_hours(wanted.request, 0.1 / 3600), wanted.kind, 1, wanted.out)


def test_the_time_is_over_for_a_script_too(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert reason(hurried(beside(tmp_path, "import time\ntime.sleep(60)"))).startswith("The time of ")
    assert time.monotonic() - begun < 10


STARTS_MORE = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeps = [sys.executable, "-c", "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); time.sleep(60)"]
pids = [subprocess.Popen(sleeps, start_new_session=own, env={}).pid for own in (True, False)]
json.dump([os.getpid(), *pids], open("told.json", "w"))
"""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_at_its_deadline_a_script_ends_with_all_that_it_started(tmp_path: Path) -> None:
    wanted = hurried(beside(tmp_path, STARTS_MORE + "time.sleep(60)"))
    begun = time.monotonic()
    assert reason(wanted).startswith("The time of ")
    assert time.monotonic() - begun < 10
    assert [pid for pid in told(wanted) if not is_gone(pid)] == []


def test_what_a_script_left_running_ends_with_it_and_does_not_hold_the_run(tmp_path: Path) -> None:
    wanted = beside(tmp_path, STARTS_MORE)
    with subprocess.Popen(["sleep", "60"]) as other:
        begun = time.monotonic()
        done(wanted)
        assert time.monotonic() - begun < 10
        assert [pid for pid in told(wanted) if not is_gone(pid)] == []
        assert other.poll() is None, "it belongs to somebody else"
        other.kill()


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@example.jp" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **identity},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str, str]:
    """A repository with two commits: the first tells, the second fails."""
    folder = tmp_path / "repository of someone"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commits = []
    for code in (TELL, "raise SystemExit(3)"):
        (folder / "run.py").write_text(code, encoding="utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", "more")
        commits.append(git(folder, "rev-parse", "HEAD"))
    return folder, commits[0], commits[1]


def from_repository(folder: Path, address: str, commit: str) -> Attempt:
    return prepared(folder, arguments=f'entry="run.py", repository={address!r}, commit={commit!r}')


def test_exactly_the_commit_is_fetched_and_run(tmp_path: Path, repository: tuple[Path, str, str]) -> None:
    source, first, second = repository
    address = source.as_uri()
    wanted = from_repository(tmp_path / "1", address, first)
    found = done(wanted)
    assert told(wanted)["argv"][0] == "--text"
    assert found.source is not None
    assert found.source["commit"] == first
    assert git(wanted.out / "repository", "rev-parse", "HEAD") == first
    assert "(exit code 3)" in reason(from_repository(tmp_path / "2", address, second))


def test_a_commit_in_the_cache_needs_its_server_no_more(tmp_path: Path, repository: tuple[Path, str, str]) -> None:
    source, first, _ = repository
    done(from_repository(tmp_path / "1", source.as_uri(), first))
    address = source.as_uri()
    source.rename(tmp_path / "gone")
    done(from_repository(tmp_path / "2", address, first))


def test_a_hook_of_the_repository_is_not_run(tmp_path: Path, repository: tuple[Path, str, str]) -> None:
    source, first, _ = repository
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    hook = template / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/hooked'\n", encoding="utf-8")
    hook.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[init]\ntemplateDir = {template.parent}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        done(from_repository(tmp_path / "1", source.as_uri(), first))
    assert not (tmp_path / "hooked").exists()


def test_a_commit_that_does_not_exist_fails_clearly(tmp_path: Path, repository: tuple[Path, str, str]) -> None:
    found = reason(from_repository(tmp_path, repository[0].as_uri(), "0" * 40))
    assert found.startswith(f"The script's repository could not be fetched at the commit {'0' * 40}: ")


def test_an_address_of_another_sort_is_refused_before_git_sees_it(tmp_path: Path) -> None:
    assert reason(from_repository(tmp_path, "ext::sh -c true", "0" * 40)) == (
        "The script's address is neither http(s), ssh nor file, and is not fetched: ext::sh -c true"
    )


def test_an_address_with_somebody_in_it_is_refused_and_written_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wanted = from_repository(tmp_path, "ftp://t0ken@example.jp/b", "0" * 40)
    assert reason(wanted) == (
        "The script's address carries a user name or a password, and is not fetched. "
        "Take it out of the kind; the machine that runs it needs an access of its own."
    )
    assert list(wanted.out.iterdir()) == []
    assert "t0ken" not in "".join(capfd.readouterr())


def wheel(folder: Path, files: Mapping[str, str]) -> None:
    """The smallest package that pip installs: its name is tinything, its version 1.2."""
    information = "tinything-1.2.dist-info"
    everything = {
        **files,
        f"{information}/METADATA": "Metadata-Version: 2.1\nName: tinything\nVersion: 1.2\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}\n"
        for name, text in everything.items()
    )
    folder.mkdir()
    with zipfile.ZipFile(folder / "tinything-1.2-py3-none-any.whl", "w") as archive:
        for name, text in {**everything, f"{information}/RECORD": record}.items():
            archive.writestr(name, text)


def test_packages_are_installed_at_their_pins_into_an_environment_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path / "wheels", {"tinything.py": "SIZE = 12\n"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    code = (
        "import json, sys, tinything\njson.dump({'size': tinything.SIZE}, open('metrics.json', 'w'))\nprint(sys.prefix)"
    )
    arguments = 'entry="scripts/run.py", packages=("tinything==1.2",)'
    found = done(prepared(tmp_path / "1", code, arguments))
    assert found.metrics == {"size": 12}
    begun = time.monotonic()
    done(prepared(tmp_path / "2", code, arguments))
    assert time.monotonic() - begun < 2, "the environment is kept"
    missing = 'entry="scripts/run.py", packages=("tinything==9.9",)'
    assert reason(prepared(tmp_path / "3", code, missing)).startswith(
        "The packages of the script could not be installed: "
    )
