"""``denpyo demo``: the whole journey with a real sheet, a real training and a desk of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from generators.excel import template
from generators.excel.template import Filled
from submit import one_machine, standing
from submit.desk import LEDGER, Desk
from submit.ledger import verify
from submit.new_desk import make_desk
from submit.response import Source, Wishes
from submit.standing import Standing
from submit.work import Told

KIND = "train_supervised"
ANSWERS: Mapping[str, str | int | float] = {
    "dataset_id": "wine",
    "algorithm": "random_forest",
    "evaluation_threshold": 0.85,
    "hyperparameters.n_estimators@random_forest": 100,
    "hyperparameters.max_depth@random_forest": 10,
    "note": "はじめての学習です",
}


@dataclass(frozen=True)
class Shown:
    """What the demo made and where it lies."""

    blank: Path
    sheet: Path
    found: Standing
    root: str
    summary: Path | None

    def data(self) -> dict[str, Any]:
        paths = {"template": str(self.blank), "sheet": str(self.sheet), "summary": str(self.summary)}
        return {**self.found.submit_data(), **paths, "root": self.root, "metrics": self.found.result.get("metrics", {})}

    def lines(self) -> Iterator[str]:
        yield f"空のテンプレート / blank template: {self.blank}"
        yield f"記入した依頼票 / filled sheet: {self.sheet}"
        yield f"伝票 / slip: {self.found.slip}"
        yield ""
        yield from (
            f"  {line}"
            for line in (self.found.slip.read_text(encoding="utf-8") if self.found.slip else "").splitlines()
        )
        yield ""
        yield f"台帳 / ledger root: {self.root}"
        yield f"結果 / state: {self.found.request.state}"
        yield from (f"  {name}: {value:.4g}" for name, value in self.found.result.get("metrics", {}).items())
        yield f"まとめ / summary: {self.summary}"


class DemoFailedError(Exception):
    """The demo's own request did not end well: most often, the extra ``jobs`` is not installed."""


def demo(folder: Path | None, told: Told) -> Shown:
    """Make a desk (in ``folder``, else in a new temporary one), a template, a filled sheet; submit it, run it, follow it."""
    desk = make_desk(folder or Path(mkdtemp(prefix="denpyo-demo-")) / "desk")
    blank, sheet = _sheets(desk)
    outcome, found = one_machine.run(desk, Source(sheet.name, sheet.read_bytes()), Wishes(), told, print)
    if found is None or found.request.state != "done":
        said = standing.log_end(desk, found) if found else [problem.line("en") for problem, _ in outcome.problems]
        raise DemoFailedError("the demo did not end well: " + " / ".join(said))
    verdict = verify(desk.folder / LEDGER)
    return Shown(blank, sheet, found, verdict.root, standing.summary(desk, found))


def _sheets(desk: Desk) -> tuple[Path, Path]:
    form = desk.kinds[KIND].form
    blank, sheet = desk.folder / "学習依頼.xlsx", desk.folder / "学習依頼（記入済み）.xlsx"
    blank.write_bytes(template.write(form, "ja", "form"))
    sheet.write_bytes(template.write(form, "ja", "form", [Filled(ANSWERS, "yamada@example.com", "")]))
    return blank, sheet
