"""The emitter of slips as it is meant: short, slow, and without anything remembered. What is written fast must be the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from schema.slip import Request
from schema.yaml_text import ESCAPED, PLAIN, RESERVED


def slip(request: Request) -> bytes:
    via = request.via
    body = {
        "denpyo": 1,
        "id": request.id,
        "kind": request.kind,
        "version": request.version,
        "schema": f"sha256:{request.schema}",
        "by": f"denpyo {request.denpyo}",
        "requested_by": {"name": request.requested_by, "trust": request.trust},
        "requested_at": request.requested_at.isoformat(timespec="seconds"),
        "via": {"door": via.door, "source": via.source, "sha256": via.sha256, "where": via.where},
        "language": request.language,
        "job": request.job.answers(),
        "resources": request.resources.answers(),
        "changes": [
            {
                "question": one.question,
                "before": one.before,
                "after": one.after,
                "why": {"en": one.why.en, "ja": one.why.ja},
            }
            for one in request.changes
        ],
    }
    pointer = f"# yaml-language-server: $schema=schemas/{request.kind}.v{request.version}.json\n"
    return (pointer + dump(body)).encode()


def dump(value: Mapping[str, Any]) -> str:
    return "".join(lines(value, "")) or "{}\n"


def lines(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, member in value.items():
        if isinstance(member, Mapping) and member:
            yield f"{indent}{scalar(name)}:\n"
            yield from lines(member, indent + "  ")
        elif isinstance(member, list) and any(isinstance(one, Mapping) for one in member):
            yield f"{indent}{scalar(name)}:\n"
            for one in member:
                first, *rest = lines(one, indent + "  ") if isinstance(one, Mapping) and one else [f"{flow(one)}\n"]
                yield f"{indent}- {first.lstrip()}"
                yield from rest
        else:
            yield f"{indent}{scalar(name)}: {flow(member)}\n"


def flow(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(name)}: {flow(member)}' for name, member in value.items())}}}"
    return scalar(value)


def scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        written = repr(value)
        return written.replace("e", ".0e", 1) if "e" in written and "." not in written else written
    if isinstance(value, int):
        return str(value)
    if PLAIN.fullmatch(value) and value not in RESERVED:
        return str(value)
    return ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
