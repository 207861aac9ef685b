"""verify.py, which auditors run without denpyo, and denpyo's own verification: written apart, and of one mind about every ledger."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verify as alone
from submit.desk import LEDGER, Desk
from submit.ledger import RequestRow, checkpoint, keys, merkle, verify
from submit.new_desk import make_desk
from tests.desks import denpyo
from tests.submit.ledger.test_compare import CHANGES, more, rebuilt

Sound = tuple[Path, list[tuple[str, str]]]
ROOT = Path(__file__).parent.parent
AT = "2026-11-21T07:00:00+09:00"


def filled(folder: Path) -> Desk:
    """Ten entries with texts, slips and requests, and the checkpoints of four, seven and ten."""
    desk = make_desk(folder)
    for first in range(3):
        with desk.ledger() as ledger, ledger.writing() as tx:
            for number in range(first * 3, first * 3 + 3):
                name, slip = f"req-{number}", f"id: {number}\n".encode()
                path = ledger.write_slips({name: slip}, 2026, 11)[name]
                beside = "花子" if number % 2 else ""
                tx.append(f"a{number}", "accepted", at=AT, user="dk", request=name, beside=beside, slip=slip)
                tx.put_request(RequestRow(name, "count", "accepted", "ja", AT, path))
        checkpoint.newest(desk)
    return desk


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    desk = filled(tmp_path_factory.mktemp("sound") / "desk")
    with desk.ledger() as ledger:
        return desk.folder, [(f"mail {number}", note) for number, note in enumerate(checkpoint.kept(ledger))]


def both(ledger: Path, public: Path, notes: list[tuple[str, str]]) -> tuple[int, str, str]:
    """What both say, which is the same."""
    ours = verify(ledger, keys.published(public), notes)
    size, root, wrong, compared, is_sound = alone.verify(ledger, alone.keys_in(public), notes)
    assert (size, root, wrong, is_sound) == (ours.entries, ours.root, ours.wrong, ours.is_sound)
    if not wrong:
        assert [(one.size, one.source) for one in compared] == [(one.size, one.source) for one in ours.compared]
    return size, root, wrong


def test_both_find_a_sound_log_good(sound: Sound) -> None:
    folder, notes = sound
    size, _, wrong = both(folder / LEDGER, folder / "audit.pub", notes)
    assert (size, wrong) == (10, "")


def swapped(one: int, other: int) -> str:
    return (
        f"UPDATE entries SET body = (SELECT body FROM entries AS other WHERE other.seq = {one} + {other} - entries.seq) "  # noqa: S608
        f"WHERE seq IN ({one}, {other})"
    )


SEQ = st.integers(0, 11)
STATEMENTS = st.one_of(
    st.builds("DELETE FROM entries WHERE seq = {}".format, SEQ),
    st.builds("DELETE FROM entries WHERE seq >= {}".format, SEQ),
    st.builds("DELETE FROM beside WHERE seq = {}".format, SEQ),
    st.builds("UPDATE beside SET text = 'x' WHERE seq = {}".format, SEQ),
    st.builds("UPDATE beside SET salt = x'00' WHERE seq = {}".format, SEQ),
    st.builds("UPDATE entries SET key = 'x{0}' WHERE seq = {0}".format, SEQ),
    st.builds("UPDATE entries SET request = NULL WHERE seq = {}".format, SEQ),
    st.builds("UPDATE OR REPLACE entries SET seq = {} WHERE seq = {}".format, SEQ, SEQ),
    st.builds(
        "INSERT OR IGNORE INTO entries SELECT {}, 'new', request, body FROM entries WHERE seq = {}".format, SEQ, SEQ
    ),
    st.builds(swapped, SEQ, SEQ),
    st.builds(
        "UPDATE entries SET body = CAST(substr(CAST(body AS TEXT), 1, {0}) || {1} || substr(CAST(body AS TEXT), {0} + 2) AS BLOB) "
        "WHERE seq = {2}".format,
        st.integers(0, 400),
        st.sampled_from(["'0'", "'a'", "' '", "'\"'", "char(0)", "'花'", "''", '\',"before":"\'']),
        SEQ,
    ),
    st.builds("UPDATE entries SET body = CAST(body AS TEXT) WHERE seq = {}".format, SEQ),
    st.builds("UPDATE frontier SET size = {}".format, SEQ),
    st.builds("UPDATE requests SET slip = NULL, slip_sha256 = NULL WHERE rowid = {}".format, SEQ),
    st.builds("DELETE FROM checkpoints WHERE size > {}".format, SEQ),
    st.builds(
        "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 4) WHERE size = {}".format, SEQ
    ),
)
FILES = st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["gone", "changed", "link"])), max_size=1)


def spoil(file: Path, how: str) -> None:
    if not file.exists():
        return
    held = file.read_bytes()
    file.unlink()
    if how == "changed":
        file.write_bytes(held + b"#\n")
    if how == "link":
        (file.parent.parent / "aside").write_bytes(held)
        file.symlink_to(file.parent.parent / "aside")


@settings(max_examples=150)
@given(statements=st.lists(STATEMENTS, max_size=2), files=FILES, of=st.integers(0, 7))
def test_both_say_the_same_of_a_ledger_that_was_tampered_with(
    statements: list[str],
    files: list[tuple[int, str]],
    of: int,
    sound: Sound,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, notes = sound
    copy = tmp_path_factory.mktemp("copy") / "ledger"
    shutil.copytree(folder / LEDGER, copy)
    with closing(sqlite3.connect(copy / "ledger.sqlite")) as db:
        for statement in statements:
            with suppress(sqlite3.IntegrityError):  # not even SQLite takes this one
                db.executescript(statement)
    for number, how in files:
        spoil(copy / f"slips/2026/11/req-{number}.yaml", how)
    both(copy, folder / "audit.pub", [note for at, note in enumerate(notes) if of >> at & 1])
    shutil.rmtree(copy.parent)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_both_name_the_same_place_of_a_log_that_an_insider_rebuilt(change: object, tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "desk")
    more(desk, "k2", "k3", "k4", "k5", "k6")
    note = checkpoint.newest(desk)
    more(desk, "k7", "k8")
    rebuilt(desk, change)  # type: ignore[arg-type]
    _, _, wrong = both(desk.folder / LEDGER, desk.folder / "audit.pub", [("a mail", note)])
    assert wrong.startswith("the log was rewritten before entry 7: ")


@pytest.mark.parametrize("note", ["hello", "o\n1\n\n— o AAAA\n", "a\n\n— b c\n"])
def test_both_refuse_the_same_notes(note: str, sound: Sound) -> None:
    folder, _ = sound
    _, _, wrong = both(folder / LEDGER, folder / "audit.pub", [("a mail", note)])
    assert wrong == "a mail: is no signed note"


def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Without denpyo: only this file, in a Python that sees no folder of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_it_runs_alone_and_ends_as_audit_verify_does(tmp_path: Path) -> None:
    desk = filled(tmp_path / "desk")
    ledger, public, reply = desk.folder / LEDGER, desk.folder / "audit.pub", tmp_path / "reply.txt"
    reply.write_text(f"> {checkpoint.newest(desk)}", encoding="utf-8")
    done = run(ledger, "--key", public, "--checkpoint", reply)
    printed = denpyo("audit", "verify", "--checkpoint", reply, desk=desk.folder).stdout.splitlines()
    assert done.stdout.splitlines() == [printed[0], printed[2]]
    (ledger / "slips/2026/11/req-4.yaml").unlink()
    done = run(ledger, "--key", public, "--checkpoint", reply, code=4)
    said = denpyo("audit", "verify", "--checkpoint", reply, desk=desk.folder, code=4)
    assert done.stderr == said.stderr == "entry 6: the slip of request 'req-4' is missing\n"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_japanese_reply_that_was_saved_from_a_mailbox_is_read_by_both(encoding: str, tmp_path: Path) -> None:
    desk = filled(tmp_path / "desk")
    mail = EmailMessage()
    mail["Subject"] = "受け付けました"
    mail.set_content(f"佐藤様\n受け付けました。\n\n{checkpoint.newest(desk)}", cte=encoding)
    mail.add_attachment(b"PK", maintype="application", subtype="zip", filename="答え.xlsx")
    reply = tmp_path / "reply.eml"
    reply.write_bytes(mail.as_bytes(policy=SMTP))
    assert checkpoint.newest(desk).splitlines()[-1].encode() not in reply.read_bytes()
    done = run(desk.folder / LEDGER, "--key", desk.folder / "audit.pub", "--checkpoint", reply)
    printed = denpyo("audit", "verify", "--checkpoint", reply, desk=desk.folder).stdout.splitlines()
    assert done.stdout.splitlines() == [printed[0], printed[2]]
    assert printed[2].startswith("agrees with the checkpoint of ")


def test_a_checkpoint_that_proves_nothing_is_no_damage_of_the_log(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "desk")
    (tmp_path / "kept").write_text(checkpoint.newest(desk).replace("\n1\n", "\n2\n"), encoding="utf-8")
    done = run(desk.folder / LEDGER, "--key", desk.folder / "audit.pub", "--checkpoint", tmp_path / "kept", code=4)
    said = denpyo("audit", "verify", "--checkpoint", tmp_path / "kept", desk=desk.folder, code=4)
    assert done.stdout.startswith("NOT PROVEN: 1 entries, root ")
    assert said.stdout.splitlines()[0] == done.stdout.rstrip()
    assert said.stderr == done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "verify.py: [Errno 2] No such file or directory: 'nowhere/ledger.sqlite'\n"),
        (("nowhere", "--key", "README.md"), "verify.py: README.md: is no Ed25519 key of the form NAME+ID+KEY\n"),
    ],
)
def test_what_it_cannot_look_at_is_said_in_a_line(words: tuple[str, ...], said: str) -> None:
    assert run(*words, code=2).stderr == said


def test_a_log_that_has_grown_is_shown_to_have_without_its_ledger(tmp_path: Path) -> None:
    desk = filled(tmp_path / "desk")
    public = desk.folder / "audit.pub"
    with desk.ledger() as ledger:
        notes = checkpoint.kept(ledger)
        leaves = [merkle.leaf_hash(body) for (body,) in ledger.query("SELECT body FROM entries ORDER BY seq")]
    for name, note in zip(("four", "seven", "ten"), notes, strict=True):
        (tmp_path / name).write_text(note, encoding="utf-8")
    proof = tmp_path / "proof"
    nodes = merkle.consistency_proof(leaves, 7)
    proof.write_text("".join(f"{base64.b64encode(node).decode()}\n" for node in nodes), encoding="utf-8")
    words = ("--key", public, "--proof", proof)
    assert run(*words, "--older", tmp_path / "seven", "--newer", tmp_path / "ten").stdout == f"good: {tmp_path}/ten\n"
    assert run(*words, "--older", tmp_path / "four", "--newer", tmp_path / "ten", code=4).stderr == (
        f"the log was rewritten before entry 5: nothing shows that the checkpoint of 10 entries in {tmp_path}/ten has grown out of "
        f"the checkpoint of 4 entries in {tmp_path}/four\n"
    )
    behind = run(*words, "--older", tmp_path / "ten", "--newer", tmp_path / "four", code=4).stderr
    assert behind.endswith(
        "in /ten: the log was cut short, or is a copy from before\n".replace("/ten", f"{tmp_path}/ten")
    )
    (tmp_path / "ten").write_text(notes[2].replace("\n10\n", "\n11\n"), encoding="utf-8")
    forged = run(*words, "--older", tmp_path / "seven", "--newer", tmp_path / "ten", code=4).stderr
    assert forged.startswith(f"{tmp_path}/ten: has a wrong signature under the name of key ")


def test_every_proof_that_denpyo_makes_is_one_for_it(tmp_path: Path) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(40)]
    roots = [merkle.Frontier().append_hashes(leaves[:size]).root() for size in range(41)]
    for newer in range(1, 41):
        for older in range(1, newer + 1):
            proof = merkle.consistency_proof(leaves[:newer], older)
            new = alone.Checkpoint("o", newer, roots[newer], "", "")
            assert alone.has_grown(alone.Checkpoint("o", older, roots[older], "", ""), new, proof)
            assert not alone.has_grown(alone.Checkpoint("o", older, roots[older - 1], "", ""), new, proof)


def test_a_proof_that_is_longer_shorter_or_changed_shows_nothing() -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(20)]
    roots = [merkle.Frontier().append_hashes(leaves[:size]).root() for size in range(21)]
    new = alone.Checkpoint("o", 20, roots[20], "", "")
    for older in range(1, 20):
        proof, old = merkle.consistency_proof(leaves, older), alone.Checkpoint("o", older, roots[older], "", "")
        for wrong in (proof[:-1], proof[1:], [*proof, bytes(32)], [bytes(32), *proof], [bytes(32), *proof[1:]]):
            assert wrong == proof or not alone.has_grown(old, new, wrong)
