"""Waiting for what another process does, with an end to it."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], bool], within: float, every: float = 0.05) -> None:
    """Fails the test when it did not happen within so many seconds."""
    until = time.monotonic() + within
    while not happened():
        assert time.monotonic() < until, f"not within {within} seconds"
        time.sleep(every)
