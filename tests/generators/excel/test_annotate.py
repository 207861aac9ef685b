"""A person's own workbook comes back marked, with everything they had in it, and is read again when they have corrected it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import fromstring

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import GradientFill, PatternFill

from generators.excel import Layout
from generators.excel.annotate import Verdict, annotate
from generators.excel.parts import Parts
from generators.excel.read import read
from generators.excel.reds import Reds
from generators.excel.sheet_xml import ORDER
from generators.excel.template import Filled, write
from schema.answers import Where
from schema.change import Change
from schema.kinds import load
from schema.problem import Problem
from schema.words import Words
from tests.desks import denpyo
from tests.generators.excel.marking import comments, light, links, marked, opened, reds, resaved, summary, verdicts
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    edited,
    form_of_everything,
    packed,
    parts_of,
    reading,
    replaced,
    sheet,
    table_of_everything,
)

TRAINING = load()["train_supervised"].form
WINE = {"dataset_id": "wine", "algorithm": "logistic_regression"}
RELEASED = Path(__file__).parents[2] / "released/v1"
BAD = Filled(
    {**GOOD.values, "name": "A B!", "settings.depth": 500, "share": "たくさん"}, "tanaka@example.co.jp", "もう一度"
)
CORRECTED = {"name": "a-b", "settings.depth@large": 50, "share": 85}
WRONG_JA = {
    "name": "「A B!」は名前として使えません。半角の英小文字・数字・ハイフンで、英小文字か数字から始め、63文字以内で書いてください。",
    "settings.depth@large": "500は大きすぎます。100より小さくしてください。",
    "share": "「たくさん」は数値ではありません。数字で書いてください（例：85）。",
}
WRONG_EN = {
    "name": "“A B!” cannot be a name here. Use a to z, 0 to 9 and hyphens, beginning with a letter or digit, at most 63.",
    "settings.depth@large": "500 is too large. Write less than 100.",
    "share": "“たくさん” is not a number. Write a number in digits, such as 85.",
}


@cache
def filled(layout: Layout, language: str) -> bytes:
    if layout == "form":
        return write(EVERYTHING.form, language, layout, [BAD])
    return light(write(EVERYTHING.form, language, layout, [GOOD, BAD]))


def places(data: bytes) -> dict[str, str]:
    """Where the last request of a workbook has its answers, by key."""
    answers = reading(data)[0][-1].answers
    return {key: answers.place(key).spot for key in (*answers.given, *answers.places)}


def correct(data: bytes) -> bytes:
    """What a person sends back after writing the right answers into the red cells."""
    where = places(data)

    def put(workbook: Workbook) -> None:
        for key, value in CORRECTED.items():
            name, _, cell = where[key].partition("!")
            sheet(workbook, name)[cell].value = value

    return edited(data, put)


def block(message: str, title: str = "修正のお願い") -> str:
    return f"▼ {title} (denpyo)\n{message}\n▲"


@pytest.mark.parametrize(
    ("language", "wrong", "title"), [("ja", WRONG_JA, "修正のお願い"), ("en", WRONG_EN, "Please correct")]
)
@pytest.mark.parametrize("layout", ["form", "table"])
def test_wrong_cells_are_red_and_say_what_to_do(
    layout: Layout, language: str, wrong: dict[str, str], title: str
) -> None:
    data = filled(layout, language)
    copy, where = marked(data, language), places(data)
    assert sorted(reds(copy)) == sorted(where[key] for key in wrong)
    assert comments(copy) == {where[key]: block(message, title) for key, message in wrong.items()}


def test_a_red_cell_keeps_everything_else_it_looked_like() -> None:
    data = filled("form", "ja")
    name, _, cell = places(data)["share"].partition("!")
    before, after = (sheet(opened(one), name)[cell] for one in (data, marked(data)))
    assert after.fill.fill_type == "solid"
    for look in ("font", "border", "alignment", "number_format", "protection"):
        assert repr(getattr(after, look)) == repr(getattr(before, look))
    assert after.value == before.value
    assert sheet(opened(marked(data)), name).protection.sheet is True


@pytest.mark.parametrize("layout", ["form", "table"])
def test_the_summary_leads_to_every_wrong_cell(layout: Layout) -> None:
    data = filled(layout, "ja")
    copy, where = marked(data), places(data)
    rows = summary(copy)
    assert rows[:3] == [
        ["確認結果"],
        ["ファイル：request.xlsx"],
        [
            "直していただきたいところが3件あります。赤いセルを直して、このファイルをもう一度お送りください。"
            "入力された内容はそのまま残っています。"
        ],
    ]
    assert rows[3] == [
        "依頼：1件（問題なし：0件、要修正：1件）" if layout == "form" else "依頼：2件（問題なし：1件、要修正：1件）"
    ]
    labels = {"name": "=名前", "settings.depth@large": "深さ", "share": "割合"}
    assert rows[5:10] == [
        ["直していただきたいところ"],
        ["番号", "場所", "質問", "内容と直し方"],
        *([str(at), where[key], labels[key], WRONG_JA[key]] for at, key in enumerate(WRONG_JA, 1)),
    ]
    found = links(copy)
    for key in WRONG_JA:
        name, _, cell = where[key].partition("!")
        assert found[where[key]] == f"'{name}'!{cell}"


def test_the_summary_is_first_and_the_only_sheet_that_is_chosen() -> None:
    workbook = opened(marked(filled("form", "ja")))
    assert workbook.sheetnames == ["確認結果", *opened(filled("form", "ja")).sheetnames]
    assert workbook.active is not None
    assert workbook.active.title == "確認結果"
    assert [one.title for one in workbook.worksheets if one.sheet_view.tabSelected] == ["確認結果"]


def test_where_nothing_is_wrong_the_summary_says_so_with_the_ids() -> None:
    copy = marked(light(table_of_everything(GOOD, language="en")), "en")
    assert (reds(copy), comments(copy)) == ([], {})
    rows = summary(copy)
    assert rows[:4] == [
        ["Result of the check"],
        ["File: request.xlsx"],
        ["All in order. Nothing needs to be corrected."],
        ["Requests: 1 (in order: 1, to be corrected: 0)"],
    ]
    assert rows[5:7] == [["What became of each request"], ["No.", "Where", "Receipt", "State"]]
    assert rows[7][2:] == ["7k3m-9qx2-b001", "受付済み"]


def test_rows_of_a_table_show_their_id_and_state() -> None:
    copy = marked(filled("table", "ja"))
    first, second = (one.answers for one in reading(copy)[0])
    assert (first.response, second.response) == ("7k3m-9qx2-b001", "7k3m-9qx2-b002")
    shown = []
    for one in (first, second):
        name, _, cell = one.places["request.response"].spot.partition("!")
        shown.append(sheet(opened(copy), name)[cell].value)
    assert shown == ["7k3m-9qx2-b001 受付済み", "7k3m-9qx2-b002 要修正 3件"]


def test_status_and_receipt_stand_on_one_line_in_a_column_that_holds_them() -> None:
    copy = marked(filled("table", "ja"))
    name, _, cell = reading(copy)[0][0].answers.places["request.response"].spot.partition("!")
    ours = sheet(opened(copy), name)
    for one, width in ((ours[cell], 34), (ours[cell].offset(0, -1), 32)):
        assert ours.column_dimensions[one.column_letter].width == width
        assert (one.alignment.wrap_text, one.alignment.shrink_to_fit) == (None, True)


def test_without_an_id_a_receipt_stays_as_it_is() -> None:
    copy = marked(filled("form", "ja"))
    found, problems = verdicts(copy)
    checked = [Verdict(one.where, one.receipt, "", "要修正", one.good, one.problems) for one in found]
    again = annotate(copy, "request.xlsx", checked, problems, "ja")
    assert again is not None
    assert reading(again)[0][0].answers.response == "7k3m-9qx2-b001"


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_marked_copy_is_read_as_what_was_marked(layout: Layout, language: str) -> None:
    data = filled(layout, language)
    before, after = (reading(one)[0] for one in (data, marked(data, language)))
    assert [dict(one.answers.given) for one in after] == [dict(one.answers.given) for one in before]
    assert [one.problems for one in after] == [one.problems for one in before]
    found, problems = verdicts(marked(data, language))
    assert problems == []
    assert [one.problems for one in found] == [one.problems for one in verdicts(data)[0]]


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_corrected_copy_is_accepted_and_clean_when_it_is_marked_again(layout: Layout) -> None:
    data = filled(layout, "ja")
    back = correct(marked(data))
    found, problems = verdicts(back)
    assert problems == []
    assert [one.good for one in found] == [True] * len(found)
    assert [one.response for one in found] == ["7k3m-9qx2-b001", "7k3m-9qx2-b002"][: len(found)]
    again = marked(back)
    assert (reds(again), comments(again)) == ([], {})
    assert summary(again)[2] == ["問題はありませんでした。直していただくところはありません。"]
    assert opened(again).sheetnames == opened(marked(data)).sheetnames
    assert fills(again) == fills(data)


def fills(data: bytes) -> dict[str, tuple[str | None, str]]:
    """What fills the cells of the answers, by key."""
    workbook, found = opened(data), {}
    for key, spot in places(data).items():
        name, _, cell = spot.partition("!")
        fill = sheet(workbook, name)[cell].fill
        found[key] = (fill.fill_type, str(fill.start_color.rgb)[2:])
    return {key: one for key, one in found.items() if one[0] and key != "request.response"}


def test_marking_twice_is_marking_once() -> None:
    once = marked(filled("table", "ja"))
    twice = marked(once)
    for what in (reds, comments, summary, links):
        assert what(twice) == what(once)
    assert opened(twice).sheetnames == opened(once).sheetnames
    assert marked(filled("table", "ja")) == once


class Sent(NamedTuple):
    """What the desk had of a table that came back marked."""

    desk: Path
    ids: list[str]
    told: list[str]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """A table of two good rows and a bad one, handed in on the command line and given back marked."""
    folder = tmp_path_factory.mktemp("sent")
    denpyo("init", desk=folder / "desk")
    rows = [WINE, WINE | {"algorithm": "xgboost"}, WINE | {"dataset_id": "Wine"}]
    (folder / "table.xlsx").write_bytes(write(TRAINING, "ja", "table", [Filled(one) for one in rows], rows=20))
    words = ("submit", folder / "table.xlsx", "--annotate", folder, "--json")
    told = json.loads(denpyo(*words, desk=folder / "desk", code=1).stdout)
    ids = [one.answers.response for one in read(Path(told["marked"][0]).read_bytes(), "", load())[0]]
    return Sent(folder / "desk", ids, told["marked"])


@pytest.fixture(scope="module")
def office(sent: Sent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Marked copies as LibreOffice saves them, all in one start of it."""
    copies = {
        "form": marked(filled("form", "ja")),
        "table": marked(filled("table", "ja")),
        "strict": marked(strict(filled("form", "ja"))),
        "sent": Path(sent.told[0]).read_bytes(),
    }
    return dict(zip(copies, resaved(tmp_path_factory.mktemp("office"), *copies.values()), strict=True))


