"""``denpyo build``: every generated file, from the schema alone; and whether what is committed still says the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

from generators import clearml_task, google_form, issue_form, json_schema, reference
from generators.excel import template
from generators.microsoft import page as microsoft_page
from generators.microsoft import quick_import
from schema import kinds as registry
from schema.kinds import Kind
from schema.words import FALLBACK, languages
from submit.desk import Config, Desk, shipped
from submit.doors_page import doors_page
from submit.new_desk import json_bytes
from submit.policy import Policy

EXAMPLES = "examples/.github/ISSUE_TEMPLATE"
SHOWN = "train_supervised"
"""The kind that docs/doors.md shows: it has conditions, nested fields and many questions."""
LAYOUTS: tuple[Literal["form", "table"], ...] = ("form", "table")
FORMS = (
    "excel_templates/*/*.xlsx",
    "forms/google/*.json",
    "forms/clearml/*.json",
    "forms/microsoft/*",
    "forms/github/*.yml",
    f"{EXAMPLES}/*.*.yml",
)
"""What belongs to one kind each and goes with it."""


@dataclass
class Report:
    """What was written, what drifted (with ``--check``), and released schemas whose kind changed without a new version."""

    written: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)


def build(desk: Desk, *, write: bool) -> Report:
    """The shipped kinds' files in the checkout, a desk's own kinds' beside them on the desk. Released schemas are never overwritten."""
    report = Report()
    generated = [(root / path, data) for root, path, data in _generated(desk)]
    report.frozen = [file.as_posix() for file, data in generated if _is_frozen(file, data)]
    for file, data in generated:
        _settle(file, data, report, write=write and not report.frozen)
    for file in _left_over({file for file, _ in generated}):
        _drop(file, report, write=write and not report.frozen)
    return report


def _generated(desk: Desk) -> Iterator[tuple[Path, str, bytes]]:
    checkout = shipped("")
    mine = {name: kind for name, kind in desk.kinds.items() if kind.file.parent != registry.SHIPPED}
    if in_checkout():
        for kind in registry.load().values():
            yield from ((checkout, path, data) for path, data in _of_kind(kind))
            for language in languages():
                path = f"{EXAMPLES}/{kind.name}.{language}.yml"
                yield checkout, path, issue_form.write(kind.form, language)
        for path, data in _of_all():
            yield checkout, path, data
    for kind in mine.values():
        yield from ((desk.folder, path, data) for path, data in _of_kind(kind))


def in_checkout() -> bool:
    """Whether this is a checkout; an installed wheel has no generated files to keep in step."""
    return (shipped("") / "pyproject.toml").is_file()


def _of_kind(kind: Kind) -> Iterator[tuple[str, bytes]]:
    yield f"forms/json_schema/{kind.name}.v{kind.form.version}.json", json_schema.write(kind.form)
    for language in languages():
        yield f"forms/github/{kind.name}.{language}.yml", issue_form.write(kind.form, language)
        for layout in LAYOUTS:
            yield f"excel_templates/{language}/{kind.name}.{layout}.xlsx", template.write(kind.form, language, layout)
        yield f"forms/google/{kind.name}.{language}.json", google_form.write(kind.form, language)
        yield f"forms/clearml/{kind.name}.{language}.json", clearml_task.write(kind.form, language)
        yield f"forms/microsoft/{kind.name}.{language}.docx", quick_import.write(kind.form, language)
        yield f"forms/microsoft/{kind.name}.{language}.html", microsoft_page.write(kind.form, language)


def _of_all() -> Iterator[tuple[str, bytes]]:
    yield "forms/json_schema/denpyo.schema.json", json_bytes(Config.model_json_schema())
    yield "forms/json_schema/policy.schema.json", json_bytes(Policy.model_json_schema())
    for language in languages():
        suffix = "" if language == FALLBACK else f".{language}"
        yield f"docs/problems{suffix}.md", reference.problems_page(language).encode()
        forms = [kind.form for kind in registry.load().values()]
        yield f"docs/kinds{suffix}.md", reference.kinds_page(forms, language).encode()
        yield f"docs/doors{suffix}.md", doors_page(registry.load()[SHOWN], language).encode()


def _settle(file: Path, data: bytes, report: Report, *, write: bool) -> None:
    name = file.as_posix()
    there = file.read_bytes() if file.is_file() else None
    if name in report.frozen or (there is not None and _same(file, there, data)):
        return
    if not write:
        report.drifted.append(name)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        report.written.append(name)


def _is_frozen(file: Path, data: bytes) -> bool:
    """A released schema whose kind may be answered in another way by now."""
    return file.is_file() and _fingerprint(file, file.read_bytes()) != _fingerprint(file, data)


def _same(file: Path, one: bytes, two: bytes) -> bool:
    """Workbooks and documents are compared part by part, unpacked: compressors differ between machines."""
    if file.suffix not in (".xlsx", ".docx"):
        return one == two
    return _parts(one) == _parts(two)


def _parts(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _fingerprint(file: Path, data: bytes) -> Any:
    return json.loads(data).get("x-denpyo-fingerprint") if file.parent.name == "json_schema" else None


def _left_over(expected: set[Path]) -> Iterator[Path]:
    """Forms of kinds that are gone. Schemas of older versions stay for ever: slips point to them."""
    for pattern in FORMS if in_checkout() else ():
        yield from (file for file in sorted(shipped("").glob(pattern)) if file not in expected)


def _drop(file: Path, report: Report, *, write: bool) -> None:
    if write:
        file.unlink()
        report.written.append(f"(removed) {file.as_posix()}")
    else:
        report.drifted.append(file.as_posix())
