from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from base64 import b64decode
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

import verify as alone
from submit.desk import Desk
from submit.ledger import LedgerDamaged, checkpoint, keys
from submit.ledger.keys import NoteError
from submit.new_desk import make_desk
from tests.desks import denpyo

ROOT = Path(__file__).parents[3]
AT = "2026-11-21T07:00:00+09:00"
# The example of https://c2sp.org/tlog-checkpoint; its key is not published.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path / "desk")


def note_entry(desk: Desk, key: str) -> None:
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.append(key, "noted", at=AT, user="dk")


def known(desk: Desk) -> list[keys.PublicKey]:
    return keys.published(desk.folder / "audit.pub")


def test_a_checkpoint_is_name_size_and_root_signed_by_the_desk(desk: Desk) -> None:
    note_entry(desk, "k")
    note = checkpoint.newest(desk)
    origin, size, root, empty, signature, end = note.split("\n")
    with desk.ledger() as ledger:
        assert (b64decode(root).hex(), size) == (ledger.root(), "2")
        assert origin == f"denpyo/{sha256(ledger.salt).hexdigest()[:32]}"
    assert (empty, end) == ("", "")
    assert signature.startswith(f"— {origin} ")
    found = checkpoint.read(note, known(desk), "a mail")
    assert (found.origin, found.size, found.root, found.source) == (origin, 2, b64decode(root), "a mail")


def test_the_same_log_has_the_same_checkpoint(desk: Desk) -> None:
    assert checkpoint.newest(desk) == checkpoint.newest(desk)
    first = checkpoint.newest(desk)
    note_entry(desk, "k")
    with desk.ledger() as ledger:
        assert checkpoint.kept(ledger) == [first]
    assert checkpoint.newest(desk) != first
    with desk.ledger() as ledger:
        assert checkpoint.kept(ledger) == [first, checkpoint.newest(desk)]


def test_a_desk_without_a_key_signs_nothing(desk: Desk) -> None:
    (desk.folder / "audit.key").unlink()
    assert checkpoint.newest(desk) == ""


def test_the_birth_of_a_desk_names_its_key(desk: Desk) -> None:
    with desk.ledger() as ledger:
        (made,) = ledger.entries()
    (key,) = known(desk)
    assert (made.detail["key"], made.detail["key_sha256"]) == (key.id, sha256(key.line().encode()).hexdigest())


def test_a_checkpoint_is_made_while_another_process_writes(desk: Desk) -> None:
    first = checkpoint.newest(desk)
    note_entry(desk, "k")
    with desk.ledger() as other, other.writing():
        note = checkpoint.newest(desk)
    assert checkpoint.read(note, known(desk)).size == 2
    with desk.ledger() as ledger:
        assert checkpoint.kept(ledger) == [first]


def cut_back(desk: Desk) -> None:
    """The ledger as it was before its second entry, but with what it keeps of its checkpoints."""
    with closing(sqlite3.connect(desk.folder / "ledger/ledger.sqlite")) as db, db:
        (body,) = db.execute("SELECT body FROM entries WHERE seq = 1").fetchone()
        db.execute("DELETE FROM entries WHERE seq = 2")
        db.execute("UPDATE frontier SET size = 1, hashes = ?", (sha256(b"\x00" + body).digest(),))


def test_nothing_is_signed_that_contradicts_what_was_signed(desk: Desk) -> None:
    note_entry(desk, "k")
    checkpoint.newest(desk)
    cut_back(desk)
    with pytest.raises(LedgerDamaged) as error:
        checkpoint.newest(desk)
    assert str(error.value) == "entry 2: is missing, of the 2 that were signed here"
    note_entry(desk, "another")
    with pytest.raises(LedgerDamaged) as error:
        checkpoint.newest(desk)
    assert str(error.value) == "entry 2: the log up to it is not the one that was signed here"


def test_no_more_checkpoints_are_kept_than_a_thousand(desk: Desk) -> None:
    with desk.ledger() as ledger:
        ledger.ensure(checkpoint.TABLE)
        with ledger.writing() as tx:
            tx.execute_all(checkpoint.PUT, [(size, "", AT, str(size)) for size in range(-1100, 0)])
    checkpoint.newest(desk)
    with desk.ledger() as ledger:
        found = checkpoint.kept(ledger)
    assert (len(found), found[0]) == (1000, "-999")


def test_a_new_key_is_an_entry_that_the_old_one_signs(desk: Desk) -> None:
    old = known(desk)[0]
    new = checkpoint.init(desk, renew=True)
    assert known(desk) == [old, new]
    with desk.ledger() as ledger:
        _, entry = ledger.entries()
        (last,) = checkpoint.kept(ledger)
    assert (entry.key, entry.action) == (f"changed:key:{new.id}", "changed")
    assert entry.detail == {
        "what": "key",
        "key": new.id,
        "key_sha256": sha256(new.line().encode()).hexdigest(),
        "before": old.id,
    }
    assert checkpoint.read(last, known(desk)).by == old.id
    newest = checkpoint.read(checkpoint.newest(desk), known(desk))
    assert (newest.by, newest.size) == (new.id, 2)


