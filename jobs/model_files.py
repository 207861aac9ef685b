"""Writing a trained model as joblib and ONNX, with the proof that both say the same."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib

from jobs import models, onnx_models, proof, summary
from jobs.attempt import denpyo_version
from jobs.datasets import Dataset
from jobs.onnx_models import TooLargeError
from jobs.outcome import Attempt, Failed, ModelFile
from jobs.proof import Proof
from jobs.training import Course

LIBRARIES = ("scikit-learn", "xgboost", "xgboost-cpu", "numpy", "pandas", "onnx", "onnxruntime")
DTYPES = {"number": "float64", "text": "string"}


@dataclass(frozen=True, slots=True)
class Saved:
    model: ModelFile
    proof: Proof


def save(attempt: Attempt, dataset: Dataset, course: Course) -> Saved | Failed:
    """Leave ``model/`` in the run's folder. A model whose two files disagree on a test row is not handed out."""
    folder = attempt.out / models.FOLDER
    folder.mkdir()
    kept, data = course.kept, course.data
    joblib.dump({"pipeline": kept.pipeline, "classes": list(data.classes)}, folder / models.JOBLIB)
    try:
        onnx = onnx_models.convert(kept.pipeline, data.features.used, data.classes).SerializeToString()
    except TooLargeError as error:
        return attempt.failed("reason_model_too_large", nodes=f"{error.nodes:,}")
    (folder / models.ONNX).write_bytes(onnx)
    compared = proof.compare(
        proof.by_joblib(folder / models.JOBLIB, data.test, data.features.used),
        proof.by_onnx(onnx, data.test, data.features.used),
    )
    if not compared.holds:
        detail = f"{compared.other_labels}/{compared.rows}, {compared.largest:.2g}"
        return attempt.failed("reason_onnx_differs", detail=detail)
    models.write_card(folder, _card(attempt, dataset, course, compared))
    path = f"{models.FOLDER}/{models.ONNX}"
    return Saved(ModelFile(attempt.model_id, path, hashlib.sha256(onnx).hexdigest()), compared)


def _card(attempt: Attempt, dataset: Dataset, course: Course, compared: Proof) -> dict[str, Any]:
    folder = attempt.out / models.FOLDER
    plan, kept, data = course.plan, course.kept, course.data
    return {
        "model_id": attempt.model_id,
        "kind": attempt.request.kind,
        "request": attempt.request.id,
        "run": attempt.run,
        "target": plan.target,
        "task_type": plan.task_type,
        "algorithm": plan.algorithm,
        "hyperparameters": dict(plan.settings),
        "seed": kept.seed,
        "features": [
            {**asdict(one), "dtype": DTYPES[one.type], "categories": list(one.categories)} for one in data.features.used
        ],
        "classes": list(data.classes),
        "files": {name: _sha256(folder / name) for name in (models.ONNX, models.JOBLIB)},
        "metrics": dict(kept.measured.metrics),
        "dataset": {"id": dataset.id, "sha256": dataset.sha256},
        "proof": asdict(compared),
        "versions": {"denpyo": denpyo_version(), **summary.versions(*LIBRARIES)},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
