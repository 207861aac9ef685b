"""Desks that tell people: requests in them, what becomes of those without a worker, and the people of a policy."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from submit import hand_off, journey, outbox
from submit.desk import CONFIG, POLICY, Desk, machine_user, now, open_desk
from submit.engines import local
from submit.inbox import SourceDownError
from submit.ledger import New
from submit.replies import tell
from submit.response import VERIFIED, Source, Wishes
from tests.desks import counting, desk_in
from tests.submit.inbox.mail_servers import SUBMISSION_PASSWORD, Certified

HANAKO = "hanako@example.jp"
MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
sender = "denpyo@desk.example"
ca = "ca.pem"
[secrets]
mail = "secrets/mail"
slack = "secrets/slack"
teams = "secrets/teams"
"""
RULES = "- who: ['mail:*@example.jp', 'github:583231', unverified]\n  kinds: ['*']\n  queues: ['*']\n"


@dataclass(frozen=True)
class Somebody:
    mail: str
    language: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """Whom a policy knows, as the policy would say it."""

    all: Sequence[Somebody] = ()
    leads: Sequence[Somebody] = ()
    watchers: Sequence[Somebody] = ()

    def reach(self, subject: str) -> Sequence[Somebody]:
        return [one for one in self.all if subject in one.subjects]

    def operators(self) -> Sequence[Somebody]:
        return self.watchers

    def approvers(self, rule: int) -> Sequence[Somebody]:
        return self.leads if rule == 1 else ()


NOBODY = People()


def mailing_desk(folder: Path, port: int, pki: Certified, more: str = "") -> Desk:
    """A desk that answers through the server on this port. ``more`` goes into denpyo.toml before the tables."""
    desk_in(folder)
    (folder / "secrets").mkdir()
    keep_secret(folder, "mail", SUBMISSION_PASSWORD)
    shutil.copy(pki.ca, folder / "ca.pem")
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(MAIL.format(port=port) + more)
    with (folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write(RULES)
    return open_desk(folder)


def keep_secret(desk: Path, name: str, secret: str) -> None:
    with open(desk / "secrets" / name, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"{secret}\n")


@dataclass
class Submitted:
    """What somebody handed in at once, and the ids of it."""

    desk: Desk
    ids: list[str] = field(default_factory=list)

    def became(self, state: str, *ids: str, **result: Any) -> None:
        """What the worker would write down of these, or of all."""
        told = json.dumps({"state": state, "metrics": {}, **result}, ensure_ascii=False)
        ended = told if state in ("done", "failed") else None
        with self.desk.ledger() as ledger:
            ledger.ensure(local.TABLE)
            with ledger.writing() as tx:
                for one in ids or self.ids:
                    values = (state, ended, f"{one}.1")
                    tx.execute("UPDATE local_queue SET state = ?, result = ? WHERE run = ?", values)
        hand_off.follow(self.desk)

    def happened(self, action: str, detail: dict[str, Any], key: str = "", **beside: str) -> None:
        """An entry about the first of these."""
        entry = New(key or f"{action}:{self.ids[0]}", action, self.ids[0], detail, json.dumps(beside) if beside else "")
        at = now().isoformat(timespec="milliseconds")
        with self.desk.ledger() as ledger, ledger.writing() as tx:
            tx.append_all([entry], at=at, user=machine_user())
            tx.move_requests(action, at, self.ids[:1])


def submitted(
    desk: Desk, *names: str, language: str = "en", subject: str = f"mail:{HANAKO}", inbox: str = "", thread: str = ""
) -> Submitted:
    """Requests of one file, one a name."""
    files = [counting(desk.folder.parent, name, more=f"language: {language}\n") for name in names]
    data = "---\n".join(file.read_text(encoding="utf-8") for file in files).encode()
    source = Source("jobs.yaml", data, "", subject.removeprefix("mail:"), VERIFIED, subject, inbox, thread)
    outcome = journey.submit(desk, [source], Wishes())
    assert [problem.message("en") for problem, _ in outcome.problems] == []
    return Submitted(desk, [one.id for one in outcome.requests])


def told(desk: Desk, contacts: People = NOBODY) -> str:
    """One turn; what an operator would hear of it."""
    try:
        tell.take_turn(desk, contacts)
    except SourceDownError as error:
        return str(error)
    return ""


def later(desk: Desk, seconds: int = 0) -> None:
    """As if time had gone by: what waits is due, and what was sent was sent so long ago."""
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE outbox SET next_at = '2026-01-01T00:00:00+00:00' WHERE state = 'waiting'")
        if seconds:
            tx.execute("UPDATE outbox SET next_at = '2026-01-01T00:00:00+00:00' WHERE state = 'sent'")


def states(desk: Desk) -> list[tuple[str, str, str]]:
    """Channel, event and state of every row."""
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        return [
            (one[0], one[1], one[2]) for one in ledger.query("SELECT channel, event, state FROM outbox ORDER BY number")
        ]


def said(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return without_checkpoint(str(body.get_content()).replace("\r\n", "\n"))


def without_checkpoint(text: str) -> str:
    """A message without the checkpoint at its foot, which is another one each time."""
    head, found, _ = text.partition("\n\ndenpyo/")
    return f"{head}\n" if found else text
