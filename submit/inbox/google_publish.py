"""``denpyo forms publish google``: a live form is made, or brought up to what its kind says, with the fewest changes.

The order of things is that in which a crash does no harm. An entry stands before the form is made, and the form has a name that
follows from the desk, so that the next try finds it instead of making another; it takes no responses before all is in place. What it
is about to ask is written down before it asks it. Each update holds only for the form as it was looked at; what came out of it is
looked at again, whatever the answer was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from generators import google_form
from submit import datasets
from submit.desk import LEDGER, Desk, DeskError, machine_user, now
from submit.identity import id_of
from submit.inbox import SourceDownError
from submit.inbox.google import Google, RefusedError
from submit.inbox.google_plan import Json, asked, plan, recognised, told
from submit.inbox.published import Asked, Published, forms_of, keep
from submit.ledger import Ledger
from submit.ledger.files import held

DOOR = "google"
SIGNED_IN = "VERIFIED"
"""The service vouches for the address; with any other setting people write what they like, or nothing."""
SECOND = timedelta(seconds=1)
"""How finely the service tells its clock: what was sent within the second of a finding may have been sent before it."""
MOST_ROUNDS = 6
WAIT_SECONDS = 1.0
GRANTEES: Mapping[str, str] = {"user": "emailAddress", "group": "emailAddress", "domain": "domain"}


@dataclass(frozen=True, slots=True)
class Report:
    """The form, where people answer it, and what was done to it, or with ``dry`` would be."""

    form: str
    url: str
    steps: tuple[str, ...]
    dry: bool = False


def publish(
    desk: Desk, google: Google, kind: str, language: str, responders: Sequence[str], *, dry_run: bool = False
) -> Report:
    """Bring the form of a kind up to date, open it, and share it with ``responders``: ``anyone`` who is signed in,
    ``domain:example.com``, ``group:ADDRESS`` or ``user:ADDRESS``. One publisher of a desk at a time."""
    if kind not in desk.kinds:
        raise DeskError(f"there is no kind {kind}: `denpyo kinds` lists those there are")
    wanted = json.loads(google_form.write(datasets.offering(desk, desk.kinds[kind].form), language))
    grants = [_grant(one) for one in responders]
    with held(desk.folder / LEDGER / "publishing", WAIT_SECONDS), desk.ledger() as ledger:
        publishing = _Publishing(ledger, google, wanted, grants)
        return publishing.foresee() if dry_run else publishing.run()


def _grant(responder: str) -> Json:
    sort, _, name = responder.partition(":")
    if responder == "anyone":
        return {"type": "anyone", "role": "reader", "view": "published"}
    if sort not in GRANTEES or not name:
        raise DeskError(f"responders: write anyone, domain:…, group:… or user:…, not {responder!r}")
    return {"type": sort, GRANTEES[sort]: name, "role": "reader", "view": "published"}


@dataclass
class _Publishing:
    """One form being published. ``steps`` is what was done so far."""

    ledger: Ledger
    google: Google
    wanted: Json
    grants: Sequence[Json]
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kind, self.language = self.wanted["kind"], self.wanted["language"]
        identity = f"{DOOR} {self.kind} {self.language}".encode()
        title = self.wanted["create"]["info"]["documentTitle"]
        self.document_title = f"{title} {id_of(self.ledger.salt, identity)}"
        mine = [one for one in forms_of(self.ledger, DOOR) if (one.kind, one.language) == (self.kind, self.language)]
        self.kept = mine[0] if mine else None

    def foresee(self) -> Report:
        """What ``run`` would do now. Nothing is written anywhere."""
        form = self.kept.form if self.kept else next(iter(self.google.find(self.document_title)), "")
        live = self._live(form) if form else self.wanted["create"]
        known = self.kept.items if self.kept else {}
        steps = [] if form else [f"create the form “{self.wanted['create']['info']['title']}”"]
        steps += told(plan(live, self.wanted, recognised(live, self.wanted, known)))
        steps += [] if _takes_responses(live) else ["open it for responses"]
        there = self.google.permissions(form) if form else []
        steps += [f"share it with {_named(one)}" for one in self.grants if not _granted(one, there)]
        return Report(form, live.get("responderUri", ""), tuple(steps), dry=True)

    def run(self) -> Report:
        row = self.kept or Published(DOOR, self.kind, self.language, self._found_or_made())
        row, live = self._brought_up_to_date(row)
        if not _takes_responses(live):
            self.google.open(row.form)
            self.steps.append("open it for responses")
        there = self.google.permissions(row.form)
        for grant in (one for one in self.grants if not _granted(one, there)):
            self.google.share(row.form, grant)
            self.steps.append(f"share it with {_named(grant)}")
        row = replace(row, url=live.get("responderUri", ""), revision=live["revisionId"])
        self._record(row.done(now().isoformat(timespec="milliseconds")))
        return Report(row.form, row.url, tuple(self.steps))

    def _found_or_made(self) -> str:
        """The form of this desk's name: one that a try before this made and did not live to record, or a new one."""
        key = f"publishing:{DOOR}:{self.kind}:{self.language}"
        with self.ledger.writing() as tx:
            detail = {"door": DOOR, "kind": self.kind, "language": self.language, "name": self.document_title}
            tx.append(key, "publishing", at=_at(), user=machine_user(), detail=detail)
        found = self.google.find(self.document_title)
        if found:
            self.steps.append(f"take up the form {found[0]}, which an earlier try made")
            self._leave(found[1:])
            return found[0]
        info = self.wanted["create"]["info"]
        made = str(self.google.create(info["title"], self.document_title)["formId"])
        self.steps.append(f"create the form “{info['title']}”")
        self._leave([one for one in self.google.find(self.document_title) if one != made])
        return made

    def _leave(self, others: Sequence[str]) -> None:
        """Forms that a try before made, and that Drive's search did not show at once. Nobody can answer them."""
        self.steps += [f"leave the form {one}, an empty one of the same name: delete it in Drive" for one in others]

    def _live(self, form: str) -> Json:
        try:
            return self.google.get(form)
        except RefusedError as error:
            if error.status != 404:
                raise
            raise DeskError(
                f"the form {form} of {self.kind} ({self.language}) is not there: take it out of Drive's bin, or use the "
                "account that made it"
            ) from None

    def _brought_up_to_date(self, row: Published) -> tuple[Published, Json]:
        """Planned anew from what is there until nothing is left to do: the service may have named items itself, a person may have
        edited meanwhile, and an answer may have been lost after its work was done."""
        own_ids, refused = True, ""
        for _ in range(MOST_ROUNDS):
            live = self._live(row.form)
            ids = recognised(live, self.wanted, row.items)
            steps = plan(live, self.wanted, ids, own_ids=own_ids)
            row = self._announced(self._vouched(row, live), asked(live, self.wanted, ids), ids)
            if not steps:
                return row, live
            try:
                self.google.update(row.form, [one.request for one in steps], live["revisionId"])
                self.steps += told(steps)
            except RefusedError as error:
                if error.status != 400:
                    raise
                own_ids, refused = own_ids and not refused, str(error)
        raise SourceDownError(refused or f"the form {row.form} does not become what it should be: {steps[0].says}")

    def _vouched(self, row: Published, live: Json) -> Published:
        """Written down before the setting is put right: whoever typed an address until then is never vouched for, whenever this ends."""
        if collects(live) != SIGNED_IN:
            return replace(row, vouched="")
        since = self.google.at + SECOND if _takes_responses(live) else self.google.at
        return replace(row, vouched=row.vouched or since.isoformat())

    def _announced(self, row: Published, questions: Mapping[str, Asked], ids: Mapping[str, str]) -> Published:
        coming = row.asking(questions, self.wanted["version"], self.wanted["fingerprint"])
        coming = replace(coming, items=dict(ids))
        if coming != self.kept:
            with self.ledger.writing() as tx:
                keep(tx, coming)
            self.kept = coming
        return coming

    def _record(self, row: Published) -> None:
        if not self.steps and row == self.kept:
            return
        detail: dict[str, Any] = {
            "door": DOOR,
            "kind": self.kind,
            "language": self.language,
            "form": row.form,
            "revision": row.revision,
            "version": self.wanted["version"],
            "schema": self.wanted["fingerprint"],
            "steps": len(self.steps),
        }
        with self.ledger.writing() as tx:
            keep(tx, row)
            key = f"published:{DOOR}:{self.kind}:{self.language}:{self.ledger.size()}"
            tx.append(key, "published", at=_at(), user=machine_user(), detail=detail)


def collects(live: Json) -> str:
    """How a live form comes by the addresses of those who answer, in the service's words."""
    return str(live.get("settings", {}).get("emailCollectionType", ""))


def _at() -> str:
    return now().isoformat(timespec="milliseconds")


def _takes_responses(live: Json) -> bool:
    """A form of old has no such settings, and takes responses."""
    if "publishSettings" not in live:
        return "formId" in live
    return bool(live["publishSettings"].get("publishState", {}).get("isAcceptingResponses"))


def _granted(grant: Json, there: Sequence[Json]) -> bool:
    return any(
        all(str(one.get(name, "")).lower() == str(value).lower() for name, value in grant.items()) for one in there
    )


def _named(grant: Json) -> str:
    return next((str(grant[name]) for name in GRANTEES.values() if name in grant), str(grant["type"]))