def test_a_marked_copy_that_libreoffice_saved_is_sent_again_and_only_new_and_changed_rows_are_taken(
    sent: Sent, office: dict[str, bytes], tmp_path: Path
) -> None:
    book = load_workbook(io.BytesIO(office["sent"]))
    found = [one.answers for one in read(office["sent"], "", load())[0]]
    assert [one.response for one in found] == sent.ids

    def write_into(row: int, key: str, value: object, below: int = 0) -> None:
        name, _, cell = found[row].place(key).spot.partition("!")
        sheet(book, name)[cell].offset(below, 0).value = value

    write_into(1, "seed", 7)
    write_into(2, "dataset_id", "wine")
    for key, value in (WINE | {"seed": 9}).items():
        write_into(2, key, value, below=1)
    file = tmp_path / "table.marked.xlsx"
    book.save(file)
    judged = json.loads(denpyo("check", file, "--json", desk=sent.desk).stdout)
    assert [(one["id"], one["unchanged"]) for one in judged["handed_in_before"]] == [
        (sent.ids[0], True),
        (sent.ids[1], False),
        (sent.ids[2], False),
    ]
    again = json.loads(denpyo("submit", file, "--json", desk=sent.desk).stdout)
    assert again["problems"] == []
    assert [one["known"] for one in again["requests"]] == [True, False, False, False]
    assert [one.get("follows") for one in again["requests"]] == [None, sent.ids[1], sent.ids[2], None]
    states = {
        one["id"]: one["state"] for one in json.loads(denpyo("status", "--json", desk=sent.desk).stdout)["requests"]
    }
    assert [states[one] for one in sent.ids] == ["queued", "superseded", "superseded"]
    assert [states[one["id"]] for one in again["requests"]] == ["queued"] * 4
    assert len(states) == 6


