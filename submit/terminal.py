"""What the command line prints: results and problems as lines or as one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.change import Change, change_line
from schema.problem import Problem, shown
from schema.words import text
from submit import standing
from submit.desk import Desk
from submit.response import became, foreseen

if TYPE_CHECKING:
    from submit.clearml_templates import Report as Template
    from submit.erasing import Erasure
    from submit.judging import Changed, Outcome
    from submit.ledger import Entry
    from submit.replies.annotations import Annotation
    from submit.response import Kept
    from submit.standing import Standing

Marked = tuple[Sequence[Path], Sequence[Path]]
"""Marked copies that were written, and those that could not be made."""
AT_A_TIME = 5000
_spelled = json.JSONEncoder(ensure_ascii=False).encode


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def complain(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def document(value: object, *, one_line: bool = False) -> None:
    """One JSON document on the output; in one line where more of them follow (JSON Lines)."""
    if one_line or not isinstance(value, dict):
        return say(_spelled(value))
    sys.stdout.writelines(_pieces(value))


def _pieces(value: Mapping[str, object]) -> Iterator[str]:
    """Written as they are spelled: a hundred thousand requests are never one text in memory."""
    between = "{\n"
    for name, member in value.items():
        yield f"{between}  {json.dumps(name)}: "
        yield from _lines_of(member) if isinstance(member, list) and member else (_spelled(member),)
        between = ",\n"
    yield "\n}\n"


def _lines_of(members: Sequence[object]) -> Iterator[str]:
    """A list of many things has one a line: ten thousand stay quick to write, and a person can still read them."""
    between = "[\n"
    for one in members:
        yield f"{between}    {_spelled(one)}"
        between = ",\n"
    yield "\n  ]"


def delivered(desk: Desk, as_json: bool) -> Callable[[str, Outcome], None]:
    """Something that hears what became of each delivery, and prints it: lines, or one JSON document a line (JSON Lines)."""
    said: set[str] = set()

    def hears(source: str, outcome: Outcome) -> None:
        found = standing.standings(desk, [one.id for one in outcome.responses if one.id])
        awaits = {id for id, one in found.items() if one.awaits}
        for one in outcome.responses:
            codes = [problem.code for problem in one.problems]
            if as_json:
                document(
                    {
                        "source": source,
                        "where": str(one.where),
                        "id": one.id,
                        "good": one.good and not codes,
                        "codes": codes,
                    },
                    one_line=True,
                )
            else:
                what = "known" if one.known else "held" if one.id in awaits else "accepted"
                what = f"refused: {', '.join(codes)}" if codes else what
                say(f"{source}: {shown(str(one.where), 200)}: {one.id} {what}")
        for queue in (one for one in outcome.unattended if one not in said):
            said.add(queue)
            complain(text("unattended", desk.config.language, queue=queue))
        sys.stdout.flush()

    return hears


def sources(data: Mapping[str, Any], *, as_json: bool) -> None:
    """How the sources of a desk are."""
    if as_json:
        return document(data)
    say("watched" if data["watching"] else "nobody watches: run `denpyo watch`")
    for name, one in data["sources"].items():
        when = f"last success {one['succeeded']}" if one["succeeded"] else "no success yet"
        counts = f"{one['accepted']} accepted, {one['refused']} refused"
        how = f"DOWN: {one['error']}" if one["error"] else "good" if one["looked"] else "not looked at yet"
        say(f"{name}  {one['kind']}  {how}  {when}  {counts}")
    if "witness" in data:
        one = data["witness"]
        say(f"witness  {one['entries']} entries  {one['at'] or 'never'}  {one['error'] or 'good'}")
    if any(data["replies"].values()):
        counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in data["replies"].items() if count)
        say(f"replies  {counts}: see `denpyo replies list`")


def problem_data(problem: Problem, language: str) -> dict[str, str]:
    """The contract of a problem in JSON."""
    return {
        "file": problem.where.file,
        "spot": problem.where.spot,
        "question": problem.question,
        "code": problem.code,
        "message": problem.message(language),
    }


def problems_data(found: Sequence[tuple[Problem, str]]) -> list[dict[str, str]]:
    return [problem_data(problem, language) for problem, language in found]


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """What every command that judges says of it, in JSON."""
    return {
        "problems": problems_data(outcome.problems),
        "warnings": problems_data(outcome.warnings),
        "changes": [_change_data(one) for one in outcome.changes],
    }


def _change_data(one: Changed) -> dict[str, str]:
    return {
        "file": one.where.file,
        "spot": one.where.spot,
        "question": one.change.question,
        "before": one.change.before,
        "after": one.change.after,
        "why": one.change.why.say(one.language),
    }


def problems(found: Sequence[tuple[Problem, str]], out: Callable[[str], None] = complain) -> None:
    for problem, language in found:
        out(problem.line(language))


def comparison(found: Sequence[tuple[Problem, str]], noted: Sequence[tuple[Problem, str]], *, as_json: bool) -> None:
    """What must be mended in a form at a service, and what may be meant."""
    if as_json:
        return document({"problems": problems_data(found), "warnings": problems_data(noted)})
    problems([*found, *noted], say)
    say(f"{len(found)} to mend, {len(noted)} to look over")


def annotated(found: Sequence[Annotation], service: str) -> None:
    """Problems and warnings for a service that shows them beside the files of a change."""
    from submit.replies.annotations import gitlab, workflow_command

    if service == "gitlab":
        for one in found:
            complain(one.line())
        return say(json.dumps(gitlab(found), ensure_ascii=False, indent=2))
    for one in found:
        say(workflow_command(one))


def remarks(desk: Desk, outcome: Outcome, out: Callable[[str], None] = complain) -> None:
    """Warnings, and what was filled in or brought up to date for people."""
    problems(outcome.warnings, out)
    for said in changes(desk, outcome):
        out(said)


def changes(desk: Desk, outcome: Outcome) -> Iterator[str]:
    """What was filled in or brought up to date for people, in lines: the same in many rows is said once."""
    alike: dict[tuple[str, str, Change], list[Changed]] = {}
    for one in outcome.changes:
        alike.setdefault((one.kind, one.language, one.change), []).append(one)
    for (kind, language, change), all_of_them in alike.items():
        where = shown(str(all_of_them[0].where), 300)
        if len(all_of_them) > 1:
            where = text("changed_more", language, where=where, count=str(len(all_of_them) - 1))
        yield f"{where}: {change_line(change, desk.kinds[kind].form, language)}"


def judgement(desk: Desk, outcome: Outcome, *, as_json: bool, marked: Marked, dry: bool = False) -> None:
    """What was judged and not kept, in a ``dry`` run too. Each good response that the desk has already, or that would be the next
    version of one, says so."""
    if outcome.unseen:
        complain(f"earlier requests could not be looked up: {outcome.unseen}")
    seen = [one for one in outcome.responses if one.good and (one.known or one.follows)]
    if as_json:
        before = [
            {"file": one.where.file, "spot": one.where.spot, "id": one.id or one.follows, "unchanged": one.unchanged}
            for one in seen
        ]
        counts = {"accepted": outcome.accepted, "refused": outcome.refused}
        return document({**counts, **outcome_data(outcome), "handed_in_before": before, **marked_data(marked)})
    problems(outcome.problems, say)
    remarks(desk, outcome, say)
    for one in seen:
        say(f"{shown(str(one.where), 300)}: {foreseen(one)}")
    language = _language(desk, outcome)
    found = text("judged_counts", language, good=str(outcome.accepted), bad=str(outcome.refused))
    say(found + (text("judged_only", language) if dry else ""))
    marked_files(marked)


def submission(desk: Desk, outcome: Outcome, *, as_json: bool, marked: Marked = ([], [])) -> None:
    """What became of a submission, request by request."""
    if as_json:
        requests = [
            {**one.submit_data(), "known": kept.known, **_following(kept)}
            for kept, one in _standings(desk, outcome.requests)
        ]
        return document(
            {
                "requests": requests,
                **outcome_data(outcome),
                "left_out": outcome.left_out,
                "undelivered": outcome.undelivered,
                "unattended": outcome.unattended,
                **marked_data(marked),
            }
        )
    receipts = [one.receipt for _, one in _standings(desk, outcome.requests)]
    problems(outcome.problems)
    remarks(desk, outcome)
    for kept, receipt in zip(outcome.requests, receipts, strict=True):
        said = (text(receipt, kept.language), kept.kind, shown(str(kept.where), 200), became(kept))
        say("  ".join((kept.id, *(one for one in said if one))))
    if outcome.left_out:
        say(text("submitted_left_out", _language(desk, outcome), count=str(outcome.left_out)))
    waits(desk, outcome)
    marked_files(marked)


def not_answered(line: str) -> None:
    """An engine does not answer; what is known of its runs is as old as its last answer."""
    complain(f"denpyo: {shown(line, 500)}")


def waits(desk: Desk, outcome: Outcome) -> None:
    """What keeps what was accepted, or anything at all, from being run now; why the policy cannot be read is said here alone."""
    language = _language(desk, outcome)
    if any(one.code == "no_policy" for one, _ in outcome.problems):
        from submit import policy

        complain(f"denpyo: everything is denied: {shown(policy.read_of(desk).reason, 500)}")
    if outcome.undelivered:
        complain(text("undelivered", language, why=shown(outcome.undelivered, 500)))
    for queue in outcome.unattended:
        complain(text("unattended", language, queue=queue))


def _language(desk: Desk, outcome: Outcome) -> str:
    """The language for what is said of all responses together: that of the first."""
    return next((one.language for one in outcome.responses), desk.config.language)


def ran_before(one: Kept) -> None:
    complain(text("run_known", one.language))


def _following(kept: Kept) -> dict[str, str]:
    return {"follows": kept.follows} if kept.follows else {}


def _standings(desk: Desk, requests: Sequence[Kept]) -> Iterator[tuple[Kept, Standing]]:
    """Where each stands; read in parts, so that what the ledger knows of all of them is never in memory at once."""
    for start in range(0, len(requests), AT_A_TIME):
        some = requests[start : start + AT_A_TIME]
        found = standing.standings(desk, [one.id for one in some])
        yield from ((one, found[one.id]) for one in some)


def marked_data(marked: Marked) -> dict[str, list[str]]:
    return {"marked": [str(file) for file in marked[0]]}


def marked_files(marked: Marked) -> None:
    for file in marked[0]:
        say(f"wrote {file}")
    for file in marked[1]:
        complain(f"{file}: not written, the file that came in cannot be marked")


def line(found: Standing) -> str:
    """One request in one line: id, state, when, kind, who asked and in which file. A name that nobody vouches for is marked."""
    passed = {True: ", passed", False: ", below the threshold"}.get(found.result.get("passed", ""), "")
    who, *where = (shown(found.asked.get(name, "")) for name in ("requested_by", "source", "where"))
    asked = " ".join((f"{who} (claimed)" if who and found.trust == "claimed" else who, *where))
    state = f"{found.request.state}{passed}"
    return f"{found.request.id}  {state:<10}  {found.request.updated_at[:19]}  {found.request.kind}  {asked}".rstrip()


def statuses(found: Sequence[Standing], *, as_json: bool, one_line: bool = False) -> None:
    """Many requests, one a line."""
    if as_json:
        return document({"requests": [one.status_data() for one in found]}, one_line=one_line)
    for one in found:
        say(line(one))


def history(entries: Sequence[Entry]) -> None:
    """What happened to one request, an entry a line; under a refusal its problems, under a denial or failure why."""
    for one in entries:
        told = json.loads(one.beside_text) if one.beside_text else {}
        known = ", ".join(f"{name} {one.detail[name]}" for name in ("rule", "queue", "engine") if one.detail.get(name))
        say(f"{one.at}  {one.user}  {one.action}{f'  ({known})' if known else ''}")
        for problem in told.get("problems", ()):
            say(f"    {shown(problem['spot'])}: {problem['message']} [{problem['code']}]")
        by = f"by {told['by']}" if told.get("by") else None
        for reason in (one.detail.get("reason"), told.get("reason"), by, told.get("why")):
            if reason:
                say(f"    {shown(str(reason), 500)}")


def status(desk: Desk, found: Standing, *, as_json: bool, one_line: bool = False, marked: Marked | None = None) -> None:
    """One request: its state and, where there is one, its result; and the marked copy of its sheet, if one was wanted."""
    held = awaited(desk, found)
    if as_json:
        more = marked_data(marked) if marked else {}
        return document({**found.status_data(), **held, **more}, one_line=one_line)
    say(line(found))
    for one in held.values():
        say(f"  held: since {one['since']}, can be approved by {', '.join(one['by'])} until {one['expires']}")
    _result(found)
    for label, told in (("reason", found.result.get("reason")), ("summary", standing.summary(desk, found))):
        if told:
            say(f"  {label}: {told}")
    for shows, address in standing.links(found).items():
        say(f"  {shows}: {address}")
    for model in standing.models(desk, found):
        say(f"  model: {model.id}")
    marked_files(marked or ([], []))


def _result(found: Standing) -> None:
    for name, value in found.result.get("metrics", {}).items():
        say(f"  {name}: {value:.4g}")
    for problem in found.result.get("problems", ()):
        say(f"  {problem['question']}: {problem['message']} [{problem['code']}]")


def awaited(desk: Desk, found: Standing) -> dict[str, Any]:
    """What is told besides of a request that is held until somebody approves it."""
    if not found.awaits:
        return {}
    from submit import approval  # who looks at others does not wait for it

    return {"held": held} if (held := approval.awaited(desk, found.request.id)) else {}


def templates(found: Sequence[Template], *, would: str = "", as_json: bool) -> None:
    """The live template of each kind and language, and what was done to it."""
    if as_json:
        keys = ("kind", "language", "number", "url", "steps")
        return document({"done": not would, "templates": [{key: getattr(one, key) for key in keys} for one in found]})
    for one in found:
        for step in one.steps:
            say(f"{would}{step}")
        rest = "" if one.steps else "; nothing to do"
        live = f"template {one.number} {one.url}".rstrip() if one.number else "no template any more"
        say(f"clearml {one.kind} {one.language}: {live}{rest}")


def erasure(plan: Erasure, *, would: bool, as_json: bool = False) -> None:
    """What goes or went; and what stays, because others' answers lie in it or it may still run."""
    found = plan.found
    if as_json:
        lists = {"requests": found.requests, "files": plan.files, "shared": plan.shared, "open": plan.open}
        lists["models"] = plan.models
        return document({"done": not would, "texts": len(found.texts), **{key: [*one] for key, one in lists.items()}})
    for one in (*found.requests, *plan.files):
        say(f"{'would erase' if would else 'erased'} {shown(one, 400)}")
    say(
        f"{'would erase' if would else 'erased'} {len(found.requests)} requests, {len(found.texts)} texts, {len(plan.files)} files"
    )
    for one in plan.shared:
        complain(f"{shown(one, 400)}: holds answers of others too, and stays")
    for one in plan.models:
        complain(f"{shown(one, 400)}: is a trained model, and stays; delete it yourself if it may speak of somebody")
    for one in plan.open:
        complain(f"{one}: may still run; `denpyo cancel` first")
