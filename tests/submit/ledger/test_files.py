from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from submit.ledger import (
    LedgerDamaged,
    LedgerError,
    LedgerExists,
    LedgerMissing,
    NetworkFileSystem,
    RequestRow,
    create,
    open_ledger,
    verify,
)
from submit.ledger.files import network_file_system

AT = "2026-11-21T07:00:00+09:00"
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 254:1 / /home/local rw - xfs /dev/vdb rw
32 22 0:41 / /mnt/lab\\040share rw master:3 propagate_from:1 - cifs //nas/lab rw
33 22 0:42 / /auto rw - autofs systemd-1 rw
34 33 0:43 / /auto rw - nfs server:/auto rw
35 22 0:44 / /ssh rw - fuse.sshfs me@host: rw
36 22 0:45 / /gluster rw - fuse.glusterfs host:/vol rw
37 22 0:46 / /smb rw - smb3 //nas/x rw
38 22 0:47 / /lustre rw - lustre mds:/x rw
39 22 0:48 / /fuse rw - fuse.gocryptfs /crypt rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/srv/desk", None, id="the root is local"),
        pytest.param("/home/dk/desk", "nfs4", id="nfs"),
        pytest.param("/home", "nfs4", id="the mount point itself"),
        pytest.param("/homes/dk", None, id="a name that only begins the same"),
        pytest.param("/home/local/desk", None, id="a local disk inside a share"),
        pytest.param("/mnt/lab share/desk", "cifs", id="a mount point with a space"),
        pytest.param("/auto/desk", "nfs", id="the last mount on one point holds"),
        pytest.param("/ssh/desk", "fuse.sshfs", id="sshfs"),
        pytest.param("/gluster/desk", "fuse.glusterfs", id="gluster through fuse"),
        pytest.param("/smb/desk", "smb3", id="smb"),
        pytest.param("/lustre/desk", "lustre", id="lustre"),
        pytest.param("/fuse/desk", None, id="a local file system through fuse"),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(path: str, kind: str | None) -> None:
    assert network_file_system(MOUNTS, Path(path)) == kind


def test_where_no_mounts_are_told_nothing_is_a_network_file_system() -> None:
    assert network_file_system("", Path("/home/dk")) is None


def test_a_refused_file_system_is_an_error_of_the_ledger() -> None:
    assert issubclass(NetworkFileSystem, LedgerError)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_ledger_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "desk" / "ledger"
    create(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["ledger.sqlite", "lock", "slips"]
    assert (mode(folder), mode(folder / "slips")) == (0o700, 0o700)
    assert (mode(folder / "ledger.sqlite"), mode(folder / "lock")) == (0o600, 0o600)
    with open_ledger(folder) as ledger, ledger.writing():
        ledger.write_slips({"abc": b"kind: x\n"}, 2026, 7)
        assert mode(folder / "slips/2026/07") == 0o700
    assert mode(folder / "slips/2026/07/abc.yaml") == 0o400


def test_a_ledger_is_not_created_over_another(tmp_path: Path) -> None:
    create(tmp_path)
    with open_ledger(tmp_path) as ledger:
        salt = ledger.salt
    with pytest.raises(LedgerExists, match=r"^/.*: there is a ledger already$"):
        create(tmp_path)
    with open_ledger(tmp_path) as ledger:
        assert ledger.salt == salt


def test_what_an_interrupted_creation_left_is_no_hindrance(tmp_path: Path) -> None:
    for name in ("ledger.sqlite.new", "ledger.sqlite.new-journal"):
        (tmp_path / name).write_bytes(b"half")
    create(tmp_path)
    assert verify(tmp_path).ok
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.sqlite", "lock", "slips"]


def test_a_ledger_cannot_be_created_inside_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"^/.*/file/ledger: Not a directory$"):
        create(tmp_path / "file" / "ledger")


