"""Who asked for a request, and where they hear of it."""

from __future__ import annotations

from pathlib import Path

from submit import journey
from submit.asked import Asked, asked
from submit.response import Source, Wishes
from tests.desks import counting, desk_in


def source(file: Path, **said: str) -> Source:
    return Source(file.name, file.read_bytes(), **said)


def test_the_ledger_knows_for_whom_the_policy_was_asked_and_where_they_hear_of_it(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    brought = source(counting(tmp_path, "one"), subject="github:7", inbox="issues", thread="I_1")
    kept = journey.submit(desk, [brought], Wishes())
    (request,) = [one.id for one in kept.responses]
    with desk.ledger() as ledger:
        assert asked(ledger, [request, "not-there"]) == {request: Asked(request, "github:7", "issues", "I_1")}


def test_who_hands_in_what_is_there_already_does_not_become_its_requester(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    file = counting(tmp_path, "one")
    first = journey.submit(desk, [source(file)], Wishes())
    journey.submit(desk, [source(file, inbox="folder", thread="one.yaml")], Wishes())
    (request,) = [one.id for one in first.requests]
    with desk.ledger() as ledger:
        assert asked(ledger, [request])[request].inbox == ""


def test_a_refusal_has_an_asker_too(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    file = tmp_path / "bad.yaml"
    file.write_text("kind: count_starts\njob:\n  name: one\n", encoding="utf-8")
    kept = journey.submit(desk, [source(file, subject="mail:a@example.com", inbox="box", thread="{}")], Wishes())
    (refused,) = [one.id for one in kept.responses]
    with desk.ledger() as ledger:
        assert asked(ledger, [refused])[refused].subject == "mail:a@example.com"
