"""``denpyo clearml``: templates on the page of a ClearML server."""

from __future__ import annotations

from typing import Annotated

import typer

from commands import HERE, DeskOption, DryRun, Json

app = typer.Typer(no_args_is_help=True, help="Templates on the page of a ClearML server.")


@app.command("sync")
def sync(
    kinds: Annotated[list[str] | None, typer.Argument(help="Kinds; all without any.", metavar="KIND")] = None,
    dry_run: DryRun = False,
    newest: Annotated[bool, typer.Option("--newest", help="Also where a template was rolled back.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Bring the template tasks of the kinds up to date: new ones beside the old, which are archived; what was edited is mended."""
    from submit import clearml_templates, terminal
    from submit.desk import open_desk

    found = clearml_templates.sync(open_desk(desk), kinds or [], dry_run=dry_run, newest=newest)
    terminal.templates(found, would="would " if dry_run else "", as_json=json)


@app.command("rollback")
def rollback(
    kind: Annotated[str, typer.Argument(help="A kind whose templates are out.", metavar="KIND")],
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Return to the templates of a kind before the present ones."""
    from submit import clearml_templates, terminal
    from submit.desk import open_desk

    terminal.templates(clearml_templates.rollback(open_desk(desk), kind), as_json=json)
