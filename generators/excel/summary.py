"""The first sheet of a marked workbook: what is to be corrected and where, and what became of each request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generators.excel.order import Standing
from generators.excel.reds import Reds
from generators.excel.spelling import letters, lines
from generators.excel.splice import quoted, written
from schema import words

MARK = "denpyo:summary"
"""What the first cell of our summary says, in a hidden column."""
MOST_LINES = 10_000
"""Lines of one list; more than these nobody reads, and a sheet that is too large could not be sent again."""
WIDTHS = (3.0, 8.0, 22.0, 34.0, 80.0)
NUMBER, PLACE, QUESTION, MESSAGE = range(2, 6)
WHOLE = sum(WIDTHS[1:])
LINE, PADDING, HIGHEST = 16.0, 9.0, 409.0
"""Excel repairs a file with a row of more than 409.5 points."""
FONTS = {"ja": "Yu Gothic"}
OTHER_FONT = "Calibri"
NAVY, BLUE, GREY, RED, GREEN, BROWN, PALE_RED, PALE_GREEN, PALE_YELLOW, WHITE = (
    *("1F3864", "2F5597", "6B6B6B", "C00000", "1E6B3A", "7F4F00"),
    *("FDE9E7", "E6F4EA", "FFF2CC", "FFFFFF"),
)
BOX = "".join(f'<{side} style="thin"><color rgb="FFB9C3D3"/></{side}>' for side in ("left", "right", "top", "bottom"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: where it is (``link`` leads there, "" where nothing can be shown), what it is about, what is said."""

    place: str
    link: str
    about: str
    said: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the sheet says. ``file`` is what the person sent; ``good`` and ``bad`` count the requests in it, ``red`` the problems
    whose cells are red."""

    language: str
    file: str
    good: int
    bad: int
    problems: Sequence[Line]
    warnings: Sequence[Line]
    requests: Sequence[Line]
    changes: Sequence[Line] = ()
    more_requests: int = 0
    red: int = 0
    standing: Standing = "judged"


class _Looks:
    """The looks of the summary, made once."""

    def __init__(self, styles: Reds, language: str) -> None:
        self.styles, self.font = styles, FONTS.get(language, OTHER_FONT)
        self.title = self._look(16, NAVY, bold=True, wrap=False)
        self.small = self._look(10, GREY, wrap=False)
        self.bad = self._look(12, RED, PALE_RED, bold=True)
        self.good = self._look(12, GREEN, PALE_GREEN, bold=True)
        self.open = self._look(12, BROWN, PALE_YELLOW, bold=True)
        self.section = self._look(11, NAVY, bold=True, wrap=False)
        self.head = self._look(10, WHITE, BLUE, bold=True, boxed=True)
        self.body = self._look(10, "000000", boxed=True)
        self.link = self._look(10, "0563C1", boxed=True, underlined=True)

    def _look(
        self,
        size: int,
        colour: str,
        fill: str = "",
        *,
        bold: bool = False,
        boxed: bool = False,
        wrap: bool = True,
        underlined: bool = False,
    ) -> int:
        marks = ("<b/>" if bold else "") + ("<u/>" if underlined else "")
        font = f'{marks}<sz val="{size}"/><color rgb="FF{colour}"/><name val="{self.font}"/>'
        indent = int(boxed or bool(fill))
        alignment = f'horizontal="left" vertical="center" wrapText="{int(wrap)}" indent="{indent}"'
        return self.styles.look(font, fill, BOX if boxed else "", alignment)


class _Rows:
    """The rows of the sheet under way."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.xml: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.merged: list[str] = []
        self.row = 0

    def say(self, name: str, **facts: str) -> str:
        return words.text(f"excel_marked_{name}", self.language, **facts)

    def add(self, cells: Sequence[tuple[int, str, int]], high: float = 0.0) -> None:
        """A row of cells: column, text, look."""
        self.row += 1
        shown = "".join(_cell(self.row, column, text, look) for column, text, look in cells)
        height = f' ht="{min(high, HIGHEST)}" customHeight="1"' if high else ""
        self.xml.append(f'<row r="{self.row}"{height}>{shown}</row>')

    def wide(self, text: str, look: int, high: float) -> None:
        """A text across the whole sheet."""
        blank = [(column, "", look) for column in range(PLACE, MESSAGE + 1)]
        self.add([(NUMBER, text, look), *blank], high)
        self.merged.append(f"{letters(NUMBER)}{self.row}:{letters(MESSAGE)}{self.row}")

    def list(self, title: str, heads: Sequence[str], found: Sequence[Line], looks: _Looks, more: int = 0) -> None:
        """A list with its heading, if it holds anything; ``more`` lines are left out."""
        if not found:
            return
        self.add([])
        self.add([(NUMBER, self.say(title), looks.section)], 22.0)
        texts = [self.say(one) for one in ("number", *heads)]
        self.add([(column, text, looks.head) for column, text in enumerate(texts, NUMBER)], 20.0)
        for number, line in enumerate(found[:MOST_LINES], 1):
            self._line(number, line, looks)
        more += max(0, len(found) - MOST_LINES)
        if more:
            self.add([(NUMBER, self.say("more", count=f"{more:,}"), looks.small)])

    def _line(self, number: int, line: Line, looks: _Looks) -> None:
        texts = (line.place, line.about, line.said)
        high = max(lines(text, WIDTHS[at - 1] - 3) for at, text in enumerate(texts, PLACE))
        look = looks.link if line.link else looks.body
        cells = [(NUMBER, str(number), looks.body), (PLACE, line.place, look)]
        self.add([*cells, (QUESTION, line.about, looks.body), (MESSAGE, line.said, looks.body)], high * LINE + PADDING)
        if line.link:
            self.links.append((f"{letters(PLACE)}{self.row}", line.link))


