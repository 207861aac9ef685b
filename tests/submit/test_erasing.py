from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from submit import asked, erasing, journey, orders, outbox
from submit.desk import LEDGER, Desk, DeskError, now, open_desk
from submit.ledger import open_ledger, verify
from submit.ledger.erase import OF_FILE, OF_HASH, OF_PERSON, OF_REQUEST, RESULTS
from submit.outbox import Told
from submit.response import Source, Wishes
from tests.desks import counting, denpyo, desk_in, starts

ROOT = Path(__file__).parents[2]
HANAKO, TARO, BOSS = "hanako-canary@example.com", "taro-canary@example.com", "boss-canary@example.com"


@pytest.fixture
def desk(tmp_path: Path, made: Path) -> Desk:
    """Two requests of Hanako, one of Taro, all done; one refusal of Hanako's."""
    shutil.copytree(made / "desk", tmp_path / "desk", symlinks=True)
    return open_desk(tmp_path / "desk")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    found = desk_in(folder / "desk")
    submit(found, folder, HANAKO, "hanakos-first", "hanakos-second")
    submit(found, folder, TARO, "taros-first")
    bad = folder / "bad.yaml"
    bad.write_text("kind: count_starts\njob: {name: hanakos wish, file: hanakos file}\n", encoding="utf-8")
    journey.submit(found, [Source(bad.name, bad.read_bytes(), sender=HANAKO)], Wishes())
    denpyo("work", "--drain", desk=found.folder)
    denpyo("status", desk=found.folder)
    return folder


def submit(desk: Desk, folder: Path, sender: str, *names: str) -> None:
    files = [counting(folder, name) for name in names]
    journey.submit(desk, [Source(one.name, one.read_bytes(), sender=sender) for one in files], Wishes())


def everything(desk: Desk) -> bytes:
    """All bytes of all files of a desk, and their names."""
    files = [one for one in sorted(desk.folder.rglob("*")) if one.is_file() and not one.is_symlink()]
    return b"".join(str(one).encode() + one.read_bytes() for one in files)


def test_what_a_person_wrote_and_who_they_are_is_gone_from_every_file_and_the_tree_is_as_it_was(desk: Desk) -> None:
    before = verify(desk.folder / LEDGER)
    assert (HANAKO.encode() in everything(desk), b"hanakos-first" in everything(desk)) == (True, True)
    told = denpyo("audit", "erase", HANAKO.upper(), "--yes", "--json", desk=desk.folder)
    assert len(json.loads(told.stdout)["requests"]) == 3
    left = everything(desk)
    for canary in (HANAKO, "hanakos-first", "hanakos-second", "hanakos wish", "hanakos file"):
        assert canary.encode() not in left, canary
    assert TARO.encode() in left
    assert b"taros-first" in left
    after = verify(desk.folder / LEDGER)
    assert (after.ok, after.entries, after.unrecorded) == (True, before.entries + 1, ())
    with open_ledger(desk.folder / LEDGER) as ledger:
        *others, last = ledger.entries()
        assert (last.action, last.request, last.user) == ("erased", None, others[0].user)
        assert last.detail.keys() == {"requests", "texts", "rows", "files"}
        assert (last.detail["requests"], last.detail["rows"]) == (3, 3)
        assert {one.detail["metrics"] is not None for one in others if one.action == "done"} == {True}


def test_a_request_is_erased_by_its_id_and_still_known_to_have_run(desk: Desk, made: Path) -> None:
    with open_ledger(desk.folder / LEDGER) as ledger:
        first = ledger.requests()[0].id
    told = denpyo("audit", "erase", first.upper(), "--yes", desk=desk.folder)
    assert told.stdout.splitlines()[-1].startswith("erased 1 requests, ")
    assert b"hanakos-first" not in everything(desk)
    assert b"hanakos-second" in everything(desk)
    assert json.loads(denpyo("status", first, "--json", desk=desk.folder).stdout)["state"] == "done"
    denpyo("show", first, desk=desk.folder, code=None)
    submit(desk, made, HANAKO, "hanakos-first")
    denpyo("work", "--drain", desk=desk.folder)
    assert starts(made)["hanakos-first"] == 1


