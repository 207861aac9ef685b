"""The Excel door: a blank workbook for a kind, and a filled one read back.

Every sheet that asks has a corner: a hidden cell with one of the marks below. The question keys stand in the corner's own column
(form) or row (table), so that answers are joined by key wherever a person moves them.
"""

from __future__ import annotations

from typing import Literal

Layout = Literal["form", "table"]
Encoding = Literal["utf-8", "shift_jis"]
"""What an operator may declare that a CSV is written in."""

SENDER = "request.sender"
AGAIN = "request.again"

RESPONSE = "request.response"
"""Key of the cell that carries, in a marked copy, the id of the response and what became of it: ``7k3m-9qx2-b4td 受付済み``. A row
near the top of the form's first sheet, a column of the table; nobody answers it, and the id is its first word."""
STATUS = "denpyo:status"
"""First word of the key cell above the live status of a table's rows. After it, in the same cell and parted by spaces: kind, version,
fingerprint, language and wording of the template, so that the sheet alone (a CSV, or copied into another workbook) still says which
it is."""

FORM = "denpyo:form"
"""Corner of a sheet with one question a row; its column holds the keys, its row the mark ``ANSWER``."""
TABLE = "denpyo:table"
"""Corner of a sheet with one request a row; its row holds the keys, its column the mark ``HEAD`` beside every row of headings."""
TEMPLATE = "denpyo:template"
"""Corner of the sheet that says which form this is: names below it, values to the right of them."""
ANSWER = "denpyo:answer"
HEAD = "denpyo:head"

SUMMARY_NAME = "denpyo_summary"
"""Defined name: where the summary of a marked copy is, whatever somebody called it since; in a template it is FALSE."""

TABLE_ROWS = 10_000
"""Rows of the table layout that are prepared with limits, lists and a status; more may be filled."""
