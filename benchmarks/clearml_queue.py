"""``python -m benchmarks.clearml_queue``: accepted requests handed over to ClearML a second, beside the SDK's own way, a loop of
``Task.clone`` and ``Task.enqueue`` of a template; both against the stand-in in a process of its own, 5 ms late with every answer.

Prints the line for docs/performance.md: how many a second, how many calls each, over how many connections, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from submit import journey
from submit.response import Source, Wishes
from tests.desks import clearml_desk_in, counting

LATENCY_MS = 5
LONGEST = 60.0
QUEUE = "default"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clearml_queue", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds = [(_ours(given.requests), _theirs(given.requests)) for _ in range(given.rounds)]
    ours, theirs = (min(seconds) for seconds in zip(*[(a["seconds"], b["seconds"]) for a, b in rounds], strict=True))
    first, second = rounds[0]
    print(
        f"Python {platform.python_version()}, {given.requests} requests, {LATENCY_MS} ms: "
        f"denpyo {given.requests / ours:.0f} a second, {first['calls'] / given.requests:.3f} calls each over {first['connections']} "
        f"connections; Task.clone + Task.enqueue {given.requests / theirs:.0f} a second, {second['calls'] / given.requests:.2f} calls "
        f"each over {second['connections']}; {theirs / ours:.1f} x (best of {given.rounds})"
    )


def _ours(count: int) -> dict[str, Any]:
    """From accepted to queued: the ledger's entries are part of it."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url:
        desk = clearml_desk_in(Path(folder) / "desk")
        files = [counting(Path(folder), f"n{number}") for number in range(count)]
        sources = [Source(one.name, one.read_bytes()) for one in files]
        outcome = journey.keep(desk, sources, Wishes(), queue=True)
        begun = time.perf_counter()
        journey.hand_over(desk, outcome)
        seconds = time.perf_counter() - begun
        if outcome.undelivered:
            raise RuntimeError(outcome.undelivered)
        return {"seconds": seconds, **_told(url, count)}


def _theirs(count: int) -> dict[str, Any]:
    """In a process of its own, as the SDK keeps one server for the life of a process."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", LOOP, str(count)], env=dict(os.environ), capture_output=True, text=True, check=True
        )
        return {"seconds": float(done.stdout.split()[-1]), **_told(url, count)}


LOOP = f"""
import sys, time
from clearml import Task
from clearml.backend_api.session.client import APIClient
made = APIClient().queues.create(name={QUEUE!r}).id
template = Task.create(project_name="benchmark", task_name="template", repo="file:///srv/git/denpyo.git", commit="0" * 40,
                       script="jobs/__main__.py", add_task_init_call=False, packages=[])
begun = time.perf_counter()
for number in range(int(sys.argv[1])):
    copy = Task.clone(source_task=template, name=f"run {{number}}")
    Task.enqueue(copy, queue_id=made)
print(time.perf_counter() - begun)
"""


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A stand-in in a process of its own, and the environment that names it."""
    there = folder / "addresses.json"
    command = [sys.executable, "-m", "tests.standins.clearml", "--port-file", str(there), "--conf", str(folder)]
    process = subprocess.Popen([*command, "--latency-ms", str(LATENCY_MS)])  # noqa: S603
    try:
        until = time.monotonic() + LONGEST
        while not there.exists() and time.monotonic() < until:
            time.sleep(0.05)
        os.environ["CLEARML_CONFIG_FILE"] = str(folder / "clearml.conf")
        os.environ["CLEARML_API_HOST"] = url = json.loads(there.read_text(encoding="utf-8"))["url"]
        yield url
    finally:
        process.terminate()
        process.wait(LONGEST)


def _told(url: str, count: int) -> dict[str, Any]:
    """What the stand-in counted. Every request must be one task, in one place of one queue."""
    told, state = (json.load(urllib.request.urlopen(f"{url}/standin/{what}")) for what in ("calls", "state"))  # noqa: S310
    queued = [task["id"] for task in state["tasks"].values() if task["status"] == "queued"]
    if told["faults"] or len(queued) != count:
        raise RuntimeError(f"{len(queued)} queued, faults: {told['faults']}")
    return {"calls": len(told["calls"]), "connections": told["connections"]}


if __name__ == "__main__":
    main()
