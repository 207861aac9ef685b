"""Files of another sort, and files that nobody here wrote: what they are is named."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.generators.excel.workbooks import (
    ROOT,
    form_of_everything,
    only_problem,
    packed,
    replaced,
)

WORKBOOKS = ROOT.parent / "shared" / "corpora" / "workbooks"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
TYPES = "[Content_Types].xml"


def opendocument() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", "<office/>")
    return data.getvalue()


def of_type(content_type: bytes) -> bytes:
    return packed({TYPES: b'<Types><Override PartName="/main.xml" ContentType="' + content_type + b'"/></Types>'})


OTHER_FORMATS: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", "an empty file"),
    "csv": ("dataset,あ\nwine,い\n".encode(), "a text file (such as CSV)"),
    "csv of Japanese Excel": ("データ,表\nwine,能\n".encode("cp932"), "a text file (such as CSV)"),
    "html": (b"\xef\xbb\xbf<html><table><tr><td>1</td></tr></table></html>", "a web page (HTML)"),
    "html with a doctype": (b"<!DOCTYPE html>\n<p>", "a web page (HTML)"),
    "xml of 2003": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "an XML spreadsheet of 2003",
    ),
    "xml": (b"<?xml version='1.0'?><a/>", "an XML file"),
    "xls": (OLE + "Workbook".encode("utf-16-le"), "a workbook of the old Excel format (.xls)"),
    "doc": (OLE + "WordDocument".encode("utf-16-le"), "a Word document of the old format (.doc)"),
    "ods": (opendocument(), "an OpenDocument spreadsheet (.ods)"),
    "numbers": (packed({"Index/Document.iwa": b"a"}), "an Apple Numbers document"),
    "zip": (packed({"a.txt": b"a"}), "a ZIP archive"),
    "docx": (
        of_type(b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
        "a Word document (.docx)",
    ),
    "xlsb": (of_type(b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "a binary Excel workbook (.xlsb)"),
    "pdf": (b"%PDF-1.7", "a PDF"),
    "png": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "noise": (bytes(range(256)) * 4, "a file of another sort"),
}


@pytest.mark.parametrize("case", OTHER_FORMATS)
def test_another_format_under_the_name_of_a_workbook_is_named(case: str) -> None:
    data, format = OTHER_FORMATS[case]
    problem = only_problem(data)
    assert problem.code == "not_a_workbook"
    assert problem.message("en").startswith(f"This is not an Excel workbook (.xlsx) but {format}.")


def test_a_password_and_macros_are_named_with_what_to_do() -> None:
    assert only_problem(OLE + "EncryptedPackage".encode("utf-16-le")).code == "password_protected"
    assert only_problem(of_type(b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")).code == "macro_file"
    project = replaced(
        form_of_everything(),
        TYPES,
        b"</Types>",
        b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
    )
    assert only_problem(project).code == "macro_file"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n\x1a\n", b"a,b\n1,2\n", OLE, opendocument()],
    ids=["empty", "picture", "csv", "xls", "ods"],
)
def test_what_to_do_about_a_file_of_another_sort_can_be_done_with_every_sort(data: bytes) -> None:
    problem = only_problem(data)
    assert problem.line("en").endswith(
        "Fill in the template, save it as “Excel workbook (.xlsx)” and send that file. [not_a_workbook]"
    )
    assert problem.line("ja").endswith(
        "テンプレートに記入し、「Excelブック（.xlsx）」として保存して、そのファイルを送ってください。 [not_a_workbook]"
    )


def _corpus() -> list[Path]:
    return sorted(WORKBOOKS.iterdir()) if WORKBOOKS.is_dir() else []


@pytest.mark.skipif(not WORKBOOKS.is_dir(), reason="the corpus lies beside the project")
def test_every_workbook_that_nobody_here_wrote_ends_in_one_coded_refusal() -> None:
    codes = {
        "not_a_workbook",
        "password_protected",
        "macro_file",
        "broken_file",
        "cut_off",
        "not_allowed_part",
        "not_a_template",
    }
    for file in _corpus():
        problem = only_problem(file.read_bytes())
        assert problem.code in codes, file.name
    assert len(_corpus()) > 70
