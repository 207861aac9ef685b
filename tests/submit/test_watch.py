"""``denpyo watch``: what is dropped is queued, answered and put away; killed at any moment, it goes on where it was."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from submit import journey, standing, watch
from submit.desk import CONFIG, LEDGER, Desk, DeskError, open_desk
from submit.inbox import Delivery, SourceDownError, open_inbox
from submit.inbox.health import Health, inbox_data
from submit.judging import Outcome
from submit.ledger import verify
from submit.response import Source, Wishes
from tests.desks import counting, desk_in

ROOT = Path(__file__).parents[2]
SOURCES = """
[sources.drop]
kind = "folder"
path = "drop"
every = 0.2
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return with_sources(desk_in(tmp_path / "desk"), SOURCES)


def with_sources(desk: Desk, sources: str) -> Desk:
    (desk.folder / "drop").mkdir(exist_ok=True)
    with (desk.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(sources)
    return open_desk(desk.folder)


def looked(desk: Desk) -> list[Outcome]:
    heard: list[Outcome] = []
    watch.watch(desk, lambda source, outcome: heard.append(outcome), once=True)
    return heard


def dropped(desk: Desk, name: str, more: str = "") -> Path:
    made = counting(desk.folder.parent, name, more=more)
    return made.rename(desk.folder / "drop" / made.name)


def files(desk: Desk) -> list[str]:
    there = desk.folder / "drop"
    return sorted(file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file())


@contextmanager
def watching(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "denpyo", "watch", "--desk", str(desk.folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(there: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not there.exists():
        assert time.monotonic() < deadline, f"{there} did not come"
        time.sleep(0.02)


def test_good_files_go_to_done_and_others_to_refused_with_their_marked_copies(desk: Desk) -> None:
    dropped(desk, "good")
    bad = dropped(desk, "bad")
    bad.write_text(bad.read_text(encoding="utf-8").replace("code: 0", "code: ten"), encoding="utf-8")
    (desk.folder / "drop" / "notes.pdf").write_bytes(b"%PDF-1.7\n")
    looked(desk)
    assert files(desk) == [
        "done/good.marked.xlsx",
        "done/good.yaml",
        "done/good.yaml.denpyo.html",
        "refused/bad.marked.xlsx",
        "refused/bad.yaml",
        "refused/notes.marked.txt",
        "refused/notes.pdf",
    ]
    assert [one.request.state for one in standing.all_standing(desk)].count("queued") == 1


def test_links_folders_hidden_and_unfinished_files_are_left_alone(desk: Desk) -> None:
    there = desk.folder / "drop"
    good = counting(desk.folder.parent, "elsewhere")
    (there / "link.yaml").symlink_to(good)
    (there / "folder.yaml").mkdir()
    os.mkfifo(there / "pipe.yaml")
    for name in (".hidden.yaml", "~$request.xlsx", "request.yaml.part", ".~lock.request.ods#"):
        (there / name).write_bytes(good.read_bytes())
    assert looked(desk) == []
    assert standing.all_standing(desk) == []


def test_a_file_that_is_still_written_waits(desk: Desk) -> None:
    with (desk.folder / "drop" / "slow.yaml").open("w", encoding="utf-8") as slow:
        slow.write("kind: count_starts\n")
        slow.flush()
        assert looked(desk) == []
        slow.write(counting(desk.folder.parent, "slow").read_text(encoding="utf-8").partition("\n")[2])
    (outcome,) = looked(desk)
    assert outcome.problems == []


def test_a_name_that_is_taken_in_done_gets_a_number(desk: Desk) -> None:
    for name in ("one", "two"):
        dropped(desk, name).rename(desk.folder / "drop" / "request.yaml")
        looked(desk)
    assert [one for one in files(desk) if one.endswith(".yaml")] == ["done/request (2).yaml", "done/request.yaml"]


def test_a_file_that_is_replaced_while_it_is_judged_is_not_put_away_unread(desk: Desk) -> None:
    dropped(desk, "one").rename(desk.folder / "drop" / "request.yaml")
    inbox = open_inbox(desk, "drop", desk.config.sources["drop"])
    (delivery,) = inbox.look("")
    dropped(desk, "two").rename(desk.folder / "drop" / "request.yaml")
    delivery.settle(Outcome())
    assert "name: two" in (desk.folder / "drop" / "request.yaml").read_text(encoding="utf-8")


def test_a_source_that_is_down_stops_no_other_and_is_read_when_it_is_back(desk: Desk) -> None:
    gone = desk.folder.parent / "gone"
    desk = with_sources(desk, f'[sources.gone]\nkind = "folder"\npath = "{gone}"\nevery = 0.2\n')
    with watching(desk) as process:
        seen_of(desk, "gone", "error")
        dropped(desk, "good")
        until(desk.folder / "drop" / "done" / "good.yaml")
        data = inbox_data(desk)
        gone.mkdir()
        late = counting(desk.folder.parent, "late")
        late.rename(gone / late.name)
        until(gone / "done" / "late.yaml")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        _, complaints = process.communicate()
    assert data["watching"] is True
    assert data["sources"]["drop"]["error"] == ""
    assert data["sources"]["gone"]["error"].endswith("gone/done: No such file or directory")
    assert (data["sources"]["gone"]["succeeded"], data["sources"]["drop"]["refused"]) == ("", 0)
    assert complaints == f"denpyo: gone: {data['sources']['gone']['error']}\n"
    assert inbox_data(desk)["watching"] is False


def seen_of(desk: Desk, source: str, what: str) -> None:
    deadline = time.monotonic() + 30
    while not inbox_data(desk)["sources"][source][what]:
        assert time.monotonic() < deadline, f"{source} has no {what}"
        time.sleep(0.05)


def test_once_says_which_source_did_not_answer(desk: Desk) -> None:
    gone = desk.folder.parent / "gone"
    desk = with_sources(desk, f'[sources.gone]\nkind = "folder"\npath = "{gone}"\n')
    command = [sys.executable, "-m", "denpyo", "watch", "--once", "--desk", str(desk.folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 3
    assert ended.stderr.splitlines() == [
        f"denpyo: gone: {gone / 'done'}: No such file or directory",
        "denpyo: 1 of 2 sources did not answer",
    ]


def test_what_was_left_waiting_is_handed_over_by_the_next_look(desk: Desk) -> None:
    file = counting(desk.folder.parent, "waits")
    journey.keep(desk, [Source(file.name, file.read_bytes())], Wishes(), queue=True)
    assert [one.request.state for one in standing.all_standing(desk)] == ["accepted"]
    assert looked(desk) == []
    assert [one.request.state for one in standing.all_standing(desk)] == ["queued"]


def test_from_drop_to_queued_and_a_clean_end_on_sigterm(desk: Desk) -> None:
    with watching(desk) as process:
        until(desk.folder / "watch.json")
        dropped(desk, "good")
        until(desk.folder / "drop" / "done" / "good.yaml")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        said, complaints = process.communicate()
    (line,) = said.splitlines()
    assert complaints == ""
    (one,) = standing.all_standing(desk)
    assert line == f"drop: good.yaml:1:1: {one.request.id} accepted"
    assert one.request.state == "queued"


def test_only_one_process_watches_a_desk(desk: Desk) -> None:
    with watching(desk):
        until(desk.folder / "watch.json")
        with pytest.raises(DeskError, match="is watched by another process"):
            looked(desk)


def test_a_desk_without_sources_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(DeskError, match="has no sources: name some in"):
        looked(desk_in(tmp_path / "bare"))


def test_killed_at_any_moment_every_file_becomes_one_request_and_none_is_skipped(desk: Desk) -> None:
    """The kills are seeded: each round ends the process somewhere between its start and its last file."""
    chance = random.Random(20261121)  # noqa: S311
    names = [f"job{number:02d}" for number in range(12)]
    for name in names:
        dropped(desk, name)
    for _ in range(5):
        with watching(desk) as process:
            time.sleep(chance.uniform(0.6, 1.8))
            process.send_signal(signal.SIGKILL)
            process.wait(30)
    looked(desk)
    assert verify(desk.folder / LEDGER).ok
    assert sorted(one for one in files(desk) if one.endswith(".yaml")) == [f"done/{name}.yaml" for name in names]
    found = standing.all_standing(desk)
    assert [one.request.state for one in found] == ["queued"] * len(names)


def test_the_inbox_status_says_what_was_last_seen(desk: Desk) -> None:
    dropped(desk, "good")
    looked(desk)
    data = json.loads((desk.folder / "watch.json").read_text(encoding="utf-8"))
    assert (data["drop"]["accepted"], data["drop"]["refused"], data["drop"]["error"]) == (1, 0, "")
    assert data["drop"]["succeeded"] == data["drop"]["looked"] != ""


def test_a_file_of_which_there_is_no_marked_copy_gets_its_reasons_as_text(desk: Desk) -> None:
    (desk.folder / "drop" / "依頼.pdf").write_bytes(b"%PDF-1.7\n")
    looked(desk)
    assert files(desk) == ["refused/依頼.marked.txt", "refused/依頼.pdf"]
    assert (
        (desk.folder / "drop" / "refused" / "依頼.marked.txt")
        .read_text(encoding="utf-8-sig")
        .startswith("依頼.pdf: 「.pdf」のファイルは受け付けていません。")
    )


def test_a_marked_copy_that_comes_back_with_mistakes_is_marked_again_and_nothing_is_written_over(desk: Desk) -> None:
    there = desk.folder / "drop"
    bad = dropped(desk, "bad")
    bad.write_text(bad.read_text(encoding="utf-8").replace("code: 0", "code: ten"), encoding="utf-8")
    looked(desk)
    returned = (there / "refused" / "bad.marked.xlsx").rename(there / "bad.marked.xlsx").read_bytes()
    looked(desk)
    assert files(desk) == ["refused/bad.marked (2).xlsx", "refused/bad.marked.xlsx", "refused/bad.yaml"]
    assert (there / "refused" / "bad.marked.xlsx").read_bytes() == returned
    (there / "bad.marked.txt").write_text("a table that is none", encoding="utf-8")
    (there / "bad.pdf").write_bytes(b"%PDF-1.7\n")
    looked(desk)
    assert (there / "refused" / "bad.marked.txt").read_text(encoding="utf-8") == "a table that is none"
    assert "refused/bad.marked (2).txt" in files(desk)


def test_a_name_as_long_as_a_file_system_takes_stops_nothing(desk: Desk) -> None:
    dropped(desk, "long").rename(desk.folder / "drop" / f"{'あ' * 80}.yaml")
    dropped(desk, "later")
    looked(desk)
    assert [one.request.state for one in standing.all_standing(desk)] == ["queued", "queued"]
    assert sorted(one for one in files(desk) if one.endswith(".yaml")) == ["done/later.yaml", f"done/{'あ' * 80}.yaml"]


@pytest.mark.parametrize("path", [".", "..", "ledger", "ledger/slips", "kinds", "drop/done", "../desk/drop"])
def test_a_folder_that_holds_what_must_not_be_moved_is_refused(desk: Desk, path: str) -> None:
    desk = with_sources(desk, f'[sources.wrong]\nkind = "folder"\npath = "{path}"\n')
    with pytest.raises(DeskError, match="whose files must stay where they are"):
        open_inbox(desk, "wrong", desk.config.sources["wrong"])


def test_a_folder_of_the_desk_is_made_and_one_elsewhere_is_not(desk: Desk) -> None:
    made = with_sources(desk, '[sources.new]\nkind = "folder"\npath = "new"\n')
    open_inbox(made, "new", made.config.sources["new"])
    assert (desk.folder / "new").is_dir()
    elsewhere = desk.folder.parent / "mount"
    other = with_sources(desk, f'[sources.far]\nkind = "folder"\npath = "{elsewhere}"\n')
    open_inbox(other, "far", other.config.sources["far"])
    assert not elsewhere.exists()


class OneStuck:
    """A source of two files, the first of which cannot be answered."""

    def __init__(self, desk: Desk, error: Exception) -> None:
        self.files = [counting(desk.folder.parent, name) for name in ("first", "second")]
        self.error = error
        self.settled: list[str] = []

    def look(self, place: str) -> Iterator[Delivery]:
        for file in self.files:
            yield Delivery((Source(file.name, file.read_bytes()),), file.name, partial(self.settle, file.name))

    def settle(self, name: str, outcome: Outcome) -> None:
        if name == "first.yaml":
            raise self.error
        self.settled.append(name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(SourceDownError("no comments here"), "no comments here", id="a service that says no"),
        pytest.param(
            SourceDownError("\x1b[31m/drop/\udcff\n.yaml: no"),
            "\N{REPLACEMENT CHARACTER}[31m/drop/\N{REPLACEMENT CHARACTER} .yaml: no",
            id="a name that is no text",
        ),
        pytest.param(KeyError("ours"), "KeyError: a bug of denpyo, see what watch printed", id="a bug of ours"),
    ],
)
def test_what_is_stuck_in_a_source_keeps_nothing_behind_it_back_and_is_not_passed_over(
    desk: Desk, error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = OneStuck(desk, error)
    one = watch.Watched("drop", desk.config.sources["drop"], Health("folder"), source)
    going = watch.Watch(desk, lambda source, outcome: None)
    with ThreadPoolExecutor(1) as pool:
        followed = pool.submit(going.follow, one, once=True)
        while not followed.done():
            going.counter.serve(0.05)
        followed.result()
    assert (source.settled, one.health.error, one.is_stuck, one.place) == (["second.yaml"], said, True, "")
    assert [each.request.state for each in standing.all_standing(desk)] == ["queued", "queued"]
    assert f"denpyo: drop: {said}\n" in capsys.readouterr().err


def test_a_source_that_has_been_down_for_long_is_still_looked_at(desk: Desk) -> None:
    one = watch.Watched("drop", desk.config.sources["drop"], Health("folder"))
    assert watch.pause(one, failures=100_000) == 600.0
    assert watch.pause(one, failures=0) == 0.2
    one.is_stuck = True
    assert watch.pause(one, failures=0) == 5.0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param(
            '[sources.a]\nkind = "folder"\npaht = "x"\npath = "x"\n',
            "sources.a.paht: there is no such setting",
            id="misspelt",
        ),
        pytest.param('[sources.a]\nkind = "folder"\n', "sources.a.path: is missing", id="missing"),
        pytest.param(
            '[sources.a]\npath = "x"\n',
            "sources.a: kind is missing: one of clearml, folder, github, google, mail, microsoft",
            id="no kind",
        ),
        pytest.param(
            '[sources.a]\nkind = "dropbox"\n',
            "sources.a: kind must be one of clearml, folder, github, google, mail, microsoft",
            id="unknown kind",
        ),
    ],
)
def test_what_is_wrong_with_the_settings_of_a_source_is_said_as_the_file_has_it(
    desk: Desk, settings: str, said: str
) -> None:
    with (desk.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(settings)
    with pytest.raises(DeskError) as raised:
        open_desk(desk.folder)
    assert str(raised.value) == f"{desk.folder / CONFIG}: {said}"
