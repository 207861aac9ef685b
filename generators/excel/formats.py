"""What a file really is, when it is no Excel workbook in the Open XML format: named, so that its sender knows what to save anew."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping

from generators.excel.refusal import Refusal, RefusedError, other_format
from schema.words import Words

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAGIC = (
    (b"%PDF", Words("a PDF", ja="PDF")),
    (b"{\\rtf", Words("an RTF document", ja="RTF文書")),
    (b"\x89PNG", Words("a picture", ja="画像")),
    (b"\xff\xd8\xff", Words("a picture", ja="画像")),
    (b"GIF8", Words("a picture", ja="画像")),
)
MARKUP = (
    (
        re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet"),
        Words("an XML spreadsheet of 2003", ja="XMLスプレッドシート2003"),
    ),
    (re.compile(rb"<!doctype html|<html|<table|<body|<meta", re.I), Words("a web page (HTML)", ja="Webページ（HTML）")),
    (re.compile(rb"<\?xml"), Words("an XML file", ja="XMLファイル")),
)
OLE_STREAMS = (
    ("WordDocument", Words("a Word document of the old format (.doc)", ja="旧形式のWord文書（.doc）")),
    ("PowerPoint Document", Words("slides of the old format (.ppt)", ja="旧形式のスライド（.ppt）")),
)
OLD_EXCEL = Words("a workbook of the old Excel format (.xls)", ja="旧形式のExcelブック（.xls）")
OPEN_DOCUMENT = Words("an OpenDocument spreadsheet (.ods)", ja="OpenDocument表計算（.ods）")
NUMBERS = Words("an Apple Numbers document", ja="Apple Numbersの書類")
ARCHIVE = Words("a ZIP archive", ja="ZIPファイル")
CSV = Words("a text file (such as CSV)", ja="テキストファイル（CSVなど）")
EMPTY = Words("an empty file", ja="空のファイル")
UNKNOWN = Words("a file of another sort", ja="別の種類のファイル")
LOOKED_AT = 4096
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
ENCODINGS: Mapping[str, str] = {"utf-8": "utf-8", "shift_jis": "cp932"}
"""Python's names. What Japanese Windows calls Shift_JIS has more characters than the standard: 髙, ①, ㈱."""


def must_be_zip(data: bytes) -> None:
    """Refuse what does not even begin as a workbook does, with the name of what it is."""
    if data.startswith(ZIP):
        return
    if data.startswith(OLE):
        raise _of_ole(data)
    head = data[:LOOKED_AT].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, name in MAGIC:
        if head.startswith(magic):
            raise other_format(name)
    if head.startswith(b"<"):
        raise other_format(next((name for mark, name in MARKUP if mark.search(data[:LOOKED_AT])), UNKNOWN))
    raise other_format((CSV if _is_text(data[:LOOKED_AT]) else UNKNOWN) if head else EMPTY)


def must_be_text(data: bytes) -> None:
    """Refuse under the name of a CSV what begins as another format does."""
    text = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or not data.strip(b"\xef\xbb\xbf \t\r\n")
    head = data[:LOOKED_AT].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text and (head.startswith((OLE, b"<")) or any(head.startswith(magic) for magic, _ in MAGIC)):
        must_be_zip(data)
    if not head:
        raise other_format(EMPTY)


def _of_ole(data: bytes) -> RefusedError:
    """An encrypted workbook lies in the same container as the formats before 2007; the streams' names tell them apart."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return RefusedError(Refusal("password_protected"))
    return other_format(next((name for stream, name in OLE_STREAMS if stream.encode("utf-16-le") in data), OLD_EXCEL))


def _is_text(head: bytes) -> bool:
    return not CONTROLS.search(head) and any(_decodes(head, code) for code in ENCODINGS.values())


def _decodes(head: bytes, code: str) -> bool:
    """Whether bytes are text in this encoding; their last character may be cut off."""
    try:
        codecs.getincrementaldecoder(code)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def must_be_workbook(names: Collection[str], start: bytes) -> None:
    """Refuse a ZIP that is no Open XML package. ``start`` is the first file's beginning: OpenDocument writes its type there."""
    if "[Content_Types].xml" in names:
        return
    if b"application/vnd.oasis.opendocument" in start:
        raise other_format(OPEN_DOCUMENT)
    raise other_format(NUMBERS if any(name.endswith(".iwa") for name in names) else ARCHIVE)


MAIN_TYPES = (
    ("sheet.binary", Words("a binary Excel workbook (.xlsb)", ja="バイナリ形式のExcelブック（.xlsb）")),
    ("wordprocessingml", Words("a Word document (.docx)", ja="Word文書（.docx）")),
    ("presentationml", Words("slides (.pptx)", ja="スライド（.pptx）")),
)


def must_hold_sheets(content_types: Collection[str]) -> None:
    """Refuse packages of other programs, and workbooks with macros, by the content types they declare."""
    for mark, name in MAIN_TYPES:
        if any(mark in one and "main" in one for one in content_types):
            raise other_format(name)
    if any("macroenabled" in one.lower() or "vbaproject" in one.lower() for one in content_types):
        raise RefusedError(Refusal("macro_file"))
