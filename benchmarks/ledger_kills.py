"""``make kills``: kill -9 at 1,000 random moments of what writes to a desk's record: appends, submissions, workers, backups, erasures.

    python -m benchmarks.ledger_kills [--kills 1000] [--seed 20261121]

Each writer is a forked child with everything loaded, so that it dies in its work and not on its way there; it says what it was told is
kept. Prints a line of figures; ends with 1 when something acknowledged was lost, a job ran twice, half a backup has a name, or the ledger
is not good.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from submit import backups, erasing, hand_off, journey, work
from submit.desk import LEDGER, Desk, DeskError, denpyo_version
from submit.ledger import LedgerError, open_ledger, verify
from submit.ledger.backup import look_into
from submit.response import Source, Wishes
from tests.desks import counting, desk_in, starts
from tests.submit.ledger.kill import keep

LONGEST = {"append": 0.25, "submit": 0.5, "work": 1.0, "backup": 0.4, "erase": 0.2}
"""Seconds after which each is dead at the latest."""
SHARES = {"append": 45, "submit": 25, "work": 5, "backup": 10, "erase": 15}
VERIFIED_EVERY = 25


@dataclass
class Tally:
    """What was killed, what ended first, and what was acknowledged: keys of entries, ids of requests."""

    killed: Counter[str] = field(default_factory=Counter)
    ended_first: int = 0
    keys: list[str] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)
    backups: int = 0


Says = Callable[[str], None]


def append(desk: Desk, name: str, says: Says) -> None:
    with open_ledger(desk.folder / LEDGER) as ledger:
        for number in range(1_000):
            for key, new in keep(ledger, f"{name}-{number}", number):
                says(f"key {key}" if new else "")


def submit(desk: Desk, name: str, says: Says) -> None:
    for number in range(5):
        file = counting(desk.folder.parent, f"{name}-{number}")
        outcome = journey.submit(desk, [Source(file.name, file.read_bytes())], Wishes())
        for one in outcome.requests:
            says(f"request {one.id}")


def work_on(desk: Desk, name: str, says: Says) -> None:
    work.work(desk, drain=True, told=lambda run, state: None)


def back_up(desk: Desk, name: str, says: Says) -> None:
    backups.back_up(desk, desk.folder.parent / "backups" / name)
    says("backup")


def erase(desk: Desk, name: str, says: Says) -> None:
    """One after another of what was appended, the oldest that is still there first."""
    with open_ledger(desk.folder / LEDGER) as ledger:
        found = ledger.query(
            "SELECT request FROM entries JOIN beside USING (seq) WHERE request LIKE 'a%' AND request NOT LIKE '%-%-%' ORDER BY seq LIMIT 20"
        )
    for (request,) in found:
        erasing.erase_all(desk, [request])
        says("erased")


DOES = {"append": append, "submit": submit, "work": work_on, "backup": back_up, "erase": erase}


def killed(desk: Desk, what: str, name: str, seconds: float) -> tuple[bool, list[str]]:
    """Whether a child was still at it when it was killed, and the lines that it could finish."""
    heard, says = os.pipe()
    child = os.fork()
    if not child:
        _be(desk, what, name, says)
    os.close(says)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(heard, encoding="utf-8") as lines:
        told = [line[:-1] for line in lines if line.endswith("\n")]
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{what} {name} ended with {os.waitstatus_to_exitcode(status)}")
    return os.WIFSIGNALED(status), told


def _be(desk: Desk, what: str, name: str, says: int) -> None:
    code = 1
    try:
        DOES[what](desk, name, lambda line: (os.write(says, f"{line}\n".encode()), None)[1])
        code = 0
    except (LedgerError, DeskError) as error:
        sys.stderr.write(f"{what} {name}: {error}\n")
    finally:
        os._exit(code)


def rounds(desk: Desk, kills: int, seed: int) -> Tally:
    chance, tally, number = random.Random(seed), Tally(), 0  # noqa: S311
    (desk.folder.parent / "backups").mkdir()
    while sum(tally.killed.values()) < kills and tally.ended_first < 10 * kills:
        number += 1
        (what,) = chance.choices([*SHARES], [*SHARES.values()])
        dead, told = killed(desk, what, f"{what[0]}{number}", chance.uniform(0.001, LONGEST[what]))
        tally.killed[what] += dead
        tally.ended_first += not dead
        tally.keys += [line[4:] for line in told if line.startswith("key ")]
        tally.requests |= {line[8:] for line in told if line.startswith("request ")}
        if number % VERIFIED_EVERY == 0:
            verdict = verify(desk.folder / LEDGER)
            if not verdict.ok:
                raise RuntimeError(f"after {number} rounds: {verdict.wrong}")
    return tally


def wrongs(desk: Desk, tally: Tally) -> list[str]:
    """What is lost, done twice or half done, once everything that waits was brought to its end."""
    erasing.erase_all(desk, ["nobody"])  # finishes what a killed erasure left
    hand_off.deliver(desk)
    work.work(desk, drain=True, told=lambda run, state: None)
    hand_off.follow(desk)
    found = []
    with open_ledger(desk.folder / LEDGER) as ledger:
        found += [f"entry {key} is lost" for key in set(tally.keys) - ledger.keys_among(tally.keys)]
        there = ledger.requests_among(tally.requests)
        found += [f"request {one} is lost" for one in tally.requests - there.keys()]
        ran = {row.id for row in ledger.requests(("done",))}
        found += [f"request {one} is {there[one].state}" for one in tally.requests & there.keys() if one not in ran]
    found += [f"{name} ran {times} times" for name, times in starts(desk.folder.parent).items() if times != 1]
    if len(starts(desk.folder.parent)) != len(ran):
        found.append(f"{len(ran)} requests are done, {len(starts(desk.folder.parent))} ran")
    for file in (desk.folder.parent / "backups").iterdir():
        if not file.name.startswith("."):
            look_into(file)
            tally.backups += 1
    verdict = verify(desk.folder / LEDGER)
    return found + ([verdict.wrong] if not verdict.ok else [])


def main() -> int:
    words = argparse.ArgumentParser()
    words.add_argument("--kills", type=int, default=1000)
    words.add_argument("--seed", type=int, default=20261121)
    asked, began = words.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="denpyo-kills-") as name:
        desk = desk_in(Path(name) / "desk")
        tally = rounds(desk, asked.kills, asked.seed)
        found = wrongs(desk, tally)
    said = ", ".join(f"{count} of {what}" for what, count in sorted(tally.killed.items()))
    print(
        f"seed {asked.seed}, denpyo {denpyo_version()}: {sum(tally.killed.values())} kills ({said}), {tally.ended_first} ended first;"
        f" {len(tally.keys)} entries and {len(tally.requests)} requests acknowledged, {tally.backups} backups, each whole;"
        f" {time.monotonic() - began:.0f} s: {'GOOD' if not found else 'WRONG'}"
    )
    for one in found[:20]:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
