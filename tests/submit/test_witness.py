"""The witness: a branch of a real repository, and a log that is rewritten, cut short, put back or shared beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import verify as alone
from submit import aside, witness, witness_branch
from submit.desk import CONFIG, LEDGER, Desk, DeskError, open_desk
from submit.inbox import SourceDownError, health
from submit.ledger import LedgerDamaged, checkpoint
from submit.new_desk import make_desk
from tests.desks import denpyo
from tests.submit.ledger.test_compare import edit, more, rebuilt

BRANCH = "denpyo-checkpoints"


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "kept.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", ".")
    return folder


def desk_with(folder: Path, repository: str | Path, every: float = 3600) -> Desk:
    made = make_desk(folder)
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(f'[witness]\ngit = "{repository}"\nevery = {every}\n')
    return open_desk(made.folder)


@pytest.fixture
def desk(tmp_path: Path, repository: Path) -> Desk:
    made = desk_with(tmp_path / "desk", repository)
    more(made, "k2", "k3", "k4", "k5", "k6")
    return made


def at_once(desk: Desk) -> None:
    """A step now, as if the last had been long ago."""
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute(witness.TABLE)
        tx.execute("UPDATE witness SET tried = '2026-01-01T00:00:00+00:00'")
    witness.step(desk)


def kept(repository: Path) -> str:
    return git(repository, "show", f"{BRANCH}:checkpoint")


def commits(repository: Path) -> list[str]:
    return git(repository, "log", "--format=%s", BRANCH).splitlines()


def wrong(desk: Desk) -> str:
    with pytest.raises(LedgerDamaged) as error:
        at_once(desk)
    assert health.inbox_data(desk)["witness"]["error"] == str(error.value)
    return str(error.value)


def test_the_witness_gets_the_newest_checkpoint_and_a_proof_that_it_grew(desk: Desk, repository: Path) -> None:
    witness.step(desk)
    assert kept(repository) == checkpoint.newest(desk)
    more(desk, "k7", "k8")
    at_once(desk)
    assert kept(repository) == checkpoint.newest(desk)
    assert commits(repository) == ["8 entries", "6 entries"]
    known = alone.keys_in(desk.folder / "audit.pub")
    older = alone.checkpoint(git(repository, "show", f"{BRANCH}~1:checkpoint"), known, "")
    newer = alone.checkpoint(kept(repository), known, "")
    proof = [alone.decoded(line) for line in git(repository, "show", f"{BRANCH}:proof").split()]
    assert alone.has_grown(older, newer, proof)


def test_the_witness_is_asked_every_so_often_and_told_nothing_twice(desk: Desk, repository: Path) -> None:
    witness.step(desk)
    more(desk, "k7")
    witness.step(desk)
    assert commits(repository) == ["6 entries"]
    at_once(desk)
    at_once(desk)
    assert commits(repository) == ["7 entries", "6 entries"]


def test_the_repository_that_a_hook_or_a_pipeline_works_in_is_left_alone(
    desk: Desk, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    git(others, "init", "--quiet", ".")
    git(others, "commit", "--quiet", "--allow-empty", "-m", "theirs")
    before = {one: one.read_bytes() for one in others.rglob("*") if one.is_file()}
    with monkeypatch.context() as hook:
        hook.setenv("GIT_DIR", str(others / ".git"))
        hook.setenv("GIT_WORK_TREE", str(others))
        hook.setenv("GIT_INDEX_FILE", str(others / ".git/index"))
        hook.setenv("GIT_OBJECT_DIRECTORY", str(others / ".git/objects"))
        hook.setenv("GIT_COMMON_DIR", str(others / ".git"))
        hook.setenv("GIT_NAMESPACE", "theirs")
        witness.step(desk)
    assert {one: one.read_bytes() for one in others.rglob("*") if one.is_file()} == before
    assert kept(repository) == checkpoint.newest(desk)


def test_a_desk_without_a_witness_asks_nobody(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "desk")
    witness.step(desk)
    assert (witness.missed(desk), witness.data(desk)) == ("", {})
    with pytest.raises(DeskError, match="has no witness: name one"):
        witness.note_there(desk, [])


def test_a_rewritten_log_is_told_so_and_the_witness_keeps_what_it_has(desk: Desk, repository: Path) -> None:
    witness.step(desk)
    before = kept(repository)
    more(desk, "k7")
    rebuilt(desk, edit)
    said = "the log was rewritten before entry 7: entries 1 to 6 are not what the checkpoint of 6 entries in "
    assert wrong(desk) == said + "the witness's branch denpyo-checkpoints covers"
    assert kept(repository) == before
    done = denpyo("audit", "verify", "--witness", desk=desk.folder, code=4)
    assert done.stderr == said + "the witness's branch denpyo-checkpoints covers\n"
    assert denpyo("audit", "verify", desk=desk.folder).stderr == ""


def test_an_older_copy_in_the_place_of_the_log_is_told_so(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.folder / LEDGER, tmp_path / "copy")
    more(desk, "k7", "k8")
    witness.step(desk)
    shutil.rmtree(desk.folder / LEDGER)
    (tmp_path / "copy").rename(desk.folder / LEDGER)
    assert wrong(desk) == (
        "entry 7: is missing, of those that the checkpoint of 8 entries in the witness's branch denpyo-checkpoints covers: "
        "it was cut short, or is a copy from before that checkpoint"
    )


def test_a_branch_that_was_set_back_or_taken_away_is_told(desk: Desk, repository: Path) -> None:
    witness.step(desk)
    first = git(repository, "rev-parse", BRANCH).strip()
    more(desk, "k7")
    at_once(desk)
    git(repository, "update-ref", f"refs/heads/{BRANCH}", first)
    assert wrong(desk) == (
        "the witness's branch denpyo-checkpoints: was set back: 6 entries, after a checkpoint of 7 was put there"
    )
    git(repository, "branch", "-D", BRANCH)
    assert (
        wrong(desk) == "the witness's branch denpyo-checkpoints: the checkpoint of 7 entries that was put there is gone"
    )


def test_two_desks_do_not_share_a_branch(desk: Desk, repository: Path, tmp_path: Path) -> None:
    witness.step(desk_with(tmp_path / "other", repository))
    before = kept(repository)
    assert wrong(desk) == (
        "the witness's branch denpyo-checkpoints: is signed by none of the keys that are known: "
        "another desk's, or put there by others"
    )
    assert kept(repository) == before


def test_what_others_put_into_the_branch_is_no_checkpoint(desk: Desk, repository: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(repository), str(work))
    git(work, "checkout", "--quiet", "-b", BRANCH)
    (work / "checkpoint").write_text("hello $(touch pwned)\x1b[31m\n" * 10)
    git(work, "add", "checkpoint")
    git(work, "commit", "--quiet", "-m", "hello")
    git(work, "push", "--quiet", "origin", BRANCH)
    assert wrong(desk) == (
        "the witness's branch denpyo-checkpoints: is no signed note: another desk's, or put there by others"
    )
    (work / "checkpoint").write_text("x" * (witness_branch.LONGEST + 1))
    git(work, "commit", "--quiet", "-am", "long")
    git(work, "push", "--quiet", "origin", BRANCH)
    at_once(desk)
    assert kept(repository) == checkpoint.newest(desk)


def test_a_branch_that_moves_between_reading_and_adding_is_read_again(desk: Desk, repository: Path) -> None:
    settings = desk.config.witness
    assert settings is not None
    with witness_branch.opened(desk.folder, settings) as branch:
        assert branch.head() is None
        witness.step(desk)
        with pytest.raises(witness_branch.MovedError):
            branch.add({"checkpoint": "x"}, "late", None)
    assert commits(repository) == ["6 entries"]


def test_a_witness_that_does_not_answer_is_said_and_asked_again_in_a_minute(desk: Desk, repository: Path) -> None:
    repository.rename(repository.with_name("away"))
    with pytest.raises(SourceDownError, match="git ls-remote: fatal: "):
        witness.step(desk)
    repository.with_name("away").rename(repository)
    with pytest.raises(SourceDownError, match="git ls-remote: fatal: "):
        witness.step(desk)
    assert health.inbox_data(desk)["witness"]["error"].startswith("git ls-remote: fatal: ")
    at_once(desk)
    assert health.inbox_data(desk)["witness"]["error"] == ""


def set_back(desk: Desk) -> None:
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE witness SET at = '2026-01-01T00:00:00+00:00'")


def test_a_checkpoint_that_was_missed_is_reported(desk: Desk) -> None:
    witness.step(desk)
    set_back(desk)
    assert witness.missed(desk) == ""
    more(desk, "k7")
    said = "the witness has seen 6 of 7 entries, and nothing since 2026-01-01T00:00:00+00:00"
    assert witness.missed(desk) == said
    assert health.inbox_data(desk)["witness"]["error"] == said
    assert denpyo("audit", "verify", desk=desk.folder).stderr == said + "\n"
    told = denpyo("status", "--inbox", desk=desk.folder).stdout.splitlines()
    assert told[-1] == f"witness  6 entries  2026-01-01T00:00:00+00:00  {said}"
    at_once(desk)
    assert witness.missed(desk) == ""


def test_a_witness_that_never_heard_is_reported_by_the_age_of_the_desk(tmp_path: Path) -> None:
    desk = desk_with(tmp_path / "desk", "nowhere", every=1)
    assert witness.missed(desk) == ""
    rebuilt(desk, lambda bodies: bodies[0].update(at="2026-01-01T00:00:00+00:00"))
    assert witness.missed(desk) == "the witness has seen 0 of 1 entries, and nothing since 2026-01-01T00:00:00+00:00"


def test_watch_says_once_what_the_witness_says(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    witness.step(desk)
    rebuilt(desk, edit)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE witness SET tried = ''")
    aside.once(desk)
    said = capsys.readouterr().err
    assert said.startswith("denpyo: witness: the log was rewritten before entry 7: ")
    assert said.count("\n") == 1


def test_a_look_at_the_sources_ends_with_3_where_the_witness_is_wrong_each_time_until_it_is_right(
    desk: Desk, repository: Path
) -> None:
    (desk.folder / "in").mkdir()
    with (desk.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write('[sources.in]\nkind = "folder"\npath = "in"\n')
    witness.step(desk)
    head = git(repository, "rev-parse", BRANCH).strip()
    git(repository, "branch", "-D", BRANCH)
    said = wrong(desk)
    for _ in range(2):
        done = denpyo("watch", "--once", desk=desk.folder, code=3)
        assert done.stderr == f"denpyo: witness: {said}\n"
    git(repository, "branch", BRANCH, head)
    at_once(desk)
    assert denpyo("watch", "--once", desk=desk.folder).stderr == ""


def test_a_desk_that_nobody_watches_shows_its_checkpoint_by_a_command(desk: Desk, repository: Path) -> None:
    for number in (6, 7):
        assert denpyo("audit", "checkpoint", "--witness", desk=desk.folder).stdout == kept(repository)
        assert commits(repository)[0] == f"{number} entries"
        more(desk, "k7")
    rebuilt(desk, edit)
    done = denpyo("audit", "checkpoint", "--witness", desk=desk.folder, code=4)
    assert done.stderr.startswith("denpyo: the log was rewritten before entry 8: ")


def test_verify_asks_the_witness(desk: Desk) -> None:
    witness.step(desk)
    done = denpyo("audit", "verify", "--witness", "--json", desk=desk.folder)
    there = json.loads(done.stdout)["checkpoints"]
    assert [(one["entries"], one["source"]) for one in there] == [
        (6, "the witness's branch denpyo-checkpoints"),
        (6, "this desk's own list"),
    ]


def not_proven(desk: Desk) -> str:
    done = denpyo("audit", "verify", "--witness", desk=desk.folder, code=4)
    assert done.stdout.startswith("NOT PROVEN: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_verify_says_what_the_witness_is_said_to_be_when_it_is_shown_a_checkpoint(desk: Desk, repository: Path) -> None:
    assert not_proven(desk) == (
        "the witness's branch denpyo-checkpoints: has no checkpoint yet: "
        "`denpyo audit checkpoint --witness` puts it there\n"
    )
    witness.step(desk)
    first = git(repository, "rev-parse", BRANCH).strip()
    more(desk, "k7")
    at_once(desk)
    git(repository, "update-ref", f"refs/heads/{BRANCH}", first)
    assert not_proven(desk) == f"{wrong(desk)}\n"
    git(repository, "branch", "-D", BRANCH)
    assert not_proven(desk) == f"{wrong(desk)}\n"


def test_what_is_wrong_with_the_witness_is_said_until_it_is_right(desk: Desk, repository: Path) -> None:
    witness.step(desk)
    head = git(repository, "rev-parse", BRANCH).strip()
    git(repository, "branch", "-D", BRANCH)
    said = wrong(desk)
    with pytest.raises(SourceDownError) as error:
        witness.step(desk)
    assert str(error.value) == said
    git(repository, "branch", BRANCH, head)
    at_once(desk)
    witness.step(desk)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('git = "-oProxyCommand=x"', "witness.git: String should match pattern"),
        (
            'git = "https://user:canary@example.com/x.git"',
            "witness.git: holds a password: leave it to git's credential helper\n",
        ),
        ('git = "x"\nbranch = "../main"', "witness.branch: String should match pattern"),
        ('git = "x"\nevery = 0', "witness.every: Input should be greater than or equal to 1\n"),
    ],
    ids=["an option", "a password", "another ref", "no time"],
)
def test_a_witness_that_cannot_be_one_is_refused(line: str, said: str, tmp_path: Path) -> None:
    folder = make_desk(tmp_path / "desk").folder
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(f"[witness]\n{line}\n")
    done = denpyo("audit", "verify", desk=folder, code=2)
    assert said in done.stderr
    assert "canary" not in done.stderr
