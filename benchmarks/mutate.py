"""Workbooks damaged by chance: bytes and members of the ZIP, tags, attributes, references, numbers and entities of its XML, and cells.

The same seed and number give the same bytes.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from random import Random

TAG, ATTRIBUTE, NUMBER, TEXT = (
    re.compile(one) for one in (rb"<[^>]*>", rb'[\w:]+="[^"]*"', rb"[0-9]+", rb"(?<=>)[^<]+(?=<)")
)
CELL = re.compile(rb"<c [^>]*?(?:/>|>.*?</c>)", re.S)
ROW = re.compile(rb'<row [^>]*?\br="([0-9]+)"[^>]*(?:/>|>.*?</row>)', re.S)
FEW_ROWS, LONG = 12, 150_000
SHEETS = re.compile(r"xl/worksheets/sheet")
READ = re.compile(r"xl/(worksheets/sheet|workbook|styles|sharedStrings)|_rels|Content_Types")
NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"7",
    b"99999999999999",
    b"1048576",
    b"1048577",
    b"4294967296",
    b"1e999",
    b"NaN",
    b"0.1",
    b"00",
    b"",
)
REFERENCES = (b"A1", b"XFD1048576", b"XFE1", b"A0", b"C9", b"a1", b"$C$9", b"A1:XFD1048576", b"ZZZ9", b"", b"9")
TOKENS = (
    *(
        b"&amp;",
        b"&#0;",
        b"&#65;",
        b"&x;",
        b"<!-- -->",
        b"<![CDATA[x]]>",
        b"<?x?>",
        b"<!DOCTYPE a>",
        b"]]>",
        b"<v>1</v>",
        b"<f>1</f>",
    ),
    *(
        b"<c/>",
        b'<row r="5"/>',
        b"</row>",
        b'<row r="5">',
        b'<mergeCell ref="A1:C9"/>',
        b'<c r="A1">',
        b"<is><t>a</t></is>",
        b"<si/>",
    ),
    *(
        b' hidden="1"',
        b' t="s"',
        b' t="e"',
        b' t="d"',
        b' s="3"',
        b' xml:space="preserve"',
        b"\x00",
        b"\xff",
        b"\xef\xbf\xbf",
        b"\r\n",
    ),
    "１２".encode(),
    "\u202e".encode(),
)
VALUES = (
    *(
        b"1",
        b"0",
        b"-5",
        b"1e5",
        b"0.85",
        b"46347",
        b"46347.5",
        b"2958466",
        b"1e999",
        b"TRUE",
        b"#REF!",
        b"#N/A",
        b"=1+1",
        b"@x",
        b"",
    ),
    *(
        "はい".encode(),
        "１００".encode(),
        "令和8年1月1日".encode(),
        b"  7 ",
        b"a&amp;b",
        b"_x000D_",
        b"\t",
        b"wine",
        b"yes",
        b"85%",
    ),
)
CELLS = (
    b"<c %s><v>%s</v></c>",
    b'<c %s t="n"><v>%s</v></c>',
    b'<c %s t="str"><v>%s</v></c>',
    b'<c %s t="inlineStr"><is><t>%s</t></is></c>',
    b'<c %s t="inlineStr"><is><r><t>%s</t></r><r><t xml:space="preserve"> b</t></r></is></c>',
    b'<c %s t="b"><v>%s</v></c>',
    b'<c %s t="e"><v>%s</v></c>',
    b'<c %s t="s"><v>%s</v></c>',
    b'<c %s t="d"><v>%s</v></c>',
    b"<c %s><f>1</f><v>%s</v></c>",
    b'<c %s t="str"><f t="array" ref="C9:C11">1</f><v>%s</v></c>',
    b"<c %s/>",
)


@dataclass(frozen=True, slots=True)
class Member:
    """A part as it lies in a ZIP."""

    name: bytes
    method: int
    crc: int
    size: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Seed:
    """A workbook to start from."""

    name: str
    data: bytes
    members: tuple[Member, ...]

    @property
    def is_long(self) -> bool:
        return any(one.size > LONG for one in self.members if SHEETS.search(one.name.decode()))

    def shortened(self) -> Seed:
        """Without the thousands of rows that a table prepares."""
        if not self.is_long:
            return self
        long = [one.size > LONG and bool(SHEETS.search(one.name.decode())) for one in self.members]
        pairs = zip(self.members, long, strict=True)
        members = [stored(one.name, _first_rows(unpacked(one))) if cut else one for one, cut in pairs]
        return Seed(self.name, zipped(members), tuple(members))

    @classmethod
    def of(cls, name: str, data: bytes) -> Seed:
        try:
            return cls(name, data, tuple(_members(data)))
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return cls(name, data, ())


def _first_rows(part: bytes) -> bytes:
    return ROW.sub(lambda row: row[0] if int(row[1]) <= FEW_ROWS else b"", part)


def _members(data: bytes) -> list[Member]:
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for one in package.infolist():
            start = one.header_offset + 30 + sum(struct.unpack_from("<2H", data, one.header_offset + 26))
            raw = data[start : start + one.compress_size]
            found.append(Member(one.filename.encode(), one.compress_type, one.CRC, one.file_size, raw))
    return found


def stored(name: bytes, part: bytes) -> Member:
    return Member(name, zipfile.ZIP_STORED, zlib.crc32(part), len(part), part)


def unpacked(member: Member) -> bytes:
    return zlib.decompress(member.raw, -15) if member.method else member.raw


def zipped(members: list[Member]) -> bytes:
    body, directory = bytearray(), bytearray()
    for one in members:
        said = struct.pack("<5H3L2H", 20, 0x800, one.method, 0, 33, one.crc, len(one.raw), one.size, len(one.name), 0)
        directory += b"PK\x01\x02\x14\x00" + said + struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + one.name
        body += b"PK\x03\x04" + said + one.name + one.raw
    return bytes(
        body
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(body), 0)
    )


def mutated(seed: Seed, chance: Random) -> bytes:
    """One workbook that was damaged once to four times, one in twenty not at all."""
    if not seed.members or chance.random() < 0.06:
        return _bytes(seed.data, chance)
    members = list(seed.members)
    for _ in range(chance.choice((0, *(1,) * 12, 2, 2, 2, 2, 3, 4))):
        chance.choices((_in_a_cell, _in_xml, _in_members), (16, 7, 2))[0](members, chance)
    data = zipped(members)
    return _bytes(data, chance) if chance.random() < 0.03 else data


def _bytes(data: bytes, chance: Random) -> bytes:
    """Bytes of the file changed, cut off or added: mostly in its directory, where every byte means something."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = (
            chance.randrange(len(changed) or 1)
            if chance.random() < 0.5
            else max(0, len(changed) - chance.randint(1, 900))
        )
        changed[at : at + chance.choice((0, 1, 1, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 1, 4)))
    return bytes(changed[: chance.randrange(len(changed) + 1)]) if chance.random() < 0.1 else bytes(changed)


