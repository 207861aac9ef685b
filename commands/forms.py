"""``denpyo forms``: forms at online services."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands import HERE, DeskOption, DryRun, Json, Language, exit_if, source_of

app = typer.Typer(no_args_is_help=True, help="Forms at online services.")


class Verified(StrEnum):
    microsoft = "microsoft"


class Service(StrEnum):
    google = "google"


OfService = Annotated[Service, typer.Argument(help="Whose form.", metavar="SERVICE")]


@app.command("publish")
def publish(
    service: OfService,
    kind: Annotated[str, typer.Argument(help="A kind that `denpyo kinds` lists.", metavar="KIND")],
    lang: Annotated[Language, typer.Option("--lang", help="The language of the form.")] = Language.ja,
    dry_run: DryRun = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Make the form of a kind, or bring it up to date with the fewest changes; open it and share it."""
    from submit import google_forms, terminal
    from submit.desk import open_desk

    report = google_forms.publish(open_desk(desk), kind, lang.value, dry_run=dry_run)
    if json:
        return terminal.document({"form": report.form, "url": report.url, "steps": report.steps, "done": not dry_run})
    for step in report.steps:
        terminal.say(f"would {step}" if dry_run else step)
    terminal.say(
        f"{service.value} {kind} {lang.value}: {report.url or 'no form yet'}"
        + ("" if report.steps else "; nothing to do")
    )


@app.command("pull")
def pull(
    service: OfService,
    kind: Annotated[str, typer.Argument(help="A kind whose form is published.", metavar="KIND")],
    everything: Annotated[
        bool, typer.Option("--all", help="Every response there is; those that were read before are known.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Take the responses that came since the last time: check, record, queue."""
    from submit import google_forms, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    count = google_forms.pull(there, kind, terminal.delivered(there, json), everything=everything)
    if not json:
        terminal.say(f"{service.value} {kind}: {count} responses")


@app.command("verify")
def verify_form(
    service: Annotated[Verified, typer.Argument(help="The service that the form lives at.", metavar="SERVICE")],
    kind: Annotated[str, typer.Argument(help="A kind that `denpyo kinds` lists.", metavar="KIND")],
    responses: Annotated[Path, typer.Argument(help="The workbook of its responses.", metavar="RESPONSES.xlsx")],
    lang: Annotated[Language | None, typer.Option("--lang", help="Another language than the desk's.")] = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Say which question a form lacks, asks in other words, or offers other options for."""
    from submit import online_forms, terminal
    from submit.desk import desk_or_none_yet

    there = desk_or_none_yet(desk)
    language = lang.value if lang else there.config.language
    found, remarks = online_forms.verify_microsoft(there, kind, source_of(responses))
    terminal.comparison([(one, language) for one in found], [(one, language) for one in remarks], as_json=json)
    exit_if(bool(found))


@app.command("sign-in")
def sign_in(
    source: Annotated[
        str, typer.Argument(help="A source of denpyo.toml that is read in a person's name.", metavar="SOURCE")
    ],
    desk: DeskOption = HERE,
) -> None:
    """Sign in with a code, once, for a source that is read in a person's name."""
    from submit import online_forms, terminal
    from submit.desk import open_desk

    online_forms.sign_in(open_desk(desk), source, terminal.say)
    terminal.say(f"{source}: signed in")
