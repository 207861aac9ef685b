"""One contract for all doors: the same answers, given through any of them in either language, are the same job, byte for byte.

People's part is played by those who fill in each form for its own tests: they know what the service shows, not what denpyo means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from generators import Read, clearml_task, google_form, issue_form, json_schema
from generators.excel import read as excel
from generators.excel import template
from generators.excel.spelling import in_xml
from generators.excel.template import Filled
from generators.microsoft import page as microsoft_page
from generators.microsoft import quick_import
from schema.check import Checked, check
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.question import Form
from schema.words import Words
from schema.yaml_text import dump
from tests.generators.clearml_person import clone
from tests.generators.github_issues import body, entered, payload
from tests.generators.google_respondent import fill_in, person
from tests.generators.microsoft.test_round_trip import answered, by_flow, by_workbook
from tests.generators.test_google_form import items_of, keys_of, response
from tests.kinds_for_tests import KINDS
from tests.kinds_for_tests._jobs import jobs, nested

ASKS = ("issue_options", "issue_heading_twice")
"""What a body is asked about where it can be read in two ways."""
LANGUAGES = ("ja", "en")
Wanted = Mapping[str, Any]
"""What somebody wants, by question name, as it stands in a slip."""
Door = Callable[[Kind, Wanted, Job, Resources, str], Read]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        yield from _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]


def only(found: tuple[list[Read], list[Any]]) -> Read:
    (one,), problems = found
    assert problems == []
    return one


def form_sheet(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    filled = template.write(kind.form, language, "form", [Filled(wanted)])
    return only(excel.read(filled, "request.xlsx", {kind.name: kind}))


def table_row(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    filled = template.write(kind.form, language, "table", [Filled(wanted)], rows=2)
    return only(excel.read(filled, "request.xlsx", {kind.name: kind}))


def google(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    answers = fill_in(items_of(kind, language), person(kind.form, keys_of(kind, language), wanted, language))
    return only(response(kind, answers, language))


def microsoft_workbook(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    return by_workbook(kind, _typed(kind, job, resources, language), language)


def microsoft_flow(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    return by_flow(kind, _typed(kind, job, resources, language), language)


def _typed(kind: Kind, job: Job, resources: Resources, language: str) -> dict[str, str]:
    return {key: in_xml(text) for key, text in answered(kind, job, resources, language).items()}


def github_form(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in wanted.items()}
    written = body(issue_form.write(kind.form, language), entered(kind, language, values))
    found = only(issue_form.read(payload(written), "issue", {kind.name: kind}, json_schema.read))
    assume(not {problem.code for problem in found.problems} & {*ASKS})
    return found


def github_yaml(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    written = f"お願いします。\r\n\r\n```yaml\n{_by_hand(kind, wanted)}```\n"
    return only(issue_form.read(payload(written), "issue", {kind.name: kind}, json_schema.read))


def yaml_by_hand(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    return only(json_schema.read(_by_hand(kind, wanted).encode(), "request.yaml", {kind.name: kind}))


def _by_hand(kind: Kind, wanted: Wanted) -> str:
    """As another program than ours writes it."""
    mine = {name: value for name, value in wanted.items() if not name.startswith("resources.")}
    taken = {name: value for name, value in wanted.items() if name.startswith("resources.")}
    document = {"kind": kind.name, "job": nested(mine), **nested(taken)}
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


def clearml_page(kind: Kind, wanted: Wanted, job: Job, resources: Resources, language: str) -> Read:
    return only(clearml_task.read(clone(kind, wanted, language), "ClearML task", {kind.name: kind}))


DOORS: Mapping[str, Door] = {
    "Excel, form": form_sheet,
    "Excel, table": table_row,
    "Google": google,
    "Microsoft, workbook": microsoft_workbook,
    "Microsoft, flow": microsoft_flow,
    "GitHub form": github_form,
    "GitHub YAML": github_yaml,
    "ClearML": clearml_page,
    "YAML by hand": yaml_by_hand,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_the_same_answers_are_the_same_job_byte_for_byte_through_every_door(kind: Kind, data: st.DataObject) -> None:
    job, resources = data.draw(jobs(kind, as_read=True, printable=True))
    answers = dict(_flat({**job.answers(), "resources": resources.answers()}))
    wanted = {name: value for name, value in answers.items() if value is not None}
    expected = dump({"job": job.answers(), "resources": resources.answers()})
    language = data.draw(st.sampled_from(LANGUAGES))
    for name, through in DOORS.items():
        found = check(through(kind, wanted, job, resources, language).answers, {kind.name: kind})
        assert isinstance(found, Checked), (name, found)
        written = dump({"job": found.job.answers(), "resources": found.resources.answers()})
        assert written == expected, name


def forms(form: Form) -> dict[str, bytes]:
    """Every form that is generated of a kind in English."""
    return {
        "Excel, form": template.write(form, "en", "form"),
        "Excel, table": template.write(form, "en", "table", rows=2),
        "Google": google_form.write(form, "en"),
        "Microsoft, document": quick_import.write(form, "en"),
        "Microsoft, page": microsoft_page.write(form, "en"),
        "GitHub": issue_form.write(form, "en"),
        "ClearML": clearml_task.write(form, "en"),
        "JSON Schema": json_schema.write(form),
    }


def test_a_label_that_is_changed_in_the_class_changes_in_every_form() -> None:
    form = KINDS["train_supervised"].form
    first, *others = form.questions
    renamed = replace(first, label=Words("Which collection of data?", ja=first.label.ja))
    before, after = forms(form), forms(replace(form, questions=(renamed, *others)))
    assert [name for name in before if before[name] == after[name]] == []


def test_every_door_is_in_the_contract() -> None:
    """A door that is added is added here."""
    from submit import doors

    assert {name for name, _ in doors.DOORS.values()} | doors.ONLINE.keys() == {
        "excel",
        "yaml",
        "microsoft",
        "google",
        "github",
        "clearml",
    }
