"""What a desk remembers of the forms it has published: where each is, what it asked since when, and which question is which there.

One row a door, kind and language in the ledger's file. A question that was removed stays in it, so that responses given before stay
readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from submit.ledger import Ledger, Writing

TABLE = (
    "CREATE TABLE IF NOT EXISTS forms (door TEXT NOT NULL, kind TEXT NOT NULL, language TEXT NOT NULL, form TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY (door, kind, language))"
)
PUT = "INSERT OR REPLACE INTO forms (door, kind, language, form, body) VALUES (?, ?, ?, ?, ?)"
OF_DOOR = "SELECT kind, language, form, body FROM forms WHERE door = ? ORDER BY kind, language"


@dataclass(frozen=True, slots=True)
class Publication:
    """What a form asked from a moment on (RFC 3339); ``at`` is "" while it is being published."""

    version: int
    fingerprint: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the form: its key ("" where it only leads on), the number of the publication that brought it, and of the one that
    removed it. ``options``: which choice each option stands for, those that were worded otherwise once among them."""

    key: str
    since: int
    until: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """A form that is out. ``items``: the service's item id by ours; ``questions`` go by the service's id for them. ``vouched``: since
    when (RFC 3339) the service vouches for the addresses of those who answer, "" while it does not."""

    door: str
    kind: str
    language: str
    form: str
    revision: str = ""
    url: str = ""
    items: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, Asked] = field(default_factory=dict)
    publications: tuple[Publication, ...] = ()
    vouched: str = ""

    def asking(self, questions: Mapping[str, Asked], version: int, fingerprint: str) -> Published:
        """The same form about to ask these questions, by the service's ids. What it asks no longer stays, with its end; what it never
        came to ask goes."""
        now = self._coming(questions, version, fingerprint)
        number = len(now) - 1
        asked: dict[str, Asked] = {}
        for id, one in self.questions.items():
            new = questions.get(id)
            if new and one.key == new.key:
                asked[id] = replace(one, until=None, options={**one.options, **new.options})
            elif not new and (one.until is not None or one.since < number):
                asked[id] = replace(one, until=number if one.until is None else one.until)
        asked |= {id: replace(one, since=number) for id, one in questions.items() if id not in asked}
        return replace(self, questions=asked, publications=now)

    def _coming(self, questions: Mapping[str, Asked], version: int, fingerprint: str) -> tuple[Publication, ...]:
        """The publications, the one under way the last; no new one where nothing is asked that was not before."""
        coming = Publication(version, fingerprint)
        last = self.publications[-1] if self.publications else None
        if last and not last.at:
            return (*self.publications[:-1], coming)
        open_now = {id: one.key for id, one in self.questions.items() if one.until is None}
        if last and open_now == {id: one.key for id, one in questions.items()} and replace(last, at="") == coming:
            return self.publications
        return (*self.publications, coming)

    def done(self, at: str) -> Published:
        return replace(self, publications=tuple(replace(one, at=one.at or at) for one in self.publications))

    def told(self) -> dict[str, Any]:
        """What the reader of a response must know of its form."""
        return {
            "id": self.form,
            "kind": self.kind,
            "language": self.language,
            "published": [
                {"version": one.version, "fingerprint": one.fingerprint, "at": one.at} for one in self.publications
            ],
            "questions": {id: asdict(one) for id, one in self.questions.items()},
        }


def forms_of(ledger: Ledger, door: str) -> list[Published]:
    """All forms that are out at a door, by kind and language."""
    ledger.ensure(TABLE)
    return [_row(door, *row) for row in ledger.query(OF_DOOR, (door,))]


def keep(tx: Writing, row: Published) -> None:
    """Put in the place of what was remembered of this form. ``forms_of`` must have been asked before."""
    own = {"revision": row.revision, "url": row.url, "items": dict(row.items), "vouched": row.vouched}
    body = own | row.told()
    tx.execute(PUT, (row.door, row.kind, row.language, row.form, json.dumps(body, ensure_ascii=False, sort_keys=True)))


def _row(door: str, kind: str, language: str, form: str, body: str) -> Published:
    told = json.loads(body)
    return Published(
        door,
        kind,
        language,
        form,
        told["revision"],
        told["url"],
        told["items"],
        {id: Asked(**one) for id, one in told["questions"].items()},
        tuple(Publication(**one) for one in told["published"]),
        told.get("vouched", ""),
    )
