"""What the command line prints of rules and rulings: what was approved, rejected or stopped, what is held, what the policy says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.problem import Problem, shown
from submit.desk import Desk
from submit.terminal import complain, document, problems, problems_data, say

if TYPE_CHECKING:
    from submit.approval import Ruling
    from submit.policy_explain import Explained, Explanation


def ruling(desk: Desk, found: Ruling, done: str, *, as_json: bool) -> None:
    """What became of a request that somebody ruled on, or why they may not."""
    language = desk.config.language
    if as_json:
        told = problems_data([(found.problem, language)] if found.problem else [])
        return document({"id": found.id, "state": found.state, "problems": told})
    if found.problem:
        return _why_not(found.problem, language)
    waits = "; handed over when its engine answers" if found.state == "accepted" else ""
    say(f"{found.id}: {', '.join(one for one in (done, found.state) if one)}{waits}")


def stopping(desk: Desk, found: Ruling, *, as_json: bool) -> None:
    """What became of a request that was to be stopped."""
    nothing = found.problem is not None and found.problem.code == "nothing_to_stop"
    if as_json:
        told = problems_data([(found.problem, desk.config.language)] if found.problem and not nothing else [])
        data = {"id": found.id, "stopping": found.problem is None, "state": found.state}
        return document({**data, "problems": told} if told else data)
    if found.problem and not nothing:
        return _why_not(found.problem, desk.config.language)
    said = ", nothing to stop" if nothing else ", asked to stop" if found.state != "stopped" else ""
    say(f"{found.id}: {found.state}{said}")


def _why_not(problem: Problem, language: str) -> None:
    complain(f"{problem.message(language)} [{problem.code}]")


def explanation(found: Explanation, *, as_json: bool) -> None:
    """What the policy would say of each request, rule by rule."""
    if as_json:
        return document({"requests": [one.data() for one in found.requests], "problems": problems_data(found.problems)})
    problems(found.problems)
    for one in found.requests:
        _explained(one)


def _explained(one: Explained) -> None:
    wanted = f"{one.wanted.gpus} GPUs x {one.wanted.max_hours:g} h, queue {shown(one.asked.queue)}"
    named = "" if one.person == one.asked.subject else f" ({shown(one.person)})"
    say(f"{shown(str(one.where), 300)}: {one.asked.kind}, {wanted}, for {shown(one.asked.subject)}{named}")
    for number, why in one.rules:
        say(f"  rule {number}: {shown(why, 500)}")
        for limit in one.limits if number == one.rule else ():
            say(f"    {limit}")
    say(f"  {one.outcome}" + (f": {'; '.join(one.why)}" if one.why else ""))
