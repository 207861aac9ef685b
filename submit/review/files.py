"""What is written of the record for people: whole or not at all, and for its owner alone, because it holds what people wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole(out: Path) -> Iterator[IO[str]]:
    """A text file that takes the place of ``out`` once all of it is there. What is no text any more is written as “?”."""
    new = out.with_name(f".{out.name}.new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(fd, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        new.replace(out)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
