"""What the answers name and this desk can look up: datasets, their columns and classes, and models. Judged before anything is queued."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.answers import Answers, Where
from schema.dataset import CLEARML_ID, TEST, TRAIN, digest, header, judge, judge_rows, named, offered
from schema.job import IDENTIFIER, Fault, Refers, Resources
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import Form, Question
from schema.words import Fact
from submit.csv_files import csv_lines, decodes
from submit.desk import LEDGER, Desk

if TYPE_CHECKING:
    from submit.recorded_datasets import Recorded

MODEL = re.compile(r"m-(.+)-([0-9]+)")


class Lookup:
    """What a desk has, looked up once for all responses of a submission: ten thousand rows mostly name the same few datasets.

    ``granted`` holds those kinds, engines and resources that the engine had nothing against.
    """

    def __init__(self, desk: Desk) -> None:
        self.find = cache(partial(find, desk))
        self.card = cache(partial(model_card, desk))
        self.names = cache(partial(names, desk))
        self.offered = cache(lambda wrong: offered(wrong, self.names()))
        self.models = cache(partial(models, desk))
        self.unreadable = cache(_unreadable)
        self.untrainable = cache(_untrainable)
        self.unpredictable = cache(_unpredictable)
        self.heading = cache(_heading)
        self.bytes = cache(_hashes)
        self.recorded = cache(partial(_recorded, desk))
        self.granted: set[tuple[str, str, Resources]] = set()


def problems(there: Lookup, kind: Kind, answers: Answers, values: Mapping[str, Any]) -> list[Problem]:
    """Every Problem with what the good ``values`` (by question name) refer to; the places are those of the answers."""
    if not kind.form.referring:
        return []
    found: list[Problem] = []
    for question in (one for one in kind.form.referring if one.name in values or one.default):
        if question.refers is None:
            continue
        value, where = values.get(question.name, question.default), answers.place(question.key)
        if question.refers.to == "model" and there.card(value) is None:
            facts: dict[str, Fact] = {"model": shown(str(value))}
            found.append(Problem("no_model", where, question.key, facts, nearest(str(value), there.models())))
        if question.refers.to == "dataset":
            found += _dataset_problems(there, question, answers, value, _files(kind))
        if question.refers.to == "column":
            found += _column_problems(there, question, answers, values, str(value))
    return [*found, *_model_problems(there, kind, answers, values)]


def used(
    there: Lookup, kind: Kind, answers: Answers, values: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The SHA-256 of each dataset that good answers name, as its run will record it, and a warning for each that is not what it was
    when it was added. Each is read once a submission."""
    files = _files(kind)
    hashes, warnings = [], []
    for question in kind.form.referring:
        folder = there.find(values.get(question.name)) if question.refers and question.refers.to == "dataset" else None
        if folder is None:
            continue
        now, then = there.bytes(folder), there.recorded().get(folder.name)
        hashes.append(digest({file: now[file] for file in files if file in now}))
        if then and any(now.get(file) != then.contents.files[file] for file in files):
            facts: dict[str, Fact] = {"dataset": folder.name, "added": then.at[:10]}
            warnings.append(Problem("dataset_changed", answers.place(question.key), question.key, facts))
    return tuple(hashes), tuple(warnings)


def _files(kind: Kind) -> tuple[str, ...]:
    """The files of a dataset that a kind reads."""
    trains = any(one.refers and one.refers.to == "column" for one in kind.form.referring)
    return (TRAIN, TEST) if trains else (TEST,)


def _hashes(folder: Path) -> Mapping[str, str]:
    from submit.recorded_datasets import hashes

    return hashes(folder)


def _recorded(desk: Desk) -> Mapping[str, Recorded]:
    """What the ledger says of datasets, where there is one that can be read: who only judges does not wait for its import."""
    if not (desk.folder / LEDGER).exists():
        return {}
    from submit.recorded_datasets import recorded_at

    return recorded_at(desk)


def _dataset_problems(
    there: Lookup, asked: Question, answers: Answers, value: object, files: tuple[str, ...]
) -> Iterator[Problem]:
    folder, where = there.find(value), answers.place(asked.key)
    if folder is None:
        yield _no_dataset(there, str(value), asked.key, where)
        return
    for file in files:
        fault = there.unreadable(folder, file)
        if fault:
            yield _problem(fault, asked.key, where, "")
        elif files == (TEST,):
            yield from (_problem(one, asked.key, where, "") for one in there.unpredictable(folder))


def _no_dataset(there: Lookup, name: str, key: str, where: Where) -> Problem:
    facts: dict[str, Fact] = {"dataset": shown(name), "datasets": there.offered(name)}
    return Problem("no_dataset" if there.names() else "no_datasets", where, key, facts, nearest(name, there.names()))