def sheet_of(summary: Summary, styles: Reds, namespace: str) -> bytes:
    """The sheet's XML, its looks added to the workbook's styles."""
    looks, rows = _Looks(styles, summary.language), _Rows(summary.language)
    _top(summary, looks, rows)
    rows.list("problems", ("place", "question", "message"), summary.problems, looks)
    rows.list("warnings", ("place", "question", "notice"), summary.warnings, looks)
    rows.list("requests", ("place", "receipt", "state"), summary.requests, looks, summary.more_requests)
    rows.list("changes", ("place", "question", "notice"), summary.changes, looks)
    return _sheet(rows, namespace)


def _top(summary: Summary, looks: _Looks, rows: _Rows) -> None:
    rows.add([(1, MARK, looks.small), (NUMBER, rows.say("title"), looks.title)], 34.0)
    rows.add([(NUMBER, rows.say("file", file=summary.file), looks.small)], 18.0)
    name, look = _banner(summary, looks)
    text = rows.say(name, count=f"{max(len(summary.problems), summary.bad):,}")
    rows.wide(text, look, lines(text, WHOLE / 1.2) * 20.0 + 12)
    if name == "unread":
        return
    good, bad = f"{summary.good:,}", f"{summary.bad:,}"
    rows.add(
        [(NUMBER, rows.say("counts", all=f"{summary.good + summary.bad:,}", good=good, bad=bad), looks.small)], 20.0
    )


def _banner(summary: Summary, looks: _Looks) -> tuple[str, int]:
    """What the sheet says first, and its look. Red cells are spoken of only where all that is to be done is done in them."""
    fresh, wrong = summary.standing == "fresh", len(summary.problems)
    if wrong and not summary.good + summary.bad:
        return "unread", looks.bad
    if wrong and summary.red == wrong:
        return "fresh_bad" if fresh else "bad", looks.bad
    if wrong or summary.bad:
        return "listed" if summary.red or summary.good else "refused", looks.bad
    if fresh:
        return "fresh", looks.open
    return ("quiet", looks.open) if summary.standing == "quiet" else ("good", looks.good)


def _cell(row: int, column: int, text: str, look: int) -> str:
    address = f'r="{letters(column)}{row}" s="{look}"'
    if not text:
        return f"<c {address}/>"
    return f'<c {address} t="inlineStr"><is><t xml:space="preserve">{written(_shown(text)).decode()}</t></is></c>'


def _shown(text: str) -> str:
    """A text as the summary may hold it: one that is a mark of ours would make a sheet of answers of it."""
    return f"“{text}”" if text.strip().startswith("denpyo:") and text != MARK else text


def _sheet(rows: _Rows, namespace: str) -> bytes:
    widths = (
        f'<col min="{at}" max="{at}" width="{wide}" hidden="{int(at == 1)}" customWidth="1"/>'
        for at, wide in enumerate(WIDTHS, 1)
    )
    merged = "".join(f'<mergeCell ref="{one}"/>' for one in rows.merged)
    links = "".join(f'<hyperlink ref="{cell}" location={quoted(to).decode()}/>' for cell, to in rows.links)
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n',
            f'<worksheet xmlns="{namespace}"><sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>',
            '<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0">',
            '<selection activeCell="B1" sqref="B1"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>',
            f"<cols>{''.join(widths)}</cols><sheetData>{''.join(rows.xml)}</sheetData>",
            f'<mergeCells count="{len(rows.merged)}">{merged}</mergeCells>',
            f"<hyperlinks>{links}</hyperlinks>" if links else "",
            '<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>',
            '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>',
            "<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter></worksheet>",
        )
    ).encode()
