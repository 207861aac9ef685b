"""Run the comparison and print its tables as Markdown."""

from __future__ import annotations

import argparse
import platform
import re
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rivals.behave import behaviour, faults, meant_well
from benchmarks.rivals.excelalchemy import ExcelAlchemy
from benchmarks.rivals.faults import FAULTS, MEANT_WELL
from benchmarks.rivals.gen3 import Gen3
from benchmarks.rivals.linkml import LinkML
from benchmarks.rivals.look import seen, stable
from benchmarks.rivals.ours import Denpyo
from benchmarks.rivals.program import Program

NOT_RUN = "not run"
TELLING = (
    "typing mistake in a choice",
    "equal to an open bound",
    "wrong pattern",
    "answer that a condition switches off",
)
"""Faults whose words are printed."""
LONGEST = 150
"""Characters of a cell; what a program says may be a page long."""
Column = dict[str, str]


def main() -> int:
    given = arguments()
    tables: dict[str, dict[str, Column]] = {"Features": {}, "Faults": {}, "Words": {}}
    with tempfile.TemporaryDirectory(prefix="rivals-") as name:
        for program in programs(given, Path(name)):
            print(f"{program.name} {program.version()} …", file=sys.stderr)
            heading = f"{program.name} {program.version()}"
            for table, column in observe(program, Path(name)).items():
                tables[table][heading] = column
    for missing in (one for one, python in vars(given).items() if python is None):
        for columns in tables.values():
            columns[missing] = {}
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()}.\n")
    for table, columns in tables.items():
        print(f"### {table}\n\n{markdown(columns)}")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=__doc__)
    for rival in ("gen3", "linkml", "excelalchemy"):
        parser.add_argument(f"--{rival}", type=Path, metavar="PYTHON", help="interpreter of its environment")
    return parser.parse_args()


def programs(given: argparse.Namespace, folder: Path) -> list[Program]:
    made: list[Program] = [Denpyo(_own(folder, "denpyo"))]
    for name, kind in (("gen3", Gen3), ("linkml", LinkML), ("excelalchemy", ExcelAlchemy)):
        python: Path | None = getattr(given, name)
        if python is not None:
            made.append(kind(python.absolute(), _own(folder, name)))
    return made


def _own(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def observe(program: Program, folder: Path) -> dict[str, Column]:
    work = _own(folder, f"{type(program).__name__}-work")
    template = program.template(work)
    time.sleep(2.1)  # a clock of two seconds stands in every zip
    again = program.template(_own(work, "again"))
    form = program.form(work)
    found, words = faults(program, template, work)
    well = meant_well(program, template, work)
    places = Counter(found.values())
    features = {
        "form layout (one question a row)": "yes" if form else "no",
        "table layout (one request a row)": "yes",
        **seen(program, template),
        "generated twice": stable(template, again),
        "languages": program.languages,
        f"{len(FAULTS)} faults, all in one run": ", ".join(f"{count} {how}" for how, count in places.most_common()),
        f"{len(MEANT_WELL)} answers typed as people type": f"{Counter(well.values())['read']} read",
        **dict(behaviour(program, template, work)),
    }
    return {"Features": features, "Faults": {**found, **well}, "Words": {name: words[name] for name in TELLING}}


def markdown(columns: dict[str, Column]) -> str:
    """A table with a row for each feature and a column for each program."""
    rows = list(dict.fromkeys(name for column in columns.values() for name in column))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(cell(column.get(row, NOT_RUN)) for column in columns.values())] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(text: str) -> str:
    """One line, short, and no character that Markdown would take for its own."""
    flat = re.sub(r"/\S*rivals-\S*/", "", " ".join(text.split()))
    short = flat if len(flat) <= LONGEST else f"{flat[:LONGEST]}…"
    return short.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    sys.exit(main())
