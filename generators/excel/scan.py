"""One pass over a part's XML: bounds what the parser would allocate, and notes what it does not tell of a sheet.

Elements are known by their local names, as the parser knows them, so that strict Open XML and odd prefixes are seen as they are
read. Rows and columns are counted from 1.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from xml.parsers.expat import XMLParserType

from generators.excel.numbers import letters
from generators.excel.refusal import broken, too_large
from generators.excel.sheet import Area, Place, SheetFacts
from generators.excel.xml_part import MOST_ELEMENTS, guarded, local, parse
from schema.words import both

EXCEL_ROWS, EXCEL_COLUMNS = 1_048_576, 16_384
LAST_ROW, LAST_COLUMN = 100_100, 512
MOST_CELLS = 3_000_000
"""Cells of all sheets together, each sheet counted as the rectangle from A1 to its last filled row and column."""
MOST_TEXT = 128 * 1024 * 1024
MOST_AREAS = 1000
MOST_RANGES = 100_000
"""Merged areas of a sheet, and as many areas with limits."""
LETTERS = re.compile("[A-Z]{1,3}")
DIGITS = "0123456789"
YES = ("1", "true")
NO_HEIGHT = ("0", "0.0")
TEXTS = ("str", "d")
"""Sorts of cells whose value is a text and may hold entities."""
VALIDATION = "dataValidation"
INSIDE_TEXT = (
    *("r", "rPr", "b", "i", "u", "strike", "sz", "color", "rFont", "family", "charset", "scheme", "vertAlign"),
    *("outline", "shadow", "condense", "extend", "rPh", "phoneticPr"),
)
"""Elements of a text that stands in its cell; after them the cell may go on."""

Attributes = Mapping[str, str]


@dataclass
class Budget:
    """What all parts together may still cost. ``percents`` are the numbers of those cell styles that show per cent."""

    percents: Collection[str] = frozenset()
    cells: int = 0
    elements: int = 0
    used: array[int] = field(default_factory=lambda: array("L"))
    sizes: array[int] = field(default_factory=lambda: array("L"))
    strings: str = ""

    def settle(self) -> None:
        """A text that many cells share is copied for each of them: bound the copies."""
        try:
            size = sum(self.sizes[index] for index in self.used)
        except IndexError as error:
            raise broken(self.strings or "xl/sharedStrings.xml") from error
        if size > MOST_TEXT:
            raise too_large(self.strings, self.strings, f"{MOST_TEXT // 1024**2} MiB")


@cache
def column_number(letters: str) -> int:
    number = 0
    for one in letters if LETTERS.fullmatch(letters) else "":
        number = number * 26 + ord(one) - 64
    return number


def place(reference: str) -> Place:
    """``C7`` → (7, 3); (0, 0) for what is no cell of an Excel sheet."""
    letters = reference.rstrip(DIGITS)
    digits = reference[len(letters) :]
    if not 1 <= len(digits) <= 7 or len(letters) > 3:
        return 0, 0
    row, column = int(digits), column_number(letters)
    return (row, column) if 1 <= row <= EXCEL_ROWS and 1 <= column <= EXCEL_COLUMNS else (0, 0)


def loose_area(reference: str) -> Area | None:
    """What no value depends on may be written loosely: ``$B$3:T9``, whole columns ``C:C``; None for what is no area."""
    first, _, last = reference.replace("$", "").partition(":")
    if first.isalpha() and last.isalpha():
        first, last = f"{first}1", f"{last}{EXCEL_ROWS}"
    (top, left), (bottom, right) = place(first), place(last or first)
    return (top, left, bottom, right) if top and bottom else None


def scan(part: bytes, name: str, spot: str, budget: Budget) -> Scan:
    """Read one part. ``spot`` is what a person knows it by: the sheet's name."""
    found = Scan(guarded(name), name, spot, budget, part)
    parse(found.parser, part, name)
    found.finish(len(part))
    return found