def _in_members(members: list[Member], chance: Random) -> None:
    at = chance.randrange(len(members))
    one = members[at]
    match chance.randrange(6):
        case 0 if len(members) > 1:
            del members[at]
        case 1:
            members.append(one)
        case 2:
            names = (
                b"xl/vbaProject.bin",
                b"../a",
                b"XL/WORKBOOK.XML",
                b"a\\b",
                one.name.upper(),
                b"xl/connections.xml",
            )
            members[at] = Member(chance.choice(names), one.method, one.crc, one.size, one.raw)
        case 3:
            lie = chance.choice((0, 1, one.size + 1, 2**31, 2**32 - 1))
            members[at] = Member(one.name, one.method, one.crc, lie, one.raw)
        case 4:
            members[at] = Member(one.name, chance.choice((0, 8, 9, 12, 99)), one.crc, one.size, one.raw)
        case _:
            chance.shuffle(members)


def _part(members: list[Member], chance: Random, wanted: re.Pattern[str]) -> tuple[int, bytes] | None:
    able = [index for index, one in enumerate(members) if wanted.search(one.name.decode()) and one.method in (0, 8)]
    if not able:
        return None
    at = chance.choice(able)
    try:
        return at, unpacked(members[at])
    except zlib.error:
        return None


def _spot(pattern: re.Pattern[bytes], part: bytes, chance: Random) -> re.Match[bytes] | None:
    """One match at a place chosen by chance; not all are as likely, but none needs the whole part to be read."""
    return pattern.search(part, chance.randrange(len(part))) or pattern.search(part) if part else None


def _in_xml(members: list[Member], chance: Random) -> None:
    found = _part(members, chance, READ)
    if found:
        at, part = found
        members[at] = stored(members[at].name, _xml(part, chance))


def _xml(part: bytes, chance: Random) -> bytes:
    spot = _spot(chance.choice((TAG, TAG, ATTRIBUTE, ATTRIBUTE, NUMBER, TEXT)), part, chance)
    if spot is None:
        return part + chance.choice(TOKENS)
    start, end = spot.span()
    old = spot[0]
    name, _, _ = old.partition(b"=")
    new = chance.choice(
        (
            b"",
            old + old,
            old + chance.choice(TOKENS),
            chance.choice(TOKENS),
            name + b'="' + chance.choice((*NUMBERS, *REFERENCES)) + b'"',
            chance.choice(NUMBERS),
            chance.choice(REFERENCES),
        )
    )
    return part[:start] + new + part[end:]


def _in_a_cell(members: list[Member], chance: Random) -> None:
    """A cell that says something else, mostly as some program would write it; or its row is hidden, or cells are merged."""
    found = _part(members, chance, SHEETS)
    if not found:
        return
    at, part = found
    cell = _spot(CELL, part, chance)
    if cell is None:
        return
    start, end = cell.span()
    reference = b" ".join(re.findall(rb'[rs]="[^"]*"', cell[0])[:2])
    shape = chance.choice(CELLS)
    new = shape % ((reference, chance.choice(VALUES)) if shape.count(b"%s") == 2 else reference)
    part = part[:start] + new + part[end:]
    if chance.random() < 0.05:
        part = part.replace(b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="B9:C9"/></mergeCells>')
    if chance.random() < 0.05:
        row = part.rfind(b"<row ", 0, start) + 5
        part = part[:row] + b'hidden="1" ' + part[row:] if row > 4 else part
    members[at] = stored(members[at].name, part)


def corpora(folder: Path) -> list[Seed]:
    return [Seed.of(file.name, file.read_bytes()) for file in sorted(folder.glob("*.*")) if file.is_file()]
