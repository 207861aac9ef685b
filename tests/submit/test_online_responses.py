"""What online forms say of a response: its name there, who sent it, and what was edited in it since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from schema.answers import Located, Where
from schema.check import judge
from submit import doors, journey, judging, standing
from submit.desk import LEDGER, POLICY, Desk
from submit.ledger import verify
from submit.response import Kept, Response, Source, Wishes
from tests.desks import counting, desk_in

HANAKO = "hanako@example.jp"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = desk_in(tmp_path / "desk")
    rules = "- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n"
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write(rules)
    return desk


def read(desk: Desk, sources: Sequence[Source], names: Sequence[str]) -> Iterator[Response]:
    for number, (source, name) in enumerate(zip(sources, names, strict=True)):
        (one,) = doors.read(source.data, "response.yaml", desk.kinds)[1]
        answers = replace(one.answers, named=name, language="en", where=Where(source.name))
        judged = judge(answers, desk.kinds)
        yield Response(number, "google", answers, judged.checked, judged.problems, "en")


def pulled(desk: Desk, *responses: tuple[str, str], sender: str = HANAKO, trust: str = "verified") -> list[Kept]:
    """Responses as (name, what is asked for) that came together."""
    files = [counting(desk.folder.parent, asked) for _, asked in responses]
    sources = [
        Source(name, file.read_bytes(), "google", sender, trust)
        for (name, _), file in zip(responses, files, strict=True)
    ]
    found = read(desk, sources, [name for name, _ in responses])
    return journey.hand_over(desk, journey.keep_judged(desk, sources, found, Wishes(), queue=True)).responses


def states(desk: Desk) -> dict[str, str]:
    assert verify(desk.folder / LEDGER).ok
    return {one.request.id: one.request.state for one in standing.all_standing(desk)}


def test_two_responses_that_say_the_same_are_two_requests_and_one_that_comes_twice_is_one(desk: Desk) -> None:
    first, second = pulled(desk, ("google:f:1", "a"), ("google:f:2", "a"))
    assert first.id != second.id
    (again,) = pulled(desk, ("google:f:1", "a"))
    assert (again.id, again.known) == (first.id, True)
    assert states(desk) == {first.id: "queued", second.id: "queued"}


def test_an_edited_response_is_the_next_version_of_its_request(desk: Desk) -> None:
    (first,) = pulled(desk, ("google:f:1", "a"))
    (edited,) = pulled(desk, ("google:f:1", "b"))
    assert edited.follows == first.id
    assert states(desk) == {first.id: "superseded", edited.id: "queued"}


def test_an_answer_that_was_changed_and_changed_back_is_what_holds(desk: Desk) -> None:
    ids = [pulled(desk, ("google:f:1", asked))[0].id for asked in ("a", "b", "a")]
    assert len(set(ids)) == 3
    assert [*states(desk).values()] == ["superseded", "superseded", "queued"]


def test_a_refused_response_keeps_its_id_when_it_is_mended(desk: Desk) -> None:
    bad = counting(desk.folder.parent, "a").read_text(encoding="utf-8").replace("code: 0", "code: ten")
    source = Source("response 1", bad.encode(), "google", HANAKO, "verified")
    outcome = journey.keep_judged(desk, [source], read(desk, [source], ["google:f:1"]), Wishes(), queue=True)
    (mended,) = pulled(desk, ("google:f:1", "a"))
    assert mended.id == outcome.responses[0].id
    assert states(desk) == {mended.id: "queued"}


def test_a_name_that_comes_twice_at_once_is_a_problem(desk: Desk) -> None:
    source = Source("export", b"", "google", HANAKO, "verified")
    files = [counting(desk.folder.parent, name).read_bytes() for name in ("a", "b")]
    sources = [replace(source, data=data) for data in files]
    found = read(desk, sources, ["google:f:1", "google:f:1"])
    outcome = journey.keep_judged(desk, sources, found, Wishes(), queue=True)
    assert [problem.code for problem, _ in outcome.problems] == ["duplicate_response"]


def test_a_file_that_anybody_may_have_edited_replaces_nothing_that_a_service_vouched_for(desk: Desk) -> None:
    (first,) = pulled(desk, ("microsoft:w:1", "a"))
    (same,) = pulled(desk, ("microsoft:w:1", "a"), trust="claimed")
    (forged,) = pulled(desk, ("microsoft:w:1", "b"), trust="claimed")
    assert (same.id, same.known, same.problems) == (first.id, True, ())
    assert [one.code for one in forged.problems] == ["less_known"]
    assert states(desk)[first.id] == "queued"
    assert [*states(desk).values()].count("queued") == 1


def test_the_policy_is_asked_for_whom_the_service_vouches_for(desk: Desk) -> None:
    (allowed,) = pulled(desk, ("google:f:1", "a"), sender="Hanako@EXAMPLE.jp")
    (stranger,) = pulled(desk, ("google:f:2", "b"), sender="hanako@example.jp.evil.example")
    (forged,) = pulled(desk, ("google:f:3", "c"), sender="evil@evil.example @example.jp")
    assert (allowed.good, allowed.problems) == (True, ())
    assert [one.code for one in (*stranger.problems, *forged.problems)] == ["not_allowed", "not_allowed"]
    slip = (desk.folder / LEDGER).glob(f"slips/**/{allowed.id}.yaml")
    assert 'name: "Hanako@EXAMPLE.jp"\n  trust: verified\n' in next(slip).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "source", [Source("r.yaml", b"", trust="claimed"), Source("r.yaml", b"", subject="unverified")]
)
def test_what_came_from_elsewhere_must_say_who_asks(desk: Desk, source: Source) -> None:
    data = counting(desk.folder.parent, "a").read_bytes()
    outcome = judging.check(desk, [replace(source, data=data)], Wishes())
    assert [problem.code for problem, _ in outcome.problems] == ["no_sender"]
    named = replace(source, data=data, sender="taro")
    assert judging.check(desk, [named], Wishes()).problems == []


def test_who_is_vouched_for_wins_over_who_is_written(desk: Desk) -> None:
    data = counting(desk.folder.parent, "a").read_bytes()
    source = Source("r.yaml", data, sender=HANAKO, trust="verified")
    (one,) = doors.read(data, "r.yaml", desk.kinds)[1]
    answers = replace(one.answers, sender=Located("somebody else", Where("r.yaml")))
    response = Response(0, "yaml", answers, judge(answers, desk.kinds).checked, (), "en")
    (kept,) = journey.keep_judged(desk, [source], [response], Wishes(), queue=True).responses
    (slip,) = (desk.folder / LEDGER).glob(f"slips/**/{kept.id}.yaml")
    assert f'name: "{HANAKO}"\n  trust: verified\n' in slip.read_text(encoding="utf-8")