class Scan:
    """One pass under way. Handlers are called for every element of large sheets, so they do little."""

    def __init__(self, parser: XMLParserType, name: str, spot: str, budget: Budget, part: bytes = b"") -> None:
        self.parser, self.name, self.spot, self.budget, self.part = parser, name, spot, budget, part
        self.begun = 0
        self.row = self.column = self.bottom = self.right = 0
        self.at: Place | None = None
        self.said: Place | None = None
        self.sort = ""
        self.captured: list[str] | None = None
        self.strings = array("L")
        self.formulas: set[Place] = set()
        self.areas: list[Area] = []
        self.errors: dict[Place, str] = {}
        self.percents: set[Place] = set()
        self.hidden_rows: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []
        self.validated: list[Area] = []
        self.filters: list[Area | None] = []
        self.filtered: Area | None = None
        self.handlers: Mapping[str, Callable[[Attributes], None]] = {
            "row": self._row,
            "c": self._cell,
            "v": self._value,
            "f": self._formula,
            "is": self._inline,
            "col": self._column,
            "mergeCell": self._merge,
            "si": self._string,
            "t": self._characters,
            **dict.fromkeys(INSIDE_TEXT, _nothing),
            "dataValidation": self._validation,
            "sqref": self._validation_of_2010,
            "autoFilter": self._auto_filter,
            "filterColumn": self._filter_at_work,
        }
        parser.StartElementHandler = self._start

    def facts(self) -> SheetFacts:
        return SheetFacts(
            formulas=frozenset(self.formulas),
            areas=tuple(self.areas),
            errors=self.errors,
            percents=frozenset(self.percents),
            hidden_rows=frozenset(self.hidden_rows),
            hidden_columns=tuple(self.hidden_columns),
            merged=tuple(self.merged),
            validated=tuple(self.validated),
            filtered=self.filtered,
        )

    def _start(self, tag: str, attributes: Attributes) -> None:
        self.budget.elements += 1
        if self.budget.elements > MOST_ELEMENTS:
            raise too_large(self.name, self.name, f"{MOST_ELEMENTS:,}")
        if self.parser.EndElementHandler:
            raise broken(self._cell_or_spot())
        if self.captured is not None:
            self._settle()
        handler = self.handlers.get(tag) or self.handlers.get(local(tag))
        if handler:
            handler(attributes)
        else:
            self.at = None

    def _row(self, attributes: Attributes) -> None:
        self.at = None
        given = attributes.get("r")
        before, self.row, self.column = self.row, self.row + 1, 0
        if given is not None:
            self.row = place(f"A{given}")[0] if given[:1] in DIGITS else 0
        if not before < self.row <= EXCEL_ROWS:
            raise broken(f"{self.spot}!{given or before + 1}")
        if attributes.get("hidden") in YES or attributes.get("ht") in NO_HEIGHT:
            self.hidden_rows.add(self.row)

    def _cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        row, column = (self.row, self.column + 1) if reference is None else place(reference)
        if not column or (self.row and (row != self.row or column <= self.column)):
            raise broken(f"{self.spot}!{reference or self.row}")
        self.column = column
        self.at = (row, column)
        self.sort = attributes.get("t", "n")
        if self.sort == "n" and attributes.get("s") in self.budget.percents:
            self.percents.add(self.at)

    def _used(self) -> bool:
        """Whether a cell is open that now turns out to hold something; the parser's rectangle grows to it."""
        if self.at is None:
            return False
        row, column = self.at
        if row > LAST_ROW or column > LAST_COLUMN:
            raise _too_far(self.spot, row, column)
        self.bottom, self.right = max(self.bottom, row), max(self.right, column)
        return True

    def _characters(self, _: Attributes) -> None:
        """Until this element ends there may be no other: some would read the text around it as one, some only the first part."""
        self.parser.EndElementHandler = self._ended

    def _ended(self, _: str) -> None:
        self.parser.EndElementHandler = None

    def _value_ended(self, tag: str) -> None:
        self._ended(tag)
        if self.part.find(b"&", self.begun, self.parser.CurrentByteIndex) >= 0:
            raise broken(self._cell_or_spot())  # the parser takes what stands before it for the whole value

    def _value(self, attributes: Attributes) -> None:
        self._characters(attributes)
        if self.sort not in TEXTS:
            self.begun = self.parser.CurrentByteIndex
            self.parser.EndElementHandler = self._value_ended
        if self._says() and self.sort in ("s", "e", "b"):
            self.captured = []
            self.parser.CharacterDataHandler = self.captured.append

    def _inline(self, _: Attributes) -> None:
        self._says()

    def _says(self) -> bool:
        """As ``_used``, for what is the cell's value: a cell with two is read as both together, or as either."""
        if not self._used() or self.at is None:
            return False
        if self.said == self.at:
            raise broken(self._cell_or_spot())
        self.said = self.at
        return True

    def _formula(self, attributes: Attributes) -> None:
        if self._used() and self.at:
            self.formulas.add(self.at)
            if attributes.get("t") in ("array", "dataTable") and ":" in attributes.get("ref", ""):
                self.areas.append(self._area(attributes["ref"]))
                if len(self.areas) > MOST_AREAS:
                    raise too_large(self.spot, self.spot, f"{MOST_AREAS:,}")

    def _settle(self) -> None:
        self.parser.CharacterDataHandler = None
        text = "".join(self.captured or ()).strip()
        self.captured = None
        if self.sort == VALIDATION:
            self._validate(text)
        elif self.sort == "e" and self.at:
            self.errors[self.at] = text
        elif self.sort == "b":
            if text not in ("", "0", "1"):  # the parser takes all but 0 for true, and "false" with it
                raise broken(self._cell_or_spot())
        elif text:
            if not text.isascii() or not text.isdigit() or len(text) > 9:
                raise broken(self.spot)
            self.budget.used.append(int(text))

    def _cell_or_spot(self) -> str:
        return f"{self.spot}!{letters(self.at[1])}{self.at[0]}" if self.at else self.spot

    def _column(self, attributes: Attributes) -> None:
        if attributes.get("hidden") in YES or attributes.get("width") in NO_HEIGHT:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if not (
                first.isascii() and first.isdigit() and last.isascii() and last.isdigit() and len(first + last) < 12
            ):
                raise broken(self.spot)
            self.hidden_columns.append((int(first), int(last)))
            if len(self.hidden_columns) > EXCEL_COLUMNS:
                raise broken(self.spot)

    def _merge(self, attributes: Attributes) -> None:
        top, left, bottom, right = self._area(attributes.get("ref", ""))
        if (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            raise _too_far(self.spot, bottom, right)
        self._keep(self.merged, (top, left, bottom, right))

    def _keep(self, areas: list[Area], area: Area) -> None:
        areas.append(area)
        if len(areas) > MOST_RANGES:
            raise too_large(self.spot, self.spot, f"{MOST_RANGES:,}")

    def _validation(self, attributes: Attributes) -> None:
        """Limits of one or more areas. Those that Excel 2010 added name their areas in an element of their own."""
        self.at = None
        references = attributes.get("sqref")
        if references is None:
            self.sort = VALIDATION
        else:
            self._validate(references)

    def _validation_of_2010(self, _: Attributes) -> None:
        self.at = None
        if self.sort == VALIDATION:
            self.captured = []
            self.parser.CharacterDataHandler = self.captured.append

    def _validate(self, references: str) -> None:
        self.sort = ""
        if references.count(" ") > MOST_RANGES:
            raise too_large(self.spot, self.spot, f"{MOST_RANGES:,}")
        for one in references.split():
            area = loose_area(one)
            if area:
                self._keep(self.validated, area)

    def _auto_filter(self, attributes: Attributes) -> None:
        self.at = None
        self.filters.append(loose_area(attributes.get("ref", "")))

    def _filter_at_work(self, _: Attributes) -> None:
        """The sheet's own filter comes first; those of views that somebody saved hide nothing now."""
        self.at = None
        if len(self.filters) == 1:
            self.filtered = self.filters[0]

    def _area(self, reference: str) -> Area:
        first, _, last = reference.partition(":")
        (top, left), (bottom, right) = place(first), place(last or first)
        if not (top and bottom and top <= bottom and left <= right):
            raise broken(f"{self.spot}!{reference}")
        return top, left, bottom, right

    def _string(self, _: Attributes) -> None:
        self.at = None
        self.strings.append(self.parser.CurrentByteIndex)

    def finish(self, length: int) -> None:
        """Settle what is still open, and count what this part will cost."""
        if self.captured is not None:
            self._settle()
        if self.strings:
            if self.budget.strings:
                raise broken(self.name)
            self.budget.strings = self.name
            self.strings.append(length)
            self.budget.sizes.extend(after - before for before, after in pairwise(self.strings))
        self.budget.cells += self.bottom * self.right
        if self.budget.cells > MOST_CELLS:
            raise _too_far(self.spot, self.bottom, self.right)


def _nothing(_: Attributes) -> None:
    pass


def _too_far(spot: str, row: int, column: int) -> Exception:
    cell = f"{letters(column)}{row}"
    what = both("cell_area", cell=cell)
    most = f"{LAST_ROW:,} × {LAST_COLUMN} ({MOST_CELLS:,})"
    return too_large(f"{spot}!{cell}", what, most)
