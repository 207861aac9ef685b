"""``denpyo replies``: what people are still to hear."""

from __future__ import annotations

from typing import Annotated

import typer

from commands import HERE, NO_ANSWER, DeskOption, Json, complain

app = typer.Typer(no_args_is_help=True, help="What people are still to hear.")


@app.command("list")
def list_replies(desk: DeskOption = HERE, json: Json = False) -> None:
    """List what waits to be told, what was given up, and what nobody knows the fate of."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.replies import waiting

    found = waiting.listed(open_desk(desk))
    if json:
        return terminal.document({"replies": [waiting.data(one) for one in found]})
    for one in found:
        terminal.say(waiting.line(one))


@app.command()
def send(desk: DeskOption = HERE, json: Json = False) -> None:
    """Tell what is due, once: for cron, where nobody watches."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.inbox import SourceDownError
    from submit.replies import tell, waiting

    there = open_desk(desk)
    try:
        tell.step(there)
    except SourceDownError as error:
        raise typer.Exit(complain(str(error), NO_ANSWER)) from error
    finally:
        counts = waiting.counted(there)
        if json:
            terminal.document(counts)
        else:
            terminal.say(", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items()))


@app.command()
def retry(
    number: Annotated[list[int] | None, typer.Argument(help="Numbers that `list` shows; all without any.")] = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Try again what was given up. What nobody knows the fate of is told again only where its number is given."""
    from submit import terminal
    from submit.desk import open_desk
    from submit.replies import waiting

    count = waiting.retry(open_desk(desk), number or [])
    if json:
        return terminal.document({"tried_again": count})
    terminal.say(f"{count} to be tried again")
