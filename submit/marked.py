"""People's own sheets back, marked with what became of each request: what the command line writes and replies will send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators import Read
from schema.answers import Answers, Where
from schema.check import judge
from schema.kinds import Kind
from schema.problem import Problem
from schema.versions import bring_up_to_date
from schema.words import Fact, text
from submit import datasets, doors
from submit.desk import Desk
from submit.judging import only_first
from submit.response import Kept, Source, foreseen
from submit.standing import Standing, standings

if TYPE_CHECKING:
    from generators.excel import Layout
    from generators.excel.annotate import Verdict

NOT_THEIRS = ("duplicate_response", "unknown_response", "wrong_receipt")
"""Problems of a receipt cell itself: it stays as the person left it, to be put right."""
OF_VERSIONS = ("added_question", "blank_changed", "removed_choice", "removed_question")
"""Problems that a person cannot put right in a form of an older version, or not well."""
NO_LINKS: Mapping[str, str] = MappingProxyType({})
REFUSED = ("broken_file", "cut_off", "not_a_workbook", "not_allowed_part", "too_large", "too_slow")
"""Problems of a file that nobody looks into any further."""


@dataclass(frozen=True)
class _Judged:
    """One source and what was found in it: ``rows`` are its requests and ``verdicts`` what each hears, ``whole`` are the problems of
    the file itself."""

    desk: Desk
    source: Source
    encoding: str
    responses: Sequence[Kept]
    verdicts: Sequence[Verdict]

    @cached_property
    def rows(self) -> list[Kept]:
        return [one for one in self.responses if one.where.spot]

    @cached_property
    def whole(self) -> list[Problem]:
        return [problem for one in self.responses if not one.where.spot for problem in one.problems]

    @property
    def warnings(self) -> list[Problem]:
        return [warning for one in self.responses for warning in one.warnings]

    @property
    def language(self) -> str:
        return self.rows[0].language if self.rows else self.desk.config.language

    @cached_property
    def kind(self) -> Kind | None:
        """That of all requests; None where there are several or none."""
        names = {one.kind for one in self.rows}
        return self.desk.kinds.get(names.pop()) if len(names) == 1 else None

    @property
    def is_workbook(self) -> bool:
        return self.source.data.startswith(b"PK")

    @property
    def is_beyond_history(self) -> bool:
        return not self.rows and any(one.code == "old_template" for one in self.whole)

    @property
    def needs_todays_form(self) -> bool:
        """Whether something is wrong that cannot be put right in the older form that came in."""
        old = any(one.outdated and not _good(one) for one in self.rows)
        return old and any(one.code in OF_VERSIONS for row in self.rows for one in row.problems)


def marked(
    desk: Desk,
    source: Source,
    responses: Sequence[Kept],
    *,
    kept: bool,
    encoding: str = "",
    links: Mapping[str, str] = NO_LINKS,
) -> bytes | None:
    """The workbook that came in, marked; a table filled with their answers where none did; None where neither can be made.

    ``responses`` are those of the source. With ``kept`` each gets its id and how it stands, else only what is wrong with it; ``links`` are
    addresses to say beside that, by id.
    """
    from generators.excel.annotate import Verdict

    states = _states(desk, responses) if kept else {}
    verdicts = [
        Verdict(
            one.where,
            one.receipt,
            _id(one, kept),
            " ".join(said for said in (_said(one, kept, states), links.get(one.id, "")) if said),
            _good(one),
            one.problems,
            one.changes,
        )
        for one in responses
        if one.where.spot
    ]
    judged = _Judged(desk, source, encoding or desk.config.encoding, responses, verdicts)
    return _way(judged)(judged)


def _way(judged: _Judged) -> Callable[[_Judged], bytes | None]:
    """Which sort of copy goes back."""
    if any(one.code in REFUSED for one in judged.whole):
        return _nothing
    if judged.is_beyond_history:
        return _from_beyond_history
    if judged.is_workbook and not judged.needs_todays_form:
        return _in_place
    return _filled_anew


def _nothing(_: _Judged) -> None:
    return None


def _in_place(judged: _Judged) -> bytes | None:
    from generators.excel.annotate import annotate
    from submit.child import mark

    source, form = judged.source, judged.kind.form if judged.kind else None
    return annotate(
        source.data, source.name, judged.verdicts, judged.whole, judged.language, judged.warnings, form, mark
    )


def _filled_anew(judged: _Judged) -> bytes | None:
    """A template filled with what came as CSV or YAML, or in an older version."""
    from generators.excel.marked_template import marked_template

    kind, source = judged.kind, judged.source
    if kind is None or judged.whole:
        return None
    answers = [
        one.answers for one in doors.read(source.data, source.name, judged.desk.kinds, judged.encoding, source.door)[1]
    ]
    if len(answers) != len(judged.verdicts):
        return None
    if any(one.outdated for one in judged.rows):
        current = [bring_up_to_date(one, kind.job, kind.form).answers for one in answers]
        return _renewed(judged, kind, answers, current, judged.verdicts, judged.warnings)
    return marked_template(
        datasets.offering(judged.desk, kind.form),
        judged.language,
        answers,
        source.name,
        judged.verdicts,
        judged.whole,
        judged.warnings,
    )


def _from_beyond_history(judged: _Judged) -> bytes | None:
    """Today's template with what has the same name in a sheet that is too old to be brought up to date, judged as it stands there."""
    source, desk = judged.source, judged.desk
    reads = doors.beyond_history(source.data, source.name, desk.kinds, judged.encoding)
    if not reads:
        return _in_place(judged) if judged.is_workbook else None
    answers = [one.answers for one in reads]
    kind = desk.kinds[answers[0].kind]
    current = [replace(one, version=kind.form.version, fingerprint="") for one in answers]
    verdicts = [_carried_over(*pair, desk) for pair in zip(reads, current, strict=True)]
    warnings = [*judged.warnings, *(one for read in reads for one in read.warnings)]
    return _renewed(judged, kind, answers, current, verdicts, warnings, "carried_over_template")


