"""What a run leaves, as somebody else may have left it: whoever may edit a task on a server may have written its ``result.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from schema.problem import shown

LARGEST_INTEGER = 2**53 - 1
LONGEST_TEXT, MOST_LISTED, LONGEST = 2_000, 1_000, 4_000_000
PAGE = "summary.html"


def is_metric(value: object) -> bool:
    """Whether a value is a number that every reader of JSON takes for the same: finite, and a whole one at most 2^53 - 1 away
    from 0 (RFC 7493), without which there is no canonical JSON (RFC 8785)."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= LARGEST_INTEGER
    return isinstance(value, float) and math.isfinite(value)


def _line(value: object) -> object:
    return shown(value, LONGEST_TEXT) if isinstance(value, str) else value


def _metrics(value: object) -> object:
    """Those of the figures that are some."""
    if not isinstance(value, Mapping):
        return value
    return {shown(str(name)): figure for name, figure in list(value.items())[:MOST_LISTED] if is_metric(figure)}


def _first(value: object) -> object:
    return value[:MOST_LISTED] if isinstance(value, list) else value


def _whole(value: object) -> object:
    return value if value is None or (isinstance(value, int) and is_metric(value)) else None


Line = Annotated[str, BeforeValidator(_line)]


class _Left(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _Model(_Left):
    id: Line
    path: Line = ""
    sha256: Line = ""


class _Problem(_Left):
    code: Line
    question: Line
    message: Line


class _Result(_Left):
    """``result.json`` (``jobs/result.py``) as far as a desk reads it."""

    state: Literal["done", "failed"]
    metrics: Annotated[dict[str, int | float], BeforeValidator(_metrics)]
    passed: bool | None = None
    model: _Model | None = None
    summary: Literal["summary.html"] | None = None
    changes: Annotated[list[Line], BeforeValidator(_first)] = []
    warnings: Annotated[list[Line], BeforeValidator(_first)] = []
    problems: Annotated[list[_Problem], BeforeValidator(_first)] = []
    reason: Line | None = None
    code: Line | None = None
    dataset_sha256: Line | None = None
    seed: Annotated[int | None, BeforeValidator(_whole)] = None
    commit: Line | None = None
    lock_sha256: Line | None = None
    denpyo: Line | None = None
    python: Line | None = None
    started_at: Line | None = None
    ended_at: Line | None = None


def read(text: object) -> dict[str, Any] | None:
    """The result that a text holds, nothing in it but what a result has, every text one line that shows as it is; None where it is
    none."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        return None
    try:
        return _Result.model_validate(json.loads(text)).model_dump()
    except (ValueError, RecursionError, OverflowError, ValidationError):
        return None
