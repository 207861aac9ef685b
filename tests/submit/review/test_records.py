"""What is gathered of each request, what it comes to, and how it is told."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from schema import slip, words
from submit.desk import LEDGER, Desk, DeskError
from submit.ledger import Verdict, verify
from submit.ledger.checkpoint import Checkpoint
from submit.review import cards, page, stored, told
from submit.review.figures import Figures, errors, seconds
from submit.review.records import Record, read_slip, record, records
from submit.review.stored import Stored
from submit.review.wanted import moment, wanted
from tests.submit.review.desks import ids


def all_of(desk: Desk) -> list[Record]:
    with stored.opened(desk.folder / LEDGER) as db:
        return list(records(db, desk.folder / LEDGER))


def test_a_made_desk_is_sound_and_every_request_of_it_is_gathered(desk: Desk) -> None:
    assert verify(desk.folder / LEDGER).ok
    assert [one.id for one in all_of(desk)] == list(ids(desk))
    assert {one.slip_is for one in all_of(desk)} == {"kept", "none"}


def test_answers_are_those_that_the_slip_holds(desk: Desk) -> None:
    for one in [one for one in all_of(desk) if one.slip][:20]:
        request = slip.read(one.slip.encode(), desk.kinds)
        assert {name: value for name, value in one.answers.items() if name.startswith("resources.")} == {
            f"resources.{name}": value for name, value in request.resources.answers().items()
        }
        assert one.who == request.requested_by
        assert one.answers["dataset_id"] == request.job.answers()["dataset_id"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &x [1, 2]\nb: *x\n", id="anchor"),
        pytest.param("a: !!python/name:os.system\n", id="tag"),
        pytest.param("- a\n", id="list"),
        pytest.param("a: [", id="no YAML"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_slip_of_ours_has_no_answers(text: str) -> None:
    assert read_slip(text) == {}


def test_a_slip_that_was_changed_on_the_disk_is_not_shown(own_desk: Desk) -> None:
    one = next(one for one in all_of(own_desk) if one.slip)
    (file,) = (own_desk.folder / LEDGER / "slips").rglob(f"{one.id}.yaml")
    file.chmod(0o600)
    file.write_text(one.slip.replace("trust: verified", "trust: machine"), encoding="utf-8")
    with stored.opened(own_desk.folder / LEDGER) as db:
        found = record(db, own_desk.folder / LEDGER, one.id)
    assert found
    assert (found.slip, found.slip_is) == ("", "changed")


def test_the_request_before_is_of_the_same_person_and_kind_and_the_difference_is_told_in_words(desk: Desk) -> None:
    by_id = {one.id: one for one in all_of(desk)}
    compared = [one for one in by_id.values() if one.previous]
    assert len(compared) > 100
    for one in compared:
        before = by_id[one.previous]
        assert (one.who, one.kind) == (before.who, before.kind)
        assert before.at <= one.at or before.id in by_id
    one = next(one for one in compared if one.answers.get("algorithm") != one.previous_answers.get("algorithm"))
    found = cards.difference(one, cards.form_of(one, desk.kinds))
    changed = next(each for each in found if each[0] == ("Which algorithm?", "アルゴリズム"))
    assert changed[1] != changed[2]
    assert not any(old == new for _, old, new in found)


def test_figures_count_every_request_once(desk: Desk) -> None:
    found, figures = all_of(desk), Figures()
    for one in found:
        figures.add(one)
    assert figures.total == 200
    assert figures.states == Counter(one.state for one in found)
    assert sum(sum(day.values()) for _, day in figures.every_day()) == 200
    ended = figures.states["done"] + figures.states["failed"]
    assert figures.done_share == figures.states["done"] / ended
    assert sum(figures.times()) == len([one for one in found if seconds(one) is not None])
    assert figures.commonest()[0][1] == max(figures.errors.values())


def test_a_year_is_told_by_months() -> None:
    figures = Figures(days={"2026-01-05": Counter(good=2), "2026-01-09": Counter(bad=1), "2026-11-21": Counter(good=1)})
    assert figures.every_day() == [("2026-01", Counter(good=2, bad=1)), ("2026-11", Counter(good=1))]


def test_a_desk_of_one_day_has_two_weeks_on_its_plot() -> None:
    days = Figures(days={"2026-11-21": Counter(good=2)}).every_day()
    assert (len(days), days[0], days[-1]) == (14, ("2026-11-08", Counter()), ("2026-11-21", Counter(good=2)))


def test_no_request_is_no_figure() -> None:
    figures = Figures()
    assert (figures.done_share, figures.refused_share, figures.typical, figures.every_day()) == (None, None, None, [])


@pytest.mark.parametrize(
    ("took", "english", "japanese"),
    [
        (0.4, "0 s", "0秒"),
        (59.4, "59 s", "59秒"),
        (61, "1 min", "1分"),
        (3599, "1 h 00 min", "1時間00分"),
        (7500, "2 h 05 min", "2時間05分"),
    ],
)
def test_a_length_of_time_is_said_as_people_read_it(took: float, english: str, japanese: str) -> None:
    said = f'<span class="en" lang="en">{english}</span><span class="ja" lang="ja">{japanese}</span>'
    assert page.duration(took) == said
    assert page.duration(None) == "–"


def test_a_day_is_a_whole_day_and_a_moment_has_its_zone() -> None:
    first, last = moment("2026-11-21", "--since"), moment("２０２６-11-21", "--until", end=True)
    assert first
    assert last
    assert (last - first).total_seconds() == 24 * 3600
    assert moment("2026-11-21T09:00+09:00", "--since") == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    assert moment("", "--since") is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "=1"])
def test_what_is_no_day_is_said_in_one_line(text: str) -> None:
    with pytest.raises(DeskError, match=r"--since .*: write a day as 2026-11-21"):
        wanted(since=text)


def test_a_request_is_told_in_the_language_it_was_asked_in(desk: Desk) -> None:
    found = {one.language: one for one in all_of(desk) if one.state == "done" and one.kind == "train_supervised"}
    english, japanese = ("\n".join(told.about(desk, found[language].id)) for language in ("en", "ja"))
    assert "  Which dataset?: " in english
    assert "  How far that is known: " not in english
    assert "(verified by the service)" in english
    assert "  どのデータセットですか: " in japanese
    assert "（「分類」としました）" not in japanese
    assert "空欄 → 分類" in japanese


def test_a_hostile_note_is_one_line_and_a_no_is_told_with_its_sign(desk: Desk) -> None:
    rejected = next(one for one in all_of(desk) if one.state == "rejected" and one.language == "en")
    assert any("✕ No: rejected" in line and "mail:boss@example.com" in line for line in told.about(desk, rejected.id))
    for one in all_of(desk)[:40]:
        assert all("\u2028" not in line and "\n" not in line for line in told.about(desk, one.id))


def test_the_page_ends_no_element_early_and_fetches_nothing(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert text.count("</script>") == text.count("<script")
    assert 'content="default-src &#39;none&#39;; style-src &#39;sha256-' in text
    assert page_file.stat().st_mode & 0o077 == 0
    data = text.partition('id="data">')[2].partition("</script>")[0]
    assert len(json.loads(data)["rows"]) == 200
    assert "<" not in data


def test_nothing_that_came_after_the_verdict_stands_on_the_page(desk: Desk) -> None:
    verdict = replace(verify(desk.folder / LEDGER), entries=500)
    found = page.gather(desk, desk.folder / LEDGER, wanted(), verdict)
    with stored.opened(desk.folder / LEDGER) as db:
        earlier = {one.request for one in stored.between(db, 1, 500) if one.request}
    assert {row[0] for row in found.rows} == earlier
    assert found.figures.total < 200


@dataclass(frozen=True)
class Signed:
    size: int
    root: bytes


@dataclass(frozen=True)
class Fuller:
    """A verdict that says more: what it was compared with, remarks in words, and something that is no text."""

    ok: bool = True
    entries: int = 9
    root: str = "00"
    wrong: str = ""
    unrecorded: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ("a <checkpoint> was missed",)
    compared: tuple[Signed, ...] = (Signed(7, b"\xab"),)
    took: object = 0.5


def test_what_else_a_verdict_says_stands_on_the_page_in_words_alone() -> None:
    said = page.render(page.Gathered(), cast(Verdict, Fuller()), wanted(), "en", {})
    assert "a &lt;checkpoint&gt; was missed" in said
    assert "of 7 entries, root</span>" in said
    assert '<span class="mono">ab</span>' in said
    assert ">took<" not in said


def test_a_ledger_that_is_no_ledger_any_more_still_gives_a_page(own_desk: Desk, tmp_path: Path) -> None:
    database = own_desk.folder / LEDGER / "ledger.sqlite"
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 3])
    verdict = page.write(own_desk, tmp_path / "review.html", wanted(), "ja")
    assert not verdict.ok
    assert "記録が壊れています" in (tmp_path / "review.html").read_text(encoding="utf-8")


def actions_in_the_source() -> set[str]:
    """The second thing that is given to `New`, `append`, `entry` or `keep`, where it is a word, in whatever submit/ writes."""
    found = set[str]()
    for file in Path(page.__file__).parents[1].rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in ("New", "append", "entry", "keep", "_append", "_record") and isinstance(
                    node.args[1].value, str
                ):
                    found.add(node.args[1].value)
    return found


def test_every_action_that_an_entry_can_have_is_said_in_both_languages() -> None:
    found = actions_in_the_source()
    assert {"ordered", "wrong_word", "denied", "published"} <= found
    for language in ("en", "ja"):
        texts = words.table(language)["texts"]
        assert {one for one in found if f"review_action_{one}" not in texts} == set(), language


def test_what_the_policy_denied_has_its_reason_on_the_page_and_in_the_card(desk: Desk) -> None:
    with stored.opened(desk.folder / LEDGER) as db:
        denied = next(one for one in records(db, desk.folder / LEDGER) if one.history[-1].text("action") == "denied")
    told = cards.card(denied, desk.kinds, {})
    assert told["codes"] == [("not_allowed", ("No rule of the policy allows it.", "許可する規則がありません。"))]
    assert errors(denied) == {"not_allowed": ""}


def test_what_is_over_a_limit_is_said_in_words() -> None:
    told = '{"action":"denied","detail":{"over":["over_hours"]}}'
    held = '{"action":"held","detail":{"over":{"hours":11}}}'
    one, two = (Stored(1, "", "r", text, "", json.loads(text), "", None) for text in (told, held))
    assert cards.ruling(one)["over"][0][0] == "It asks for more hours than a job may have."
    assert cards.ruling(two)["over"][0][0] == "11 hours"


def test_of_many_checkpoints_the_newest_is_shown_and_the_others_are_folded() -> None:
    compared = tuple(Checkpoint("o", size, bytes([size]) * 32, "", "k", "here") for size in (3, 9, 5))
    verdict = replace(Verdict(ok=True, entries=9, root="ab", wrong="", unrecorded=()), compared=compared)
    said = page.render(page.Gathered(), verdict, wanted(), "en", {})
    shown, folded = said.split("<summary>", 1)
    assert "of 9 entries, root" in shown
    assert "of 5 entries, root" not in shown
    assert folded.index("and with 2 older ones") < folded.index("of 5 entries") < folded.index("of 3 entries")
