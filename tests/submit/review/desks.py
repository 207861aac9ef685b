"""Desks with a history: many people, kinds, doors and fates over weeks, entry by entry as the journey writes them, but fast.

What a person writes is hostile now and then; a seed makes the same desk again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schema import slip
from schema.check import Change
from schema.slip import Request, Via
from schema.words import Words
from submit import asked, lineage
from submit.desk import Desk
from submit.ledger import Ledger, RequestRow, RunRow, Writing
from submit.lineage import Link
from submit.new_desk import make_desk

FIRST = datetime(2026, 10, 1, 0, 0, tzinfo=UTC)
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
HOSTILE_NOTE = "</script><script>document.title='owned'</script> =HYPERLINK(\"http://example.com\") \u2028 {{ 7*7 }}"
PEOPLE = (
    "sato@example.com",
    "鈴木 一郎",
    "takahashi@example.com",
    "田中 花子",
    "alice@example.com",
    "bob@example.com",
    "ito@example.co.jp",
    "chen@example.com",
)
DOORS = ("excel", "excel", "excel", "google", "microsoft", "github", "yaml", "clearml")
FATES = {
    "done": 60,
    "failed": 9,
    "refused": 10,
    "held": 2,
    "rejected": 2,
    "expired": 1,
    "queued": 3,
    "running": 2,
    "stopped": 2,
    "superseded": 2,
    "denied": 2,
    "approved": 5,
}
"""What may become of a request, and how often of a hundred."""
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
REASONS = (
    Words("It ran longer than it was allowed to and was ended.", ja="許された時間を過ぎたため終了しました。"),
    Words("The machine had too little memory.", ja="メモリーが足りませんでした。"),
)
FILLED_IN = Change(
    "task_type",
    "",
    "classification",
    Words(
        "it was left empty, and classification is the usual case", ja="空欄だったため、よく使われる「分類」としました"
    ),
)
BROUGHT_UP = Change(
    "algorithm", "rf", "random_forest", Words("renamed in version 2 of the form", ja="様式の第2版で名前が変わりました")
)


@dataclass
class Making:
    """A desk being filled. ``latest`` is the newest request of each person and kind that may get a next version."""

    desk: Desk
    ledger: Ledger
    draw: random.Random
    links: dict[str, Link] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request to be: who asks what, when, by which door, and what becomes of it."""

    number: int
    id: str
    at: datetime
    who: str
    door: str
    kind: str
    fate: str
    language: str
    given: Mapping[str, Any]
    note: str
    follows: str = ""

    def time(self, seconds: float = 0) -> str:
        return (self.at + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def desk_with(folder: Path, count: int, seed: int = 20261121, days: int = 50) -> Desk:
    """A desk with so many requests, about a tenth of them hostile in some word."""
    desk = make_desk(folder)
    with desk.ledger() as ledger:
        asked.ensure(ledger)
        lineage.ensure(ledger)
        making = Making(desk, ledger, random.Random(seed))  # noqa: S311
        for start in range(0, count, 1000):
            with ledger.writing() as tx:
                some = [_asking(making, number, count, days) for number in range(start, min(start + 1000, count))]
                paths = _slips(making, [one for one in some if one.fate != "refused"])
                for one in some:
                    _put(making, tx, one, *paths.get(one.id, ("", b"")))
                lineage.keep(tx, making.links.values())
                making.links.clear()
    return desk


def _asking(making: Making, number: int, count: int, days: int) -> Asking:
    draw = making.draw
    fate = draw.choices([*FATES], [*FATES.values()])[0]
    who = HOSTILE if draw.random() < 0.02 else draw.choice(PEOPLE)
    kind = "inference" if draw.random() < 0.3 else "train_supervised"
    follows = making.latest.pop(who + kind, "") if draw.random() < 0.1 else ""
    return Asking(
        number=number,
        id="-".join("".join(draw.choices(ALPHABET, k=4)) for _ in range(3)),
        at=_working_day(FIRST + timedelta(days=days * number / count + draw.gauss(0, 1)), draw),
        who=who,
        door=draw.choice(DOORS),
        kind=kind,
        fate="done" if number == 0 else fate,
        language=draw.choice(("ja", "ja", "en")),
        given=_inference(draw) if kind == "inference" else _training(draw),
        note=HOSTILE_NOTE if draw.random() < 0.03 else "",
        follows=follows,
    )


def _working_day(at: datetime, draw: random.Random) -> datetime:
    """Few people ask at the weekend, or at night."""
    at = at.replace(hour=draw.randrange(9), minute=draw.randrange(60), second=draw.randrange(60), microsecond=0)
    return at - timedelta(days=2) if at.weekday() > 4 and draw.random() < 0.9 else at


def _inference(draw: random.Random) -> dict[str, Any]:
    return {"model_id": f"m-{draw.choice(('ab12', 'cd34'))}-1", "dataset_id": draw.choice(("wine", "diabetes"))}


def _training(draw: random.Random) -> dict[str, Any]:
    given: dict[str, Any] = {"dataset_id": draw.choice(("wine", "sales", "churn-2026"))}
    given["algorithm"] = draw.choice(("random_forest", "xgboost", "logistic_regression"))
    return {**given, "evaluation_threshold": draw.choice((0.8, 0.85, 0.9)), "seed": draw.randrange(100)}


def _slips(making: Making, some: Sequence[Asking]) -> dict[str, tuple[str, bytes]]:
    """The path and bytes of each slip; those of a month are written in one go."""
    written = {one.id: _slip(making.desk, one) for one in some}
    found: dict[str, tuple[str, bytes]] = {}
    for month in sorted({(one.at.year, one.at.month) for one in some}):
        mine = {one.id: written[one.id] for one in some if (one.at.year, one.at.month) == month}
        found |= {id_: (path, mine[id_]) for id_, path in making.ledger.write_slips(mine, *month).items()}
    return found


def _put(making: Making, tx: Writing, one: Asking, path: str, written: bytes) -> None:
    if one.fate == "refused":
        _refused(tx, one)
    else:
        _accepted(making, tx, one, path, written)
        states = list(_went(tx, one, making.draw))
        _rows(tx, one, states[-1], making)
    asked.keep(tx, [asked.Asked(one.id, _subject(one))], [])


def _subject(one: Asking) -> str:
    return f"mail:{one.who}" if "@" in one.who else f"github:{1000 + len(one.who)}"


def _beside(one: Asking, **more: Any) -> str:
    source = f"依頼 {one.number}.xlsx" if one.door == "excel" else f"{one.door} {one.number}"
    told = {"again": one.note, "requested_by": one.who, "source": source, "where": f"入力!C{one.number % 40 + 3}"}
    return json.dumps({**told, "source_sha256": _sha256(source), **more}, ensure_ascii=False, sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refused(tx: Writing, one: Asking) -> None:
    messages = {
        "out_of_range": "“Passing threshold” must be 0% to 100%, not 120%.",
        "unknown_dataset": f"There is no dataset “{one.note[:20] or 'iris'}”.",
        "missing": "“Which dataset?” has no answer.",
    }
    codes = sorted(random.Random(one.number).sample(sorted(messages), 1 + one.number % 2))  # noqa: S311
    problems = [
        {"spot": f"入力!C{8 + at}", "question": "dataset_id", "code": code, "message": messages[code]}
        for at, code in enumerate(codes)
    ]
    detail = {"door": one.door, "kind": one.kind, "codes": codes}
    beside = _beside(one, problems=problems)
    tx.append(
        f"refused:{one.id}:1", "refused", at=one.time(), user="desk", request=one.id, detail=detail, beside=beside
    )
    tx.put_request(RequestRow(one.id, one.kind, "refused", one.language, one.time()))


def _accepted(making: Making, tx: Writing, one: Asking, path: str, written: bytes) -> None:
    form = making.desk.kinds[one.kind].form
    detail = {"kind": one.kind, "version": 1, "schema": form.fingerprint, "door": one.door, "trust": "verified"}
    if one.follows:
        detail["follows"] = one.follows
        making.links[one.follows] = Link(one.follows, next=one.id)
    making.links[one.id] = Link(one.id, follows=one.follows)
    making.latest[one.who + one.kind] = one.id
    tx.append(
        f"accepted:{one.id}",
        "accepted",
        at=one.time(),
        user="desk",
        request=one.id,
        detail=detail,
        beside=_beside(one),
        slip=written,
    )
    tx.put_request(RequestRow(one.id, one.kind, "accepted", one.language, one.time(), path))


def _slip(desk: Desk, one: Asking) -> bytes:
    kind = desk.kinds[one.kind]
    note = one.note or ("再学習" if one.number % 7 == 0 else None)
    changes = (FILLED_IN, BROUGHT_UP) if one.number % 11 == 0 else (FILLED_IN,)
    job = kind.job.model_validate({**one.given, "note": note})
    told = json.loads(_beside(one))
    via = Via(one.door, told["source"], told["source_sha256"], told["where"])
    resources = kind.job.resources.model_copy(update={"gpus": one.number % 3, "max_hours": 2.0 + one.number % 5})
    made = Request(
        one.id,
        one.kind,
        1,
        kind.form.fingerprint,
        "0.1.0",
        one.who,
        "verified",
        one.at,
        via,
        one.language,
        job,
        resources,
    )
    return slip.write(
        Request(**{**{name: getattr(made, name) for name in Request.__slots__}, "changes": changes})
        if one.kind == "train_supervised"
        else made
    )


POLICY = _sha256("policy")
HELD = {"rule": 2, "policy": POLICY, "by": 2, "expires": "2026-11-28T00:00:00+00:00", "over": {"gpu_hours": 18}}
RULED = ("held", "rejected", "expired", "approved")
RAN = ("done", "failed", "stopped", "approved")


@dataclass(frozen=True, slots=True)
class Step:
    """One entry after the first: what happened, how many seconds after that, and the state it leads to."""

    action: str
    after: float
    state: str
    of_run: bool = False
    beside: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def _went(tx: Writing, one: Asking, draw: random.Random) -> Iterator[str]:
    """The entries after the first, as the journey writes them; the state after each."""
    yield "accepted"
    for step in (*_judged(one), *_ran(one, draw)):
        key, more = (f"{one.id}.1", {"run": f"{one.id}.1"}) if step.of_run else (one.id, {})
        tx.append(
            f"{step.action}:{key}",
            step.action,
            at=one.time(step.after),
            user="desk",
            request=one.id,
            detail={**step.detail, **more},
            beside=step.beside,
        )
        yield step.state


def _judged(one: Asking) -> Iterator[Step]:
    """What the policy says, and who is asked to approve."""
    if one.fate == "denied":
        yield Step("denied", 1, "refused", detail={"rule": None, "policy": POLICY, "queue": "gpu", "reason": ""})
    if one.fate in RULED:
        yield Step("held", 1, "held", detail=HELD)
    if one.fate in ("rejected", "approved"):
        ruled = json.dumps({"by": "mail:boss@example.com", "why": one.note or "予算の範囲内です"}, ensure_ascii=False)
        yield Step(one.fate, 600, one.fate, beside=ruled, detail={"rule": 2, "policy": POLICY})
    if one.fate == "expired":
        yield Step("expired", 600, "expired", detail={"rule": 2, "policy": POLICY})


def _ran(one: Asking, draw: random.Random) -> Iterator[Step]:
    """From the policy's yes to the end of the run."""
    if one.fate in ("denied", "held", "rejected", "expired"):
        return
    began = 602 if one.fate == "approved" else 2
    allowed = {"rule": 1, "policy": POLICY, "queue": "gpu", "reason": ""}
    yield Step("allowed", began, "accepted", True, detail=allowed)
    if one.fate == "superseded":
        yield Step("superseded", 3, "superseded", detail={"by": "next-next-next"})
        return
    yield Step("enqueuing", began + 2, "accepted", True, detail={"engine": "clearml", "queue": "gpu"})
    yield Step("queued", began + 3, "queued", True, detail={"engine": "clearml", "engine_id": _sha256(one.id)[:32]})
    if one.fate != "queued":
        yield Step("running", began + 18, "running", True)
    if one.fate in RAN:
        yield _end(one, draw, began + 18)


def _end(one: Asking, draw: random.Random, began: float) -> Step:
    end = "done" if one.fate == "approved" else one.fate
    metrics = {"accuracy": round(draw.uniform(0.7, 0.99), 4), "log_loss": draw.random()} if end == "done" else {}
    told = json.dumps({"reason": REASONS[one.number % 2].say(one.language)}, ensure_ascii=False)
    detail = {"metrics": metrics, "passed": end == "done"}
    return Step(end, began + draw.expovariate(1 / 900), end, True, told if end == "failed" else "", detail)


def _rows(tx: Writing, one: Asking, state: str, making: Making) -> None:
    row = making.ledger.request(one.id)
    assert row is not None
    tx.put_request(RequestRow(one.id, one.kind, state, one.language, one.time(60), row.slip, row.slip_sha256))
    if state in ("queued", "running", "done", "failed", "stopped"):
        run = f"{one.id}.1"
        url = f"https://clearml.example.com/projects/1/experiments/{_sha256(run)[:32]}/output/log"
        tx.put_run(
            RunRow(
                run, one.id, 1, "clearml", "gpu", 2.0, state, one.time(60), _sha256(run)[:32], url, _result(one, state)
            )
        )


def _result(one: Asking, state: str) -> str | None:
    if state not in ("done", "failed"):
        return None
    reason = REASONS[one.number % 2]
    failed: dict[str, Any] = {"reason": reason.say(one.language), "reasons": {"en": reason.en, "ja": reason.ja}}
    return json.dumps({"state": state, "metrics": {}, **(failed if state == "failed" else {})}, ensure_ascii=False)


def ids(desk: Desk) -> Sequence[str]:
    with desk.ledger() as ledger:
        return [one.id for one in ledger.requests()]