def test_libreoffice_saves_a_marked_copy_without_loss(office: dict[str, bytes]) -> None:
    data = [filled("form", "ja"), filled("table", "ja")]
    copies = [marked(one) for one in data]
    for before, copy, saved in zip(data, copies, (office["form"], office["table"]), strict=True):
        assert sorted(reds(saved)) == sorted(reds(copy))
        assert comments(saved) == comments(copy)
        assert links(saved).keys() == links(copy).keys()
        assert _validated(saved) == _validated(before)
        found, problems = verdicts(correct(saved))
        assert (problems, [one.good for one in found]) == ([], [True] * len(found))
        assert [one.response for one in found] == [one.response for one in verdicts(copy)[0]]
        again = marked(correct(saved))
        assert (reds(again), comments(again), fills(again)) == ([], {}, fills(before))
        assert opened(again).sheetnames == opened(copy).sheetnames


def _validated(data: bytes) -> set[str]:
    """The answer cells that have limits."""
    where = places(data)
    areas = {one.title: one.data_validations.dataValidation for one in opened(data).worksheets}
    return {
        key
        for key, spot in where.items()
        if any(spot.partition("!")[2] in area.sqref for area in areas.get(spot.partition("!")[0], []))
    }


def own_things(workbook: Workbook) -> None:
    """What people add: a sheet of their own with a chart, a note, a rule and a name; colours, notes and marks on ours."""
    own = workbook.create_sheet("私のシート")
    own.append(["月", 1, 2, 3])
    own["A2"].comment = Comment("自分用", "田中")
    chart = BarChart()
    chart.add_data(Reference(own, min_col=2, max_col=4, min_row=1, max_row=1))
    own.add_chart(chart, "E5")
    own.conditional_formatting.add("B1:D1", Rule("cellIs", operator="greaterThan", formula=["1"]))
    own.print_area = "A1:D4"
    workbook.active = workbook.index(own)
    own.sheet_view.tabSelected = True
    ours = sheet(workbook)
    ours["H2"] = "メモ"
    ours["H2"].comment = Comment("見た", "佐藤")
    ours["H2"].fill = GradientFill(stop=("FFFFFF", "99CCFF"))


def test_nothing_that_a_person_had_in_their_workbook_is_lost() -> None:
    data = edited(filled("form", "ja"), own_things)
    copy = marked(data)
    before, after = parts_of(data), parts_of(copy)
    own = before["xl/worksheets/sheet6.xml"]
    assert after["xl/worksheets/sheet6.xml"] == own.replace(b' tabSelected="1"', b"") != own
    linked = before["xl/worksheets/_rels/sheet1.xml.rels"].decode()
    sheets = [f"xl/worksheets/sheet{number}.xml" for number in (1, 2)]
    lists = ["xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"]
    edits = [*sheets, *lists, *(name for name in before if f"/{name}" in linked), "xl/worksheets/_rels/sheet1.xml.rels"]
    kept = before.keys() - {*edits, "xl/worksheets/sheet6.xml"}
    assert {name for name in kept if after.get(name) != before[name]} == set()
    for name in (one for one in edits if one.endswith(("xml", "rels"))):
        lost = Counter(before[name].split(b"<")) - Counter(after[name].split(b"<"))
        assert [tag for tag in lost if not CHANGED.match(tag)] == []
    found = comments(copy)
    assert (found["私のシート!A2"], found["入力!H2"]) == ("自分用", "見た")


CHANGED = re.compile(
    rb'c (r="C\d+"|s="\d+")|dimension |(cellXfs|fills|fonts|borders) count|workbookView |definedName .*localSheetId|sheetView '
)
"""The tags of parts that a marked copy says otherwise: cells that are red, counts, and numbers that count the sheets."""


