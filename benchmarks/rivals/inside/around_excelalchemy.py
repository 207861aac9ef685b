"""What someone writes around ExcelAlchemy: a model, a storage on disk, import. Runs under its own Python; knows nothing of ours.

``python around_excelalchemy.py template QUESTIONS.json OUT.xlsx`` and ``… check QUESTIONS.json IN.xlsx RESULT.xlsx FINDINGS.json``.
"""
# mypy: ignore-errors

import asyncio
import base64
import datetime
import json
import sys
from pathlib import Path
from typing import Annotated, Any

from excelalchemy import DateCodec, DateFormat, ExcelAlchemy, ExcelColumn, ImporterConfig, Option, SingleChoiceCodec
from excelalchemy.worksheet.table import WorksheetTable
from openpyxl import load_workbook
from pydantic import BaseModel, Field, ValidationInfo, create_model, field_validator, model_validator

SORTS = {"whole_number": int, "number": float, "yes_no": bool, "date": datetime.datetime}
BOUNDS = {"least": "ge", "greatest": "le", "above": "gt", "shortest": "min_length", "longest": "max_length"}
BOUNDS["pattern"] = "pattern"


class OnDisk:
    """Its storage protocol. It ships one for MinIO alone; this reads as that one does."""

    def read_excel_table(self, input_excel_name: str, *, skiprows: int, sheet_name: str) -> WorksheetTable:
        sheet = load_workbook(input_excel_name, data_only=True)[sheet_name]
        rows = [
            [None if value is None else str(value) for value in row]
            for row in sheet.iter_rows(min_row=skiprows + 1, values_only=True)
        ]
        while rows and all(value is None for value in rows[-1]):
            rows.pop()
        return WorksheetTable(rows=rows)

    def upload_excel(self, output_name: str, content_with_prefix: str) -> str:
        Path(output_name).write_bytes(base64.b64decode(content_with_prefix.split(",", 1)[-1]))
        return output_name


def field(order: int, one: dict[str, Any]) -> tuple[Any, Any]:
    bounds = {BOUNDS[name]: bound for name, bound in one["limits"].items() if name in BOUNDS and one["sort"] != "date"}
    column = {"label": one["label"], "order": order, "hint": one["help"], "required": one["required"]}
    column |= {"example_value": one["example"] or None, "unit": one["unit"] or None}
    if one["choices"]:
        options = [Option(id=value, name=label) for value, label in one["choices"]]
        column |= {"codec": SingleChoiceCodec(), "options": options}
    if one["sort"] == "date":
        column["codec"] = DateCodec.format(DateFormat.DAY)
    if one["sort"] in ("number", "whole_number"):
        column["fraction_digits"] = 4 if one["sort"] == "number" else 0
    sort = SORTS.get(one["sort"], str)
    kind = sort if one["required"] else sort | None
    marked = Annotated[kind, Field(**bounds), ExcelColumn(**column)]
    return (marked, ...) if one["required"] else (marked, None)


class Across(BaseModel):
    """What pydantic itself can say between fields and about dates, located at the field."""

    @field_validator("begins", "ends", "instrument", "samples", "reason", check_fields=False)
    @classmethod
    def fits(cls, value: Any, info: ValidationInfo) -> Any:
        for holds, text in AGAINST.get(info.field_name, ()):
            if value is not None and not holds(value, info.data):
                raise ValueError(text)
        return value

    @model_validator(mode="after")
    def whole(self) -> "Across":
        if getattr(self, "method", None) == "sampled" and getattr(self, "samples", None) is None:
            raise ValueError("サンプル数を入力してください")
        return self


def day(value: datetime.datetime) -> str:
    return f"{value:%Y-%m-%d}"


FITS = {"turbidity": "water", "conductivity": "water", "particles": "air", "ozone": "air"}
AGAINST = {
    "begins": [(lambda value, _: day(value) >= "2026-01-01", "2026/01/01以後にしてください")],
    "ends": [
        (lambda value, _: day(value) <= "2030-12-31", "2030/12/31以前にしてください"),
        (lambda value, data: data.get("begins") is None or value >= data["begins"], "開始日以後にしてください"),
    ],
    "instrument": [
        (lambda value, data: FITS.get(value) == data.get("medium", FITS.get(value)), "測るものに合いません")
    ],
    "samples": [(lambda _, data: data.get("method") == "sampled", "抜き取りのときだけ答えます")],
    "reason": [(lambda _, data: data.get("method") == "none", "調べないときだけ答えます")],
}


def importer(questions: str) -> ExcelAlchemy:
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    fields = {one["name"]: field(order, one) for order, one in enumerate(asked, 1)}
    model = create_model("Survey", __base__=Across, **fields)
    return ExcelAlchemy(ImporterConfig.for_create(model, creator=keep, storage=OnDisk(), locale="ja"))


async def keep(row: dict[str, Any], context: object) -> None:
    """The row is good; a program would store it."""


def check(questions: str, book: str, result: str, findings: str) -> None:
    alchemy = importer(questions)
    done = asyncio.run(alchemy.import_data(book, result))
    header = done.to_api_payload()
    rows = [
        {"row": record.row_index, "label": "", "text": record.to_dict()["display_message"]}
        for record in alchemy.row_error_map.records()
        if record.to_dict()["field_label"] is None
    ]
    cells = [
        {
            "row": record.row_index,
            "row_said": record.to_dict()["row_number_for_humans"],
            "column_said": record.to_dict()["column_number_for_humans"],
            "label": str(record.error.label),
            "text": record.to_dict()["display_message"],
        }
        for record in alchemy.cell_error_map.records()
    ]
    Path(findings).write_text(json.dumps({"cells": cells + rows, "result": header}, default=str), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "template":
        Path(sys.argv[3]).write_bytes(importer(sys.argv[2]).download_template_artifact().as_bytes())
    else:
        check(*sys.argv[2:6])
