"""A kind whose job only counts its start, and may then wait."""

from typing import Annotated, ClassVar

from pydantic import Field

from schema.job import Ask, Identifier, Job, Script
from schema.words import Words


class CountStarts(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Count starts", ja="開始を数える")
    about: ClassVar[Words] = Words("Adds one line to a file.", ja="ファイルに1行加えます。")
    workload: ClassVar[Script] = Script(entry="scripts/count_starts.py")

    name: Annotated[
        Identifier,
        Ask(
            "Which name?",
            ja="名前",
            help=Words("Written into the file.", ja="ファイルに書きます。"),
            example="one",
            basic=True,
        ),
    ]
    file: Annotated[
        str,
        Ask(
            "Which file?",
            ja="ファイル",
            help=Words("The line is added there.", ja="そこに1行加えます。"),
            example="count",
            basic=True,
        ),
    ]
    seconds: Annotated[
        float,
        Field(ge=0, le=60),
        Ask("How long to wait?", ja="待つ秒数", help=Words("After the line.", ja="書いたあとです。"), example="0"),
    ] = 0.0
    code: Annotated[
        int,
        Field(ge=0, le=9),
        Ask("Which exit code?", ja="終了コード", help=Words("0 is good.", ja="0なら成功です。"), example="0"),
    ] = 0
    stubborn: Annotated[
        bool,
        Ask(
            "Does it ignore being asked to end?",
            ja="終了の依頼を無視しますか",
            help=Words("SIGTERM.", ja="SIGTERMです。"),
            example="no",
        ),
    ] = False
