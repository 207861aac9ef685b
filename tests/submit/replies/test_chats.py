"""Channels of Slack and Teams: what they are sent, and what becomes of it when they fail, stall, or ask to be left alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from submit.desk import Desk
from submit.outbox import Item
from submit.replies import slack, teams, waiting, webhook
from submit.replies.channel import Lot, UnsureError
from submit.replies.news import News
from tests.desks import command, environment
from tests.submit.inbox.mail_servers import Accepting, Certified, Outbox, free_port
from tests.submit.replies.telling import keep_secret, later, mailing_desk, states, submitted, told, without_checkpoint

HOOK = "/services/T0/B0/canary-of-the-webhook"
HOSTILE = (
    "<!channel> <@U1> @here &amp; *bold* http://evil.example :tada: {{DATE(2026-01-01T00:00:00Z)}} [x](javascript:1)"
)
CHATS = '[replies.slack]\nwebhook = "slack"\nevents = {events}\n[replies.teams]\nwebhook = "teams"\nevents = {events}\n'
PLAIN = {
    "type": "object",
    "properties": {
        "type": {"const": "plain_text"},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000, "pattern": r"^[^<>]*$"},
        "emoji": {"const": False},
    },
    "required": ["type", "text", "emoji"],
    "additionalProperties": False,
}
LINK = {
    "type": "object",
    "properties": {
        "type": {"const": "mrkdwn"},
        "text": {"pattern": r"^<https?://[^<>|]+\|[^<>|]+>$"},
        "verbatim": {"const": True},
    },
    "required": ["type", "text", "verbatim"],
    "additionalProperties": False,
}
SLACK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 4000},
        "unfurl_links": {"const": False},
        "unfurl_media": {"const": False},
        "blocks": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "properties": {
                            "type": {"const": "header"},
                            "text": {"allOf": [PLAIN, {"properties": {"text": {"maxLength": 150}}}]},
                        }
                    },
                    {"properties": {"type": {"const": "section"}, "text": {"oneOf": [PLAIN, LINK]}}},
                    {
                        "properties": {
                            "type": {"const": "context"},
                            "elements": {"type": "array", "items": PLAIN, "maxItems": 10},
                        },
                        "required": ["elements"],
                    },
                ]
            },
        },
    },
    "required": ["text", "blocks", "unfurl_links", "unfurl_media"],
    "additionalProperties": False,
}
"""As docs.slack.dev has it for a webhook's message, and no more than a desk may say in one."""
TEAMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "properties": {
                            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                            "type": {"const": "AdaptiveCard"},
                            "version": {"enum": ["1.4", "1.5"]},
                            "body": {
                                "type": "array",
                                "items": {
                                    "properties": {
                                        "type": {"const": "RichTextBlock"},
                                        "spacing": {"enum": ["default", "none", "medium"]},
                                        "inlines": {
                                            "type": "array",
                                            "items": {
                                                "properties": {
                                                    "type": {"const": "TextRun"},
                                                    "text": {"type": "string", "minLength": 1},
                                                    "size": {"enum": ["small", "medium"]},
                                                    "weight": {"const": "bolder"},
                                                    "isSubtle": {"type": "boolean"},
                                                },
                                                "required": ["type", "text"],
                                                "additionalProperties": False,
                                            },
                                        },
                                    },
                                    "required": ["type", "inlines"],
                                    "additionalProperties": False,
                                },
                            },
                            "actions": {
                                "type": "array",
                                "maxItems": 6,
                                "items": {
                                    "properties": {
                                        "type": {"const": "Action.OpenUrl"},
                                        "title": {"type": "string"},
                                        "url": {"pattern": "^https?://"},
                                    },
                                    "required": ["type", "title", "url"],
                                    "additionalProperties": False,
                                },
                            },
                            "msteams": {"const": {"width": "Full"}},
                        },
                        "required": ["type", "version", "body"],
                        "additionalProperties": False,
                    },
                },
                "required": ["contentType", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "attachments"],
    "additionalProperties": False,
}
"""As adaptivecards.io has the elements that are used, in the envelope that the workflow takes."""


def chatting(folder: Path, out: Outbox, pki: Certified, url: str, events: str = '["held", "failed"]') -> Desk:
    desk = mailing_desk(folder, out.port, pki, CHATS.format(events=events))
    for name in ("slack", "teams"):
        keep_secret(folder, name, f"{url}{HOOK}/{name}")
    return desk


