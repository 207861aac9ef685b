"""How large a file may be, and what the process that parses may take, by the size of its workbook."""

from __future__ import annotations

from generators.excel.refusal import Refusal
from schema.words import both

MIB = 1024 * 1024
LARGEST_FILE = 64 * MIB
MEMORY, MEMORY_PER_BYTE, MOST_MEMORY = 256 * MIB, 48, 2048 * MIB
SECONDS, BYTES_PER_SECOND = 5, MIB // 2
FILES = 16


def memory_for(size: int) -> int:
    """Bytes of address space for a workbook of this size: 100,000 rows of 20 answers fit well, a bad file gets no more than a good one."""
    return min(MEMORY + MEMORY_PER_BYTE * size, MOST_MEMORY)


def seconds_for(size: int) -> int:
    """CPU seconds for a workbook of this size."""
    return SECONDS + size // BYTES_PER_SECOND


def mib(size: int) -> str:
    return f"{size // MIB} MiB"


def no_memory(size: int, part: str = "") -> Refusal:
    """``part`` is the largest of the file, which its process cannot have coped with."""
    return Refusal("too_large", part, {"part": both("memory_needed"), "limit": mib(memory_for(size))})