def test_opening_never_creates(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(LedgerMissing, match=r"^/.*: there is no ledger$"):
            open_ledger(folder)
        with pytest.raises(LedgerMissing, match=r"^/.*: there is no ledger$"):
            verify(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no database at all" * 99, "ledger.sqlite: file is not a database", id="text"),
        pytest.param(b"", "ledger.sqlite: no such table: meta", id="empty"),
    ],
)
def test_a_file_that_is_no_database_is_damage(tmp_path: Path, content: bytes, message: str) -> None:
    create(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(content)
    with pytest.raises(LedgerDamaged) as damaged:
        open_ledger(tmp_path)
    assert str(damaged.value) == message
    verdict = verify(tmp_path)
    assert (verdict.ok, verdict.entries, verdict.wrong) == (False, 0, message)


@pytest.mark.parametrize("damage", ["DELETE FROM meta WHERE key = 'format'", "UPDATE meta SET value = 'x'"])
def test_a_database_of_no_known_format_is_damage(tmp_path: Path, damage: str) -> None:
    create(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute(damage)
    with pytest.raises(LedgerDamaged, match=r"^ledger\.sqlite: is not marked as a ledger$"):
        open_ledger(tmp_path)
    assert verify(tmp_path).wrong == "ledger.sqlite: is not marked as a ledger"


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    create(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute("UPDATE meta SET value = 2 WHERE key = 'format'")
    for judge in (open_ledger, verify):
        with pytest.raises(LedgerError, match=r"format 2 is newer than this program, which knows 1$"):
            judge(tmp_path)


def test_a_slip_lies_where_its_path_says(tmp_path: Path) -> None:
    create(tmp_path)
    with open_ledger(tmp_path) as ledger, ledger.writing():
        (path,) = ledger.write_slips({"abc-1": "名前: 花子\n".encode()}, 2026, 7).values()
    assert path == "slips/2026/07/abc-1.yaml"
    assert (tmp_path / path).read_bytes() == "名前: 花子\n".encode()
    assert os.listdir(tmp_path / "slips/2026/07") == ["abc-1.yaml"]


@pytest.mark.parametrize(
    ("slip_id", "year", "month"),
    [
        pytest.param("../abc", 2026, 7, id="up"),
        pytest.param("a/b", 2026, 7, id="down"),
        pytest.param("ABC", 2026, 7, id="capitals"),
        pytest.param("-a", 2026, 7, id="an option"),
        pytest.param("", 2026, 7, id="nothing"),
        pytest.param("a\n", 2026, 7, id="a line"),
        pytest.param("a" * 64, 2026, 7, id="too long"),
        pytest.param("あ", 2026, 7, id="not ASCII"),
        pytest.param("a", 0, 7, id="no year"),
        pytest.param("a", 2026, 13, id="no month"),
    ],
)
def test_what_may_not_become_a_path_touches_none(tmp_path: Path, slip_id: str, year: int, month: int) -> None:
    create(tmp_path)
    with open_ledger(tmp_path) as ledger, pytest.raises(ValueError, match=r"^no slip has the id "), ledger.writing():
        ledger.write_slips({slip_id: b"x"}, year, month)
    assert list((tmp_path / "slips").iterdir()) == []


def test_a_slip_is_written_only_while_writing(tmp_path: Path) -> None:
    create(tmp_path)
    with open_ledger(tmp_path) as ledger, pytest.raises(RuntimeError, match=r"^a slip is written inside "):
        ledger.write_slips({"abc": b"x"}, 2026, 7)


def test_a_slip_without_an_entry_is_replaced_and_one_with_an_entry_never(tmp_path: Path) -> None:
    create(tmp_path)
    with open_ledger(tmp_path) as ledger:
        with ledger.writing():
            ledger.write_slips({"abc": b"first"}, 2026, 7)
        with ledger.writing() as tx:
            (path,) = ledger.write_slips({"abc": b"second"}, 2026, 7).values()
            tx.append("k1", "accepted", at=AT, user="dk", request="abc", slip=b"second")
            tx.append("k2", "queued", at=AT, user="dk", request="abc")
        with (
            pytest.raises(LedgerError, match=r"^slips/2026/07/abc\.yaml: is recorded with other bytes$"),
            ledger.writing(),
        ):
            ledger.write_slips({"abc": b"third"}, 2026, 7)
        with ledger.writing():
            ledger.write_slips({"abc": b"second"}, 2026, 7)
    assert (tmp_path / path).read_bytes() == b"second"
    assert verify(tmp_path).ok


@pytest.mark.parametrize("request_id", [None, "", "A/B"])
def test_a_slip_needs_a_request_that_can_have_one(tmp_path: Path, request_id: str | None) -> None:
    create(tmp_path)
    with (
        open_ledger(tmp_path) as ledger,
        pytest.raises(ValueError, match=r"cannot have a slip$"),
        ledger.writing() as tx,
    ):
        tx.append("k1", "accepted", at=AT, user="dk", request=request_id, slip=b"x")


def test_the_row_of_a_request_takes_the_hash_of_its_slip_from_the_entry(tmp_path: Path) -> None:
    create(tmp_path)
    row = RequestRow("abc", "infer", "accepted", "ja", AT, "slips/2026/07/abc.yaml")
    with open_ledger(tmp_path) as ledger:
        with pytest.raises(ValueError, match=r"^append the entry with the slip of abc before its request$"):  # noqa: SIM117
            with ledger.writing() as tx:
                tx.put_request(row)
        with ledger.writing() as tx:
            ledger.write_slips({"abc": b"x"}, 2026, 7)
            tx.append("k1", "accepted", at=AT, user="dk", request="abc", slip=b"x")
            tx.put_request(row)
        stored = ledger.request("abc")
        assert stored is not None
        (hashed,) = ledger.query("SELECT json_extract(CAST(body AS TEXT), '$.slip') FROM entries")
        assert (stored.slip, stored.slip_sha256) == ("slips/2026/07/abc.yaml", hashed[0])
