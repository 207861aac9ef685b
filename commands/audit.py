"""``denpyo audit``: the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands import (
    DAMAGED,
    HERE,
    WRONG_USE,
    DeskOption,
    DryRun,
    InState,
    Json,
    Language,
    OfAction,
    OfKind,
    OfPerson,
    Since,
    Until,
    complain,
    exit_if,
)

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


class Thing(StrEnum):
    entries = "entries"
    requests = "requests"


class Format(StrEnum):
    jsonl = "jsonl"
    csv = "csv"


@app.command()
def report(
    out: Annotated[Path, typer.Option("-o", "--out", help="The page to write.", metavar="FILE.html")],
    since: Since = "",
    until: Until = "",
    kind: OfKind = "",
    who: OfPerson = "",
    action: OfAction = "",
    state: InState = "",
    lang: Annotated[Language | None, typer.Option("--lang", help="Shown first; the desk's where not said.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a page that is there.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Write the record as one page: verdict, summary, a table to search, a card a request. Ends with 4 where it is damaged."""
    from submit import audited, terminal
    from submit.desk import open_desk
    from submit.review import page
    from submit.review.wanted import wanted

    _refuse_there(out, force)
    there = open_desk(desk)
    asked_for = wanted(since, until, kind, who, action, state=state)
    with _writable(out):
        language = lang.value if lang else there.config.language
        verdict = page.write(there, out, asked_for, language, audited.judged(there, None, ()))
    if json:
        terminal.document({"file": str(out), "ok": verdict.ok, "entries": verdict.entries, "wrong": verdict.wrong})
    else:
        terminal.say(f"wrote {out}")
    if not verdict.ok:
        raise typer.Exit(complain(verdict.wrong, DAMAGED))


@app.command("show")
def show_entries(
    since: Since = "",
    until: Until = "",
    kind: OfKind = "",
    who: OfPerson = "",
    action: OfAction = "",
    request: Annotated[str, typer.Option("--request", help="Of one request.", metavar="ID")] = "",
    state: InState = "",
    desk: DeskOption = HERE,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines instead, as `export` writes them.")] = False,
) -> None:
    """Print the entries of the audit log, one a line."""
    import sys

    from schema.problem import shown
    from submit import terminal
    from submit.desk import open_desk
    from submit.review import export
    from submit.review.wanted import ACTIONS, wanted

    found = export.entries(open_desk(desk), wanted(since, until, kind, who, action, request, state))
    count = 0
    if json:
        count = export.json_lines(map(export.entry_data, found), sys.stdout)
    else:
        for count, one in enumerate(found, 1):  # noqa: B007
            terminal.say(export.line(one))
    if not count and action and action not in ACTIONS:
        raise typer.Exit(complain(f"--action {shown(action)}: is none of {', '.join(ACTIONS)}", WRONG_USE))
    if not count and not json:
        terminal.say("no entries")


@app.command("export")
def export_to(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: .jsonl or .csv.", metavar="FILE")],
    of: Annotated[Thing, typer.Option("--of", help="One line an entry, or one a request.")] = Thing.entries,
    since: Since = "",
    until: Until = "",
    kind: OfKind = "",
    who: OfPerson = "",
    action: OfAction = "",
    request: Annotated[str, typer.Option("--request", help="Of one request.", metavar="ID")] = "",
    state: InState = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Write entries or requests to a file: JSON Lines, exact, or CSV, in which no text is a formula."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.review import export
    from submit.review.wanted import wanted

    if out.suffix.lower() not in (f".{one}" for one in Format):
        raise typer.Exit(complain(f"{out}: give a name that ends in .jsonl or .csv", WRONG_USE))
    _refuse_there(out, force)
    there = open_desk(desk)
    asked_for = wanted(since, until, kind, who, action, request, state)
    with _writable(out):
        count = export.write(there, out, of.value, asked_for)
    if json:
        return terminal.document({"file": str(out), of.value: count})
    terminal.say(f"wrote {out}: {count} {of.value}")


def _refuse_there(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise typer.Exit(complain(f"{out} is there already: --force replaces it", WRONG_USE))


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    """A file that cannot be written is the operator's to mend, in one line."""
    try:
        yield
    except OSError as error:
        raise typer.Exit(complain(f"{out}: {error.strerror}", WRONG_USE)) from error


@app.command()
def upgrade(desk: DeskOption = HERE) -> None:
    """Bring the record of an older denpyo to this one's format; make a backup first."""
    from submit import terminal
    from submit.desk import LEDGER, machine_user, now, open_desk
    from submit.ledger import formats

    at = now().isoformat(timespec="milliseconds")
    was, format = formats.upgrade(open_desk(desk).folder / LEDGER, at=at, user=machine_user())
    terminal.say(f"format {format}" + (f", was {was}" if was != format else ": nothing to do"))