@pytest.fixture
def there(tmp_path: Path, out: Outbox, pki: Certified, httpserver: HTTPServer) -> Desk:
    return chatting(tmp_path / "desk", out, pki, f"http://127.0.0.1:{httpserver.port}")


def answers(server: HTTPServer, name: str, *given: Response) -> list[Any]:
    """What the channel hears, once it is answered so; the last answer stands from then on. What breaks the vendor's rules is refused."""
    heard: list[Any] = []
    waiting_answers = [*given]

    def hear(request: Request) -> Response:
        wrong = [*Draft202012Validator({"slack": SLACK, "teams": TEAMS}[name]).iter_errors(request.get_json())]
        if wrong or len(request.get_data()) > 28_000:
            return Response(f"invalid_payload {wrong[:1]}", 400)
        heard.append(request.get_json())
        return waiting_answers.pop(0) if len(waiting_answers) > 1 else waiting_answers[0]

    server.expect_request(f"{HOOK}/{name}", method="POST").respond_with_handler(hear)
    return heard


def failed(desk: Desk, reason: str = "No data.", *names: str) -> str:
    one = submitted(desk, *(names or ("one",)))
    (desk.runs / f"{one.ids[0]}.1").mkdir(parents=True, exist_ok=True)
    (desk.runs / f"{one.ids[0]}.1" / "log").write_text("canary-in-a-log\n", encoding="utf-8")
    one.became("failed", reason=reason, metrics={"accuracy": 0.5})
    return one.ids[0]


def test_a_channel_of_slack_hears_of_a_failure_and_nothing_in_it_is_live(there: Desk, httpserver: HTTPServer) -> None:
    heard, _ = answers(httpserver, "slack", Response("ok")), answers(httpserver, "teams", Response(status=202))
    id = failed(there, HOSTILE)
    assert told(there) == ""
    end = heard[0]["blocks"][-1]["elements"][0]
    end["text"] = without_checkpoint(end["text"]).rstrip()
    assert heard == [
        {
            "text": f"依頼 {id} は失敗しました。",
            "blocks": [
                {
                    "type": "header",
                    "text": {"type": "plain_text", "text": f"依頼 {id} は失敗しました。", "emoji": False},
                },
                {
                    "type": "section",
                    "text": {
                        "type": "plain_text",
                        "text": "内容: 開始を数える\n提出元: jobs.yaml 1:1\n依頼者: hanako@example.jp（確認済み）\n正解率: 0.5\n"
                        "理由: &lt;!channel&gt; &lt;@U1&gt; @here &amp;amp; *bold* http://evil.example :tada:"
                        " {{DATE(2026-01-01T00:00:00Z)}} [x](javascript:1)",
                        "emoji": False,
                    },
                },
                {
                    "type": "context",
                    "elements": [
                        {
                            "type": "plain_text",
                            "text": f"デスク「desk」の依頼 {id}。\nお問い合わせの際は番号をお知らせください。"
                            "担当者が状態を確認できます。このお知らせはプログラムが自動で作成しました。",
                            "emoji": False,
                        }
                    ],
                },
            ],
            "unfurl_links": False,
            "unfurl_media": False,
        }
    ]


def test_a_channel_of_teams_gets_a_card_whose_text_is_text(there: Desk, httpserver: HTTPServer) -> None:
    answers(httpserver, "slack", Response("ok"))
    heard = answers(httpserver, "teams", Response(status=202))
    id = failed(there, HOSTILE)
    assert told(there) == ""
    card = heard[0]["attachments"][0]["content"]
    assert [one["inlines"][0]["text"] for one in card["body"]][:8] == [
        f"依頼 {id} は失敗しました。",
        "内容: 開始を数える",
        "提出元: jobs.yaml 1:1",
        "依頼者: hanako@example.jp（確認済み）",
        "正解率: 0.5",
        f"理由: {HOSTILE}",
        f"デスク「desk」の依頼 {id}。",
        "お問い合わせの際は番号をお知らせください。担当者が状態を確認できます。このお知らせはプログラムが自動で作成しました。",
    ]
    assert "canary-in-a-log" not in json.dumps(heard)


def test_a_channel_hears_only_of_what_it_is_for(there: Desk, httpserver: HTTPServer) -> None:
    one = submitted(there, "one")
    one.became("done")
    assert told(there) == ""
    assert [channel for channel, _, _ in states(there)] == ["mail", "mail"]


