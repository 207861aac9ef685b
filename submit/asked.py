"""Who asked for each request, as the policy knows them, and where they hear of it. It lies beside the tree and can be erased."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from submit.ledger import Ledger, Writing

TABLE = """CREATE TABLE IF NOT EXISTS asked (
    request TEXT PRIMARY KEY NOT NULL, subject TEXT NOT NULL, inbox TEXT NOT NULL, thread TEXT NOT NULL)"""
THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'asked'"
PUT = "INSERT INTO asked (request, subject, inbox, thread) VALUES (?, ?, ?, ?) ON CONFLICT (request) "
REPLACE = f"{PUT} DO UPDATE SET (subject, inbox, thread) = (excluded.subject, excluded.inbox, excluded.thread)"
KEEP = f"{PUT} DO NOTHING"
AMONG = "SELECT request, subject, inbox, thread FROM asked WHERE request IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Asked:
    """``subject`` is for whom the policy was asked (``user:NAME``, ``mail:ADDRESS``, ``github:ID``, ``clearml:ID``, ``unverified``);
    ``inbox`` the name in denpyo.toml of the source it came by, "" for the command line; ``thread`` what that source needs in order to
    answer in the same place again, in words of its own."""

    request: str
    subject: str
    inbox: str = ""
    thread: str = ""


def ensure(ledger: Ledger) -> None:
    ledger.ensure(TABLE)


def keep(tx: Writing, good: Iterable[Asked], refused: Iterable[Asked]) -> None:
    """Whose response was refused under the id of a request does not become its requester."""
    tx.execute_all(REPLACE, [_row(one) for one in good])
    tx.execute_all(KEEP, [_row(one) for one in refused])


def asked(ledger: Ledger, requests: Collection[str]) -> dict[str, Asked]:
    """Those of the requests of which it is known, by id: none of before this was kept, and none that was erased."""
    ensure(ledger)
    return {row[0]: Asked(*row) for row in ledger.query(AMONG, (json.dumps([*requests]),))}


def _row(one: Asked) -> tuple[str, str, str, str]:
    return one.request, one.subject, one.inbox, one.thread
