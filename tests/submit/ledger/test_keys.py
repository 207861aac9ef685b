from __future__ import annotations

from pathlib import Path

import pytest

from submit.desk import DeskError
from submit.ledger import keys
from submit.ledger.keys import NoteError, opened, public_key, public_keys, signer

# The figures of the tests of golang.org/x/mod/sumdb/note, the implementation that others follow.
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {SIGNED}\n"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
OF_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"


def test_what_go_signed_is_signed_the_same_byte_for_byte() -> None:
    assert signer(PRIVATE).note(TEXT) == NOTE
    assert signer(PRIVATE).public.line() == PUBLIC


def test_a_note_that_go_signed_is_opened() -> None:
    text, key = opened(NOTE, [public_key(PUBLIC)])
    assert (text, key.name, key.id) == (TEXT, "PeterNeumann", "c74f20a3")


def test_signatures_of_keys_that_are_not_known_are_passed_over() -> None:
    text, key = opened(NOTE + OF_ENOCH, [public_key(ENOCH)])
    assert (text, key.name) == (TEXT, "EnochRoot")


@pytest.mark.parametrize(
    ("note", "said"),
    [
        pytest.param(NOTE.replace("If", "in"), "has a wrong signature under the name of key c74f20a3", id="text"),
        pytest.param(
            NOTE.replace("ZJkuBS", "ZJkuBT"), "has a wrong signature under the name of key c74f20a3", id="sig"
        ),
        pytest.param(NOTE.replace("x08go", "x09go"), "is signed by none of the keys that are known", id="unknown key"),
        pytest.param(f"{TEXT}\n{OF_ENOCH}", "is signed by none of the keys that are known", id="another's"),
        pytest.param(TEXT, "is no signed note", id="no signature"),
        pytest.param(NOTE.rstrip("\n"), "is no signed note", id="cut short"),
        pytest.param(NOTE.replace("—", "-"), "is no signed note", id="another dash"),
        pytest.param(NOTE.replace("\n", "\r\n"), "is no signed note", id="CRLF"),
        pytest.param(NOTE.replace("JnAM=", "JnAM"), "is no signed note", id="no base64"),
        pytest.param(NOTE.replace("JnAM=", "JnAN="), "is no signed note", id="another spelling of the same bytes"),
        pytest.param(NOTE.replace("PeterNeumann", "Peter+"), "is no signed note", id="no name"),
        pytest.param(NOTE + f"{NOTE.splitlines()[-1]}\n" * 100, "is no signed note", id="too many"),
        pytest.param("", "is no signed note", id="empty"),
    ],
)
def test_a_note_that_proves_nothing_says_why(note: str, said: str) -> None:
    with pytest.raises(NoteError) as error:
        opened(note, [public_key(PUBLIC)])
    assert str(error.value) == said


@pytest.mark.parametrize("cut", range(1, len(PUBLIC)))
def test_no_part_of_a_key_is_a_key(cut: int) -> None:
    for part in (PUBLIC[:cut], PUBLIC[cut:]):
        with pytest.raises(NoteError):
            public_key(part)


@pytest.mark.parametrize(
    "line",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PUBLIC.replace("c74f20a3", "C74F20A3"),
    ],
    ids=["too long", "of another type", "id in capitals"],
)
def test_a_key_that_go_does_not_take_is_not_taken(line: str) -> None:
    with pytest.raises(NoteError):
        public_key(line)


def test_a_private_key_is_not_shown() -> None:
    assert "AYEKFALVFGyN" not in repr(signer(PRIVATE))


def test_a_text_that_a_note_cannot_hold_is_not_signed() -> None:
    for text in ("no end", "a\tb\n", "a\rb\n"):
        with pytest.raises(ValueError, match="whole lines"):
            signer(PRIVATE).note(text)


def test_a_key_that_others_may_read_is_refused_before_it_is_read(tmp_path: Path) -> None:
    keys.begin(tmp_path, "denpyo/x")
    keys.finish(tmp_path)
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(DeskError, match="must be a regular file of your own with mode 0600"):
        keys.signer_of(tmp_path)


def test_a_key_file_that_holds_none_is_said_without_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_text("PRIVATE+KEY+canary")
    (tmp_path / "audit.key").chmod(0o600)
    with pytest.raises(DeskError) as error:
        keys.signer_of(tmp_path)
    assert str(error.value) == f"{tmp_path}/audit.key: is no private key"


def test_a_key_that_was_begun_before_a_crash_is_gone_on_with(tmp_path: Path) -> None:
    first = keys.begin(tmp_path, "denpyo/x").public
    assert keys.signer_of(tmp_path) is None
    assert keys.begin(tmp_path, "denpyo/x").public == first
    keys.finish(tmp_path)
    found = keys.signer_of(tmp_path)
    assert found is not None
    assert [found.public] == [first] == public_keys((tmp_path / "audit.pub").read_text())
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "lists no key"), (b"hello\n", "is no Ed25519 key of the form NAME+ID+KEY"), (b"\xff", "is no list of keys")],
    ids=["empty", "another thing", "no text"],
)
def test_a_list_of_keys_that_is_none_names_its_file(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "audit.pub").write_bytes(content)
    with pytest.raises(NoteError) as error:
        keys.published(tmp_path / "audit.pub")
    assert str(error.value) == f"{tmp_path}/audit.pub: {said}"
