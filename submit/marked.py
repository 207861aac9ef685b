"""People's own sheets back, marked with what became of each request: what the command line writes and replies will send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from generators import Read
from schema.answers import Answers, Where
from schema.check import judge
from schema.kinds import Kind
from schema.problem import Problem
from schema.versions import bring_up_to_date
from schema.words import Fact, text
from submit import doors
from submit.desk import Desk
from submit.judging import only_first
from submit.ledger import RequestRow
from submit.response import Kept, Source, foreseen

if TYPE_CHECKING:
    from generators.excel import Layout
    from generators.excel.annotate import Verdict

NOT_THEIRS = ("duplicate_response", "unknown_response", "wrong_receipt")
"""Problems of a receipt cell itself: it stays as the person left it, to be put right."""
OF_VERSIONS = ("added_question", "blank_changed", "removed_choice", "removed_question")
"""Problems that a person cannot put right in a form of an older version, or not well."""
REFUSED = ("broken_file", "not_a_workbook", "not_allowed_part", "too_large", "too_slow")
"""Problems of a file that nobody looks into any further."""
SUFFIX = ".marked.xlsx"


class NotWrittenError(Exception):
    """A marked copy that would take the place of another file."""


def marked(desk: Desk, source: Source, responses: Sequence[Kept], *, kept: bool, encoding: str = "") -> bytes | None:
    """The workbook that came in, marked; a table filled with their answers where none did; None where neither can be made.

    ``responses`` are those of the source. With ``kept`` each gets its id and how it stands, else only what is wrong with it.
    """
    from generators.excel.annotate import Verdict, annotate
    from generators.excel.marked_template import marked_template
    from submit.child import mark

    states = _states(desk, responses) if kept else {}
    rows = [one for one in responses if one.where.spot]
    verdicts = [
        Verdict(one.where, one.receipt, _id(one, kept), _said(one, kept, states), _good(one), one.problems, one.changes)
        for one in rows
    ]
    whole = [problem for one in responses if not one.where.spot for problem in one.problems]
    if any(one.code in REFUSED for one in whole):
        return None
    warnings = [warning for one in responses for warning in one.warnings]
    language = rows[0].language if rows else desk.config.language
    forms = {one.kind for one in rows}
    kind = desk.kinds[forms.pop()] if len(forms) == 1 and forms <= set(desk.kinds) else None
    form = kind.form if kind else None
    old = any(one.outdated and not _good(one) for one in rows)
    if not rows and any(one.code == "old_template" for one in whole):
        found = _beyond_history(desk, source, warnings, encoding)
        if found:
            return found
    if _is_workbook(source) and not (old and any(one.code in OF_VERSIONS for row in rows for one in row.problems)):
        return annotate(source.data, source.name, verdicts, whole, language, warnings, form, mark)
    answers = _answers(desk, source, encoding) if kind and not whole else []
    if kind is None or len(answers) != len(verdicts):
        return None
    if not any(one.outdated for one in rows):
        return marked_template(kind.form, language, answers, source.name, verdicts, whole, warnings)
    current = [bring_up_to_date(one, kind.job, kind.form).answers for one in answers]
    return _renewed(desk, kind, language, answers, current, source, verdicts, whole, warnings)


def _beyond_history(desk: Desk, source: Source, warnings: Sequence[Problem], encoding: str) -> bytes | None:
    """Today's template with what has the same name in a sheet that is too old to be brought up to date, judged as it stands there."""

    reads = doors.beyond_history(source.data, source.name, desk.kinds, encoding or desk.config.encoding)
    if not reads:
        return None
    answers = [one.answers for one in reads]
    kind, language = desk.kinds[answers[0].kind], answers[0].language
    current = [replace(one, version=kind.form.version, fingerprint="") for one in answers]
    verdicts = [_carried_over(*pair, desk, language) for pair in zip(reads, current, strict=True)]
    warnings = [*warnings, *(one for read in reads for one in read.warnings)]
    return _renewed(desk, kind, language, answers, current, source, verdicts, [], warnings, "carried_over_template")


