"""``denpyo datasets``: the datasets that people may name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands import HERE, REFUSED, DeskOption, InEncoding, Json

app = typer.Typer(no_args_is_help=True, help="The datasets that people may name.")


@app.command("add")
def add_dataset(
    name: Annotated[str, typer.Argument(help="What people will call it: a to z, 0 to 9, hyphens.", metavar="NAME")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A CSV, a workbook, or a folder with train.csv and test.csv; without it, what lies in its place already.",
            metavar="[FILE]",
        ),
    ] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="The rows to test on, if not drawn from FILE.", metavar="FILE")
    ] = None,
    share: Annotated[float, typer.Option("--share", help="Of the rows, how many are drawn to test on.")] = 0.2,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other rows.")] = 0,
    sheet: Annotated[str, typer.Option("--sheet", help="Which sheet of a workbook.", metavar="SHEET")] = "",
    clearml: Annotated[str, typer.Option("--clearml", help="A ClearML Dataset instead.", metavar="ID")] = "",
    encoding: InEncoding = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Put a table in its place as a dataset, and record its hash, columns and rows."""
    from submit import new_dataset, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    written_in = encoding.value if encoding else there.config.encoding
    given = new_dataset.Given(file, test, share, seed, sheet, written_in, clearml)
    found, language = new_dataset.add(there, name, given), there.config.language
    if isinstance(found, list):
        said = [(one, language) for one in found]
        terminal.document({"problems": terminal.problems_data(said)}) if json else terminal.problems(said)
        raise typer.Exit(REFUSED)
    if json:
        return terminal.document(found.data())
    for line in found.lines():
        terminal.say(line)


@app.command("list")
def list_datasets(desk: DeskOption = HERE, json: Json = False) -> None:
    """Say which datasets there are, and whether their bytes are those that were added."""
    from submit import dataset_list, terminal
    from submit.desk import open_desk

    found = dataset_list.listed(open_desk(desk))
    if json:
        return terminal.document({"datasets": [one.data() for one in found]})
    for one in found:
        terminal.say(one.line())
