"""The form layout's formulas: what is to be said beside each answer, and the live line at the top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from generators.excel.entry import Entry
from generators.excel.findings import NUMBERS, Finding
from generators.excel.formulas import Sheet
from generators.excel.lists import FOUND_FIRST, HERE, THERE
from generators.excel.page import Cell, Formula, Look, Rule, Style
from generators.excel.spelling import letters
from schema import words
from schema.question import Form

LABEL, VALUE, NOTE, HELP, FINDING = 2, 3, 5, 7, 8
"""The columns that formulas look at or stand in; what ``FINDING`` and those behind it hold, people need not see."""
SAID = (Finding.WRONG, Finding.SWITCHED_OFF, Finding.NEEDS, Finding.ORDER)
HIDDEN = tuple(range(FINDING, FINDING + 1 + len(SAID)))

COUNTS = tuple(f"${letters(FINDING + index)}$2" for index in range(3))
LIVE_LOOKS: tuple[tuple[str, Look], ...] = (
    ("{wrong}>0", "wrong"),
    ("{missing}>0", "missing"),
    ("{unsure}>0", "later"),
    ("{wrong}+{missing}+{unsure}=0", "fine"),
)

Places = Mapping[str, tuple[str, int]]
"""On which sheet and in which row each question key stands."""


def sheet(form: Form, asked: Sequence[Entry], places: Places, title: str) -> Sheet:
    """The answers as formulas on the sheet ``title`` see them."""

    def at(key: str) -> str:
        where, row = places[key]
        cell = f"${letters(VALUE)}${row}"
        return cell if where == title else f"{quoted(where)}!{cell}"

    return Sheet(form, {one.key: one for one in asked}, at)


def quoted(title: str) -> str:
    doubled = title.replace("'", "''")
    return f"'{doubled}'"


def beside(row: int, entry: Entry, sheet: Sheet, language: str) -> Iterator[tuple[tuple[int, int], Cell]]:
    """What is found of one answer, in words and as a hidden number with the words for it."""
    said = _said(entry, language)
    cells = ",".join(f"${letters(column)}${row}" for column in HIDDEN[1:])
    finding = f"${letters(FINDING)}${row}"
    found = f'IF({finding}<1,"",CHOOSE({finding},live_missing,live_unsure,{cells}))'
    yield (row, NOTE), Cell(Formula(found), "finding")
    yield (row, FINDING), Cell(Formula(f"IFERROR({sheet.finding(entry, NUMBERS)},{int(Finding.WRONG)})"), "key")
    for column, one in enumerate(SAID, FINDING + 1):
        if said[one]:
            yield (row, column), Cell(said[one], "key")


def _said(entry: Entry, language: str) -> Mapping[Finding, str]:
    order = words.text("excel_order_error", language, order=entry.order) if entry.order else ""
    off = words.text("excel_live_off", language) if entry.when else ""
    return {
        Finding.WRONG: entry.rule.error,
        Finding.SWITCHED_OFF: off,
        Finding.NEEDS: entry.needs,
        Finding.ORDER: order,
    }


def longest_note(entry: Entry, language: str) -> str:
    """The longest text that may come to stand beside an answer."""
    return max((words.text("excel_live_unsure", language), *_said(entry, language).values()), key=len)


def offering(entry: Entry, sheet: Sheet) -> Rule:
    """The rule of an answer cell; its drop-down follows the answer on which it hangs."""
    if not entry.offered:
        return entry.rule
    cell, other = sheet.at(entry.offered_on), sheet.entries[entry.offered_on].list_name
    return replace(entry.rule, first=f'INDIRECT("{entry.list_name}_"&IFERROR(MATCH({cell},{other},0),0))')


def shown(rows: Sequence[int]) -> Iterator[tuple[str, str, Look]]:
    """The looks of the answers' rows, by what was found there."""
    first, last = rows[0], rows[-1]
    found = f"${letters(FINDING)}{first}"
    whole = f"{letters(LABEL)}{first}:{letters(HELP)}{last}"
    answers = f"{letters(VALUE)}{first}:{letters(NOTE)}{last}"
    yield whole, f"{found}={int(Finding.OFF)}", "off"
    yield answers, f"AND(ISNUMBER({found}),{found}>={int(Finding.WRONG)})", "wrong"
    yield f"{letters(NOTE)}{first}:{letters(NOTE)}{last}", f"{found}={int(Finding.MISSING)}", "missing"
    yield f"{letters(NOTE)}{first}:{letters(NOTE)}{last}", f"{found}={int(Finding.UNSURE)}", "later"


def line_shown() -> Iterator[tuple[str, str, Look]]:
    """The looks of the live line, by the counts that stand hidden beside it."""
    wrong, missing, unsure = COUNTS
    for test, look in LIVE_LOOKS:
        yield "E2:G2", test.format(wrong=wrong, missing=missing, unsure=unsure), look


def areas(places: Places, title: str, column: int) -> list[str]:
    """From the first to the last question of every sheet, as formulas on the sheet ``title`` call it."""
    rows: dict[str, list[int]] = {}
    for where, row in places.values():
        rows.setdefault(where, []).append(row)
    return [
        ("" if where == title else f"{quoted(where)}!")
        + f"${letters(column)}${min(found)}:${letters(column)}${max(found)}"
        for where, found in rows.items()
    ]


def live(places: Places, title: str, asked: int) -> Iterator[tuple[tuple[int, int], Cell]]:
    """The live line of the first sheet, and hidden beside it how many answers are wrong, missing and unsure."""
    findings = areas(places, title, FINDING)
    tests = (f'">={int(Finding.WRONG)}"', str(int(Finding.MISSING)), str(int(Finding.UNSURE)))
    for column, test in enumerate(tests, FINDING):
        yield (2, column), Cell(Formula("+".join(f"COUNTIF({one},{test})" for one in findings)), "key")
    yield (2, NOTE), Cell(Formula(_line(places, title, asked)), "live")


def _line(places: Places, title: str, asked: int) -> str:
    wrong, missing, unsure = COUNTS
    blank = "+".join(f"COUNTA({one})" for one in areas(places, title, VALUE))
    mend = f'IF({wrong}>0,INDEX(live_texts,{FOUND_FIRST + asked}+{wrong}),"")'
    both = f'IF({wrong}*{missing}>0,live_and,"")'
    go = f'IF({missing}>0,INDEX(live_texts,{FOUND_FIRST}+{missing}),"")'
    well = f"IF({unsure}>0,INDEX(live_texts,2),IF({blank}=0,live_start,INDEX(live_texts,1)))"
    elsewhere = "+".join(f'COUNTIF({one},">={int(Finding.WRONG)}")' for one in areas(places, title, FINDING)[1:])
    parted = f'SUBSTITUTE(SUBSTITUTE(live_parted,"{HERE}",{wrong}-({elsewhere})),"{THERE}",{elsewhere})'
    where = f'&IF({elsewhere}=0,"",IF({elsewhere}={wrong},live_details,{parted}))' if elsewhere else ""
    return f'{mend}{where}&{both}&{go}&IF({wrong}+{missing}=0,{well},"")'


def live_again(title: str) -> Iterator[tuple[tuple[int, int], Cell]]:
    """The same on another sheet, from the sheet ``title``."""
    cells: list[tuple[int, Style]] = [(NOTE, "live"), (FINDING, "key"), (FINDING + 1, "key"), (FINDING + 2, "key")]
    for column, style in cells:
        yield (2, column), Cell(Formula(f"{quoted(title)}!${letters(column)}$2"), style)
