"""What GitHub does with an issue form, as far as tests need it: which forms it refuses, and the body it writes from what people enter.

Its rules are those of docs.github.com: "Syntax for issue forms", "Syntax for GitHub's form schema", "Common validation errors when
creating issue forms".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft7Validator

from generators.excel.spelling import said
from generators.issue_fields import fields
from schema.kinds import Kind

INPUTS = ("input", "textarea", "dropdown", "checkboxes")
NO_RESPONSE = "_No response_"
Entered = str | tuple[str, ...]


@cache
def _schema() -> Draft7Validator:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-issue-forms.json"
    return Draft7Validator(json.loads(vendored.read_text(encoding="utf-8")))


def refused(form: bytes) -> list[str]:
    """Why GitHub would not show this form: the vendored schema, and the rules that no schema says."""
    template = _template(form)
    return [*(error.message for error in _schema().iter_errors(template)), *_rules(template)]


def _rules(template: Mapping[str, Any]) -> Iterator[str]:
    asked = [one for one in template["body"] if one["type"] in INPUTS]
    labels = [one["attributes"]["label"] for one in asked]
    ids = [one.get("id", "") for one in asked]
    for name, found in (("ids", ids), ("labels", labels), ("similar labels", [_parameterized(one) for one in labels])):
        yield from (f"{name} are not unique: {one!r}" for one in sorted({one for one in found if found.count(one) > 1}))
    for one in asked:
        options = one["attributes"].get("options", [])
        shown = [option["label"] if isinstance(option, dict) else option for option in options]
        label = one["attributes"]["label"]
        if not re.fullmatch("[A-Za-z0-9_-]+", one.get("id", "")):
            yield f"id of {label!r}"
        if not all(isinstance(text, str) and text.strip() for text in (label, *shown)):
            yield f"not text: {label!r} {shown!r}"
        if "password" in label.lower():
            yield f"forbidden word: {label!r}"
        if len(set(shown)) < len(shown) or "none" in [str(text).lower() for text in shown]:
            yield f"options of {label!r}: {shown!r}"


def _parameterized(label: str) -> str:
    """Rails' parameterize of a Latin label; of others nothing is left, and their ids tell them apart."""
    return re.sub("[^a-z0-9_-]+", "-", label.lower()).strip("-") if label.isascii() else label


@cache
def _template(form: bytes) -> Any:
    return yaml.load(form, Loader=yaml.CSafeLoader)


def body(form: bytes, entered: Mapping[str, Entered]) -> str:
    """The body of the issue that somebody opens who enters these answers, by element id. Options are entered as they are shown."""
    template = _template(form)
    asked = [one for one in template["body"] if one["type"] in INPUTS]
    assert set(entered) <= {one["id"] for one in asked}
    return "\n\n".join(f"### {one['attributes']['label']}\n\n{_answer(one, entered.get(one['id']))}" for one in asked)


def _answer(element: Mapping[str, Any], entered: Entered | None) -> str:
    attributes = element["attributes"]
    match element["type"]:
        case "checkboxes":
            shown = [one["label"] for one in attributes["options"]]
            assert set(entered or ()) <= set(shown)
            return "\n".join(f"- [{'x' if one in (entered or ()) else ' '}] {one}" for one in shown)
        case "dropdown":
            if entered is None and "default" in attributes:
                entered = (attributes["options"][attributes["default"]],)
            chosen = [one for one in attributes["options"] if one in (entered or ())]
            assert len(chosen) == len(entered or ()) <= (len(chosen) if attributes.get("multiple") else 1)
            return ", ".join(chosen) or NO_RESPONSE
        case "input":
            assert isinstance(entered or "", str)
            assert "\n" not in (entered or "")
    return str(entered) if entered and str(entered).strip() else NO_RESPONSE


def payload(body: str | None, number: int = 12, repository: str = "example/jobs") -> bytes:
    """What GitHub says of an issue, in brief."""
    return json.dumps({"repository": {"full_name": repository}, "issue": {"number": number, "body": body}}).encode()


def entered(kind: Kind, language: str, values: Mapping[str, Any]) -> dict[str, Entered]:
    """What a person enters into the form, by element id, to give these values, by question name."""
    found: dict[str, Entered] = {}
    by_key = {one.key: one for one in fields(kind.form, language)}
    for question in kind.form.questions:
        value = values.get(question.name)
        if value is None or not _is_asked(kind, question.conditions, values):
            continue
        field = by_key[question.key]
        if field.means:
            wanted = {str(one) for one in (value if isinstance(value, tuple) else (value,))}
            labels = {_label(question, one, language) for one in wanted}
            found[field.id] = tuple(one for one, meant in field.means.items() if meant in labels | wanted)
        else:
            found[field.id] = _typed(value)
    return found


def _label(question: Any, value: str, language: str) -> str:
    plain = {"True": True, "False": False}.get(value, value) if question.widget == "yes_no" else value
    return said(question, plain, language)


def _typed(value: Any) -> str:
    if hasattr(value, "total_seconds"):
        return f"PT{value.total_seconds():.6f}S" if value.total_seconds() >= 0 else f"-PT{-value.total_seconds():.6f}S"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_asked(kind: Kind, conditions: Any, values: Mapping[str, Any]) -> bool:
    def meets(one: Any) -> bool:
        default = next((two.default for two in kind.form.by_name[one.on]), None)
        value = values.get(one.on, default)
        return any(two in one.values for two in value) if isinstance(value, tuple) else value in one.values

    return all(map(meets, conditions))