def test_a_dry_run_tells_what_would_go_and_touches_nothing(desk: Desk) -> None:
    before = everything(desk)
    told = denpyo("audit", "erase", TARO, "--dry-run", desk=desk.folder)
    assert everything(desk) == before
    assert [line.split()[0:2] for line in told.stdout.splitlines()] == [["would", "erase"]] * len(
        told.stdout.splitlines()
    )
    assert re.search(r"^would erase 1 requests, \d texts, \d files$", told.stdout, re.MULTILINE)


def test_nothing_goes_before_it_was_confirmed(desk: Desk) -> None:
    before = everything(desk)
    told = denpyo("audit", "erase", TARO, desk=desk.folder, code=1)
    assert told.stderr.startswith("Erase this for good? [y/N]:")
    assert everything(desk) == before


def test_a_name_that_nobody_has_is_said(desk: Desk) -> None:
    told = denpyo("audit", "erase", "nobody@example.com", "--yes", desk=desk.folder, code=1)
    assert told.stdout == "erased 0 requests, 0 texts, 0 files\n"
    assert verify(desk.folder / LEDGER).ok


def test_what_may_still_run_is_not_erased(desk: Desk, tmp_path: Path) -> None:
    submit(desk, tmp_path, TARO, "taros-second")
    before = everything(desk)
    with pytest.raises(DeskError, match=r"^may still run: \S+; `denpyo cancel` first$"):
        erasing.erase_all(desk, [TARO])
    assert everything(desk) == before


def test_who_ruled_on_a_request_of_somebody_else_is_erased_there_alone(desk: Desk) -> None:
    with open_ledger(desk.folder / LEDGER) as ledger:
        first = ledger.requests()[0].id
        with ledger.writing() as tx:
            beside = json.dumps({"by": "mail:lead-canary@example.com", "why": "too dear, says lead-canary"})
            tx.append("rejected:x", "rejected", at="2026-11-21T07:00:00Z", user="dk", request=first, beside=beside)
    done = erasing.erase_all(desk, ["lead-canary@example.com"])
    assert (done.found.requests, len(done.found.texts)) == ((), 1)
    assert b"lead-canary" not in everything(desk)
    assert b"hanakos-first" in everything(desk)
    assert verify(desk.folder / LEDGER).ok


def test_who_approved_stays_when_who_asked_is_erased_and_a_reason_goes(desk: Desk) -> None:
    ruled = {
        "approved": {"by": "mail:lead-canary@example.com", "why": ""},
        "rejected": {"by": "mail:boss-canary@example.com", "why": "Hanako has too many"},
    }
    with open_ledger(desk.folder / LEDGER) as ledger:
        first = erasing.planned(desk, [HANAKO]).found.requests[0]
        with ledger.writing() as tx:
            for action, told in ruled.items():
                beside = json.dumps(told)
                at = "2026-11-21T07:00:00Z"
                tx.append(f"{action}:x", action, at=at, user="dk", request=first, beside=beside)
    erasing.erase_all(desk, [HANAKO])
    with open_ledger(desk.folder / LEDGER) as ledger:
        left = {one.action: one.beside_text for one in ledger.entries() if one.request == first and one.beside_text}
    assert left == {"approved": '{"by": "mail:lead-canary@example.com", "why": ""}'}
    assert b"boss-canary" not in everything(desk)
    assert verify(desk.folder / LEDGER).ok
    erasing.erase_all(desk, ["lead-canary@example.com"])
    assert b"lead-canary" not in everything(desk)


def test_models_stay_and_are_named(desk: Desk) -> None:
    run = next(one for one in (desk.folder / LEDGER / "runs").iterdir() if one.is_dir())
    (run / "model").mkdir()
    (run / "model" / "weights").write_bytes(b"w")
    told = denpyo("audit", "erase", run.name.partition(".")[0], "--yes", desk=desk.folder)
    assert told.stderr == (
        f"ledger/runs/{run.name}/model: is a trained model, and stays; delete it yourself if it may speak of somebody\n"
    )
    assert (run / "model" / "weights").is_file()


