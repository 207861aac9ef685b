"""Looking for secrets in all that a program has written: plain, in base64, hexadecimal or percent signs, inside archives and databases."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

PART = 6
"""Characters that base64 is looked for without at both ends: what they become hangs on what stands beside them."""


def spellings(canary: str) -> set[bytes]:
    """How a secret may stand in what was written."""
    found = {
        canary.encode(),
        canary.encode().hex().encode(),
        quote(canary, safe="").encode(),
        canary.encode("utf-16-le"),
    }
    for before in range(3):
        coded = b64encode(b"x" * before + canary.encode())
        found.add(coded[4 if before else 0 : -PART])
    return found


def leaks(where: Path, canaries: Collection[str], but: Collection[Path] = ()) -> list[str]:
    """Each place under a folder where a canary stands, other than the files that are to hold one."""
    held = {one.resolve() for one in but}
    files = [one for one in sorted(where.rglob("*")) if one.is_file() and not one.is_symlink()]
    return [
        f"{file.relative_to(where)}{inside}: {canary}"
        for file in files
        if file.resolve() not in held
        for inside, content in _contents(file)
        for canary in canaries
        if any(one in content for one in spellings(canary))
    ]


def _contents(file: Path) -> Iterator[tuple[str, bytes]]:
    content = file.read_bytes()
    yield "", str(file).encode() + content
    if content.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:  # a page may end inside a secret
            yield "", "\n".join(db.iterdump()).encode("utf-8", "surrogateescape")
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield f"!{name}", archive.read(name)
