"""denpyo, through its own command line, on a desk of its own."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rivals.described import KIND, KINDS, survey
from benchmarks.rivals.program import Finding, Ran, Verdict, headings, last_line, run
from submit.desk import denpyo_version

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Denpyo:
    folder: Path
    name: str = "denpyo"
    sheet: str = "入力"
    first_row: int = 4
    languages: str = "Japanese, English; a further one is a file"

    def version(self) -> str:
        return denpyo_version()

    def denpyo(self, *words: str | Path, changed: bool = False) -> Ran:
        desk = self.folder / ("changed" if changed else "desk")
        if not desk.exists():
            self._desk(desk, changed)
        more = {"PYTHONPATH": str(ROOT), "DENPYO_DESK": str(desk)}
        return run([sys.executable, "-m", "denpyo", *words], self.folder, more)

    def template(self, folder: Path, changed: bool = False, layout: str = "table") -> Path:
        made = folder / f"denpyo-{layout}{'-changed' * changed}.xlsx"
        self.denpyo("template", KIND, "--layout", layout, "-o", made, "--force", changed=changed)
        return made

    def form(self, folder: Path) -> Path | None:
        return self.template(folder, layout="form")

    def yaml(self, file: Path) -> str:
        ran = self.denpyo("convert", file, "--out", self.folder / "slips")
        return (
            f"`denpyo convert`: {len(list((self.folder / 'slips').glob('*')))} slip(s)" if ran.code == 0 else ran.said
        )

    def record(self) -> str:
        audit = self.denpyo("audit", "verify")
        return f"`denpyo audit verify`: {last_line(audit.said).split(',')[0]}; `denpyo submit`, `denpyo run`"

    def columns(self, book: Path) -> Mapping[str, int]:
        names = {one.name for one in survey("ja")}
        return {text: column for column, text in headings(book, self.sheet, 1).items() if text in names}

    def spell(self, question: str, value: Any) -> Any:
        if isinstance(value, bool):
            return "はい" if value else "いいえ"
        asked = next(one for one in survey("ja") if one.name == question)
        return dict(asked.choices).get(value, value) if isinstance(value, str) else value

    def check(self, file: Path, changed: bool = False) -> Verdict:
        ran = self.denpyo("check", file, "--json", changed=changed)
        try:
            told = json.loads(ran.said)
        except json.JSONDecodeError:
            return Verdict((), (), ran)
        found = tuple(Finding(_cell(one["spot"]), one["message"]) for one in told["problems"])
        return Verdict(found, tuple(str(one.get("message", one)) for one in told.get("warnings", ())), ran)

    def marked(self, file: Path, folder: Path) -> Path | None:
        self.denpyo("check", file, "--annotate", folder, "--force")
        return next(iter(sorted(folder.glob(f"{file.stem}.marked*.xlsx"))), None)

    def _desk(self, desk: Path, changed: bool) -> None:
        run([sys.executable, "-m", "denpyo", "init", "--desk", desk], self.folder, {"PYTHONPATH": str(ROOT)})
        (desk / "kinds").mkdir(exist_ok=True)
        source = KINDS / f"{KIND}.py"
        if changed:
            text = source.read_text(encoding="utf-8")
            (desk / "kinds" / source.name).write_text(changed_kind(text), encoding="utf-8")
        else:
            shutil.copy(source, desk / "kinds")


def changed_kind(source: str) -> str:
    """Version 2 of the survey: ``contact`` is called ``phone``."""
    return source.replace("version: ClassVar[int] = 1", "version: ClassVar[int] = 2").replace(
        "    contact: Annotated[", "    phone: Annotated["
    )


def _cell(spot: str) -> str:
    return spot.rpartition("!")[2] if "!" in spot else spot
