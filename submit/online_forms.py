"""Forms that live at online services: compared with the kinds they were made from, and signed in for."""

from __future__ import annotations

from collections.abc import Callable

from schema.answers import Where
from schema.problem import Problem
from submit.child import read_cells
from submit.desk import Desk, DeskError
from submit.inbox import extra
from submit.response import Source
from submit.sources import Google, Microsoft


def verify_microsoft(desk: Desk, kind: str, source: Source) -> tuple[list[Problem], list[Problem]]:
    """What must be mended in a form of Microsoft Forms, and what may be meant, as far as its workbook of responses shows."""
    from generators.excel.refusal import Refusal
    from generators.microsoft.verify import verify

    if kind not in desk.kinds:
        raise DeskError(f"there is no kind named {kind}: `denpyo kinds` lists them")
    sheets = read_cells(source.data)
    if isinstance(sheets, Refusal):
        return [Problem(sheets.code, Where(source.name, sheets.spot), "", sheets.facts)], []
    return verify(sheets, source.name, desk.kinds[kind].form)


def sign_in(desk: Desk, name: str, say: Callable[[str], None]) -> None:
    """Let somebody sign in for a source; ``say`` hears where and with which code."""
    settings = desk.config.sources.get(name)
    if isinstance(settings, Google):
        with extra(name, settings.kind):
            from submit.inbox import google_pull, google_sign_in
        return google_sign_in.sign_in(google_pull.secret(desk, name, settings), say)
    if not isinstance(settings, Microsoft):
        raise DeskError(f"denpyo.toml has no source named {name} that somebody signs in for")
    with extra(name, settings.kind):
        from submit.inbox import microsoft
    microsoft.sign_in(desk, name, settings, say)
