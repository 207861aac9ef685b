"""The data that a run on an agent needs: from the folders of the agent where it lies there, else from ClearML."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobs import datasets
from jobs.asked import flat
from jobs.report_clearml import ReportError, Reports, fetch_dataset
from schema.dataset import CLEARML_ID
from schema.parameters import properties
from schema.question import Form

MODELS_VARIABLE = "DENPYO_MODELS"
NAMED_DATASET = "clearml_dataset"
"""The user property in which the desk says which ClearML Dataset a dataset's name stands for."""


def folders(form: Form, answers: Mapping[str, Any], reports: Reports, cache: Path) -> dict[str, str]:
    """``DENPYO_DATASETS`` and ``DENPYO_MODELS`` for the run. What cannot be found is not there; the run says so to the person."""
    given = flat(answers)
    wanted = {(one.refers.to, str(given[one.name])) for one in form.questions if one.refers and given.get(one.name)}
    found = {}
    for what, name in sorted(wanted):
        try:
            if what == "dataset" and (folder := _dataset(name, reports, cache)):
                found[datasets.VARIABLE] = folder
            elif what == "model" and (folder := _model(name, reports, cache)):
                found[MODELS_VARIABLE] = folder
        except ReportError as error:
            print(f"denpyo: {error}", file=sys.stderr, flush=True)
    return found


def _dataset(name: str, reports: Reports, cache: Path) -> str:
    """The folders to look in, with one in front that holds a link of this name to what ClearML has; "" where the agent has it."""
    meant = name if CLEARML_ID.fullmatch(name) else properties(reports.task.hyperparams).get(NAMED_DATASET, "")
    if datasets.find(name) or not CLEARML_ID.fullmatch(meant):
        return ""
    fetched = fetch_dataset(meant)
    folder = cache / "datasets" / meant
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / name
    if not link.exists():
        link.unlink(missing_ok=True)  # ClearML empties its cache by itself
        with suppress(FileExistsError):  # another agent of this machine made it
            link.symlink_to(fetched, target_is_directory=True)
    return os.pathsep.join(str(one.resolve()) for one in (folder, *datasets.folders()) if one.is_dir())


def _model(name: str, reports: Reports, cache: Path) -> str:
    from jobs import models  # brings pandas along, which nothing else of this process needs

    run = models.MODEL_ID.fullmatch(name)
    if models.find(name) or run is None:
        return ""
    folder = cache / "models"
    target = folder / f"{run[1]}.{run[2]}" / models.FOLDER
    if not (target / models.CARD).is_file():
        reports.fetch_model(name, target)
    return str(folder.resolve())
