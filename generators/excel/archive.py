"""The ZIP around a workbook: what may be in one, its parts inflated within limits, and some of them put into a new one as they lie.

A ZIP can say many things twice. Here its central directory counts, whatever a part claims must be true of it, and the new ZIP says
everything once.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from generators.excel import formats
from generators.excel.bounds import MIB, mib
from generators.excel.refusal import broken, cut_off, not_allowed, too_large
from schema.problem import shown

LARGEST_PART, LARGEST_ALL = 160 * MIB, 192 * MIB
MOST_MEMBERS = 2000
LONGEST_NAME = 250
ONLY_SOME_UNPACK, UTF_8 = 0x1 | 0x20 | 0x40, 0x800
"""General purpose bits (APPNOTE 4.4.4): encrypted, a patch of another file, strongly encrypted; a name in UTF-8."""
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError, ValueError),
)
"""What zipfile raises for damaged files."""
SANE_NAME = re.compile(r"[^\x00-\x1f\\:*?\"<>|]+")
LOCAL, CENTRAL, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""When every part of ours was written."""
FIRST_DAY = 33
"""Its day as a ZIP writes it."""


class Archive(Mapping[str, bytes]):
    """The parts of a ZIP by name. Each is inflated when somebody asks for it, and not kept."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[-END.size :][:4] != END_MARK:
            raise cut_off()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                members = [one for one in package.infolist() if not one.filename.endswith("/")]
        except ZIP_ERRORS as error:
            raise cut_off() from error
        _sane(members, data[:512])
        self.members = {one.filename: one for one in members}

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, name: str) -> bytes:
        member, raw = self.members[name], self._raw(name)
        if member.compress_type == zipfile.ZIP_DEFLATED:
            try:
                inflating = zlib.decompressobj(-zlib.MAX_WBITS)
                part = inflating.decompress(raw, member.file_size + 1)
            except zlib.error as error:
                raise broken(name) from error
        else:
            part = raw
        if len(part) != member.file_size or zlib.crc32(part) != member.CRC:
            raise broken(name)
        return part

    def packed(self, names: Collection[str]) -> bytes:
        """A new ZIP of these parts, each compressed as it was."""
        written, directory = bytearray(), bytearray()
        for name in self.members:
            if name in names:
                member, encoded = self.members[name], name.encode()
                said = (
                    member.compress_type,
                    0,
                    FIRST_DAY,
                    member.CRC,
                    member.compress_size,
                    member.file_size,
                    len(encoded),
                    0,
                )
                directory += CENTRAL.pack(CENTRAL_MARK, 20, 20, UTF_8, *said, 0, 0, 0, 0, len(written)) + encoded
                written += LOCAL.pack(LOCAL_MARK, 20, UTF_8, *said) + encoded + self._raw(name)
        end = END.pack(END_MARK, 0, 0, len(names), len(names), len(directory), len(written), 0)
        return bytes(written + directory + end)

    def _raw(self, name: str) -> bytes:
        """A part as it lies in the file, where its own header says the same name."""
        member = self.members[name]
        try:
            head = LOCAL.unpack_from(self.data, member.header_offset)
        except struct.error as error:
            raise broken(name) from error
        start = member.header_offset + LOCAL.size
        encoded = member.orig_filename.encode("utf-8" if head[2] & UTF_8 else "cp437", errors="replace")
        first = start + head[9] + head[10]
        raw = self.data[first : first + member.compress_size]
        if head[0] != LOCAL_MARK or self.data[start : start + head[9]] != encoded or len(raw) != member.compress_size:
            raise broken(name)
        return raw


def _sane(members: list[zipfile.ZipInfo], start: bytes) -> None:
    """Refuse what a ZIP can say in two ways: names that differ only by case, names that lead elsewhere, files that overlap."""
    if not 0 < len(members) <= MOST_MEMBERS:
        raise broken("ZIP")
    formats.must_be_workbook([one.filename for one in members], start)
    for name, count in Counter(one.filename.lower() for one in members).items():
        if count > 1 or not _is_sane(name):
            raise not_allowed(shown(name) or "ZIP")
    for one in members:
        if one.flag_bits & ONLY_SOME_UNPACK or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise not_allowed(one.filename)
    for one, after in pairwise(sorted(members, key=lambda one: one.header_offset)):
        if one.header_offset + LOCAL.size + len(one.filename) + one.compress_size > after.header_offset:
            raise broken(one.filename)
    _small(members)


def _is_sane(name: str) -> bool:
    return len(name) <= LONGEST_NAME and bool(SANE_NAME.fullmatch(name)) and not {"", "..", "."} & set(name.split("/"))


def _small(members: list[zipfile.ZipInfo]) -> None:
    """Bound what the parts claim to unpack to; no part gives more than it claims."""
    total = 0
    for one in members:
        total += one.file_size
        if one.file_size > LARGEST_PART or total > LARGEST_ALL:
            most = LARGEST_PART if one.file_size > LARGEST_PART else LARGEST_ALL
            raise too_large(one.filename, one.filename, mib(most))