def _carried_over(read: Read, current: Answers, desk: Desk, language: str) -> Verdict:
    """What is wrong with answers that stand in today's template now. They were given to the questions of another time, so
    they are carried over at best, and never free of mistakes."""
    from generators.excel.annotate import Verdict

    found = tuple(only_first(read.problems, judge(current, desk.kinds).problems))
    said = text("receipt_to_correct", language, count=str(len(found))) if found else text("receipt_carried", language)
    return Verdict(current.where, None, current.response, said, not found, found)


def _renewed(
    desk: Desk,
    kind: Kind,
    language: str,
    answers: Sequence[Answers],
    current: Sequence[Answers],
    source: Source,
    verdicts: Sequence[Verdict],
    whole: Sequence[Problem],
    warnings: Sequence[Problem],
    code: str = "renewed_template",
) -> bytes:
    """Today's template with what could be carried over from answers to an older version, marked with what is to be done. ``current``
    are the answers in the words of today, ``code`` the warning that says what this is."""
    from generators.excel.marked_template import marked_template
    from generators.excel.renew import renewed

    facts: dict[str, Fact] = {"version": str(answers[0].version), "current": str(kind.form.version)}
    warnings = [Problem(code, Where(source.name), facts=facts), *warnings]
    filled = [renewed(one, kind, desk.kinds) for one in answers]
    single = _is_workbook(source) and len(answers) == 1 and "!" not in answers[0].where.spot
    layout: Layout = "form" if single else "table"
    return marked_template(kind.form, language, current, source.name, verdicts, whole, warnings, layout, filled)


def _is_workbook(source: Source) -> bool:
    return source.data.startswith(b"PK")


def _answers(desk: Desk, source: Source, encoding: str) -> list[Answers]:
    read = doors.read(source.data, source.name, desk.kinds, encoding or desk.config.encoding)
    return [one.answers for one in read[1]]


def _states(desk: Desk, responses: Sequence[Kept]) -> Mapping[str, RequestRow]:
    with desk.ledger() as ledger:
        return ledger.requests_among([one.id for one in responses if one.id])


def _good(one: Kept) -> bool:
    return one.good and not one.problems


def _id(one: Kept, kept: bool) -> str:
    return one.id if kept and not any(problem.code in NOT_THEIRS for problem in one.problems) else ""


def _said(one: Kept, kept: bool, states: Mapping[str, RequestRow]) -> str:
    """What became of a response, in words."""
    if not one.good:
        return text("receipt_to_correct", one.language, count=str(len(one.problems)))
    if not kept:
        return foreseen(one) or text("receipt_good", one.language)
    if one.known and not one.id:
        return text("receipt_superseded", one.language)
    row = states.get(one.id)
    return text(f"receipt_{row.state}" if row else "receipt_left_out", one.language)


def files_of(files: Sequence[Path], folder: Path, *, force: bool) -> list[Path]:
    """Where the marked copies of these files go. NotWrittenError where two would go to one place, or over a file that is there; over
    a file that was handed in even with ``force``."""
    found: list[Path] = []
    for file in files:
        target = folder / f"{file.name.removesuffix(SUFFIX).removesuffix(file.suffix)}{SUFFIX}"
        if target in found:
            raise NotWrittenError(f"{target}: two of the files would be written there: annotate them one by one")
        if target.exists() and any(one.exists() and target.samefile(one) for one in files):
            raise NotWrittenError(f"{target} was handed in itself: name another folder with --annotate")
        if target.exists() and not force:
            raise NotWrittenError(f"{target} is there already: --force replaces it")
        found.append(target)
    _must_take_files(folder)
    return found


def _must_take_files(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NotWrittenError(f"{folder}: no files can be written there ({error.strerror})") from error


def write(
    desk: Desk,
    sources: Sequence[Source],
    responses: Sequence[Kept],
    targets: Sequence[Path],
    *,
    kept: bool,
    encoding: str = "",
) -> tuple[list[Path], list[Path]]:
    """Write the marked copy of each source to its target: those that were written, and those that could not be made."""
    written: list[Path] = []
    unmade: list[Path] = []
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        data = marked(desk, source, [one for one in responses if one.source == number], kept=kept, encoding=encoding)
        if data is None:
            unmade.append(target)
            continue
        new = target.with_name(f".{target.name}.new")
        new.write_bytes(data)
        new.replace(target)
        written.append(target)
    return written, unmade
