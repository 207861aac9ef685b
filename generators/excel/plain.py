"""A large sheet, read by patterns instead of element by element, where it is written as plainly as Excel and its like write it.

The pattern of a row spells every byte of it, so that what it matches is well-formed and means exactly this. Whatever it does not match
is left to ``scan``, which reads any XML and gives the same facts, several times slower.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain, pairwise

from generators.excel.numbers import letters
from generators.excel.refusal import RefusedError
from generators.excel.scan import (
    LAST_ROW,
    MOST_CELLS,
    NO_HEIGHT,
    YES,
    Attributes,
    Budget,
    Scan,
    column_number,
    place,
    scan,
)
from generators.excel.sheet import Place, SheetFacts
from generators.excel.xml_part import MOST_ELEMENTS, elements, guarded, parse

WORTH_IT = 64 * 1024
"""Bytes of a part below which the pattern would take longer to make than the part to read."""
WIDEST = 64
MOST_SORTS_OF_ROWS = 1000
LOOKED_AT = 64 * 1024
PIECE = 1024 * 1024
BEGIN, END = b"<sheetData>", b"</sheetData>"
AFTER = re.compile(
    rb"\s*(?:</worksheet>|<(?:sheetCalcPr|sheetProtection|protectedRanges|autoFilter|sortState|mergeCells|phoneticPr"
    rb"|conditionalFormatting|dataValidations|hyperlinks|printOptions|pageMargins|pageSetup|headerFooter|drawing|legacyDrawing"
    rb"|tableParts|extLst)[\s/>])"
)
"""What may follow the rows: elements that neither belong to a cell nor are read as part of one."""
CONTROLS = bytes(one for one in range(32) if one not in b"\t\n\r")
NO_CHARACTER = re.compile(b"\xef\xbf[\xbe\xbf]")
NO_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#9|#10|#13);)")
SHARED = (
    rb'(?: t="shared"(?: ref="[A-Z0-9:]{1,30}+")?+ si="[0-9]{1,9}+"'
    rb'|(?: ref="[A-Z0-9:]{1,30}+")?+ si="[0-9]{1,9}+" t="shared")?+'
)
FORMULA = rb'<f(?: aca="false")?+%s(?: ca="1")?+(?: ?/>|>[^<]*+</f>)' % SHARED
TEXT = rb'<t(?: xml:space="preserve")?+>[^<]*+</t>'
LOOKS = b"b|i|u|strike|sz|color|rFont|family|charset|scheme|vertAlign|outline|shadow|condense|extend"
HOW = rb'(?: (?:val|rgb|theme|indexed)="[^"<&]*+")?+(?: tint="[^"<&]*+")?+'
LOOK, CLOSED_LOOK = rb"<(?:%s)%s ?/>" % (LOOKS, HOW), rb"<(%s)%s></\1>" % (LOOKS, HOW)
RUN = rb"<r>(?:<rPr>(?:%s)*</rPr>)?%s</r>"
RICH = RUN % (rb"%s|%s" % (LOOK, CLOSED_LOOK), TEXT)
NOTHING = b"<t></t>"
SEVERAL = re.compile(b"(?:<t></t>){2,}")
VALUE, NUMBER = rb"(?:<v>[^<]*+</v>|<v ?/>)", rb"(?:<v>[^<&]*+</v>|<v ?/>)"
HOLDS = (
    rb"(?:"
    rb' t="s">(?:%(f)s)?+<v>[0-9]{1,9}+</v>'
    rb'| t="inlineStr"><is>%(t)s</is>'
    rb'| t="e">(?:%(f)s)?+<v>[#A-Z0-9/!?_]{1,30}+</v>'
    rb'| t="b">(?:%(f)s)?+<v>[01]?</v>'
    rb'| t="str">(?:%(f)s%(v)s?+|%(v)s)'
    rb'|(?: t="n")?+>(?:%(f)s%(n)s?+|%(n)s)'
    rb")</c>"
) % {b"f": FORMULA, b"t": TEXT, b"v": VALUE, b"n": NUMBER}
EMPTY = rb'(?: t="(?:n|s|str|b|e|inlineStr)")?+(?: ?/>|></c>)'
STYLE = rb'(?: s="[0-9]{1,6}+")?+'
CELL = rb'<c r="([A-Z]{1,3})([0-9]{1,7})"'
LETTERS = rb'<c r="([A-Z]{1,3})'
POINTS = rb' t="s">(?:%s)?+<v>([0-9]+)' % FORMULA
ERRORS = rb'%s%s t="e">(?:%s)?+<v>([^<]*)<' % (CELL, STYLE, FORMULA)
FORMULAS = re.compile(rb"<f[ />]")
PHONETIC = (
    rb'(?:<rPh sb="[0-9]{1,5}+" eb="[0-9]{1,5}+">%s</rPh>)*+'
    rb'(?:<phoneticPr fontId="[0-9]{1,5}+"(?: type="[A-Za-z]{1,20}+")?+(?: ?/>|></phoneticPr>))?+'
) % TEXT
STRING = rb"(?:<si>(?:%s|(?:%s)++)%s</si>)*+" % (TEXT, RUN % (LOOK, TEXT), PHONETIC)


class _NotPlainError(Exception):
    """Something that only the slow way reads."""


def facts_of(part: bytes, name: str, spot: str, budget: Budget, worth_it: int = WORTH_IT) -> SheetFacts:
    """What a part says beyond its values, the quick way where it is plain. What is too large or broken is a RefusedError."""
    if len(part) >= worth_it:
        try:
            return _sheet(part, name, spot, budget) if BEGIN in part else _strings(part, name, spot, budget)
        except (_NotPlainError, RefusedError):
            pass  # the slow way says what is wrong, and where
    return scan(part, name, spot, budget).facts()


def _sheet(part: bytes, name: str, spot: str, budget: Budget) -> SheetFacts:
    body = _Body(part, part.find(BEGIN) + len(BEGIN), part.rfind(END))
    if not AFTER.match(part, body.last + len(END)):
        raise _NotPlainError
    rows = _Rows(body, name, budget.percents)
    trial = replace(budget, used=array("L"), sizes=array("L"))
    facts = _around_facts(body.around(), name, spot, trial)
    trial.elements += body.elements()
    trial.cells += rows.bottom * rows.right
    if trial.elements > MOST_ELEMENTS or trial.cells > MOST_CELLS or rows.bottom > LAST_ROW:
        raise _NotPlainError
    budget.elements, budget.cells = trial.elements, trial.cells
    budget.used.extend(map(int, _compiled(POINTS).findall(part, body.first, body.last)))
    return replace(
        facts,
        formulas=rows.formulas(),
        errors=rows.errors(),
        percents=rows.percents(),
        hidden_rows=frozenset(rows.hidden),
    )


class _Body:
    """What is read by patterns: the part between two places, where nothing outside can make it mean something else. Large parts
    are looked at where they lie, not copied."""

    def __init__(self, part: bytes, first: int, last: int) -> None:
        self.part, self.first, self.last = part, first, last
        if not 0 < first <= last or b"<!" in self.around() or b"<?" in self.around()[2:]:
            raise _NotPlainError
        if (
            NO_ENTITY.search(part, first, last)
            or part.find(b"]]>", first, last) >= 0
            or not all(map(_is_text, self._pieces()))
        ):
            raise _NotPlainError

    def around(self) -> bytes:
        return self.part[: self.first] + self.part[self.last :]

    def elements(self) -> int:
        return self.part.count(b"<", self.first, self.last) - self.part.count(b"</", self.first, self.last)

    def _pieces(self) -> Iterator[bytes]:
        """The body in pieces that begin with tags, so that no character is cut."""
        start = self.first
        while start < self.last:
            end = self.part.find(b"<", start + PIECE, self.last)
            yield self.part[start : end if end > 0 else self.last]
            start = end if end > 0 else self.last


def _is_text(piece: bytes) -> bool:
    """Whether every character may stand in XML."""
    if len(piece.translate(None, CONTROLS)) != len(piece):
        return False
    try:
        return piece.isascii() or (bool(piece.decode()) and not (b"\xef\xbf" in piece and NO_CHARACTER.search(piece)))
    except UnicodeDecodeError:
        return False


def _one_look(row: bytes) -> bytes:
    """Each text in several looks as an empty text, which means the same here."""
    return SEVERAL.sub(NOTHING, _compiled(RICH).sub(NOTHING, row))


def _around_facts(part: bytes, name: str, spot: str, budget: Budget) -> SheetFacts:
    """What a sheet says beside its rows, which stand nowhere else."""

    def elsewhere(_: Attributes) -> None:
        raise _NotPlainError

    found = Scan(guarded(name), name, spot, budget)
    found.handlers = {**found.handlers, **dict.fromkeys(("row", "c", "si"), elsewhere)}
    parse(found.parser, part, name)
    found.finish(len(part))
    return found.facts()


class _Rows:
    """The rows of a sheet, every byte of them matched: their last filled row and column, and which are hidden."""

    def __init__(self, body: _Body, name: str, percents: Collection[str]) -> None:
        self.part, self.first, self.last, self.name = body.part, body.first, body.last, name
        self.styles = tuple(one.encode() for one in percents)
        self.bottom = self.right = 0
        self.hidden: list[int] = []
        self.sorts: dict[tuple[bytes, bytes], bool] = {}
        self._match()

    def _match(self) -> None:
        pattern, last = _row(_width(self.part, self.first)), self.last
        at, before = self.first, 0
        while at < last:
            found, end = self._found(pattern, at)
            row, filled = int(found[2]), (found.lastindex or 0) - 3
            if row <= before:
                raise _NotPlainError
            at, before = end, row
            if self._hides(found[1], found[3]):
                self.hidden.append(row)
            if filled > 0:
                self.bottom, self.right = row, max(self.right, filled)

    def _found(self, pattern: re.Pattern[bytes], at: int) -> tuple[re.Match[bytes], int]:
        """The row that begins here, and where it ends. One with text in several looks is matched without them."""
        found = pattern.match(self.part, at, self.last)
        if found:
            return found, found.end()
        end = self.part.find(b"</row>", at, self.last) + len(b"</row>")
        found = pattern.fullmatch(_one_look(self.part[at:end]))
        if not found:
            raise _NotPlainError
        return found, end

    def _hides(self, before: bytes, after: bytes) -> bool:
        if (before, after) not in self.sorts:
            if len(self.sorts) > MOST_SORTS_OF_ROWS:
                raise _NotPlainError
            self.sorts[before, after] = _hides(before, after, self.name)
        return self.sorts[before, after]

    def formulas(self) -> frozenset[Place]:
        return frozenset(self._formula_places())

    def _formula_places(self) -> Iterator[Place]:
        part = self.part
        for found in FORMULAS.finditer(part, self.first, self.last):
            start = part.rindex(b'<c r="', 0, found.start()) + 6
            yield place(part[start : part.index(b'"', start)].decode())

    def errors(self) -> dict[Place, str]:
        found = _compiled(ERRORS).findall(self.part, self.first, self.last) if b' t="e">' in self.part else ()
        return {(int(row), column_number(one.decode())): text.decode() for one, row, text in found}

    def percents(self) -> frozenset[Place]:
        if not any(b' s="%s"' % one in self.part for one in self.styles):
            return frozenset()
        cells = re.compile(rb'%s s="(?:%s)"(?: t="n")?+ ?/?>' % (CELL, b"|".join(map(re.escape, self.styles))))
        found = cells.findall(self.part, self.first, self.last)
        return frozenset((int(row), column_number(one.decode())) for one, row in found)


def _width(part: bytes, first: int) -> int:
    """How many columns the first rows have."""
    found = set(_compiled(LETTERS).findall(part, first, first + LOOKED_AT))
    width = max((column_number(one.decode()) for one in found), default=1)
    if not 0 < width <= WIDEST:
        raise _NotPlainError
    return width


_compiled = cache(re.compile)
"""Patterns are made when the first large part comes: most workbooks have none."""


@cache
def _row(width: int) -> re.Pattern[bytes]:
    """A row whose cells stand in order, each in its row: group 2 is the row's number, 1 and 3 its other attributes, 3 + n is
    what column n holds."""
    columns = (letters(column).encode() for column in range(1, width + 1))
    cells = b"".join(rb'(?:<c r="%s\2"%s(?:(%s)|%s))?' % (one, STYLE, HOLDS, EMPTY) for one in columns)
    return re.compile(rb'<row((?:\s[^<>/]*?)?) r="([1-9][0-9]{0,6}+)"([^<>/]*+)(?:/>|>%s</row>)' % cells)


def _hides(before: bytes, after: bytes, name: str) -> bool:
    """Whether a row with these attributes around its number is hidden. What are no attributes is refused by the parser."""
    ((_, found),) = elements(b'<row%s r="1"%s/>' % (before, after), name, ("row",))
    if found["r"] != "1":
        raise _NotPlainError
    return found.get("hidden") in YES or found.get("ht") in NO_HEIGHT


def _strings(part: bytes, name: str, spot: str, budget: Budget) -> SheetFacts:
    """The texts that cells share; how long each is."""
    body = _Body(part, part.find(b"<si>"), part.rfind(b"</si>") + len(b"</si>"))
    if budget.strings or not _compiled(STRING).fullmatch(part, body.first, body.last):
        raise _NotPlainError
    trial = replace(budget, used=array("L"), sizes=array("L"))
    facts = _around_facts(body.around(), name, spot, trial)
    trial.elements += body.elements()
    if trial.elements > MOST_ELEMENTS:
        raise _NotPlainError
    starts = chain((one.start() for one in re.finditer(b"<si>", part)), (len(part),))
    budget.elements, budget.strings = trial.elements, name
    budget.sizes.extend(after - before for before, after in pairwise(starts))
    return facts
