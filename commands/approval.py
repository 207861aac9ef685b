"""``denpyo approve``, ``reject`` and ``cancel``: rule on requests from the command line, as the user of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from commands import HERE, DeskOption, Json, RequestId, exit_if

if TYPE_CHECKING:
    from submit.approval import Ruling
    from submit.desk import Desk


def approve(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Let a request run that is held until somebody approves it."""
    from submit import approval

    _rule(desk, request, json, "approved", approval.approve)


def reject(
    request: RequestId,
    why: Annotated[str, typer.Option("--why", help="What the requester will read; needed.", metavar="WHY")] = "",
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Let a request that is held never run, and say why."""
    from submit import approval

    _rule(desk, request, json, "", lambda there, asked, subject: approval.reject(there, asked, subject, why))


def cancel(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Ask for a request to be stopped."""
    from submit import approval, standing, terminal_rules
    from submit.desk import machine_user, open_desk

    there = open_desk(desk)
    ruling = approval.withdraw(there, standing.standing(there, request).request.id, f"user:{machine_user()}")
    terminal_rules.stopping(there, ruling, as_json=json)
    exit_if(ruling.problem is not None)


def _rule(desk: DeskOption, request: str, json: bool, done: str, rule: Callable[[Desk, str, str], Ruling]) -> None:
    from submit import standing, terminal_rules
    from submit.desk import machine_user, open_desk

    there = open_desk(desk)
    ruling = rule(there, standing.standing(there, request).request.id, f"user:{machine_user()}")
    terminal_rules.ruling(there, ruling, done, as_json=json)
    exit_if(ruling.problem is not None)
