"""``denpyo audit``: the audit log."""

from __future__ import annotations

import typer

from commands import DAMAGED, HERE, DeskOption, Json

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