def test_excel_s_list_of_formulas_goes_where_one_of_them_went() -> None:
    chain = (
        b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="C2" i="1"/></calcChain>'
    )
    link = b'<Relationship Id="rId99" Target="calcChain.xml" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"/>'
    data = edited(filled("form", "ja"), lambda book: sheet(book).__setitem__("H2", "=1+1"))
    data = replaced(data, "xl/_rels/workbook.xml.rels", b"</Relationships>", link + b"</Relationships>")
    data = packed({**parts_of(data), "xl/calcChain.xml": chain})
    for cell, stays in (("H2", False), ("H3", True)):
        where = Where("request.xlsx", "入力")
        copy = annotate(data, "", [Verdict(where, where.at(f"入力!{cell}"), "7k3m", "x", True, ())], [], "ja")
        assert copy is not None
        assert ("xl/calcChain.xml" in parts_of(copy)) is stays
        assert sheet(opened(copy))[cell].value == "7k3m x"


def test_what_excel_writes_and_libraries_forget_is_still_there() -> None:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    more = (
        b' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr" '
        b'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" '
        b'xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision" xr:uid="{00000000-0001-0000-0000-000000000000}"'
    )
    extended = (
        b'<extLst><ext uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"><x14ac:odd kept="yes"/></ext></extLst></worksheet>'
    )
    part = "xl/worksheets/sheet1.xml"
    data = replaced(filled("table", "ja"), part, head, head + more)
    data = replaced(data, part, b"</worksheet>", extended)
    after = parts_of(marked(data))[part]
    assert head + more in after
    assert after.endswith(extended)


def test_a_person_s_own_comment_stays_beside_ours_and_is_itself_again_afterwards() -> None:
    data = filled("form", "ja")
    cell = places(data)["name"]

    def remark(workbook: Workbook) -> None:
        sheet(workbook, "入力")[cell.partition("!")[2]].comment = Comment("これでよいですか\n田中", "田中")

    noted = edited(data, remark)
    copy = marked(noted)
    assert comments(copy)[cell] == "これでよいですか\n田中\n" + block(WRONG_JA["name"])
    assert comments(marked(copy)) == comments(copy)
    assert comments(marked(correct(copy))) == {cell: "これでよいですか\n田中"}


def test_what_a_person_adds_to_our_comment_is_kept() -> None:
    data = filled("form", "ja")
    cell = places(data)["name"]

    def answer(workbook: Workbook) -> None:
        comment = sheet(workbook, "入力")[cell.partition("!")[2]].comment
        assert comment is not None
        comment.text = f"直しました\n{comment.text}\n佐藤"

    assert comments(marked(correct(edited(marked(data), answer)))) == {cell: "直しました\n佐藤"}


def test_a_comment_that_stands_for_a_thread_is_left_alone() -> None:
    data = filled("form", "ja")
    cell = places(data)["name"]

    def thread(workbook: Workbook) -> None:
        sheet(workbook, "入力")[cell.partition("!")[2]].comment = Comment("[Threaded comment]", "tc={1}")

    copy = marked(edited(data, thread))
    assert comments(copy)[cell] == "[Threaded comment]"
    assert cell in reds(copy)


def test_the_colours_of_a_person_come_back() -> None:
    data = filled("form", "ja")
    where = places(data)

    def colour(workbook: Workbook) -> None:
        for key, fill in (
            ("name", PatternFill("solid", "00CCEE")),
            ("share", PatternFill("lightGrid", "FF0000", "00FF00")),
        ):
            name, _, cell = where[key].partition("!")
            sheet(workbook, name)[cell].fill = fill

    coloured = edited(data, colour)
    assert set(WRONG_JA) == {key for key, cell in where.items() if cell in reds(marked(coloured))}
    assert fills(marked(correct(marked(coloured)))) == fills(coloured)


CT_WORKSHEET = """
    sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection protectedRanges scenarios autoFilter
    sortState dataConsolidate customSheetViews mergeCells phoneticPr conditionalFormatting dataValidations hyperlinks
    printOptions pageMargins pageSetup headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags
    drawing legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts extLst
"""
"""ECMA-376 part 1, 18.3.1.99: Excel repairs files whose sheets have these in another order."""
CT_WORKBOOK = """
    fileVersion fileSharing workbookPr workbookProtection bookViews sheets functionGroups externalReferences definedNames calcPr
    oleSize customWorkbookViews pivotCaches extLst
"""
CT_STYLES = "numFmts fonts fills borders cellStyleXfs cellXfs cellStyles dxfs tableStyles colors extLst"


def test_the_parts_of_a_sheet_stand_in_the_order_of_the_standard() -> None:
    assert tuple(CT_WORKSHEET.split()[: len(ORDER)]) == ORDER
    for data in (filled("form", "ja"), filled("table", "en"), edited(filled("form", "ja"), own_things)):
        parts = parts_of(marked(marked(data)))
        for name in parts:
            if name.startswith("xl/worksheets/sheet") or name.startswith("xl/worksheets/denpyo"):
                _in_order(parts[name], CT_WORKSHEET)
        _in_order(parts["xl/workbook.xml"], CT_WORKBOOK)
        _in_order(parts["xl/styles.xml"], CT_STYLES)


def _in_order(part: bytes, order: str) -> None:
    names = [one.tag.rpartition("}")[2] for one in fromstring(part)]  # noqa: S314  (our own output)
    assert names == sorted(names, key=order.split().index)
    assert len(set(names) - {"conditionalFormatting"}) == len([one for one in names if one != "conditionalFormatting"])


def test_counts_and_types_agree_with_what_is_there() -> None:
    parts = parts_of(marked(filled("form", "ja")))
    styles = fromstring(parts["xl/styles.xml"])  # noqa: S314
    for group in styles:
        if group.get("count") is not None:
            assert int(group.get("count", "")) == len(group), group.tag
    types = fromstring(parts["[Content_Types].xml"])  # noqa: S314
    named = {str(one.get("PartName")) for one in types if one.get("PartName")}
    assert {name.lstrip("/") for name in named} <= parts.keys()
    endings = {one.get("Extension") for one in types if one.get("Extension")}
    assert all(
        f"/{name}" in named or name.rpartition(".")[2] in endings for name in parts if name != "[Content_Types].xml"
    )