def test_many_that_fail_at_once_are_one_message(there: Desk, httpserver: HTTPServer) -> None:
    heard, cards = answers(httpserver, "slack", Response("ok")), answers(httpserver, "teams", Response(status=202))
    submitted(there, *(f"row-{number}" for number in range(40))).became("failed", reason="<" * 400)
    assert told(there) == ""
    assert (len(heard), len(cards)) == (1, 1)
    assert heard[0]["text"] == "依頼 40 件：失敗 40"


def test_a_channel_that_fails_is_tried_again_and_hears_it_once(there: Desk, httpserver: HTTPServer) -> None:
    heard = answers(httpserver, "slack", Response(status=500), Response("ok"))
    answers(httpserver, "teams", Response(status=202))
    failed(there)
    assert told(there) == "slack: HTTP 500"
    assert told(there) == ""
    assert len(heard) == 1
    later(there)
    assert told(there) == ""
    told(there)
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("a date", 3600),
        ("99999999999", 86400),
    ],
)
def test_a_channel_that_asks_to_be_left_alone_is(there: Desk, httpserver: HTTPServer, said: str, seconds: int) -> None:
    wait = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True) if said == "a date" else said
    heard = answers(httpserver, "slack", Response(status=429, headers={"Retry-After": wait}), Response("ok"))
    answers(httpserver, "teams", Response(status=202))
    failed(there)
    before = datetime.now(UTC)
    assert told(there) == "slack: HTTP 429"
    (row,) = waiting.listed(there)
    assert seconds - 60 <= (datetime.fromisoformat(row.next_at) - before).total_seconds() <= seconds + 60
    assert told(there) == ""
    assert len(heard) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410, 301, 302])
def test_a_channel_that_will_never_take_it_is_given_up_and_said_once(
    there: Desk, httpserver: HTTPServer, status: int
) -> None:
    elsewhere = httpserver.url_for("/elsewhere")
    heard = answers(httpserver, "slack", Response(status=status, headers={"Location": elsewhere}))
    answers(httpserver, "teams", Response(status=202))
    failed(there)
    assert told(there) == f"slack: HTTP {status}: given up; see `denpyo replies list`"
    later(there)
    assert told(there) == ""
    assert len(heard) == 1
    assert not any(request.path == "/elsewhere" for request, _ in httpserver.log)


@pytest.mark.parametrize("status", [502, 504])
def test_what_something_on_the_way_may_have_delivered_is_not_told_again(
    there: Desk, httpserver: HTTPServer, status: int
) -> None:
    heard = answers(httpserver, "slack", Response(status=status))
    answers(httpserver, "teams", Response(status=202))
    failed(there)
    assert told(there) == f"slack: HTTP {status}: nobody knows whether it was told; see `denpyo replies list`"
    later(there)
    told(there)
    assert len(heard) == 1
    assert [row.state for row in waiting.listed(there)] == ["unsure"]


class Silent(Accepting):
    """Takes a message and closes the line, or says nothing for longer than anybody waits."""

    stalls = 0.0
    heard = 0

    def serve(self, connection: socket.socket) -> None:
        self.heard += bool(connection.recv(65536))
        time.sleep(self.stalls)


