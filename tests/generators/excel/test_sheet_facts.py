"""What a sheet's XML says beside its cells: merged areas, areas with limits, a filter at work."""

from __future__ import annotations

import pytest

from generators.excel.refusal import RefusedError
from generators.excel.scan import MOST_RANGES, Budget, scan
from generators.excel.sheet import SheetFacts


def facts(rest: str) -> SheetFacts:
    part = f'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>{rest}</worksheet>'
    return scan(part.encode(), "xl/worksheets/sheet1.xml", "S", Budget()).facts()


def test_merged_areas_are_known() -> None:
    assert facts('<mergeCells><mergeCell ref="A1:B2"/><mergeCell ref="D4:D9"/></mergeCells>').merged == (
        (1, 1, 2, 2),
        (4, 4, 9, 4),
    )


@pytest.mark.parametrize(
    ("rest", "areas"),
    [
        pytest.param('<dataValidation sqref="C9 D4:D1003"/>', ((9, 3, 9, 3), (4, 4, 1003, 4)), id="several areas"),
        pytest.param('<dataValidation sqref="$C$9"/>', ((9, 3, 9, 3),), id="absolute"),
        pytest.param('<dataValidation sqref="C:D"/>', ((1, 3, 1_048_576, 4),), id="whole columns"),
        pytest.param('<dataValidation sqref="#REF! C9 9"/>', ((9, 3, 9, 3),), id="what is no area"),
        pytest.param(
            '<extLst><ext><x14:dataValidations xmlns:x14="a" xmlns:xm="b"><x14:dataValidation type="list">'
            "<x14:formula1><xm:f>other!$A$1:$A$9</xm:f></x14:formula1><xm:sqref>C9 E4:E5</xm:sqref>"
            "</x14:dataValidation></x14:dataValidations></ext></extLst>",
            ((9, 3, 9, 3), (4, 5, 5, 5)),
            id="as Excel 2010 writes lists of other sheets",
        ),
        pytest.param(
            '<extLst><ext><x14:conditionalFormatting xmlns:x14="a" xmlns:xm="b"><xm:sqref>C9</xm:sqref>'
            "</x14:conditionalFormatting></ext></extLst>",
            (),
            id="areas of something else",
        ),
    ],
)
def test_areas_with_limits_are_known(rest: str, areas: tuple[tuple[int, int, int, int], ...]) -> None:
    assert facts(rest).validated == areas


@pytest.mark.parametrize(
    ("rest", "area"),
    [
        pytest.param('<autoFilter ref="B3:T9"/>', None, id="a filter that hides nothing"),
        pytest.param('<autoFilter ref="B3:T9"><filterColumn colId="1"/></autoFilter>', (3, 2, 9, 20), id="at work"),
        pytest.param('<autoFilter><filterColumn colId="1"/></autoFilter>', None, id="without its area"),
        pytest.param(
            '<autoFilter ref="B3:T9"/><customSheetViews><autoFilter ref="B3:T9"><filterColumn colId="1"/></autoFilter>'
            "</customSheetViews>",
            None,
            id="at work in a view that was saved",
        ),
    ],
)
def test_a_filter_counts_where_it_is_at_work(rest: str, area: tuple[int, int, int, int] | None) -> None:
    assert facts(rest).filtered == area


@pytest.mark.parametrize(
    "rest",
    [
        "<mergeCells>{}</mergeCells>".format('<mergeCell ref="A1:B1"/>' * (MOST_RANGES + 1)),
        '<dataValidation sqref="{}"/>'.format("C9 " * (MOST_RANGES + 1)),
        '<dataValidation sqref="C9"/>' * (MOST_RANGES + 1),
    ],
    ids=["merged", "one list of areas", "many areas"],
)
def test_more_areas_than_anyone_makes_are_refused(rest: str) -> None:
    with pytest.raises(RefusedError) as raised:
        facts(rest)
    assert (raised.value.refusal.code, raised.value.refusal.spot) == ("too_large", "S")
