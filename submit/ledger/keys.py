"""Signed notes and the keys that sign them, as C2SP says: https://c2sp.org/signed-note, the format of Go's golang.org/x/mod/sumdb/note.

A note is text, an empty line and a line for each signature. A desk signs with Ed25519: its key lies in ``audit.key`` (0600), and who
checks needs ``audit.pub``, a line a key, those of before first. The one file on the desk's side that imports cryptography.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from submit.desk import DeskError, refuse_open_secret
from submit.ledger.files import LedgerError, synced

KEY, NEW_KEY, PUBLIC = "audit.key", ".audit.key.new", "audit.pub"
ED25519 = b"\x01"
"""The type of the signature, https://c2sp.org/signed-note#signature-types."""
PRIVATE = "PRIVATE+KEY+"
DASH = "\u2014 "
ID_BYTES, KEY_BYTES, SIGNATURE_BYTES = 4, 32, 64
MOST_SIGNATURES = 100
"""As many as Go's implementation reads."""


class NoteError(LedgerError):
    """A note that proves nothing; the message is half a line, to stand after the name of the file."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signature is looked for. ``id`` is the first 8 digits of SHA-256 over name, newline, type and key."""

    name: str
    raw: bytes

    @property
    def id(self) -> str:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:ID_BYTES].hex()

    def line(self) -> str:
        """As it is published: ``NAME+ID+BASE64``, a "vkey"."""
        return f"{self.name}+{self.id}+{b64encode(ED25519 + self.raw).decode()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs. It is never shown: ``repr`` has the public half alone."""

    public: PublicKey
    _key: Ed25519PrivateKey

    def note(self, text: str) -> str:
        """The text, signed. ValueError for one that a note cannot hold."""
        if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
            raise ValueError("the text of a note is whole lines without control characters")
        signature = bytes.fromhex(self.public.id) + self._key.sign(text.encode())
        return f"{text}\n{DASH}{self.public.name} {b64encode(signature).decode()}\n"


def public_key(line: str) -> PublicKey:
    """NoteError for what is no vkey, or one whose id is not its own."""
    name, _, rest = line.partition("+")
    given, _, code = rest.partition("+")
    data = _decoded(code)
    if not is_name(name) or data[:1] != ED25519 or len(data) != 1 + KEY_BYTES:
        raise NoteError("is no Ed25519 key of the form NAME+ID+KEY")
    found = PublicKey(name, data[1:])
    if found.id != given:
        raise NoteError("is a key with the id of another")
    return found


def public_keys(text: str) -> list[PublicKey]:
    """A line a key; empty lines are passed over."""
    return [public_key(line.strip()) for line in text.splitlines() if line.strip()]


def signer(text: str) -> Signer:
    """Of the one line of a private key, as Go's implementation writes it: ``PRIVATE+KEY+NAME+ID+BASE64``."""
    line = text.strip()
    name, _, rest = line.removeprefix(PRIVATE).partition("+")
    given, _, code = rest.partition("+")
    data = _decoded(code)
    if not line.startswith(PRIVATE) or not is_name(name) or data[:1] != ED25519 or len(data) != 1 + KEY_BYTES:
        raise NoteError("is no private key")
    key = Ed25519PrivateKey.from_private_bytes(data[1:])
    found = Signer(PublicKey(name, key.public_key().public_bytes_raw()), key)
    if found.public.id != given:
        raise NoteError("is a key with the id of another")
    return found


def opened(note: str, keys: Iterable[PublicKey]) -> tuple[str, PublicKey]:
    """The text of a note and the first of the keys that signed it. Signatures of keys that are not known are passed over; a wrong one of a
    key that is known is a NoteError, as is a note without any of a known one."""
    text, end, lines = note.rpartition("\n\n")
    signatures = lines.split("\n")[:-1]
    if not end or not lines.endswith("\n") or not 1 <= len(signatures) <= MOST_SIGNATURES or _has_control(note):
        raise NoteError("is no signed note")
    known = {(key.name, key.id): key for key in keys}
    found = [_signed(line, text + "\n", known) for line in signatures]
    by = [key for key in found if key is not None]
    if not by:
        raise NoteError("is signed by none of the keys that are known")
    return text + "\n", by[0]


def _signed(line: str, text: str, known: dict[tuple[str, str], PublicKey]) -> PublicKey | None:
    name, _, code = line.removeprefix(DASH).partition(" ")
    data = _decoded(code)
    if not line.startswith(DASH) or not is_name(name) or len(data) <= ID_BYTES:
        raise NoteError("is no signed note")
    key = known.get((name, data[:ID_BYTES].hex()))
    if key is None:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(data[ID_BYTES:], text.encode())
    except InvalidSignature:
        raise NoteError(f"has a wrong signature under the name of key {key.id}") from None
    return key


def is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(char.isspace() or char == "+" for char in name)


def _has_control(note: str) -> bool:
    return any(char < " " and char != "\n" for char in note)


def _decoded(code: str) -> bytes:
    """Empty for what is not the one spelling of some bytes in base64."""
    try:
        data = b64decode(code, validate=True)
    except ValueError:
        return b""
    return data if b64encode(data).decode() == code else b""


def signer_of(folder: Path) -> Signer | None:
    """The key of a desk; None where it has none. DeskError where others may read it, or where it is none."""
    return _read(folder / KEY) if os.path.lexists(folder / KEY) else None


def _read(file: Path) -> Signer:
    refuse_open_secret("the key of the audit log", file)
    try:
        return signer(file.read_text(encoding="utf-8"))
    except (NoteError, UnicodeDecodeError) as error:
        raise DeskError(f"{file}: is no private key") from error


def published(file: Path) -> list[PublicKey]:
    """The keys that a file lists. NoteError with the file's name where it has another thing in it, or nothing."""
    try:
        found = public_keys(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoteError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise NoteError(f"{file}: is no list of keys") from None
    except NoteError as error:
        raise NoteError(f"{file}: {error}") from None
    if not found:
        raise NoteError(f"{file}: lists no key")
    return found


def begin(folder: Path, name: str) -> Signer:
    """A key that is to be the desk's: written and published, not yet used. One that was begun before is gone on with."""
    file = folder / NEW_KEY
    if not os.path.lexists(file):
        seed = Ed25519PrivateKey.generate()
        made = PublicKey(name, seed.public_key().public_bytes_raw())
        line = f"{PRIVATE}{name}+{made.id}+{b64encode(ED25519 + seed.private_bytes_raw()).decode()}\n"
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write(line)
        synced(file)
    begun = _read(file)
    _publish(folder / PUBLIC, begun.public)
    return begun


def _publish(file: Path, key: PublicKey) -> None:
    there = published(file) if file.exists() else []
    if key in there:
        return
    new = file.with_name(f".{file.name}.new")
    new.write_text("".join(f"{one.line()}\n" for one in [*there, key]), encoding="utf-8")
    synced(new)
    os.replace(new, file)


def finish(folder: Path) -> None:
    """From now on the desk signs with the key that was begun."""
    os.replace(folder / NEW_KEY, folder / KEY)
    synced(folder)
