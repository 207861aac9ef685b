"""Models that earlier runs left on this machine: how to find one by its id, and the card ``model.json`` that describes it.

The run ``7k3m.1`` leaves its model in ``7k3m.1/model/`` of the folder that ``DENPYO_MODELS`` names; its id is ``m-7k3m-1``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.attempt import write_whole
from jobs.features import Feature
from jobs.outcome import MODEL_PREFIX
from schema.dataset import Label
from schema.job import IDENTIFIER, Fault
from schema.problem import shown

VARIABLE = "DENPYO_MODELS"
FOLDER, ONNX, JOBLIB, CARD = "model", "model.onnx", "model.joblib", "model.json"
MODEL_ID = re.compile(rf"{MODEL_PREFIX}([a-z0-9-]+)-([1-9][0-9]{{0,5}})")


@dataclass(frozen=True, slots=True)
class Model:
    """A model ready to predict: what stands on its card, and its ONNX bytes, whose SHA-256 is the one on the card."""

    id: str
    target: str
    task_type: str
    features: tuple[Feature, ...]
    classes: tuple[Label, ...]
    sha256: str
    onnx: bytes


def find(model_id: str) -> Path | None:
    """The folder of a model; a name that is no model id never touches the disk."""
    name = MODEL_ID.fullmatch(model_id)
    root = os.environ.get(VARIABLE)
    if not root or not name or not re.fullmatch(IDENTIFIER, model_id):
        return None
    folder = Path(root, f"{name[1]}.{name[2]}", FOLDER)
    return folder if (folder / CARD).is_file() else None


def load(model_id: str) -> Model | Fault:
    """A model with its bytes checked, or what is wrong, blamed on the question for the model."""
    folder = find(model_id)
    if folder is None:
        return Fault("no_model", "model_id", {"model": shown(model_id)})
    try:
        card = json.loads((folder / CARD).read_bytes())
        onnx = (folder / ONNX).read_bytes()
        found = _model(card, onnx)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{folder}: {type(error).__name__}: {error}", flush=True)
        return Fault("broken_model", "model_id", {"model": shown(model_id)})
    if found.id != model_id or found.sha256 != card["files"][ONNX]:
        return Fault("broken_model", "model_id", {"model": shown(model_id)})
    return found


def describes(card: str, onnx: bytes) -> bool:
    """Whether the text of a card is that of these bytes."""
    try:
        return bool(json.loads(card)["files"][ONNX] == hashlib.sha256(onnx).hexdigest())
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _model(card: Mapping[str, Any], onnx: bytes) -> Model:
    sha256 = hashlib.sha256(onnx).hexdigest()
    features = (Feature(one["name"], one["type"], tuple(one["categories"])) for one in card["features"])
    return Model(
        card["model_id"], card["target"], card["task_type"], tuple(features), tuple(card["classes"]), sha256, onnx
    )


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Make a model of a folder, which is one as soon as its card is there: as a whole or not at all."""
    write_whole(folder / CARD, json.dumps(card, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