def _carried_over(read: Read, current: Answers, desk: Desk) -> Verdict:
    """What is wrong with answers that stand in today's template now. They were given to the questions of another time, so
    they are carried over at best, and never free of mistakes."""
    from generators.excel.annotate import Verdict

    language = current.language
    found = tuple(only_first(read.problems, judge(current, desk.kinds).problems))
    said = text("receipt_to_correct", language, count=str(len(found))) if found else text("receipt_carried", language)
    return Verdict(current.where, None, current.response, said, not found, found)


def _renewed(
    judged: _Judged,
    kind: Kind,
    answers: Sequence[Answers],
    current: Sequence[Answers],
    verdicts: Sequence[Verdict],
    warnings: Sequence[Problem],
    code: str = "renewed_template",
) -> bytes:
    """Today's template with what could be carried over from answers to an older version, marked with what is to be done. ``current``
    are the answers in the words of today, ``code`` the warning that says what this is."""
    from generators.excel.marked_template import marked_template
    from generators.excel.renew import renewed

    name, language = judged.source.name, answers[0].language or judged.language
    facts: dict[str, Fact] = {"version": str(answers[0].version), "current": str(kind.form.version)}
    said = [Problem(code, Where(name), facts=facts), *warnings]
    filled = [renewed(one, kind, judged.desk.kinds) for one in answers]
    single = judged.is_workbook and len(answers) == 1 and "!" not in answers[0].where.spot
    layout: Layout = "form" if single else "table"
    form = datasets.offering(judged.desk, kind.form)
    return marked_template(form, language, current, name, verdicts, [], said, layout, filled)


def _states(desk: Desk, responses: Sequence[Kept]) -> Mapping[str, Standing]:
    return standings(desk, [one.id for one in responses if one.id])


def _good(one: Kept) -> bool:
    return one.good and not one.problems


def _id(one: Kept, kept: bool) -> str:
    return one.id if kept and not any(problem.code in NOT_THEIRS for problem in one.problems) else ""


def _said(one: Kept, kept: bool, states: Mapping[str, Standing]) -> str:
    """What became of a response, in words."""
    if not one.good:
        return text("receipt_to_correct", one.language, count=str(len(one.problems)))
    if not kept:
        return foreseen(one) or text("receipt_good", one.language)
    if one.known and not one.id:
        return text("receipt_superseded", one.language)
    row = states.get(one.id)
    return text(row.receipt if row else "receipt_left_out", one.language)
