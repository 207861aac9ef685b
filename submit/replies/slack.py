"""A channel of Slack, by an incoming webhook (docs.slack.dev, "Sending messages using incoming webhooks").

People's text stands in ``plain_text`` alone, in which Slack makes nothing of marks, names and addresses, its three special characters
escaped as Slack asks ("Escaping text"); nothing is unfurled.
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
LONGEST = 2_900
"""Characters of one text; Slack takes 3,000."""
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
IN_LINK = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"})


def send(desk: Desk, lot: Lot) -> None:
    chat = desk.config.replies.slack
    if chat:
        webhook.post("slack", webhook.address(desk, "slack", chat), payload(lot))


def payload(lot: Lot) -> dict[str, Any]:
    """The message: its first line for notifications, and the blocks that are shown."""
    blocks = [
        {"type": "header", "text": _plain(lot.head, 150)},
        *(each for one in lot.news for each in _blocks(one, lot)),
    ]
    foot = {"type": "context", "elements": [_plain("\n".join(lot.foot))]}
    return {"text": escaped(lot.head), "blocks": [*blocks, foot], "unfurl_links": False, "unfurl_media": False}


def _blocks(one: News, lot: Lot) -> Iterator[dict[str, Any]]:
    said = [*lines(one)] if lot.total == 1 else [one.line, *([one.reason] if one.reason else [])]
    if said:
        yield {"type": "section", "text": _plain("\n".join(said))}
    if one.url:
        link = f"<{one.url.translate(IN_LINK)}|{escaped(text('news_link', one.language))} {one.id}>"
        yield {"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}}


def _plain(said: str, longest: int = LONGEST) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(_cut(said, longest)), "emoji": False}


def _cut(said: str, longest: int) -> str:
    """As much as Slack takes of it, also once it is escaped."""
    while len(escaped(said)) > longest:
        said = f"{said[: len(said) * 9 // 10 - 1]}…"
    return said


def escaped(said: str) -> str:
    return said.translate(ESCAPES)
