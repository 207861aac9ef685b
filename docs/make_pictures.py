"""``make pictures``: the pictures in docs/pictures/, from a real sheet and a real run. Needs LibreOffice, pdftoppm and Chromium."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from generators.excel import template
from generators.excel.template import Filled
from schema.question import Form
from submit import one_machine, standing
from submit.desk import LEDGER, Desk
from submit.new_desk import make_desk
from submit.response import Source, Wishes
from submit.review import page as review_page
from submit.review.wanted import wanted
from tests.submit.review.desks import desk_with

PICTURES = Path(__file__).parent / "pictures"
KIND = "train_supervised"
ANSWERS: dict[str, str | float] = {"dataset_id": "wine", "algorithm": "random_forest", "evaluation_threshold": 0.85}
WRONG: dict[str, str | float] = {"dataset_id": "wine", "evaluation_threshold": 1.2, "seed": -1}
ROWS = ({**ANSWERS}, {**ANSWERS, "evaluation_threshold": 1.2}, {"dataset_id": "iris"})
FORM, TABLE, SUMMARY = (45, 85, 1195, 650), (45, 85, 1165, 330), (45, 60, 1195, 405)
"""What of a page is shown: left, top, width and height in pixels."""
APPROVED = """SELECT seq, request FROM entries JOIN asked USING (request) JOIN requests ON request = id
    WHERE key LIKE 'approved:%' AND subject LIKE 'mail:%' AND kind = 'train_supervised' ORDER BY seq DESC LIMIT 1"""
EDITED = """UPDATE entries SET body = CAST(replace(body, '"rule":2', '"rule":1') AS BLOB) WHERE seq = ?"""
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
JOURNEY = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 28px; background: #fff; display: flex; gap: 18px; align-items: center; font: 16px sans-serif }}
figure {{ margin: 0; border: 1px solid #c8d0dc; border-radius: 8px; overflow: hidden; max-height: 560px; flex: 1; background: #fff }}
figure img {{ width: 100%; display: block }}
pre {{ margin: 0; padding: 14px; font: 12px/1.4 monospace; white-space: pre-wrap; overflow-wrap: anywhere }}
b {{ font-size: 34px; color: #2f5597 }}
</style><figure style="flex: 1.7"><img src="form.ja.png"></figure><b>→</b><figure><pre>{slip}</pre></figure><b>→</b>
<figure><img src="summary.ja.png"></figure>"""


def main() -> int:
    for program in ("soffice", "pdftoppm", "chromium"):
        if shutil.which(program) is None:
            print(f"make pictures needs {program}", file=sys.stderr)
            return 2
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="denpyo-pictures-") as name:
        folder = Path(name)
        desk = make_desk(folder / "desk")
        slips = {language: picture_both(desk, folder, language) for language in ("ja", "en")}
        page = PICTURES / "journey.html"
        page.write_text(JOURNEY.format(slip=slips["ja"]), encoding="utf-8")
        screenshot(page, PICTURES / "journey.png", folder, 1500, 620)
        page.unlink()
        picture_reviews(folder)
    return 0


def picture_reviews(folder: Path) -> None:
    """The review page of a desk with a history in both languages, one card of it, and what it shows of an entry that was edited."""
    desk = desk_with(folder / "reviewed", 400)
    for language in ("ja", "en"):
        page = folder / f"review.{language}.html"
        review_page.write(desk, page, wanted(), language)
        screenshot(page, PICTURES / f"review.{language}.png", folder, 1400, 1480)
    with closing(sqlite3.connect(desk.folder / LEDGER / "ledger.sqlite")) as db:
        seq, request = db.execute(APPROVED).fetchone()
        screenshot(folder / "review.en.html", PICTURES / "review.card.png", folder, 1400, 1180, card=request)
        db.execute(EDITED, (seq,))
        db.commit()
    review_page.write(desk, folder / "damaged.html", wanted(), "en")
    screenshot(folder / "damaged.html", PICTURES / "review.damaged.png", folder, 1400, 1180)


def picture_both(desk: Desk, folder: Path, language: str) -> str:
    """The filled form and the summary of its run; returns the slip."""
    sheet = folder / f"request.{language}.xlsx"
    form, sender = desk.kinds[KIND].form, "yamada@example.com"
    sheet.write_bytes(template.write(form, language, "form", [Filled(ANSWERS, sender)]))
    first_page(sheet, PICTURES / f"form.{language}.png", folder, FORM)
    picture_faults(form, folder, language)
    table = folder / f"table.{language}.xlsx"
    table.write_bytes(template.write(form, language, "table", [Filled(one, sender) for one in ROWS]))
    first_page(table, PICTURES / f"table.{language}.png", folder, TABLE)
    _, found = one_machine.run(
        desk, Source(sheet.name, sheet.read_bytes()), Wishes(again=language), lambda run, state: None, print
    )
    page = standing.summary(desk, found) if found else None
    if found is None or page is None or found.slip is None:
        raise RuntimeError("the run for the pictures did not end well")
    screenshot(page, PICTURES / f"summary.{language}.png", folder, 900, 1500)
    return found.slip.read_text(encoding="utf-8")


def picture_faults(form: Form, folder: Path, language: str) -> None:
    """A form with mistakes, and the first sheet of its marked copy."""
    sheet = folder / f"faults.{language}.xlsx"
    sheet.write_bytes(template.write(form, language, "form", [Filled(WRONG, "yamada@example.com")]))
    first_page(sheet, PICTURES / f"faults.{language}.png", folder, FORM)
    run(sys.executable, "-m", "denpyo", "check", str(sheet), "--annotate", str(folder), well=1)
    first_page(folder / f"faults.{language}.marked.xlsx", PICTURES / f"marked.{language}.png", folder, SUMMARY)


def first_page(sheet: Path, picture: Path, folder: Path, shown: tuple[int, int, int, int]) -> None:
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(sheet))
    crop = [part for flag, at in zip(("-x", "-y", "-W", "-H"), shown, strict=True) for part in (flag, str(at))]
    pages = ["-r", "110", "-png", "-singlefile", "-f", "1", "-l", "1"]
    run("pdftoppm", *pages, *crop, str(sheet.with_suffix(".pdf")), str(picture.with_suffix("")))


def screenshot(page: Path, picture: Path, folder: Path, width: int, height: int, card: str = "") -> None:
    options = [f"--user-data-dir={folder / 'browser'}", f"--window-size={width},{height}", f"--screenshot={picture}"]
    address = f"{page.resolve().as_uri()}#{card}" if card else page.resolve().as_uri()
    run("chromium", *CHROMIUM, *options, "--virtual-time-budget=4000", address)


def run(*command: str, well: int = 0) -> None:
    """Runs a program that must end with the exit code ``well``."""
    ended = subprocess.run(command, check=False, capture_output=True, timeout=180)  # noqa: S603
    if ended.returncode != well:
        raise RuntimeError(f"{command[0]} ended with {ended.returncode}: {ended.stderr.decode(errors='replace')}")


if __name__ == "__main__":
    sys.exit(main())
