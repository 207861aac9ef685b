"""``denpyo audit``: the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands import DAMAGED, HERE, WRONG_USE, DeskOption, DryRun, Json, complain, exit_if

app = typer.Typer(no_args_is_help=True, help="The audit log.")


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint that was kept, or a reply with one in it.", metavar="FILE"),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="The public keys to believe; else the desk's.", metavar="PUB")
    ] = None,
    witness: Annotated[
        bool, typer.Option("--witness", help="Ask the witness of denpyo.toml what it has, too.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Recompute the whole audit log; compare the slips and the checkpoints that others kept with it."""
    from submit import audited, terminal
    from submit.desk import open_desk
    from submit.witness import missed

    there = open_desk(desk)
    verdict = audited.judged(there, key, checkpoint or (), ask_witness=witness)
    if json:
        terminal.document(audited.data(verdict))
    else:
        audited.say(verdict)
    if late := missed(there):
        terminal.complain(late)
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
def newest_checkpoint(
    witness: Annotated[
        bool, typer.Option("--witness", help="Show it to the witness of denpyo.toml too, as `watch` does.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Print the newest checkpoint of the log, signed; keep it where nobody who writes the log can change it."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.ledger import checkpoint

    there = open_desk(desk)
    if witness:
        from submit.witness import show

        show(there)
    note = checkpoint.newest(there)
    if not note:
        raise typer.Exit(complain(f"{desk}/ has no key: run `denpyo audit init`", WRONG_USE))
    if json:
        origin, size, root = note.split("\n")[:3]
        return terminal.document({"checkpoint": note, "origin": origin, "entries": int(size), "root": root})
    terminal.say(note.rstrip("\n"))


@app.command()
def backup(
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="The file to write, or a folder to write it in.", metavar="FILE|DIR"),
    ] = Path(),
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Copy the record into one file while work goes on; it is verified before it gets its name."""
    from submit import backups, terminal
    from submit.desk import open_desk

    made = backups.back_up(open_desk(desk), out)
    if json:
        data = {"file": str(made.file), "entries": made.entries, "root": made.root, "at": made.at}
        return terminal.document({**data, "sha256": made.sha256})
    terminal.say(f"{made.file}: {made.entries} entries, root {made.root}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `denpyo audit backup` wrote.", metavar="FILE")],
    desk: Annotated[Path, typer.Option("--desk", help="A new folder.", metavar="DIR")],
    json: Json = False,
) -> None:
    """Make a new desk from a backup. Runs of this machine that had not ended then are not started again."""
    from submit import backups, terminal

    made = backups.restore(file, desk)
    if json:
        data = {"desk": str(desk), "entries": made.backup.entries, "root": made.backup.root, "at": made.backup.at}
        return terminal.document({**data, "cut_off": list(made.cut_off)})
    terminal.say(f"{desk}/: {made.backup.entries} entries, root {made.backup.root}, as of {made.backup.at}")
    for run in made.cut_off:
        terminal.complain(f"{run}: had not ended then, and is not started again")
    terminal.complain(
        "what was recorded after that is not here: `denpyo audit verify` with the newest checkpoint says so"
    )


@app.command()
def erase(
    who: Annotated[
        list[str],
        typer.Argument(help="Names, addresses or subjects of a person, or ids of requests.", metavar="WHO|ID..."),
    ],
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Delete what people wrote and who they are; the audit log still verifies. Backups and what others hold are not reached."""
    from submit import erasing, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    plan = erasing.planned(there, who)
    if not (dry_run or yes or plan.nothing):
        terminal.erasure(plan, would=True)
        typer.confirm("Erase this for good?", abort=True, err=True)
    done = plan if dry_run else erasing.erase_all(there, who)
    terminal.erasure(done, would=dry_run, as_json=json)
    exit_if(done.nothing)
