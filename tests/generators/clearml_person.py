"""Somebody at ClearML's page: clones a template and types answers over what stands there. The page shows a parameter's name and value;
choices are typed as the descriptions list them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from generators import clearml_task
from schema.kinds import Kind
from schema.parameters import places
from schema.question import Question

ID = "0123456789abcdef0123456789abcdef"


def clone(kind: Kind, wanted: Mapping[str, Any], language: str) -> bytes:
    """A clone of the kind's template with these answers (by question name, as in a slip), as ``tasks.get_all`` gives it: a value that
    is empty is left out. Whoever wants the default changes nothing, and empties what stands there to say nothing."""
    template = json.loads(clearml_task.write(kind.form, language))
    sections = template["hyperparams"]
    for key, (section, name) in places(kind.form).items():
        question = kind.form.by_key[key]
        if _is_asked(question, wanted):
            sections[section][name]["value"] = typed(wanted.get(question.name))
    for members in sections.values():
        for parameter in members.values():
            if not parameter["value"]:
                del parameter["value"]
    return json.dumps({"id": ID, "name": f"Clone Of {template['name']}", "hyperparams": sections}).encode()


def typed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(value)
    return "" if value is None else str(value)


def _is_asked(question: Question, wanted: Mapping[str, Any]) -> bool:
    for one in question.conditions:
        value = wanted.get(one.on)
        if not any(two in one.values for two in (value if isinstance(value, list | tuple) else (value,))):
            return False
    return True
