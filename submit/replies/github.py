"""The comment that answers a GitHub issue: one an issue, in the language of its form, kept up to date.

People's text stands in it only as code or defused (``generators.markdown``): it notifies nobody, refers to nothing, shows no picture.
The first line, which GitHub does not show, tells the comment from others and says which text of the issue it answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generators import issue_form
from generators.issue_body import lines_of
from generators.markdown import block, defused
from schema.change import Change, change_line
from schema.check import judge
from schema.problem import Problem, shown
from schema.words import text
from submit import doors
from submit.desk import Desk, DeskError
from submit.judging import Outcome, only_first
from submit.replies import foot
from submit.replies.news import WAITS, places_in_queue
from submit.standing import standing

BEGIN = "<!-- denpyo "
ACCEPTED, CHECKED, REFUSED = "accepted", "checked", "refused"
FIRST = re.compile(rf"{BEGIN}[a-z]+ ([a-z0-9][a-z0-9-]{{0,62}}) ")
STATE, STATE_END = "<!-- state -->", "<!-- end of state -->"
"""Between these stands what became of the request since."""
MOST = 20
"""Problems that one comment lists; GitHub takes comments of 65,536 characters."""
LONGEST_LINE = 200


@dataclass(frozen=True)
class Answer:
    """What a comment says: what became of the request and under which id, the address of its run, and what is to be mended."""

    verdict: str
    body: str
    language: str
    id: str = ""
    url: str = ""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    changes: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    checkpoint: str = ""


def comment(desk: Desk, outcome: Outcome, body: str, before: str = "") -> str:
    """What the desk made of one issue, whose comment said ``before`` until now: what was accepted stands until a later text is."""
    one = next(iter(outcome.responses), None)
    language = (one.language if one else "") or desk.config.language
    problems = [problem for problem, _ in outcome.problems]
    verdict = REFUSED if problems or one is None else ACCEPTED
    earlier = FIRST.match(before) if verdict == REFUSED else None
    changes = [change_line(each.change, desk.kinds[each.kind].form, language) for each in outcome.changes]
    return _written(
        Answer(
            verdict,
            body,
            language,
            id=earlier[1] if earlier else one.id if one and verdict == ACCEPTED else "",
            url=_address(desk, one.id) if one and one.id and verdict == ACCEPTED else "",
            problems=problems,
            warnings=[warning for warning, _ in outcome.warnings],
            changes=changes,
            notes=[text("github_stands", language, id=earlier[1])]
            if earlier
            else _place_in_queue(desk, one.id, language)
            if one and verdict == ACCEPTED
            else [],
            checkpoint=foot.newest_checkpoint(desk),
        )
    )


def _place_in_queue(desk: Desk, request: str, language: str) -> list[str]:
    run = standing(desk, request).run if request else None
    if run is None or run.state not in WAITS:
        return []
    return [f"{text('news_place', language)}: {places_in_queue(desk, [run.run])[run.run]}"]


def checked(desk: Desk, event: bytes) -> str:
    """What the form alone says of an issue, where no desk may be: neither its data sets nor its queues are known."""
    issue = issue_form.issue(event)
    if issue is None:
        raise DeskError("this is no event of an issue: give the file that GITHUB_EVENT_PATH names")
    _, reads, broken = doors.read(event, "", desk.kinds, through="github")
    language: str = next((one.answers.language for one in reads), "") or desk.config.language
    problems, warnings, changes = list(broken), list[Problem](), list[str]()
    for one in reads:
        judged = judge(one.answers, desk.kinds)
        problems += only_first(one.problems, judged.problems)
        warnings += one.warnings
        found: Sequence[Change] = judged.checked.changes if judged.checked else ()
        changes += [change_line(each, desk.kinds[one.answers.kind].form, language) for each in found]
    verdict = REFUSED if problems else CHECKED
    return _written(
        Answer(
            verdict,
            issue.body,
            language,
            problems=problems,
            warnings=warnings,
            changes=changes,
            notes=[text("github_only_checked", language)],
        )
    )


def with_state(before: str, request: str, state: str) -> str:
    """The comment with what became of its request since, in the place of what it said of that before. One that answers for another
    request by now, its next version, stays as it is; where there is none any more, it says only this."""
    said, before = f"{STATE}\n{state.strip()}\n{STATE_END}", before.replace("\r\n", "\n")
    if not before:
        return f"{BEGIN}{ACCEPTED} {request} - -->\n{said}\n"
    first = FIRST.match(before)
    if first is None or first[1] != request:
        return before
    plain = foot.without_details(before).strip()
    head, found, rest = plain.partition(STATE)
    if found:
        return f"{head}{said}{rest.partition(STATE_END)[2]}\n"
    head, _, end = plain.rpartition("\n\n<sub>")
    return f"{head}\n\n{said}\n\n<sub>{end}\n" if head else f"{plain}\n\n{said}\n"


def is_ours(comment: str) -> bool:
    return comment.startswith(BEGIN)


def says_the_same(before: str, now: str) -> bool:
    """Whether a comment need not be written again: it accepts the same text under the same id, whatever became of that since, or says the
    same word for word."""
    first, same = now.split("\n")[0], _plain(before) == _plain(now)
    stands = f" {ACCEPTED} " in first and _plain(before).split("\n")[0] == first
    return same or (stands and STATE not in now)


def _plain(comment: str) -> str:
    return comment.replace("\r\n", "\n").strip()


def _written(answer: Answer) -> str:
    sha256 = hashlib.sha256(answer.body.encode(errors="surrogatepass")).hexdigest()
    parts = [
        f"{BEGIN}{answer.verdict} {answer.id or '-'} {sha256} -->\n{_heading(answer)}",
        *_problems(answer),
        *_listed("excel_marked_warnings", [one.message(answer.language) for one in answer.warnings], answer.language),
        *_listed("excel_marked_changes", answer.changes, answer.language),
        *answer.notes,
        *([foot.details(answer.language, answer.checkpoint)] if answer.checkpoint else []),
        f"<sub>{text('github_read', answer.language, sha256=sha256)}</sub>",
    ]
    return "\n\n".join(parts) + "\n"


def _heading(answer: Answer) -> str:
    if answer.verdict == REFUSED:
        return f"### {text('github_refused', answer.language, count=str(len(answer.problems)))}"
    if answer.verdict == CHECKED:
        return f"### {text('github_checked', answer.language)}"
    said = f"### {text('github_accepted', answer.language, id=answer.id)}"
    return f"{said}\n\n[{text('github_link', answer.language)}]({answer.url})" if answer.url else said


def _problems(answer: Answer) -> Iterator[str]:
    """Each beside the line that it is about, in the order of the issue."""
    lines = lines_of(answer.body)
    inorder = sorted(answer.problems, key=_line)
    for one in inorder[:MOST]:
        number = _line(one)
        if 0 < number <= len(lines) and lines[number - 1].strip():
            said = shown(lines[number - 1].strip(), LONGEST_LINE)
            yield f"**{_place(one, answer.language)}**\n\n{block(said)}"
        yield defused(one.message(answer.language))
    if len(inorder) > MOST:
        yield text("excel_marked_more", answer.language, count=str(len(inorder) - MOST))
    if inorder:
        yield text("github_mend", answer.language)


def _line(problem: Problem) -> int:
    """The line of the issue's body; 0 for the whole of it."""
    number = problem.where.spot.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def _place(problem: Problem, language: str) -> str:
    """The heading that the line stands under, where there is one, and its number."""
    line, _, heading = problem.where.spot.partition(": ### ")
    if heading:
        return text("github_question", language, label=defused(heading), line=line)
    return text("github_line", language, line=line.partition(":")[0])


def _listed(title: str, said: Sequence[str], language: str) -> Iterator[str]:
    if said:
        yield f"**{text(title, language)}**\n\n" + "\n".join(f"- {defused(one)}" for one in said[:MOST])


def _address(desk: Desk, request: str) -> str:
    """Where the run can be looked at in a browser, as far as the ledger knows such a place."""
    run = standing(desk, request).run
    url = (run.url if run else "") or ""
    return url if url.startswith("https://") else ""
