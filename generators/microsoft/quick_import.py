"""The Word document that Quick import of Microsoft Forms reads. The only file that knows python-docx.

It understands plain paragraphs alone: ``1. title``, ``A. option`` below it, an empty one before the next question. It takes no lists of
Word's, tables or pictures, and nothing but titles, options and open text; the rest stands on the page beside it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from string import ascii_uppercase

from generators.excel.archive import ZIP_DATE
from generators.excel.spelling import in_xml
from generators.microsoft.asked import Asked, asked
from schema.question import Form

FONTS = {"ja": "Yu Gothic"}
FONT = "Calibri"
THUMBNAIL = "/thumbnail"


def write(form: Form, language: str) -> bytes:
    """The document for one kind in one language, the same bytes each time."""
    import docx  # takes 0.1 s, which only those who build forms should wait
    from docx.oxml.ns import qn

    document = docx.Document()
    font = FONTS.get(language, FONT)
    document.styles["Normal"].font.name = font
    document.styles["Normal"].element.rPr.rFonts.set(qn("w:eastAsia"), font)
    for line in _lines(asked(form, language)):
        document.add_paragraph(in_xml(line))
    about = document.core_properties
    about.author, about.last_modified_by, about.title, about.comments = "denpyo", "denpyo", form.kind, ""
    about.created = about.modified = datetime(*ZIP_DATE)
    links = document.part.package.rels
    for id in [id for id, one in links.items() if one.reltype.endswith(THUMBNAIL)]:
        del links[id]  # the picture of the library's own template
    written = io.BytesIO()
    document.save(written)
    return _same_bytes(written.getvalue())


def _lines(questions: tuple[Asked, ...]) -> Iterator[str]:
    for one in questions:
        if one.number > 1:
            yield ""
        yield f"{one.number}. {one.title}"
        for letter, option in zip(ascii_uppercase, one.options, strict=False):
            yield f"{letter}. {option}"


def _same_bytes(data: bytes) -> bytes:
    """The same parts in a fixed order with fixed dates."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in sorted(source.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 0, 0
            target.writestr(entry, source.read(name), compresslevel=9)
    return fixed.getvalue()
