"""How long ``denpyo --help`` takes on top of the bare interpreter: medians of interleaved starts, bytecode compiled."""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time

ROUNDS = 25


def seconds(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - began


def main() -> None:
    seconds("-m", "denpyo", "--help")
    pairs = [(seconds("-c", "pass"), seconds("-m", "denpyo", "--help")) for _ in range(ROUNDS)]
    bare, helped = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    print(
        f"Python {platform.python_version()}: bare {bare:.0f} ms, --help {helped:.0f} ms, on top {helped - bare:.0f} ms; {ROUNDS} rounds"
    )


if __name__ == "__main__":
    main()