def test_a_desk_from_before_gets_a_key(desk: Desk) -> None:
    (desk.folder / "audit.key").unlink()
    (desk.folder / "audit.pub").unlink()
    done = denpyo("audit", "checkpoint", desk=desk.folder, code=2)
    assert done.stderr == f"denpyo: {desk.folder}/ has no key: run `denpyo audit init`\n"
    said = json.loads(denpyo("audit", "init", "--json", desk=desk.folder).stdout)
    assert said["file"] == f"{desk.folder}/audit.pub"
    assert [key.line() for key in known(desk)] == [said["key"]]
    printed = json.loads(denpyo("audit", "checkpoint", "--json", desk=desk.folder).stdout)
    assert (printed["entries"], printed["checkpoint"]) == (2, checkpoint.newest(desk))
    assert denpyo("audit", "checkpoint", desk=desk.folder).stdout == checkpoint.newest(desk)


def test_a_key_is_never_replaced_by_accident(desk: Desk) -> None:
    before = (desk.folder / "audit.key").read_bytes()
    done = denpyo("audit", "init", desk=desk.folder, code=2)
    assert done.stderr == f"denpyo: {desk.folder}/audit.key: is there already; --renew puts another in its place\n"
    assert (desk.folder / "audit.key").read_bytes() == before


def test_the_example_of_the_specification_is_a_note_of_a_key_we_do_not_know(desk: Desk) -> None:
    with pytest.raises(NoteError, match=r"^is signed by none of the keys that are known$"):
        checkpoint.read(EXAMPLE, known(desk))
    assert checkpoint.found_in(EXAMPLE) == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n１\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "o\n1\n" + "A" * 43 + "=\n\nmore\n",
    ],
    ids=["no root", "zero in front", "negative", "full width", "short root", "odd base64", "empty line"],
)
def test_a_signed_text_that_is_no_checkpoint_is_none(desk: Desk, text: str) -> None:
    key = keys.signer_of(desk.folder)
    assert key is not None
    with pytest.raises(NoteError, match=r"^is no checkpoint$"):
        checkpoint.read(key.note(text), known(desk))


def test_a_checkpoint_is_found_in_what_a_mail_program_made_of_it(desk: Desk) -> None:
    note = checkpoint.newest(desk)
    mail = "".join(f"> {line} \r\n" for line in f"おはようございます\n\n{note}\n-- \n佐藤\n".split("\n"))
    assert checkpoint.found_in(mail) == note
    with pytest.raises(NoteError, match=r"^has no checkpoint in it$"):
        checkpoint.found_in("おはようございます")


@pytest.mark.parametrize(
    "text",
    ["x" * 200_000, "x" * 200_000 + "\n1\n", ("o\n1\n" + "A" * 43 + "=\n") * 8_000, "— " + "x " * 100_000],
    ids=["one long line", "a long first line", "many that begin", "a long signature"],
)
def test_no_text_is_so_odd_that_it_takes_long_to_look_for_a_checkpoint_in_it(text: str, tmp_path: Path) -> None:
    begun = time.process_time()
    with pytest.raises(NoteError, match=r"^has no checkpoint in it$"):
        checkpoint.found_in(text)
    (tmp_path / "said").write_text(text, encoding="utf-8")
    assert alone.note_in(tmp_path / "said") == text
    assert time.process_time() - begun < 2


SIGNING = """
import sys
from pathlib import Path
from submit.desk import open_desk
from submit.ledger import LedgerDamaged, checkpoint
desk, name = open_desk(Path(sys.argv[1])), sys.argv[2]
wrong = []
with desk.ledger() as ledger:
    for number in range(250):
        with ledger.writing() as tx:
            tx.append(f"{name}-{number}", "noted", at="2026-11-21T07:00:00+09:00", user="dk")
        try:
            checkpoint.newest(desk)
        except LedgerDamaged as error:
            wrong.append(str(error))
print(wrong)
"""


def test_no_process_takes_what_another_appends_and_signs_meanwhile_for_damage(desk: Desk) -> None:
    commands = [[sys.executable, "-c", SIGNING, str(desk.folder), name] for name in "abc"]
    signing = [subprocess.Popen(each, cwd=ROOT, stdout=subprocess.PIPE, text=True) for each in commands]
    assert [each.communicate(timeout=120)[0] for each in signing] == ["[]\n"] * 3
