"""``python -m benchmarks.clearml_faults``: requests handed over to ClearML by processes that are killed, over a server that drops calls,
drops answers, fails and answers late; then run by an agent, and the starts of the jobs themselves counted.

Prints the line for docs/reliability.md; ends with 1 when a request was lost, ran twice, or stands in no queue or two.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from submit.desk import Desk, denpyo_version
from submit.engines import clearml
from submit.ledger import verify
from tests.desks import clearml_desk_in, counting, denpyo, starts
from tests.desks.kills import killed_after
from tests.standins.clearml import ClearML
from tests.standins.clearml.server import Trouble
from tests.standins.quick_agent import QuickAgent

SEED = 20261121
LATENCY = 0.02
CALLS = ("tasks.get_all", "tasks.create", "tasks.edit_hyper_params", "tasks.enqueue_many", "projects.get_all", "*")
TROUBLES: tuple[Trouble, ...] = ("drop_before", "drop_after", "fail", "late")
LATE = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clearml_faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    began, chance = time.monotonic(), random.Random(SEED)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="denpyo-faults-") as name, ClearML(latency=LATENCY) as server:
        folder = Path(name)
        os.environ |= {**server.environment(), "CLEARML_CONFIG_FILE": str(folder / "none.conf")}
        desk = clearml_desk_in(folder / "desk")
        tally = _rounds(desk, server, given.rounds, chance)
        denpyo("submit", counting(folder, "last"), desk=desk.folder)
        queued = Counter(entry["task"] for queue in server.queues.values() for entry in queue["entries"])
        told = {"DENPYO_KINDS": str(desk.folder / "kinds"), "DENPYO_RUNS": str(folder / "agent" / "runs")}
        QuickAgent(clearml.server(desk), folder / "agent", "default", told).drain()
        requests = json.loads(denpyo("status", "--json", desk=desk.folder).stdout)["requests"]
        states = Counter(one["state"] for one in requests)
        begun = starts(folder)
        good = (
            set(begun.values()) == {1}
            and len(begun) == len(requests) == states["done"]
            and set(queued.values()) == {1}
            and not server.faults
            and verify(desk.folder / "ledger").ok
        )
        tasks = sum(any(tag.startswith("run:") for tag in one["tags"]) for one in server.tasks.values())
    print(
        f"seed {SEED}, denpyo {denpyo_version()}, Python {platform.python_version()}: {len(requests)} requests, "
        f"{', '.join(f'{count} {what}' for what, count in sorted(tally.items()))}; {tasks} tasks, {len(queued)} places in queues, "
        f"{sum(begun.values())} starts of {len(begun)} jobs; {time.monotonic() - began:.0f} s: {'GOOD' if good else 'WRONG'}"
    )
    return 0 if good else 1


def _rounds(desk: Desk, server: ClearML, rounds: int, chance: random.Random) -> Counter[str]:
    """Each round hands in a new request and an old one, with a fault, a kill, or both in the way."""
    tally: Counter[str] = Counter()
    begun = time.monotonic()
    denpyo("submit", counting(desk.folder.parent, "n0"), desk=desk.folder)
    usual = time.monotonic() - begun
    for number in range(1, rounds):
        if chance.random() < 0.7:
            trouble = chance.choice(TROUBLES)
            server.fault(chance.choice(CALLS), trouble, seconds=LATE)
            tally[f"{trouble.replace('_', ' ')} faults"] += 1
        files = [counting(desk.folder.parent, f"n{one}") for one in (number, chance.randrange(number))]
        if chance.random() < 0.6:
            tally["kills"] += killed_after(["submit", *files], desk.folder, chance.uniform(0.4, 1.3) * usual)
        else:
            denpyo("submit", *files, desk=desk.folder, code=None)
    server.forget_faults()
    return tally


if __name__ == "__main__":
    sys.exit(main())
