"""``make kills``: real trainings under kill -9 of submit and worker, until 200 were killed while they ran.

Prints a line of figures; ends with 1 when a request was lost, ran twice, or the ledger is not good.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from pathlib import Path

from submit.desk import LEDGER, denpyo_version
from submit.ledger import verify
from submit.new_desk import make_desk
from tests.desks import denpyo
from tests.desks.kills import kill_rounds

KILLS, REQUESTS, SEED = 200, 120, 20261121
LONGEST = {"submit": 0.9, "work": 4.0}


def training(folder: Path, seed: int) -> Path:
    file = folder / f"training-{seed}.yaml"
    job = f"{{dataset_id: wine, algorithm: random_forest, seed: {seed}, hyperparameters: {{n_estimators: 20}}}}"
    file.write_text(f"kind: train_supervised\njob: {job}\n", encoding="utf-8")
    return file


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="denpyo-kills-") as name:
        folder = Path(name)
        desk = make_desk(folder / "desk").folder
        files = [training(folder, seed) for seed in range(REQUESTS)]
        tally = kill_rounds(desk, files, KILLS, SEED, LONGEST)
        denpyo("submit", *files, desk=desk)
        denpyo("work", "--drain", desk=desk, within=1800)
        requests = json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"]
        states = sorted({request["state"] for request in requests})
        logs = [log.read_text(encoding="utf-8") for log in (desk / LEDGER / "runs").glob("*/log")]
        started = sum(
            line.startswith("training ") for log in logs for line in log.splitlines()
        )  # the workload says so itself
        results = sum(1 for _ in (desk / LEDGER / "runs").glob("*/result.json"))
        verdict = verify(desk / LEDGER)
    good = (len(requests), started, results, states, verdict.ok) == (REQUESTS, REQUESTS, REQUESTS, ["done"], True)
    print(
        f"seed {SEED}, denpyo {denpyo_version()}, Python {platform.python_version()}: {tally.submit} kills of submit, {tally.work} of the"
        f" worker, {tally.ended_first} ended first; {len(requests)} requests, {started} trainings, {results} results, states {states},"
        f" ledger {'good' if verdict.ok else verdict.wrong}; {time.monotonic() - began:.0f} s: {'GOOD' if good else 'WRONG'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