def test_names_that_belong_to_a_sheet_still_belong_to_it() -> None:
    data = edited(filled("form", "ja"), own_things)
    before, after = opened(data), opened(marked(marked(data)))
    for one in before.worksheets:
        assert sheet(after, one.title).print_title_rows == one.print_title_rows
        assert sheet(after, one.title).print_area == one.print_area


def strict(data: bytes) -> bytes:
    """The same as Strict Open XML, which Excel saves when it is asked to."""
    for old, new in (
        ("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"),
        (
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
    ):
        data = packed({name: part.replace(old.encode(), new.encode()) for name, part in parts_of(data).items()})
    return data


def prefixed(data: bytes) -> bytes:
    """The same with a prefix before every element of its sheets, as some libraries write them."""
    parts = parts_of(data)
    for name in parts:
        if name.startswith(("xl/worksheets/sheet", "xl/workbook.xml", "xl/styles.xml")):
            part = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", parts[name])
            parts[name] = part.replace(b' xmlns="', b' xmlns:x="', 1)
    return packed(parts)


def test_a_strict_workbook_is_marked_in_its_own_way(office: dict[str, bytes]) -> None:
    copy = marked(strict(filled("form", "ja")))
    assert not any(b"schemas.openxmlformats.org/spreadsheetml" in part for part in parts_of(copy).values())
    assert not any(
        b"schemas.openxmlformats.org/officeDocument/2006/relationships/" in part for part in parts_of(copy).values()
    )
    saved = office["strict"]
    assert set(comments(saved).values()) == {block(one) for one in WRONG_JA.values()}
    assert len(reds(saved)) == 3
    assert [one.problems for one in verdicts(copy)[0]] == [one.problems for one in verdicts(filled("form", "ja"))[0]]


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_workbook_with_prefixes_is_marked_like_any_other(layout: Layout) -> None:
    plain, copy = marked(filled(layout, "ja")), marked(prefixed(filled(layout, "ja")))
    for what in (reds, comments, summary, links):
        assert what(copy) == what(plain)


def test_a_workbook_without_styles_is_marked_too() -> None:
    parts = parts_of(filled("table", "ja"))
    del parts["xl/styles.xml"]
    for name in ("xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        parts[name] = re.sub(rb"<(Relationship|Override) [^>]*styles[^>]*></\1>", b"", parts[name])
    looks = re.compile(rb' s(tyle)?="\d+"|<conditionalFormatting .*?</conditionalFormatting>', re.DOTALL)
    parts = {name: looks.sub(b"", part) for name, part in parts.items()}
    plain = packed(parts)
    wrong = {problem.where.spot for one in verdicts(plain)[0] for problem in one.problems}
    assert {places(filled("table", "ja"))[key] for key in WRONG_JA} <= wrong
    assert set(reds(marked(plain))) == wrong


def test_a_missing_answer_is_red_where_it_belongs() -> None:
    data = light(table_of_everything(Filled({"size": "small"})))
    assert reds(marked(data)) == [places(data)["name"]]


HOSTILE = [
    "=HYPERLINK(1)",
    "]]><x>&",
    "_x0041_",
    "a\x07\ud800b",
    "denpyo:form",
    "▲ ▼ denpyo\n",
    "あ" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_people_is_nothing_but_text(text: str) -> None:
    data = filled("form", "ja")
    cell = places(data)["name"]
    wrong = Problem(
        "not_a_number", Where(text, cell), "name", {"label": Words(text), "text": text, "example": text}, text
    )
    where = Where(text, text)
    lost = Problem("unknown_key", where, text, {"name": text, "label": text})
    copy = annotate(data, text, [Verdict(where, None, "", text, False, (wrong,))], [lost], "ja", [lost])
    assert copy is not None
    for name, part in parts_of(copy).items():
        if name.endswith((".xml", ".rels", ".vml")):
            fromstring(part)  # noqa: S314
    assert not any(cell.data_type == "f" for row in opened(copy).worksheets[0].iter_rows() for cell in row)
    assert [one.problems for one in verdicts(copy)[0]] == [one.problems for one in verdicts(data)[0]]
    again = annotate(copy, "", [], [], "ja")
    assert again is not None
    assert comments(again) == {}


def test_problems_without_a_cell_that_people_see_stand_in_the_summary_alone() -> None:
    data = filled("form", "en")
    hidden, whole = Where("request.xlsx", "denpyo!B3"), Where("request.xlsx")
    found = [Problem("no_answers", whole), Problem("changed_template", hidden, "version")]
    copy = annotate(data, "request.xlsx", [], found, "en")
    assert copy is not None
    assert (reds(copy), comments(copy), links(copy)) == ([], {}, {})
    assert [row[1] for row in summary(copy)[6:8]] == ["the whole file", "denpyo!B3"]
    before, after = parts_of(data), parts_of(copy)
    assert [name for name in before if name.startswith("xl/worksheets/") and after[name] != before[name]] == []


REFUSED = {
    "ja": "このファイルは受け付けられません。理由と、どうすればよいかは、下の一覧をご覧ください。",
    "en": "This file could not be accepted. Why, and what to do, is listed below.",
}
LISTED = {
    "ja": "直していただきたいところが2件あります。下の一覧のとおりにお願いします。入力された内容はそのまま残っています。",
    "en": "To be corrected: 2. What to do is listed below. Your answers are kept as you wrote them.",
}
FRESH = {
    "ja": "まだ受け付けていません。内容を確かめて、このファイルを送ってください。",
    "en": "Not accepted yet. Please look over the answers and send this file.",
}
FRESH_BAD = {
    "ja": "まだ受け付けていません。直していただきたいところが1件あります。"
    "赤いセルを直し、ほかの答えも確かめて、このファイルを送ってください。",
    "en": "Not accepted yet. To be corrected: 1. "
    "Please correct the red cells, look over the other answers and send this file.",
}
QUIET = {
    "ja": "直していただくところはありませんが、実行されないものがあります。下の一覧をご覧ください。",
    "en": "Nothing needs to be corrected, but not everything here will run. See below.",
}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_summary_speaks_of_red_cells_only_where_all_is_done_in_them_and_says_all_in_order_only_where_it_is(
    language: str,
) -> None:
    data, file = form_of_everything(language), Where("request.xlsx")
    cell = Where("request.xlsx", places(data)["name"])
    changed = Problem("changed_template", file.at("denpyo!B3"), "version")
    wrong = Problem("formula", cell, "name", {"label": "x"})
    alone, renewed = Problem("receipt_alone", file.at("C9"), facts={"more": ""}), _renewed_warning(file)

    def banner(
        *problems: Problem, warnings: tuple[Problem, ...] = (), said: str = "", others: int = 0, id: str = ""
    ) -> str:
        good = [Verdict(file, None, id, said, True, ())] * others
        one = Verdict(file, None, id, said, not problems, problems)
        copy = annotate(data, "request.xlsx", [one, *good], [], language, warnings)
        assert copy is not None
        return summary(copy)[2][0]

    in_order = {
        "ja": "問題はありませんでした。直していただくところはありません。",
        "en": "All in order. Nothing needs to be corrected.",
    }
    left_out = {
        "ja": "未受付（ほかの依頼に要修正があるため）",
        "en": "not accepted yet, because other requests need correcting",
    }
    assert banner(changed) == REFUSED[language]
    assert banner(changed, wrong) == LISTED[language]
    assert banner(changed, others=1) == LISTED[language].replace("2", "1")
    assert banner(warnings=(renewed,)) == FRESH[language]
    assert banner(wrong, warnings=(renewed,)) == FRESH_BAD[language]
    assert banner(warnings=(renewed,), id="7k3m-9qx2-b001") == in_order[language]
    assert banner(warnings=(alone,)) == QUIET[language]
    assert banner(said=left_out[language]) == QUIET[language]


def _renewed_warning(file: Where) -> Problem:
    return Problem("renewed_template", file, facts={"version": "1", "current": "3"})


def test_the_notice_of_a_renewed_template_does_not_speak_of_red_cells() -> None:
    found = _renewed_warning(Where("request.xlsx"))
    assert found.message("ja").endswith("答えをご確認のうえ、古いファイルの代わりにこのファイルを送ってください。")
    assert found.message("en").endswith("Please look once over the answers, and send this file instead of the old one.")
    assert "赤" not in found.message("ja")
    assert "red" not in found.message("en").split()


def test_warnings_are_listed_and_mark_nothing() -> None:
    data = form_of_everything("en")
    spot = Where("request.xlsx", places(data)["count"])
    copy = annotate(
        data, "request.xlsx", verdicts(data)[0], [], "en", [Problem("formula", spot, "count", {"label": "Count"})]
    )
    assert copy is not None
    assert (reds(copy), comments(copy)) == ([], {})
    rows = summary(copy)
    assert rows[2] == ["All in order. Nothing needs to be corrected."]
    assert rows[5:7] == [
        ["For your information (nothing needs to be corrected)"],
        ["No.", "Where", "Question", "Notice"],
    ]
    assert rows[7][1:3] == [spot.spot, "Count"]


def test_a_problem_that_does_not_say_its_question_is_named_by_the_form() -> None:
    data = form_of_everything("en")
    spot = Where("request.xlsx", places(data)["count"])
    found = [Problem("rule", spot, "count", {"rule": "x"}), Problem("rule", spot, "request.sender", {"rule": "x"})]
    copy = annotate(data, "request.xlsx", [], found, "en", form=EVERYTHING.form)
    assert copy is not None
    assert [row[2] for row in summary(copy)[6:8]] == ["Count", "Who asks (e-mail or name)"]


def test_a_row_that_is_no_request_is_marked_at_the_first_cell_that_is_filled() -> None:
    kinds = load()
    data = light(write(TRAINING, "ja", "table", [Filled(WINE)], rows=5))

    def total(workbook: Workbook) -> None:
        sheet(workbook, "入力")["G5"] = "合計"

    copy = edited(data, total)
    for _ in range(2):
        rows = [(one.answers, one.problems) for one in read(copy, "request.xlsx", kinds)[0]]
        told = [
            Verdict(one.where, one.places["request.response"], f"7k3m-9qx2-b00{at}", "", not found, found)
            for at, (one, found) in enumerate(rows)
        ]
        again = annotate(copy, "request.xlsx", told, [], "ja")
        assert again is not None
        copy = again
        assert reds(copy) == ["入力!G5"]
        assert comments(copy)["入力!G5"].startswith(
            "▼ 修正のお願い (denpyo)\n「合計」とありますが、必須の答えが1つもない行です。"
        )
        assert summary(copy)[2][0].startswith("直していただきたいところが1件あります。赤いセルを直して")


def test_the_same_change_in_many_rows_is_one_line_behind_the_states() -> None:
    data = light(table_of_everything(*[GOOD] * 3))
    filled_in, told = Change("count", "", "12", Words("空欄のため")), verdicts(data)[0]
    changed = [
        Verdict(one.where, one.receipt, one.response, one.said, one.good, one.problems, (filled_in,)) for one in told
    ]
    copy = annotate(data, "request.xlsx", changed, [], "ja", form=EVERYTHING.form)
    assert copy is not None
    rows = summary(copy)
    at = rows.index(["こちらで補ったところ・今の版に合わせて直したところ"])
    assert rows.index(["依頼ごとの状態"]) < at
    assert [row[1:3] for row in rows[at + 2 :]] == [["入力 4行目 ほか2件", "個数"]]
    assert links(copy)["入力 4行目 ほか2件"] == "'入力'!B4"


def test_a_problem_in_a_merged_cell_is_marked_where_it_is_seen() -> None:
    data = filled("form", "ja")
    name, _, cell = places(data)["name"].partition("!")
    merged = edited(data, lambda book: sheet(book, name).merge_cells(f"{cell}:D{cell[1:]}"))
    problem = Problem("formula", Where("request.xlsx", f"{name}!D{cell[1:]}"), "name", {"label": "x"})
    copy = annotate(merged, "request.xlsx", [], [problem], "ja")
    assert copy is not None
    assert f"{name}!{cell}" in reds(copy)
    assert list(comments(copy)) == [f"{name}!{cell}"]


def test_rows_that_are_merged_downwards_are_one_red_cell_with_one_comment_that_names_the_area() -> None:
    data = light(table_of_everything(*[GOOD] * 3))
    name, _, cell = places(data)["count"].partition("!")
    column = cell.rstrip("0123456789")
    area = f"{column}4:{column}6"
    copy = marked(edited(data, lambda book: sheet(book, name).merge_cells(area)))
    said = f"{name}!{area}が結合されているため、「個数」の答えが分かりません。セルの結合を解除し、それぞれのセルに答えを入力してください。"
    assert reds(copy) == [f"{name}!{column}4"]
    assert comments(copy) == {f"{name}!{column}4": block(said)}
    rows = summary(copy)
    assert [row[1:] for row in rows[7:8]] == [[f"{name}!{column}4", "個数", said]]
    assert rows[8:10] == [[], ["依頼ごとの状態"]]
    assert rows[3] == ["依頼：3件（問題なし：0件、要修正：3件）"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b,c",
        b"PK\x03\x04" + bytes(100),
        packed({"[Content_Types].xml": b"<Types/>"}),
        packed({**parts_of(form_of_everything()), "xl/vbaProject.bin": b"x"}),
        packed({**parts_of(form_of_everything()), "xl/workbook.xml": b"<workbook/>"}),
        replaced(form_of_everything(filled=BAD), "xl/worksheets/sheet1.xml", b"</row>", b"</rows>"),
        replaced(form_of_everything(filled=BAD), "xl/worksheets/sheet1.xml", b"?>", b"?><!DOCTYPE a>"),
    ],
    ids=["empty", "text", "no archive", "no sheets", "macros", "no list of sheets", "not XML", "a DOCTYPE"],
)
def test_a_file_that_is_refused_cannot_be_marked(data: bytes) -> None:
    spot = Where("request.xlsx", places(form_of_everything())["name"])
    assert annotate(data, "request.xlsx", [], [Problem("formula", spot, "name", {"label": "x"})], "ja") is None


def released(layout: str, *edits: Callable[[Workbook], object]) -> bytes:
    return edited((RELEASED / f"ja/inference.{layout}.xlsx").read_bytes(), *edits)


def test_a_table_of_the_first_release_gets_a_column_of_receipts_that_is_sorted_with_its_rows() -> None:
    def fill(workbook: Workbook) -> None:
        for row, model in ((4, "wine-1"), (5, "Wine!")):
            sheet(workbook)[f"C{row}"], sheet(workbook)[f"D{row}"] = model, "wine"

    copy = marked(released("table", fill))
    first, second = (one.answers for one in reading(copy)[0])
    assert (first.response, second.response) == ("7k3m-9qx2-b001", "7k3m-9qx2-b002")
    ours = sheet(opened(copy))
    assert [ours[f"K{row}"].value for row in (1, 2, 4, 5)] == [
        *("request.response", "受付"),
        *("7k3m-9qx2-b001 受付済み", "7k3m-9qx2-b002 要修正 1件"),
    ]
    assert ours.auto_filter.ref == "B3:K1003"
    assert ours.column_dimensions["K"].width == 30
    assert b"$B$3:$K$1003" in parts_of(copy)["xl/workbook.xml"]
    again = sheet(opened(marked(copy)))
    assert (again.max_column, again["K4"].value) == (11, "7k3m-9qx2-b001 受付済み")


def test_a_form_of_the_first_release_gets_a_row_for_its_receipt() -> None:
    def fill(workbook: Workbook) -> None:
        where = {row[0].value: row[2] for row in sheet(workbook).iter_rows()}
        where["model_id"].value, where["dataset_id"].value = "wine-1", "wine"

    data = released("form", fill)
    copy = marked(data)
    assert [one.answers.response for one in reading(copy)[0]] == ["7k3m-9qx2-b001"]
    assert [one.good for one in verdicts(copy)[0]] == [True]
    last = list(sheet(opened(copy)).iter_rows(values_only=True))[-1]
    assert last[:3] == ("request.response", "受付", "7k3m-9qx2-b001 受付済み")
    assert sheet(opened(marked(copy))).max_row == sheet(opened(copy)).max_row


def test_a_sheet_that_has_our_summary_s_name_is_not_taken_for_it() -> None:
    def own(workbook: Workbook) -> None:
        workbook.create_sheet("確認結果")["A1"] = "私のもの"

    data = edited(filled("form", "ja"), own)
    again = opened(marked(marked(data)))
    assert again.sheetnames == ["確認結果 (2)", *opened(data).sheetnames]
    assert sheet(again, "確認結果")["A1"].value == "私のもの"


def test_a_summary_is_known_again_when_the_names_of_the_workbook_are_lost() -> None:
    def forget(workbook: Workbook) -> None:
        for name in [one for one in workbook.defined_names if one.startswith("denpyo_")]:
            del workbook.defined_names[name]

    back = edited(marked(filled("form", "ja")), forget)
    again = marked(correct(back))
    assert opened(again).sheetnames == opened(marked(filled("form", "ja"))).sheetnames
    assert (reds(again), comments(again)) == ([], {})
    assert fills(again) == fills(filled("form", "ja"))


BIG = """
import pathlib, re, sys, time
from generators.excel.annotate import Verdict, annotate
from schema.answers import Where
from schema.problem import Problem

source, target = map(pathlib.Path, sys.argv[1:])
found = []
for number in range(4, 10_004):
    where, receipt, cell = (Where("a", f"入力!{one}{number}") for one in ("", "AZ", "E"))
    wrong = () if number % 50 else (Problem("missing", cell, "name", {"label": "x"}),)
    found.append(Verdict(where, receipt, "7k3m-9qx2-b4td", "受付済み", not wrong, wrong))
data, start = source.read_bytes(), time.process_time()
copy = annotate(data, "a", found, [], "ja")
cpu, said = time.process_time() - start, pathlib.Path("/proc/self/status").read_text()
print(cpu, int(re.search(r"VmHWM:\\s+([0-9]+)", said)[1]) // 1024)
target.write_bytes(copy)
"""


def big() -> bytes:
    """A table of 10,000 rows that are filled."""
    parts = parts_of(light(table_of_everything(GOOD, GOOD)))
    name = "xl/worksheets/sheet1.xml"
    part = parts[name].decode()
    row, *ready = re.findall(r'<row [^>]*r="(?:[5-9])".*?</row>', part, re.DOTALL)
    for one in ready:
        part = part.replace(one, "")
    rows = (re.sub('( r="[A-Z]*)5"', rf'\g<1>{number}"', row) for number in range(5, 10_004))
    return packed({**parts, name: part.replace(row, "".join(rows), 1).encode()})


def test_a_table_of_ten_thousand_rows_is_marked_quickly(tmp_path: Path) -> None:
    source, target = tmp_path / "big.xlsx", tmp_path / "marked.xlsx"
    source.write_bytes(big())
    asked = [sys.executable, "-c", BIG, str(source), str(target)]
    said = subprocess.run(
        asked, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout
    seconds, megabytes = (float(one) for one in said.split())
    parts = parts_of(target.read_bytes())
    assert parts["xl/worksheets/sheet1.xml"].count(b"7k3m-9qx2-b4td") == 10_000
    assert parts["xl/denpyo_comments.xml"].count(b"<comment ") == 200
    assert seconds < 6  # 0.5 on a quiet machine
    assert megabytes < 200


def test_a_fill_of_the_person_s_own_outlives_being_wrong_twice_with_another_program_in_between() -> None:
    parts = Parts(form_of_everything())
    fill = b'<patternFill patternType="solid"><fgColor rgb="FF00B050"/><bgColor indexed="64"/></patternFill>'
    red = b'<fill><patternFill patternType="solid"><fgColor rgb="FFC9C2"/></patternFill></fill>'
    styles = parts.linked(parts.main, "styles")
    parts.splice(styles, *([parts.tree(styles).one("fills").append(red)]))  # type: ignore[union-attr]
    count = len(parts.tree(styles).one("fills").children)  # type: ignore[union-attr]
    xf = f'<xf numFmtId="0" fontId="0" fillId="{count - 1}" borderId="0" xfId="0"/>'.encode()
    parts.splice(styles, parts.tree(styles).one("cellXfs").append(xf))  # type: ignore[union-attr]
    found = Reds(parts, {2: fill.decode()}, True)
    found(len(found.xfs) - 1)
    assert found.covers == {2: fill.decode()}


def test_fills_beyond_those_that_a_red_can_remember_stay_as_they_are() -> None:
    parts = Parts(form_of_everything())
    styles = parts.linked(parts.main, "styles")
    root = parts.tree(styles)
    first, looks = len(root.one("fills").children), len(root.one("cellXfs").children)  # type: ignore[union-attr]
    fills = [
        f'<fill><patternFill patternType="solid"><fgColor rgb="FF0000{one:02X}"/></patternFill></fill>'
        for one in range(70)
    ]
    xfs = [f'<xf numFmtId="0" fontId="0" fillId="{first + one}" borderId="0" xfId="0"/>' for one in range(70)]
    for group, new in (("fills", fills), ("cellXfs", xfs)):
        parts.splice(styles, parts.tree(styles).one(group).append("".join(new).encode()))  # type: ignore[union-attr]
    reds = Reds(parts, {}, False)
    for one in range(70):
        reds(looks + one)
    assert sorted(reds.covers) == list(range(2, 64))
    assert len(set(reds.covers.values())) == 62
    assert reds.shades[first + 61] != first + 61
    assert [reds.shades[first + one] for one in range(62, 70)] == [first + one for one in range(62, 70)]


def test_a_request_of_a_table_is_called_by_its_row_and_no_line_is_higher_than_excel_allows() -> None:
    data = form_of_everything()
    long = Problem("formula", Where("a", "入力!7"), "name", {"label": "x" * 1900})
    copy = annotate(data, "a", [Verdict(Where("a", "入力!7"), None, "", "x", False, (long,))], [], "ja")
    assert copy is not None
    assert "入力 7行目" in [cell for row in summary(copy) for cell in row]
    part = parts_of(copy)["xl/worksheets/denpyo_summary.xml"]
    assert max(float(one) for one in re.findall(rb' ht="([0-9.]+)"', part)) <= 409