def test_who_is_only_known_as_the_one_who_asked_is_found_by_that(desk: Desk) -> None:
    with open_ledger(desk.folder / LEDGER) as ledger:
        first = ledger.requests()[0].id
        with ledger.writing() as tx:
            asked.keep(tx, [asked.Asked(first, "github:583231", "issues", "#12")], [])
    done = erasing.erase_all(desk, ["github:583231"])
    assert done.found.requests == (first,)
    assert (b"github:583231" in everything(desk), b"hanakos-first" in everything(desk)) == (False, False)


def test_a_dropped_file_goes_with_its_requests_and_one_with_answers_of_others_stays(tmp_path: Path) -> None:
    made = desk_in(tmp_path / "desk")
    config = made.folder / "denpyo.toml"
    config.write_text(
        f'{config.read_text(encoding="utf-8")}\n[sources.in]\nkind = "folder"\npath = "in"\n', encoding="utf-8"
    )
    desk = open_desk(made.folder)
    alone, both = counting(tmp_path, "alone-canary"), counting(tmp_path, "both-canary")
    one, two = counting(tmp_path, "one").read_bytes(), counting(tmp_path, "two").read_bytes()
    both.write_bytes(one + b"requested_by: x-canary@example.com\n---\n" + two)
    (desk.folder / "in").mkdir()
    for file in (alone, both):
        shutil.move(file, desk.folder / "in" / file.name)
    denpyo("watch", "--once", desk=desk.folder)
    denpyo("work", "--drain", desk=desk.folder)
    denpyo("status", desk=desk.folder)
    with open_ledger(desk.folder / LEDGER) as ledger:
        ids = [row.id for row in ledger.requests()]
    by_name = {
        name: id
        for id in ids
        for name in ("alone-canary", "one", "two")
        if f"name: {name}\n".encode() in slip(desk, id)
    }
    done = erasing.erase_all(desk, [by_name["alone-canary"], by_name["one"]])
    there = sorted(one.name for one in (desk.folder / "in" / "done").iterdir())
    assert [one for one in there if not one.endswith(".html")] == ["both-canary.marked.xlsx", "both-canary.yaml"]
    assert sorted(Path(one).name for one in done.shared) == there
    assert b"alone-canary" not in everything(desk)


WATCHED = """\
import os, sys
from pathlib import Path
from submit import erasing
from submit.desk import open_desk
opened = []
sys.addaudithook(lambda event, words: opened.append(str(words[0])) if event == "open" else None)
done = erasing.erase_all(open_desk(Path(sys.argv[1])), sys.argv[2:])
names = [Path(one).name for one in opened]
print(len(done.files), [one for one in names if one in ("lock", "x.yaml")])
"""
"""Erases, and tells in which order the ledger's lock and a file that was put away are opened."""


def test_what_was_put_away_is_read_before_others_have_to_wait(desk: Desk, tmp_path: Path) -> None:
    with (desk.folder / "denpyo.toml").open("a", encoding="utf-8") as config:
        config.write('\n[sources.in]\nkind = "folder"\npath = "in"\n')
    (desk.folder / "in" / "done").mkdir(parents=True)
    (desk.folder / "in" / "done" / "x.yaml").write_bytes(b"of nobody")
    words = [sys.executable, "-c", WATCHED, str(desk.folder), TARO]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    count, _, order = told.stdout.partition(" ")
    assert int(count) > 0
    assert order.startswith("['x.yaml', 'lock'")
    assert order.count("x.yaml") == 1


def test_a_person_is_erased_under_all_names_that_the_policy_knows(desk: Desk) -> None:
    with (desk.folder / "policy.yaml").open("a", encoding="utf-8") as policy:
        policy.write(f"people:\n  hanako: {{is: ['mail:{HANAKO}', 'github:583231']}}\n")
    assert len(erasing.planned(desk, ["hanako"]).found.requests) == 3
    assert len(erasing.planned(desk, ["github:583231"]).found.requests) == 3
    assert erasing.planned(desk, ["group:hanako"]).found.requests == ()


