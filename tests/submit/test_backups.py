from __future__ import annotations

import io
import json
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from submit import backups, hand_off, orders, outbox, policy
from submit.desk import LEDGER, Desk, DeskError, open_desk
from submit.ledger import LedgerError, LedgerExists, open_ledger, verify
from submit.ledger.backup import look_into
from submit.replies.fill import fill
from submit.replies.hearers import OfPolicy
from tests.desks import clearml_desk_in, command, counting, denpyo, desk_in, environment, starts
from tests.standins.clearml import ClearML

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_done_and_one_waiting(tmp_path_factory.mktemp("made"))


@pytest.fixture
def desk(tmp_path: Path, made: Path) -> Desk:
    """One request that is done, one that waits."""
    shutil.copytree(made / "desk", tmp_path / "desk", symlinks=True)
    return open_desk(tmp_path / "desk")


def one_done_and_one_waiting(folder: Path) -> Path:
    desk = desk_in(folder / "desk").folder
    denpyo("submit", counting(folder, "first"), desk=desk)
    denpyo("work", "--drain", desk=desk)
    denpyo("submit", counting(folder, "second"), desk=desk)
    return folder


def states(desk: Path) -> list[str]:
    return [one["state"] for one in json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"]]


def test_a_restored_desk_has_the_same_record_and_what_it_needs_to_read_it(desk: Desk, tmp_path: Path) -> None:
    before = verify(desk.folder / LEDGER)
    made = json.loads(denpyo("audit", "backup", "-o", tmp_path, "--json", desk=desk.folder).stdout)
    assert (made["entries"], made["root"]) == (before.entries, before.root)
    assert Path(made["file"]).name.startswith("denpyo-2")
    told = denpyo("audit", "restore", made["file"], "--desk", tmp_path / "new", desk=desk.folder)
    assert told.stdout == f"{tmp_path}/new/: {before.entries} entries, root {before.root}, as of {made['at']}\n"
    after = verify(tmp_path / "new" / LEDGER)
    assert (after.ok, after.entries, after.unrecorded) == (True, before.entries + 1, ())
    with open_ledger(tmp_path / "new" / LEDGER) as new, open_ledger(desk.folder / LEDGER) as old:
        last = list(new.entries())[-1]
        assert list(new.entries())[:-1] == list(old.entries())
        assert (last.action, last.detail["entries"], last.detail["root"]) == ("restored", before.entries, before.root)
        assert last.detail["backup"] == made["sha256"]
    (slip,) = [
        one for one in (tmp_path / "new" / LEDGER).glob("slips/*/*/*.yaml") if b"name: first" in one.read_bytes()
    ]
    assert (slip.parent / "schemas" / "count_starts.v1.json").is_file()
    for name in ("denpyo.toml", "policy.yaml", "kinds/count_starts.py", "kinds/scripts/count_starts.py"):
        assert (tmp_path / "new" / name).read_bytes() == (desk.folder / name).read_bytes()


def test_what_waited_here_when_the_backup_was_made_is_not_run_a_second_time(tmp_path: Path) -> None:
    desk = open_desk(one_done_and_one_waiting(tmp_path) / "desk")
    made = backups.back_up(desk, tmp_path / "b")
    denpyo("work", "--drain", desk=desk.folder)
    assert starts(tmp_path) == {"first": 1, "second": 1}
    shutil.rmtree(desk.folder)
    restored = backups.restore(made.file, tmp_path / "new")
    assert len(restored.cut_off) == 1
    denpyo("submit", counting(tmp_path, "first"), counting(tmp_path, "second"), desk=tmp_path / "new", code=None)
    denpyo("work", "--drain", desk=tmp_path / "new")
    assert starts(tmp_path) == {"first": 1, "second": 1}
    assert states(tmp_path / "new") == ["done", "failed"]
    assert verify(tmp_path / "new" / LEDGER).ok


KILLED = """\
import os, signal, sys
from pathlib import Path
from submit import backups
moved, after = 0, int(sys.argv[3])

def watched(event, words):
    global moved
    if moved == after:
        moved = -1  # os.kill is watched too
        os.kill(os.getpid(), signal.SIGKILL)
    if event == "os.rename" and Path(os.fsdecode(words[0])).is_relative_to(Path(sys.argv[2]) / "restoring"):
        moved += 1

sys.addaudithook(watched)
backups.restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""
"""Restores, and dies by kill -9 right after so many files were moved into their place."""


def test_a_restore_that_is_killed_at_any_step_leaves_no_desk_or_one_that_runs_nothing_again(tmp_path: Path) -> None:
    desk = open_desk(one_done_and_one_waiting(tmp_path) / "desk")
    made = backups.back_up(desk, tmp_path / "b")
    denpyo("work", "--drain", desk=desk.folder)
    desks = []
    for moved in range(1, 20):
        new = tmp_path / f"new{moved}"
        words = [sys.executable, "-c", KILLED, str(made.file), str(new), str(moved)]
        ended = subprocess.run(words, env=environment(new), cwd=ROOT, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        if (new / "denpyo.toml").exists():
            desks.append(new)
        else:
            with pytest.raises(DeskError, match="no desk in"):
                open_desk(new)
    (killed,) = desks  # the configuration is what is moved last
    denpyo("work", "--drain", desk=killed)
    assert (states(killed), starts(tmp_path)) == (["done", "failed"], {"first": 1, "second": 1})
    assert last_entry(killed)["cut_off"] == 1


def last_entry(desk: Path) -> dict[str, Any]:
    """What the entry that a restore writes says."""
    with open_ledger(desk / LEDGER) as ledger:
        (restored,) = [one for one in ledger.entries() if one.action == "restored"]
        return restored.detail


def test_a_restored_desk_tells_nobody_again_and_knows_no_word_of_before(desk: Desk, tmp_path: Path) -> None:
    until = "2126-01-01T00:00:00+00:00"
    with desk.ledger() as ledger:
        request = ledger.requests()[0].id
        outbox.ensure(ledger)
        with ledger.writing() as tx:
            word = orders.word_for(tx, request, "boss@example.com", until)
            row = outbox.Told(1, "accepted", request, "mail", "sender", "w", "h@example.com", "en", "l", until, until)
            outbox.put(tx, [row])
            outbox.move_cursor(tx, 1)
    assert orders.requests_of(desk, [word], "boss@example.com") == {request: word}
    new = backups.restore(backups.back_up(desk, tmp_path / "b").file, tmp_path / "new").desk
    fill(new, OfPolicy(policy.read_of(new).policy))
    assert orders.requests_of(new, [word], "boss@example.com") == {}
    with new.ledger() as ledger:
        assert [(one.state, one.said) for one in outbox.in_state(ledger, "waiting", "unsure")] == [
            ("unsure", "the desk was restored from a backup")
        ]
        assert outbox.cursor(ledger) == ledger.size()
    assert (last_entry(new.folder)["untold"], last_entry(new.folder)["words"]) == (1, 1)


def test_what_was_not_even_handed_over_is_not_run_either(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    denpyo("submit", counting(tmp_path, "first"), desk=desk.folder)
    with desk.ledger() as ledger, ledger.writing() as tx:  # as a crash before the hand-over leaves it
        tx.execute("DELETE FROM local_queue")
        tx.execute("UPDATE runs SET state = 'accepted'")
    made = backups.back_up(desk, tmp_path / "b")
    new = backups.restore(made.file, tmp_path / "new").desk
    hand_off.deliver(new)
    denpyo("work", "--drain", desk=new.folder)
    assert (states(new.folder), starts(tmp_path)) == (["failed"], {})


def test_a_run_that_clearml_has_had_since_is_found_there_and_not_made_again(
    clearml_server: ClearML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    desk = clearml_desk_in(tmp_path / "desk")
    before = backups.back_up(desk, tmp_path / "b")
    denpyo("submit", counting(tmp_path, "first"), desk=desk.folder)
    tasks = clearml_tasks(clearml_server)
    new = backups.restore(before.file, tmp_path / "new").desk
    denpyo("submit", counting(tmp_path, "first"), desk=new.folder)
    assert states(new.folder) == ["queued"]
    assert clearml_tasks(clearml_server) == tasks
    assert len(tasks) == 1


def clearml_tasks(server: ClearML) -> list[str]:
    return sorted(
        one for one, task in server.state.tasks.items() if "run" in " ".join(task["tags"] + task["system_tags"])
    )


def test_a_backup_is_for_its_owner_alone_and_holds_no_secret(desk: Desk, tmp_path: Path) -> None:
    secret = desk.folder / "kinds" / "_token.py"
    secret.write_text("hunter2-canary", encoding="utf-8")
    secret.chmod(0o600)
    config = desk.folder / "denpyo.toml"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[secrets]\nx = "kinds/_token.py"\n', encoding="utf-8")
    (desk.folder / "audit.key").write_text("hunter2-canary", encoding="utf-8")
    (desk.folder / "audit.pub").write_text("for everybody", encoding="utf-8")
    made = backups.back_up(open_desk(desk.folder), tmp_path / "b")
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert b"hunter2-canary" not in made.file.read_bytes()
    backups.restore(made.file, tmp_path / "new")
    assert (tmp_path / "new" / "audit.pub").read_text(encoding="utf-8") == "for everybody"
    held = [one for one in (tmp_path / "new" / LEDGER).rglob("*") if not one.is_symlink()]
    assert {one.stat().st_mode & 0o077 for one in held} == {0}


def test_a_backup_is_never_written_over_a_file_and_a_desk_never_over_a_desk(desk: Desk, tmp_path: Path) -> None:
    made = backups.back_up(desk, tmp_path / "b")
    held = made.file.read_bytes()
    with pytest.raises(LedgerExists, match=r"/b: is there already$"):
        backups.back_up(desk, tmp_path / "b")
    assert made.file.read_bytes() == held
    with pytest.raises(DeskError, match=r"/desk/ is not empty: name a new folder$"):
        backups.restore(made.file, desk.folder)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "desk"]


def test_no_backup_is_made_of_a_damaged_ledger(desk: Desk, tmp_path: Path) -> None:
    (slip,) = [one for one in (desk.folder / LEDGER).glob("slips/*/*/*.yaml") if b"name: first" in one.read_bytes()]
    slip.unlink()
    told = denpyo("audit", "backup", "-o", tmp_path / "b", desk=desk.folder, code=2)
    assert told.stderr.endswith(f"the slip of request '{slip.stem}' is missing\n")
    assert [one.name for one in tmp_path.iterdir() if "b" in one.name] == []


def test_a_backup_while_others_write_has_all_that_was_kept_before_it_began(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    words = [sys.executable, "-m", "tests.submit.ledger.kill", str(desk.folder / LEDGER), "n", "100000"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        try:
            for number in range(4):
                known = [writer.stdout.readline().split()[0] for _ in range(20)]
                made = backups.back_up(desk, tmp_path / f"b{number}")
                backups.restore(made.file, tmp_path / f"new{number}")
                with open_ledger(tmp_path / f"new{number}" / LEDGER) as ledger:
                    assert [key for key in known if not ledger.has(key)] == []
        finally:
            writer.kill()
            writer.stdout.read()


def test_a_backup_that_was_killed_has_no_name_and_the_next_one_is_whole(desk: Desk, tmp_path: Path) -> None:
    began = time.monotonic()
    denpyo("audit", "backup", "-o", tmp_path / "whole", desk=desk.folder)
    takes, chance, killed = time.monotonic() - began, random.Random(20261121), 0  # noqa: S311
    for _ in range(12):
        process = subprocess.Popen(
            command("audit", "backup", "-o", tmp_path / "b"), env=environment(desk.folder), stdout=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.5, 1.0) * takes)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if (tmp_path / "b").exists():
            look_into(tmp_path / "b")
            (tmp_path / "b").unlink()
    assert killed
    made = backups.back_up(desk, tmp_path / "b")
    assert backups.restore(made.file, tmp_path / "new").backup.root == verify(desk.folder / LEDGER).root
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_backup_with_a_flipped_bit_or_cut_short_is_restored_whole_or_not_at_all(desk: Desk, tmp_path: Path) -> None:
    made = backups.back_up(desk, tmp_path / "b")
    whole, chance = made.file.read_bytes(), random.Random(20261121)  # noqa: S311
    whole_ones = 0
    for number in range(60):
        at = chance.randrange(len(whole))
        torn = whole[:at] + (bytes([whole[at] ^ 1 << number % 8]) + whole[at + 1 :] if number % 3 else b"")
        (tmp_path / "torn").write_bytes(torn)
        new = tmp_path / f"new{number}"
        with suppress(LedgerError, DeskError):
            restored = backups.restore(tmp_path / "torn", new)
            assert (restored.backup.entries, restored.backup.root) == (made.entries, made.root)
            assert verify(new / LEDGER).ok
            whole_ones += 1
            continue
        assert not new.exists() or list(new.iterdir()) == []
    assert 0 < whole_ones < 15


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../outside", id="up"),
        pytest.param("/tmp/outside", id="absolute"),  # noqa: S108
        pytest.param("desk/../../outside", id="up from inside"),
        pytest.param("desk/.ssh/authorized_keys", id="hidden"),
        pytest.param("ledger/slips/2026/11/../../../../outside.yaml", id="a slip elsewhere"),
        pytest.param("ledger/runs/a.1/started", id="a folder of runs"),
    ],
)
def test_a_backup_with_a_name_that_none_has_is_refused(name: str, desk: Desk, tmp_path: Path) -> None:
    made = backups.back_up(desk, tmp_path / "b")
    with tarfile.open(made.file, "a") as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(LedgerError, match=r"belongs to no backup$"):
        backups.restore(made.file, tmp_path / "inner" / "new")
    assert [one for one in tmp_path.rglob("outside*")] == []


def test_a_backup_with_a_link_is_refused(desk: Desk, tmp_path: Path) -> None:
    made = backups.back_up(desk, tmp_path / "b")
    with tarfile.open(made.file, "a") as tar:
        member = tarfile.TarInfo("desk/link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(LedgerError, match=r"'desk/link' belongs to no backup$"):
        backups.restore(made.file, tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\0" * 10240, b"x" * 10240])
def test_a_file_that_is_no_backup_is_said_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(LedgerError, match=r"/b: is no (whole )?backup"):
        backups.restore(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_restored_desk_that_is_behind_a_checkpoint_says_so(desk: Desk, tmp_path: Path) -> None:
    made = backups.back_up(desk, tmp_path / "b")
    for name in ("third", "fourth"):
        denpyo("submit", counting(tmp_path, name), desk=desk.folder)
    note = tmp_path / "reply.txt"
    note.write_text(denpyo("audit", "checkpoint", desk=desk.folder).stdout, encoding="utf-8")
    backups.restore(made.file, tmp_path / "new")
    told = denpyo("audit", "verify", "--checkpoint", note, desk=tmp_path / "new", code=4)
    assert f"entry {made.entries + 2}: is missing, of those that the checkpoint of " in told.stdout + told.stderr
    assert "it was cut short, or is a copy from before that checkpoint" in told.stdout + told.stderr


def test_what_ran_here_after_the_backup_is_known_by_the_marks_in_its_folder(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    made = backups.back_up(desk, tmp_path / "b")
    denpyo("submit", counting(tmp_path, "first"), desk=desk.folder)
    denpyo("work", "--drain", desk=desk.folder)
    new = backups.restore(made.file, tmp_path / "new").desk.folder
    shutil.copytree(desk.runs, new / LEDGER / "runs")
    denpyo("submit", counting(tmp_path, "first"), desk=new)
    denpyo("work", "--drain", desk=new)
    assert (states(new), starts(tmp_path)) == (["done"], {"first": 1})


@pytest.mark.parametrize(
    "about",
    [
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"format": 1, "at": "x", "entries": 1, "root": "", "files": []}', id="files are a list"),
        pytest.param(b'{"format": 1, "at": "x", "entries": null, "root": "", "files": {}}', id="no number"),
        pytest.param(b'{"format": [], "at": "x", "entries": 1, "root": "", "files": {}}', id="no format"),
        pytest.param(b'{"format": 1, "at": "x", "entries": 1, "root": "", "files": {"/dev/zero": "x"}}', id="outside"),
        pytest.param(b'{"format": 1, "at": "x", "entries": 1, "root": "", "files": {"ledger/\\u0000": 1}}', id="nul"),
    ],
)
def test_what_a_backup_says_of_itself_is_checked_before_it_is_used(about: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "b", "w") as tar:
        member = tarfile.TarInfo("backup.json")
        member.size = len(about)
        tar.addfile(member, io.BytesIO(about))
    with pytest.raises(LedgerError, match=r"/b: (is no backup of a ledger|'.+' is not what was backed up)$"):
        backups.restore(tmp_path / "b", tmp_path / "new")
    assert list((tmp_path / "new").glob("*")) == []


def test_two_backups_of_one_name_at_once_are_one_whole_file_and_a_line(desk: Desk, tmp_path: Path) -> None:
    words = command("audit", "backup", "-o", tmp_path / "b")
    both = [
        subprocess.Popen(words, env=environment(desk.folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [one.communicate(timeout=120)[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 2], told
    assert "".join(told).endswith("b: is there already\n")
    assert look_into(tmp_path / "b").root == verify(desk.folder / LEDGER).root
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "desk"]
