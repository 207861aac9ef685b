"""A log beside checkpoints that others kept: what an insider rewrites is found up to the last of them, and named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from submit.desk import LEDGER, Desk
from submit.ledger import Verdict, checkpoint, keys, verify
from submit.ledger.merkle import Frontier, leaf_hash
from submit.new_desk import make_desk
from tests.desks import denpyo

AT = "2026-11-21T07:00:00+09:00"
Body = dict[str, Any]
KEPT = "DELETE FROM checkpoints"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Six entries, the first the desk's birth."""
    made = make_desk(tmp_path / "desk")
    with made.ledger() as ledger, ledger.writing() as tx:
        for number in range(2, 7):
            tx.append(f"k{number}", "noted", at=AT, user="dk", detail={"number": number})
    return made


def more(desk: Desk, *names: str) -> None:
    with desk.ledger() as ledger, ledger.writing() as tx:
        for name in names:
            tx.append(name, "noted", at=AT, user="dk")


def rebuilt(desk: Desk, change: Callable[[list[Body]], object], forget: bool = True) -> None:
    """What an insider who knows the program does: changes entries and makes all that follows from them anew."""
    with closing(sqlite3.connect(desk.folder / LEDGER / "ledger.sqlite")) as db, db:
        bodies: list[Body] = [json.loads(body) for (body,) in db.execute("SELECT body FROM entries ORDER BY seq")]
        change(bodies)
        frontier, before = Frontier(), "0" * 64
        rows: dict[str, tuple[int, str, str | None, bytes]] = {}
        for seq, entry in enumerate(bodies, 1):
            key = f"another {seq}" if entry["key"] in rows else entry["key"]
            told = {**entry, "seq": seq, "before": before, "key": key}
            body = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
            frontier, before = frontier.append(body), leaf_hash(body).hex()
            rows[key] = (seq, key, entry["request"], body)
        db.execute("DELETE FROM entries")
        db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", list(rows.values()))
        db.execute("UPDATE frontier SET size = ?, hashes = ?", (frontier.size, frontier.pack()))
        if forget:
            db.execute(checkpoint.TABLE)
            db.execute(KEPT)


def judged(desk: Desk, *notes: str) -> Verdict:
    known = keys.published(desk.folder / "audit.pub")
    return verify(desk.folder / LEDGER, known, [(f"mail {number}", note) for number, note in enumerate(notes, 1)])


def test_a_log_that_has_grown_agrees_with_its_checkpoints(desk: Desk) -> None:
    notes = [checkpoint.newest(desk)]
    more(desk, "k7")
    notes.append(checkpoint.newest(desk))
    more(desk, "k8")
    verdict = judged(desk, *notes)
    assert (verdict.ok, verdict.wrong, verdict.entries) == (True, "", 8)
    assert [(one.size, one.source) for one in verdict.compared] == [
        (6, "mail 1"),
        (6, "this desk's own list"),
        (7, "mail 2"),
        (7, "this desk's own list"),
    ]


def edit(bodies: list[Body]) -> None:
    bodies[2]["detail"] = {"number": 33}


def swap(bodies: list[Body]) -> None:
    bodies[2], bodies[4] = bodies[4], bodies[2]


