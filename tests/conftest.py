"""Hypothesis without a deadline: what else the machine does is no fault of the code. And the tracer only where it tells something.

Coverage is counted by the tests with literal examples. Property tests go the same ways a hundred times over, for twice the time when
traced; they, and all else that is marked ``no_cover``, run without it, and so do the processes that they start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import is_hypothesis_test, settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
TRACES_PROCESSES = "COVERAGE_PROCESS_CONFIG"
"""What coverage.py's ``patch = subprocess`` leaves in the environment for the processes to be traced."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if is_hypothesis_test(getattr(item, "obj", None)):
        item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    told = os.environ.pop(TRACES_PROCESSES, None) if item.get_closest_marker("no_cover") else None
    try:
        return (yield)
    finally:
        if told is not None:
            os.environ[TRACES_PROCESSES] = told
