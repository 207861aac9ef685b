"""What the discovery documents that ship with the client say of every method, as JSON Schema.

``Required.`` stands in prose alone, so it is read from there; two of those places are wrong by the documents' own words and left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

NOT_REQUIRED = {("Form", "items"), ("Info", "title")}
"""``forms.create`` refuses items; ``updateFormInfo`` takes what its mask names. That a form has a title is a rule of the service."""
GIVEN_ALL_THE_SAME = {
    ("Permission", "domain"),
    ("Permission", "emailAddress"),
    ("Info", "documentTitle"),
    ("File", "id"),
}
"""Said to be output only, and yet to be given according to the description of the type or of the method."""


@cache
def document(api: str) -> Mapping[str, Any]:
    found = files("googleapiclient.discovery_cache.documents") / f"{api}.json"
    return dict(json.loads(found.read_text(encoding="utf-8")))


@cache
def request_schema(api: str, name: str) -> Draft202012Validator:
    """A validator of what may be sent: nothing unknown, nothing that only the service says, everything that must be there."""
    return _validator(api, name, sent=True)


@cache
def response_schema(api: str, name: str) -> Draft202012Validator:
    return _validator(api, name, sent=False)


def _validator(api: str, name: str, *, sent: bool) -> Draft202012Validator:
    defs = {one: _schema(one, schema, sent=sent) for one, schema in document(api)["schemas"].items()}
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": defs})


def _schema(name: str, schema: Mapping[str, Any], *, sent: bool) -> dict[str, Any]:
    found: dict[str, Any] = {key: schema[key] for key in ("type", "enum") if schema.get(key, "any") != "any"}
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if "items" in schema:
        found["items"] = _schema("", schema["items"], sent=sent)
    if "properties" in schema:
        parts = {
            one: part for one, part in schema["properties"].items() if not (sent and _is_said_only(name, one, part))
        }
        found["properties"] = {one: _schema("", part, sent=sent) for one, part in parts.items()}
        found["additionalProperties"] = False
        found["required"] = [one for one, part in parts.items() if sent and _must_be_there(name, one, part)]
    elif "additionalProperties" in schema:
        found["additionalProperties"] = _schema("", schema["additionalProperties"], sent=sent)
    elif schema.get("type") == "object":
        found["additionalProperties"] = False
    return found


def _is_said_only(name: str, one: str, part: Mapping[str, Any]) -> bool:
    said = part.get("readOnly") or str(part.get("description", "")).startswith("Output only.")
    return bool(said) and (name, one) not in GIVEN_ALL_THE_SAME


def _must_be_there(name: str, one: str, part: Mapping[str, Any]) -> bool:
    marked = bool(part.get("annotations", {}).get("required"))
    return (name, one) not in NOT_REQUIRED and (marked or str(part.get("description", "")).startswith("Required."))


def methods(api: str) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """Every method as (id, HTTP method, path under the root, description)."""
    found = []

    def collect(part: Mapping[str, Any]) -> None:
        for one in part.get("methods", {}).values():
            found.append((one["id"], one["httpMethod"], document(api)["servicePath"] + one["path"], one))
        for inner in part.get("resources", {}).values():
            collect(inner)

    collect(document(api))
    return found