def test_what_a_desk_keeps_of_an_approver_under_a_hash_goes_so_that_no_guess_can_be_tested(desk: Desk) -> None:
    until = (now() + timedelta(days=1)).isoformat()
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        ids = [row.id for row in ledger.requests()]
        with ledger.writing() as tx:
            for address in (BOSS, TARO):
                orders.word_for(tx, ids[0], address, until)
                who = outbox.keyed(ledger, "mail", address)
                outbox.put(tx, [Told(1, "held", ids[0], "mail", "approver", who, "", "en", ids[0], until, until)])
        hashes = [orders.hashed(ledger, BOSS), outbox.keyed(ledger, "mail", BOSS)]
    assert orders.spend(desk, "0000-0000-0000-0000", BOSS) is None
    assert orders.spend(desk, "0000-0000-0000-0000", TARO) is None
    assert [hash[:16].encode() in everything(desk) for hash in hashes] == [True, True]
    done = erasing.erase_all(desk, [BOSS.upper()])
    assert (done.nothing, done.found.requests, len(done.found.texts), done.found.rows) == (False, (), 1, 2)
    assert [hash[:16].encode() in everything(desk) for hash in hashes] == [False, False]
    with desk.ledger() as ledger:
        assert [who for (who,) in ledger.query("SELECT who FROM words")] == [orders.hashed(ledger, TARO)]
        assert [who for (who,) in ledger.query("SELECT who FROM outbox")] == [outbox.keyed(ledger, "mail", TARO)]
        (erased, kept) = [one for one in ledger.entries() if one.action == "wrong_word"]
        assert (erased.detail["tries"], erased.beside_text) == (1, None)
        assert json.loads(kept.beside_text or "") == {"of": orders.hashed(ledger, TARO)}
    assert verify(desk.folder / LEDGER).ok
    assert orders.spend(desk, "0000-0000-0000-0000", TARO) is None
    assert erasing.erase_all(desk, [BOSS]).nothing


def slip(desk: Desk, id: str) -> bytes:
    return next((desk.folder / LEDGER).glob(f"slips/*/*/{id}.yaml")).read_bytes()


def test_files_that_a_crash_left_are_deleted_by_the_next_erasure(desk: Desk) -> None:
    plan = erasing.planned(desk, [HANAKO])
    (desk.folder / plan.files[0]).chmod(0o600)
    kept = (desk.folder / plan.files[0]).read_bytes()
    erasing.erase_all(desk, [HANAKO])
    (desk.folder / plan.files[0]).write_bytes(kept)
    with open_ledger(desk.folder / LEDGER) as ledger, ledger.writing() as tx:
        tx.execute("INSERT INTO erasing (path) VALUES (?)", (plan.files[0],))
    verdict = verify(desk.folder / LEDGER)
    assert (verdict.ok, [f"{LEDGER}/{one}" for one in verdict.unrecorded]) == (True, [plan.files[0]])
    erasing.erase_all(desk, ["nobody@example.com"])
    assert verify(desk.folder / LEDGER).unrecorded == ()


WITHOUT_PERSONS = {
    *("meta", "entries", "frontier", "requests", "known", "versions", "templates", "forms", "places", "erasing"),
    *("checkpoints", "witness", "budget", "holding", "outbox_cursor", "outbox_begun"),
}
"""Tables with ids, codes, figures, times, keyed hashes and our own forms."""


def test_every_table_of_the_ledger_is_erased_from_or_is_known_to_hold_nothing_of_persons() -> None:
    made = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
    found = {
        name for file in (ROOT / "submit").rglob("*.py") for name in made.findall(file.read_text(encoding="utf-8"))
    }
    erased = {table for table, _ in (*OF_REQUEST, *OF_PERSON, *OF_HASH, *OF_FILE, *RESULTS)} | {"beside"}
    assert found - erased - WITHOUT_PERSONS == set(), "name it in submit/ledger/erase.py, or here"
