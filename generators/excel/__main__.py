"""The process that parses, or marks: a workbook on standard input, what was read of it, or its copy, on standard output. It limits
itself before it looks at the workbook.

Its parent is ``submit.child``; it imports as little as it can, because a person waits for it.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from contextlib import suppress

from generators.excel.bounds import FILES, memory_for, seconds_for
from generators.excel.frame import NEWLINE, framed
from generators.excel.parser import read_cells


def limit(size: int) -> None:
    """From here on: no more memory and time than a workbook of this size needs, no core dump, nothing written into files."""
    for what, most in (
        (resource.RLIMIT_AS, memory_for(size)),
        (resource.RLIMIT_CPU, seconds_for(size)),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, FILES),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # macOS limits no memory: there the gate alone bounds it
            resource.setrlimit(what, (most, most))


def main() -> None:
    gc.disable()  # one workbook, and the process ends
    data = sys.stdin.buffer.read()
    limit(len(data))
    try:
        found = framed(read_cells(data))
    except MemoryError:
        os.abort()  # what there is to say of it, the parent says: here there may be no memory for it
    sys.stdout.buffer.write(found)


def marking() -> None:
    """An order in one line, then its workbook → the marked copy; nothing where there can be none.

    It may take twice as much as reading does: the workbook is taken apart, put together again, and where it is old also read.
    """
    from generators.excel.marks import mark
    from generators.excel.order import ordered

    line, _, data = sys.stdin.buffer.read().partition(NEWLINE)
    limit(2 * len(data) + len(line))
    with suppress(MemoryError):
        sys.stdout.buffer.write(mark(data, ordered(line)) or b"")


if __name__ == "__main__":
    main()