CHANGES: dict[str, Callable[[list[Body]], object]] = {
    "edit": edit,
    "insert": lambda bodies: bodies.insert(3, dict(bodies[1])),
    "delete": lambda bodies: bodies.pop(3),
    "swap": swap,
    "duplicate": lambda bodies: bodies.insert(1, dict(bodies[1])),
    "at the end": lambda bodies: bodies[5].update(user="another"),
    "all anew": lambda bodies: [one.update(user="another") for one in bodies],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_an_insider_rewrites_shows_beside_a_checkpoint_alone(
    desk: Desk, change: Callable[[list[Body]], object]
) -> None:
    note = checkpoint.newest(desk)
    more(desk, "k7", "k8")
    rebuilt(desk, change)
    assert judged(desk).ok
    assert judged(desk, note).wrong == (
        "the log was rewritten before entry 7: entries 1 to 6 are not what the checkpoint of 6 entries in mail 1 covers"
    )


def test_what_is_rewritten_after_the_last_checkpoint_is_not_found(desk: Desk) -> None:
    note = checkpoint.newest(desk)
    more(desk, "k7", "k8")
    rebuilt(desk, lambda bodies: bodies[6].update(user="another"))
    assert judged(desk, note).ok


def test_of_several_checkpoints_the_first_that_disagrees_says_from_where(desk: Desk) -> None:
    notes = [checkpoint.newest(desk)]
    for key in ("k7", "k8", "k9"):
        more(desk, key)
        notes.append(checkpoint.newest(desk))
    rebuilt(desk, lambda bodies: bodies[7].update(user="another"))
    assert judged(desk, *reversed(notes)).wrong == (
        "the log was rewritten before entry 9: entry 8 is not what the checkpoint of 8 entries in mail 2 covers"
    )


def test_what_the_desk_signed_itself_finds_who_has_no_key(desk: Desk) -> None:
    checkpoint.newest(desk)
    rebuilt(desk, edit, forget=False)
    assert judged(desk).wrong == (
        "the log was rewritten before entry 7: entries 1 to 6 are not what the checkpoint of 6 entries in this desk's own list covers"
    )


def test_an_entry_that_is_wrong_by_itself_is_named_first_if_it_comes_first(desk: Desk) -> None:
    more(desk, "k7", "k8")
    note = checkpoint.newest(desk)
    rebuilt(desk, edit)
    with closing(sqlite3.connect(desk.folder / LEDGER / "ledger.sqlite")) as db, db:
        db.execute("UPDATE entries SET key = 'x' WHERE seq = 2")
    assert judged(desk, note).wrong == "entry 2: stands under another key or request than it was written with"


def test_a_copy_from_before_a_checkpoint_says_so(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.folder / LEDGER, tmp_path / "copy")
    more(desk, "k7", "k8")
    note = checkpoint.newest(desk)
    shutil.rmtree(desk.folder / LEDGER)
    (tmp_path / "copy").rename(desk.folder / LEDGER)
    assert judged(desk, note).wrong == (
        "entry 7: is missing, of those that the checkpoint of 8 entries in mail 1 covers: it was cut short, "
        "or is a copy from before that checkpoint"
    )


def test_a_log_that_was_cut_short_and_closed_up_says_so(desk: Desk) -> None:
    note = checkpoint.newest(desk)
    rebuilt(desk, lambda bodies: bodies.__delitem__(slice(4, None)), forget=False)
    assert judged(desk, note).wrong == (
        "entry 5: is missing, of those that the checkpoint of 6 entries in this desk's own list covers: it was cut short"
    )


def other(tmp_path: Path) -> Desk:
    return make_desk(tmp_path / "other")


def wrong_text(desk: Desk, tmp_path: Path) -> str:
    return checkpoint.newest(desk).replace("\n6\n", "\n5\n")


def of_another(desk: Desk, tmp_path: Path) -> str:
    """Signed by this desk's key, about another log."""
    key = keys.signer_of(desk.folder)
    assert key is not None
    return key.note(checkpoint.text("denpyo/other", 1, bytes(32)))


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (wrong_text, "mail 1: has a wrong signature under the name of key {id}"),
        (
            lambda desk, tmp_path: checkpoint.newest(other(tmp_path)),
            "mail 1: is signed by none of the keys that are known",
        ),
        (of_another, "mail 1: is a checkpoint of denpyo/other, and this log is {origin}"),
        (lambda desk, tmp_path: "hello\n", "mail 1: is no signed note"),
    ],
    ids=["signature", "key", "origin", "no note"],
)
def test_a_checkpoint_that_proves_nothing_is_no_good_verdict(
    desk: Desk, tmp_path: Path, note: Callable[[Desk, Path], str], said: str
) -> None:
    verdict = judged(desk, note(desk, tmp_path))
    (key,) = keys.published(desk.folder / "audit.pub")
    assert (verdict.ok, verdict.wrong) == (False, said.format(id=key.id, origin=key.name))


def test_checkpoints_of_the_key_before_are_believed_after_a_renewal(desk: Desk) -> None:
    note = checkpoint.newest(desk)
    checkpoint.init(desk, renew=True)
    verdict = judged(desk, note, checkpoint.newest(desk))
    assert verdict.ok
    assert len({one.by for one in verdict.compared}) == 2


def test_verify_on_the_command_line_names_the_checkpoint_and_ends_with_4(desk: Desk, tmp_path: Path) -> None:
    reply = tmp_path / "reply.txt"
    reply.write_text(f"佐藤様\n受け付けました。\n\n{checkpoint.newest(desk)}\n--\n", encoding="utf-8")
    done = denpyo("audit", "verify", "--checkpoint", reply, desk=desk.folder)
    first, took, agrees = done.stdout.splitlines()
    assert first.startswith("good: 6 entries, root ")
    assert took == "hashes 0.0 s, bodies 0.0 s, slips 0.0 s"
    assert agrees.startswith(f"agrees with the checkpoint of 6 entries in {reply}, key ")
    rebuilt(desk, edit)
    done = denpyo(
        "audit", "verify", "--checkpoint", reply, "--key", desk.folder / "audit.pub", desk=desk.folder, code=4
    )
    assert done.stderr == (
        f"the log was rewritten before entry 7: entries 1 to 6 are not what the checkpoint of 6 entries in {reply} covers\n"
    )
    assert done.stdout.startswith("DAMAGED: 6 entries")


def test_a_file_that_is_not_there_is_wrong_use(desk: Desk) -> None:
    done = denpyo("audit", "verify", "--checkpoint", "nowhere", desk=desk.folder, code=2)
    assert done.stderr == "denpyo: nowhere: No such file or directory\n"
    done = denpyo("audit", "verify", "--key", "nowhere", desk=desk.folder, code=2)
    assert done.stderr == "denpyo: nowhere: No such file or directory\n"
