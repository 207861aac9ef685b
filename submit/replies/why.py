"""Why a request is held or was rejected, and until when it can be decided, from its entry: in a message and on the page alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from schema.problem import shown
from schema.words import said, text
from submit.holding import shown_time
from submit.ledger import Entry, Ledger
from submit.standing import Standing

LONGEST = 500
OVER = ("gpu_hours", "gpus", "hours", "always")
"""What a rule's thresholds are called in entries."""
TOLD_OF = {"held": "held", "rejected": "rejected"}
"""The action of the entry that says why a request is in its state."""


def beside(entry: Entry | None) -> Mapping[str, Any]:
    """What lies beside an entry; nothing where that was erased."""
    found = json.loads(entry.beside_text) if entry and entry.beside_text else {}
    return found if isinstance(found, dict) else {}


def over(detail: Mapping[str, Any], language: str) -> str:
    """What of a request is over which threshold; "" where its entry names nothing."""
    found, limits = detail.get("over"), detail.get("limits")
    limits = limits if isinstance(limits, Mapping) else {}
    if not isinstance(found, Mapping) or not found:
        return ""
    return said(tuple(_over(name, value, limits.get(name), language) for name, value in found.items()), language)


def _over(name: str, value: object, limit: object, language: str) -> str:
    asked, most = _number(value), _number(limit) if limit is not None else ""
    if name not in OVER:
        return shown(f"{name} {asked}", 100)
    if most and name != "always":
        return text(f"approval_over_{name}", language, asked=asked, limit=most)
    return text(f"news_over_{name}", language, asked=asked)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else shown(str(value), 100)


def until(expires: str) -> str:
    """A deadline, as far as it is a time."""
    with suppress(ValueError):
        return shown_time(expires)
    return shown(expires, 100)


def now_is(ledger: Ledger, one: Standing, language: str) -> str:
    """In a line, why a request is held or was rejected, as it stands now; "" where there is nothing to say."""
    action = TOLD_OF.get(one.request.state, "") if one.request.state != "held" or one.awaits else ""
    entry = next((each for each in reversed([*ledger.entries(one.request.id)]) if each.action == action), None)
    return "; ".join(f"{text(name, language)}: {value}" for name, value in _said(entry, language)) if entry else ""


def _said(entry: Entry, language: str) -> Iterator[tuple[str, str]]:
    if entry.action == "held":
        if found := over(entry.detail, language):
            yield "news_over", found
        if entry.detail.get("expires"):
            yield "news_until", until(str(entry.detail["expires"]))
    elif found := shown(str(beside(entry).get("why") or ""), LONGEST):
        yield "news_reason", found
