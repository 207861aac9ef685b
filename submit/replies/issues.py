"""What became of a request, in the one comment of the issue that it came by (``replies.github``)."""

from __future__ import annotations

import json
from functools import partial

from submit.desk import Desk, secret
from submit.inbox import extra
from submit.replies import foot, github
from submit.replies.channel import Lot, RefusedError
from submit.replies.texts import laid_out

REPEATS = True
EVERY = 0.0
MOST = 50


def send(desk: Desk, lot: Lot) -> None:
    """Keep the comment up to date; written twice, it says the same. GitHub tells nobody of a comment that is edited."""
    name, issue = json.loads(lot.first.receiver)
    settings = desk.config.sources.get(name)
    if settings is None or settings.kind != "github":
        raise RefusedError(f"{name} is no source of issues any more")
    with extra(name, settings.kind):
        from submit.inbox.github import GoneError, Service
    service = Service(settings.url, secret(desk, settings.token))
    try:
        for one in lot.news:
            details = foot.details(one.language, "\n".join(lot.foot[3:]))
            state = laid_out("state.md", one.language, one=one, details=details)
            service.answer(issue, partial(_written, one.id, state))
    except GoneError as error:
        raise RefusedError(str(error)) from error


def _written(request: str, state: str, before: str) -> str:
    return github.with_state(before, request, state)
