"""``denpyo audit``: the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from commands import DAMAGED, HERE, WRONG_USE, DeskOption, Json, complain

app = typer.Typer(no_args_is_help=True, help="The audit log.")


@app.command()
def verify(desk: DeskOption = HERE, json: Json = False) -> None:
    """Recompute the whole audit log and compare the slips with it."""
    from submit import terminal
    from submit.desk import LEDGER, open_desk
    from submit.ledger import verify as verified

    verdict = verified(open_desk(desk).folder / LEDGER)
    if json:
        data = {"ok": verdict.ok, "entries": verdict.entries, "root": verdict.root, "wrong": verdict.wrong}
        terminal.document({**data, "unrecorded": list(verdict.unrecorded)})
    else:
        terminal.say(f"{'good' if verdict.ok else 'DAMAGED'}: {verdict.entries} entries, root {verdict.root}")
        for line in [verdict.wrong] if verdict.wrong else []:
            terminal.complain(line)
        for file in verdict.unrecorded:
            terminal.complain(f"{file}: no entry records this slip")
    if not verdict.ok:
        raise typer.Exit(DAMAGED)


@app.command()
def init(
    renew: Annotated[bool, typer.Option("--renew", help="Put another key in the place of the one before.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Make the key that signs this desk's checkpoints."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.ledger import checkpoint, keys

    there = open_desk(desk)
    made = checkpoint.init(there, renew=renew)
    if json:
        return terminal.document({"key": made.line(), "file": str(there.folder / keys.PUBLIC)})
    terminal.say(f"{there.folder / keys.PUBLIC}: give this file to whoever is to check the log")
    terminal.say(made.line())


@app.command(name="checkpoint")
def newest_checkpoint(desk: DeskOption = HERE, json: Json = False) -> None:
    """Print the newest checkpoint of the log, signed; keep it where nobody who writes the log can change it."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.ledger import checkpoint

    note = checkpoint.newest(open_desk(desk))
    if not note:
        raise typer.Exit(complain(f"{desk}/ has no key: run `denpyo audit init`", WRONG_USE))
    if json:
        origin, size, root = note.split("\n")[:3]
        return terminal.document({"checkpoint": note, "origin": origin, "entries": int(size), "root": root})
    terminal.say(note.rstrip("\n"))