def test_a_channel_that_takes_it_and_says_nothing_is_not_told_again(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    with Silent() as server:
        desk = chatting(tmp_path / "desk", out, pki, f"http://127.0.0.1:{server.port}")
        failed(desk)
        lost = "was sent the message and did not answer: nobody knows whether it was told; see `denpyo replies list`"
        assert told(desk) == f"slack {lost}; teams {lost}"
        later(desk)
        assert told(desk) == ""
        assert server.heard == 2
        numbers = [row.number for row in waiting.listed(desk)]
        assert waiting.retry(desk, []) == 0  # only whoever names it wants it twice
        assert waiting.retry(desk, numbers[:1]) == 1


def test_a_channel_that_stalls_is_waited_for_no_longer_than_that() -> None:
    with Silent() as server:
        server.stalls = 1.0
        before = time.monotonic()
        with pytest.raises(UnsureError, match="slack was sent the message and did not answer"):
            webhook.post("slack", f"http://127.0.0.1:{server.port}/x", {}, seconds=0.2)
        assert time.monotonic() - before < 0.9


def test_a_channel_that_cannot_be_reached_is_tried_again(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    desk = chatting(tmp_path / "desk", out, pki, f"http://127.0.0.1:{free_port()}")
    failed(desk)
    assert told(desk) == "slack cannot be reached: ConnectError; teams cannot be reached: ConnectError"
    assert [(row.state, row.attempts) for row in waiting.listed(desk)] == [("waiting", 1), ("waiting", 1)]
    assert len(out.messages) == 1  # mail goes on


@pytest.mark.parametrize(
    "url", ["http://hooks.example/x", "file:///etc/passwd", "https://user@hooks.example/x", "https://", ""]
)
def test_a_webhook_that_is_not_https_is_refused_and_never_shown(there: Desk, url: str) -> None:
    (there.folder / "secrets" / "slack").write_text(f"{url}\n", encoding="utf-8")
    failed(there)
    said = told(there)
    assert "replies.slack: secrets.slack holds no address that begins with https://" in said or "is empty" in said


def test_a_webhook_whose_address_cannot_be_used_was_sent_nothing(there: Desk, httpserver: HTTPServer) -> None:
    (there.folder / "secrets" / "slack").write_text("https://hooks.example:canary/x\n", encoding="utf-8")
    answers(httpserver, "teams", Response(status=202))
    failed(there)
    assert told(there) == "replies.slack: the address of its webhook cannot be used"
    assert [row.state for row in waiting.listed(there)] == ["waiting"]


def test_the_address_of_a_webhook_stands_nowhere(there: Desk, httpserver: HTTPServer) -> None:
    for name in ("slack", "teams"):
        answers(httpserver, name, Response(status=500))
    failed(there)
    said = told(there) + repr(waiting.listed(there))
    for file in there.folder.rglob("*"):
        if file.is_file() and file.parent.name != "secrets":
            said += file.read_bytes().decode("latin-1")
    assert "canary-of-the-webhook" not in said


@pytest.mark.slow
def test_killed_while_a_channel_takes_it_nothing_is_told_twice_and_the_operator_hears(
    there: Desk, httpserver: HTTPServer
) -> None:
    failed(there)
    heard: list[bytes] = []
    process = subprocess.Popen(command("replies", "send"), env=environment(there.folder), stdout=subprocess.DEVNULL)

    def kill(request: Request) -> Response:
        heard.append(request.get_data())
        os.kill(process.pid, signal.SIGKILL)
        return Response("ok")

    httpserver.expect_request(f"{HOOK}/slack").respond_with_handler(kill)
    answers(httpserver, "teams", Response(status=202))
    assert process.wait(60) == -signal.SIGKILL
    (row,) = [one for one in waiting.listed(there) if one.channel == "slack"]
    assert told(there) == f"slack: nobody knows whether {row.request} failed was told"
    assert told(there) == ""
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("said", "seconds"), [("5", 5.0), ("-5", None), ("soon", None), ("", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)]
)
def test_when_to_come_back_is_read_as_seconds_or_as_a_date(said: str, seconds: float | None) -> None:
    assert webhook.retry_after(said) == seconds


@given(st.text(min_size=1), st.text(), st.integers(1, 40))
@example("<!channel>" * 400, "&" * 4000, 1)
@example("\n", "", 2)
def test_whatever_people_wrote_a_channel_takes_it_and_nothing_in_it_is_live(
    wrote: str, reason: str, total: int
) -> None:
    one = News(
        "aaaa-bbbb-cccc",
        "failed",
        "ja",
        "失敗しました。",
        "失敗",
        (("依頼者", wrote),),
        (),
        "https://app.example/<x>|&",
        reason,
    )
    item = Item(1, "failed", one.id, "slack", "channel", "", "slack", "ja", "slack", "", "", 1, "waiting", "", 0, "")
    lot = Lot([item], [one] * min(total, 15), [("失敗", total)], "id", ["foot", "", "\u2014 desk"])
    for payload, schema in ((slack.payload(lot), SLACK), (teams.payload(lot), TEAMS)):
        assert [*Draft202012Validator(schema).iter_errors(payload)] == []


def test_a_line_of_several_says_who_asks_and_why_it_waits() -> None:
    facts = (
        ("提出元", "jobs.yaml 1:1"),
        ("依頼者", "sato（自己申告・未確認）"),
        ("承認が必要な理由", "8時間（4時間を超えています）"),
    )
    one = News("aaaa-bbbb-cccc", "held", "ja", "", "承認待ち", facts)
    assert one.line == "aaaa-bbbb-cccc  承認待ち  jobs.yaml 1:1  sato（自己申告・未確認）  8時間（4時間を超えています）"
