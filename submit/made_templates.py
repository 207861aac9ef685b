"""The template tasks that a desk has made on a ClearML server, as its ledger remembers them, and whether one is still as it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from submit.ledger import Ledger, Writing

TEMPLATE = "template"
"""The tag of a template, which its clones have too until they are runs."""
ARCHIVED = "archived"
"""The system tag by which the server hides a task."""
Json = dict[str, Any]
TABLE = (
    "CREATE TABLE IF NOT EXISTS templates (kind TEXT NOT NULL, language TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (kind, language))"
)
PUT = "INSERT OR REPLACE INTO templates (kind, language, body) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was made: its number among those of its kind and language, its task, and what it says, as ``write`` made it."""

    number: int
    task: str
    definition: Json


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates of a kind in a language, the oldest first, and the number of the one that is to be live."""

    kind: str
    language: str
    current: int = 0
    made: tuple[Template, ...] = ()


def templates_of(ledger: Ledger) -> list[Templates]:
    """All that were made."""
    ledger.ensure(TABLE)
    return [
        Templates(kind, language, told["current"], tuple(Template(**one) for one in told["made"]))
        for kind, language, body in ledger.query("SELECT kind, language, body FROM templates ORDER BY kind, language")
        for told in [json.loads(body)]
    ]


def keep(tx: Writing, row: Templates) -> None:
    """Put in the place of what was remembered of this kind and language. ``templates_of`` must have been asked before."""
    body = {"current": row.current, "made": [asdict(one) for one in row.made]}
    tx.execute(PUT, (row.kind, row.language, json.dumps(body, ensure_ascii=False, sort_keys=True)))


def archived(live: Json | None) -> bool:
    return ARCHIVED in ((live or {}).get("system_tags") or ())


def same(name: str, live: Any, wanted: Any) -> bool:
    """Whether a field says what it should. The server leaves out what is empty, trims, and may note more than it was given."""
    if name == "project":
        return bool(live == wanted)
    if name == "tags":
        return bool(sorted(live or ()) == wanted)
    if name in ("script", "container"):
        return all((_said((live or {}).get(one)) or "") == (_said(value) or "") for one, value in wanted.items())
    return bool(_said(live) == _said(wanted))


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: said for name, one in value.items() if (said := _said(one)) not in ("", {}, None)}
    return value.strip() if isinstance(value, str) else value
