"""Groups of commands of the command line, one file a group; and what all of them share: options, exit codes, a line of complaint."""

from __future__ import annotations

import codecs
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from submit.response import Source

GOOD, REFUSED, WRONG_USE, NO_ANSWER, DAMAGED = 0, 1, 2, 3, 4


class Language(StrEnum):
    ja = "ja"
    en = "en"


class Encoding(StrEnum):
    utf_8 = "utf-8"
    shift_jis = "shift_jis"


def encoding_named(name: str) -> Encoding:
    """Under any name that Python knows it by: sjis, cp932, ms932."""
    with suppress(LookupError, ValueError):
        found = codecs.lookup(name).name
        return Encoding("shift_jis" if found == "cp932" else found)
    raise typer.BadParameter(f"{name!r} is none of: {', '.join(Encoding)}.")


DeskOption = Annotated[Path, typer.Option("--desk", envvar="DENPYO_DESK", help="The desk's folder.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
InEncoding = Annotated[
    Encoding | None,
    typer.Option(
        "--encoding", parser=encoding_named, metavar="shift_jis", help="What a CSV is written in, if not UTF-8."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]
RequestId = Annotated[str, typer.Argument(help="The id of a request.", metavar="ID")]
Since = Annotated[str, typer.Option("--since", help="From this day or moment on.", metavar="2026-11-21")]
Until = Annotated[str, typer.Option("--until", help="Up to this moment, or the end of this day.", metavar="2026-11-21")]
OfKind = Annotated[str, typer.Option("--kind", help="Of this kind alone.", metavar="KIND")]
OfPerson = Annotated[
    str,
    typer.Option("--who", help="Of people with this in their name or identity; never what was erased.", metavar="WHO"),
]
OfAction = Annotated[str, typer.Option("--action", help="Where this has happened, such as refused.", metavar="ACTION")]
InState = Annotated[str, typer.Option("--state", help="In this state now, such as failed.", metavar="STATE")]
HERE = Path("desk")


def source_of(file: Path) -> Source:
    from schema.problem import shown
    from submit.response import Source

    try:
        return Source(shown(file.name, 200), file.read_bytes())
    except OSError as error:
        raise typer.Exit(complain(f"{file}: {error.strerror}", WRONG_USE)) from error


def exit_if(refused: bool) -> None:
    if refused:
        raise typer.Exit(REFUSED)


def complain(line: str, code: int) -> int:
    sys.stderr.write(f"denpyo: {line}\n")
    return code
