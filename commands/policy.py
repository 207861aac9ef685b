"""``denpyo policy``: what the rules of this desk say."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands import HERE, DeskOption, InEncoding, Json, exit_if, source_of

app = typer.Typer(no_args_is_help=True, help="What the rules of this desk say.")


class Carrier(StrEnum):
    command = "command"
    folder = "folder"
    mail = "mail"
    google = "google"
    microsoft = "microsoft"
    github = "github"
    clearml = "clearml"


@app.command()
def explain(
    files: Annotated[
        list[Path], typer.Argument(help="Filled workbooks, tables as CSV, or YAML documents.", metavar="FILE...")
    ],
    who: Annotated[
        str,
        typer.Option(
            "--as", help="user:NAME, mail:ADDRESS, github:ID …, or a person of the policy; else you.", metavar="WHO"
        ),
    ] = "",
    by: Annotated[
        Carrier | None, typer.Option("--by", help="What would bring it; else what brings such people's.")
    ] = None,
    queue: Annotated[str, typer.Option("--queue", help="Another queue than the answers name.", metavar="Q")] = "",
    encoding: InEncoding = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Say which rule would decide about a file, why no other does, and what is left of its limits. Nothing is kept."""
    from submit import policy_explain, terminal_rules
    from submit.desk import machine_user, open_desk
    from submit.response import Wishes

    wishes = Wishes(queue=queue, encoding=encoding or "")
    sources, subject = [source_of(file) for file in files], who or f"user:{machine_user()}"
    told = policy_explain.explain(open_desk(desk), sources, wishes, subject, by.value if by else "")
    terminal_rules.explanation(told, as_json=json)
    exit_if(bool(told.problems) or any(one.outcome == "denied" for one in told.requests))


@app.command()
def check(desk: DeskOption = HERE, json: Json = False) -> None:
    """Find rules that can never match, names that mean nobody, approvals that nobody can give."""
    from submit import policy_check, terminal
    from submit.desk import open_desk

    found = policy_check.check(open_desk(desk))
    if json:
        terminal.document({"findings": [{"rule": one.rule, "why": one.why} for one in found]})
    else:
        for one in found:
            terminal.say(one.line())
        terminal.say(f"{len(found)} found" if found else "good: every rule can match")
    exit_if(bool(found))
