"""Hypothesis without a deadline: what else the machine does is no fault of the code. In CI it draws the same cases each time, so that a
change is judged by itself; whoever works here draws new ones with every run. And the tracer only where it tells something.

Coverage is counted by the tests with literal examples. Property tests go the same ways a hundred times over, and a traced program takes
twice the time; they, and all else that is marked ``untraced``, run without it, and so do the processes that they start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import is_hypothesis_test, settings
from pytest_cov.engine import CovController

if TYPE_CHECKING:
    from tests.standins.clearml import ClearML

settings.register_profile("unhurried", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable" if os.environ.get("CI") else "unhurried")
TRACES_PROCESSES = "COVERAGE_PROCESS_CONFIG"
"""What coverage.py's ``patch = subprocess`` leaves in the environment, so that processes trace themselves."""


@pytest.fixture
def clearml_server() -> Iterator[ClearML]:
    """A ClearML server on loopback. What of the stand-in itself is wrong fails the test that used it."""
    from tests.standins.clearml import ClearML  # half a second: the SDK with its schemas

    with ClearML() as server:
        yield server
    assert server.faults == []


def pytest_itemcollected(item: pytest.Item) -> None:
    if is_hypothesis_test(getattr(item, "obj", None)):
        item.add_marker("untraced")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    tracer = getattr(item.config.pluginmanager.get_plugin("_cov"), "cov_controller", None)
    if tracer is None or not item.get_closest_marker("untraced"):
        return (yield)
    with _untraced(tracer):
        return (yield)


@contextmanager
def _untraced(tracer: CovController) -> Iterator[None]:
    """Around a whole test with its fixtures; pytest-cov's own ``no_cover`` traces those."""
    told = os.environ.pop(TRACES_PROCESSES, None)
    tracer.pause()
    try:
        yield
    finally:
        tracer.resume()
        if told is not None:
            os.environ[TRACES_PROCESSES] = told