def not_even_named(there: Lookup, kind: Kind, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of an answer, where what should name a dataset is no name at all (``ワイン``, ``同上``) with the datasets there are.
    One that only spells the name of a dataset otherwise keeps its own problem, which says how to write it."""
    wanted = {one.key for one in kind.form.referring if one.refers and one.refers.to == "dataset"}
    for one in problems:
        if one.code == "bad_identifier" and one.question in wanted and one.suggestion not in there.names():
            yield _no_dataset(there, str(one.facts["text"]), one.question, one.where)
        else:
            yield one


def _unreadable(folder: Path, file: str) -> Fault | None:
    path = folder / "raw" / file
    if not path.is_file():
        return Fault("no_dataset_file", "dataset_id", {"dataset": folder.name, "file": f"raw/{file}"})
    return None if decodes(path) else Fault("bad_encoding", "dataset_id", {"file": file})


def _unpredictable(folder: Path) -> tuple[Fault, ...]:
    with csv_lines(folder / "raw" / TEST) as lines:
        return tuple(judge_rows(lines))


def _untrainable(folder: Path, column: str, task: str) -> tuple[Fault, ...]:
    """What keeps a column from being predicted. A file that is not there or not readable is said of the dataset."""
    if any(_unreadable(folder, file) for file in (TRAIN, TEST)):
        return ()
    with csv_lines(folder / "raw" / TRAIN) as train, csv_lines(folder / "raw" / TEST) as test:
        return tuple(judge(train, test, column, task))


def _heading(folder: Path, file: str) -> tuple[str, ...] | None:
    if _unreadable(folder, file):
        return None
    with csv_lines(folder / "raw" / file) as lines:
        return header(lines)


def _column_problems(
    there: Lookup, asked: Question, answers: Answers, values: Mapping[str, Any], column: str
) -> Iterator[Problem]:
    refers = asked.refers or Refers("column")
    folder = there.find(values.get(refers.of))
    for fault in there.untrainable(folder, column, str(values.get(refers.task, ""))) if folder else ():
        hint = nearest(column, there.heading(folder, TRAIN) or ()) if fault.code == "no_column" else ""
        key = {asked.name: asked.key, refers.task: refers.task}.get(fault.field, refers.of)
        yield _problem(fault, key, answers.place(key), hint)


def _model_problems(there: Lookup, kind: Kind, answers: Answers, values: Mapping[str, Any]) -> Iterator[Problem]:
    """A dataset that lacks columns which the model of the same request was trained on."""
    by_use = {one.refers.to: one.name for one in kind.form.referring if one.refers}
    folder = there.find(values.get(by_use.get("dataset", "")))
    card = there.card(values.get(by_use.get("model", "")))
    columns = there.heading(folder, TEST) if folder and card else None
    if card and columns is not None:
        missing = [str(one["name"]) for one in card["features"] if one["name"] not in columns]
        if missing:
            key = by_use["dataset"]
            yield Problem("missing_columns", answers.place(key), key, {"columns": named(missing)})


def _problem(fault: Fault, key: str, where: Where, hint: str) -> Problem:
    return Problem(fault.code, where, key, fault.facts, hint)


def find(desk: Desk, dataset: object) -> Path | None:
    """The folder of a dataset, or None, by its name or by the id of the ClearML Dataset that it is. Only a well-formed name ever
    becomes part of a path."""
    if not isinstance(dataset, str) or not re.fullmatch(IDENTIFIER, dataset):
        return None
    names = [dataset]
    if CLEARML_ID.fullmatch(dataset):
        names += [name for name, one in _recorded(desk).items() if one.clearml == dataset]
    there = (folder / name for name in names for folder in desk.dataset_folders())
    return next((folder for folder in there if folder.is_dir()), None)


def names(desk: Desk) -> list[str]:
    """The datasets there are, as a person may name them. A folder whose name nobody can write into a form is none."""
    folders = [folder for folder in desk.dataset_folders() if folder.is_dir()]
    found = {one.name for folder in folders for one in folder.iterdir() if (one / "raw").is_dir()}
    return sorted(name for name in found if re.fullmatch(IDENTIFIER, name))


def offering(desk: Desk, form: Form) -> Form:
    """The form with the datasets that this desk has today, so that people may choose one of them."""
    return form.knowing("dataset", names(desk))


def model_card(desk: Desk, model: object) -> dict[str, Any] | None:
    """The description (model.json) of a model that a run of this desk has made, or None."""
    parts = MODEL.fullmatch(model) if isinstance(model, str) and re.fullmatch(IDENTIFIER, model) else None
    file = desk.runs / f"{parts[1]}.{parts[2]}" / "model" / "model.json" if parts else None
    return _card(file) if file and file.is_file() else None


def models(desk: Desk) -> list[str]:
    """The ids of all models that runs of this desk have made."""
    found = sorted(desk.runs.glob("*/model/model.json")) if desk.runs.is_dir() else []
    return [str(card["model_id"]) for card in map(_card, found) if card]


def _card(file: Path) -> dict[str, Any] | None:
    """None for a description that is not as jobs write it: one that a run left half written, or that somebody else wrote."""
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
        whole = isinstance(card["model_id"], str) and all(isinstance(one["name"], str) for one in card["features"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return card if whole else None
