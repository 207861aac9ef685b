"""A channel of Teams, by the workflow "Post to a channel when a webhook request is received" (support.microsoft.com, "Create incoming
webhooks with Workflows for Microsoft Teams"); connectors of Office 365 are retired.

The workflow posts the Adaptive Card it is sent. People's text stands in runs of text, of which cards make no Markdown and no dates
(adaptivecards.io, ``TextRun``); nothing in it mentions anybody, since a card names whom it mentions apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schema.words import text
from submit.desk import Desk
from submit.replies import webhook
from submit.replies.channel import Lot, lines
from submit.replies.news import News

REPEATS = False
EVERY = 600.0
MOST = 15
LONGEST = 1_000
"""Characters of a line; Teams takes messages of 28 KB."""
MOST_LINKS = 6


def send(desk: Desk, lot: Lot) -> None:
    chat = desk.config.replies.teams
    if chat:
        webhook.post("teams", webhook.address(desk, "teams", chat), payload(lot))


def payload(lot: Lot) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_text(lot.head, size="medium", weight="bolder"), *_said(lot), *_foot(lot)],
        "actions": [*_links(lot)],
        "msteams": {"width": "Full"},
    }
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}


def _said(lot: Lot) -> Iterator[dict[str, Any]]:
    for one in lot.news:
        said = lines(one) if lot.total == 1 else [one.line, *([one.reason] if one.reason else [])]
        for number, line in enumerate(said):
            yield _text(line, spacing="none" if number else "default")


def _foot(lot: Lot) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lot.foot):
        yield _text(line or " ", spacing="none" if number else "medium", size="small", isSubtle=True)


def _links(lot: Lot) -> Iterator[dict[str, Any]]:
    found: list[News] = [one for one in lot.news if one.url]
    for one in found[:MOST_LINKS]:
        yield {"type": "Action.OpenUrl", "title": f"{text('news_link', one.language)} {one.id}", "url": one.url}


def _text(line: str, *, spacing: str = "default", **style: Any) -> dict[str, Any]:
    run = {"type": "TextRun", "text": line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…", **style}
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [run]}
