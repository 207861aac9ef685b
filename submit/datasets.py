"""What the answers name and this desk can look up: datasets, their columns and classes, and models. Judged before anything is queued."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schema.answers import Answers
from schema.dataset import header, judge
from schema.job import IDENTIFIER
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import Question
from submit.desk import Desk

FILES = ("train.csv", "test.csv")
MODEL = re.compile(r"m-(.+)-([0-9]+)")


def problems(desk: Desk, kind: Kind, answers: Answers, values: Mapping[str, Any]) -> list[Problem]:
    """Every Problem with what the good ``values`` (by question name) refer to; the places are those of the answers."""
    found: list[Problem] = []
    for question in kind.form.questions:
        if question.refers and (question.name in values or question.default):
            found += _problems_of(desk, question, answers, values)
    return found


def _problems_of(desk: Desk, question: Question, answers: Answers, values: Mapping[str, Any]) -> Iterator[Problem]:
    where, value = answers.place(question.key), values.get(question.name, question.default)
    refers = question.refers
    if refers is None:
        return
    if refers.to == "model" and model_file(desk, value) is None:
        yield Problem("no_model", where, question.key, {"model": shown(value)}, nearest(value, models(desk)))
    if refers.to == "dataset":
        yield from (
            Problem(code, where, question.key, facts, hint) for code, facts, hint in _dataset_faults(desk, value)
        )
    if refers.to == "column" and (folder := find(desk, values.get(refers.of))) and _complete(folder):
        yield from _column_problems(folder, question, answers, value, str(values.get(refers.task, "")))


def _dataset_faults(desk: Desk, dataset: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    folder = find(desk, dataset)
    if folder is None:
        yield "no_dataset", {"dataset": shown(dataset)}, nearest(dataset, names(desk))
        return
    for name in FILES:
        if not (folder / name).is_file():
            yield "no_dataset_file", {"dataset": dataset, "file": name}, ""


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _column_problems(folder: Path, question: Question, answers: Answers, column: str, task: str) -> Iterator[Problem]:
    train, test = (folder / name for name in FILES)
    for file in (train, test):
        if not _is_utf8(file):
            yield Problem(
                "bad_encoding",
                answers.place("dataset_id"),
                question.refers.of if question.refers else "",
                {"file": file.name},
            )
            return
    with open(train, encoding="utf-8-sig", newline="") as first, open(test, encoding="utf-8-sig", newline="") as second:
        for fault in judge(first, second, column, task):
            of = question.refers.of if question.refers and fault.field == "dataset_id" else question.key
            hint = nearest(column, _columns(train)) if fault.code == "no_column" else ""
            yield Problem(fault.code, answers.place(of), of, {"label": question.label, **fault.facts}, hint)


def _is_utf8(file: Path) -> bool:
    with open(file, encoding="utf-8") as lines:
        try:
            for _ in lines:
                pass
        except UnicodeDecodeError:
            return False
    return True


def _columns(file: Path) -> tuple[str, ...]:
    with open(file, encoding="utf-8-sig", newline="") as lines:
        return header(lines)


def find(desk: Desk, dataset: object) -> Path | None:
    """The folder with a dataset's CSV files, or None. Only a well-formed name ever becomes part of a path."""
    if not isinstance(dataset, str) or not re.fullmatch(IDENTIFIER.strip("^$"), dataset):
        return None
    candidates = (folder / dataset / "raw" for folder in desk.dataset_folders())
    return next((folder for folder in candidates if folder.is_dir()), None)


def names(desk: Desk) -> list[str]:
    """The datasets there are, as a person may name them."""
    folders = [folder for folder in desk.dataset_folders() if folder.is_dir()]
    return sorted({one.name for folder in folders for one in folder.iterdir() if (one / "raw").is_dir()})


def model_file(desk: Desk, model: object) -> Path | None:
    """The description (model.json) of a model that a finished run of this desk has made."""
    parts = MODEL.fullmatch(model) if isinstance(model, str) and re.fullmatch(IDENTIFIER.strip("^$"), model) else None
    if parts is None:
        return None
    file = desk.runs / f"{parts[1]}.{parts[2]}" / "model" / "model.json"
    return file if file.is_file() else None


def models(desk: Desk) -> list[str]:
    found = desk.runs.glob("*/model/model.json") if desk.runs.is_dir() else ()
    return sorted(str(json.loads(file.read_text(encoding="utf-8")).get("model_id", "")) for file in found)
