"""Issues of a GitHub repository, and the comment that answers each. PyGithub is imported here and nowhere else on the desk.

One GraphQL query says what an issue's body is and who wrote it so (docs.github.com, GraphQL reference: ``Issue.editor`` is whoever edited
it last): two calls could speak of two moments. Whoever edited an issue last answers for it. Closed issues are left alone.

A comment that begins with an order is one, of whoever wrote it: what else people say to each other there is nobody's business.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import requests
from github import Auth, Github, GithubException

from schema.answers import Where
from submit import foreign
from submit.desk import Desk, DeskError, denpyo_version, secret
from submit.inbox import Delivery, SourceDownError
from submit.judging import Outcome
from submit.orders import Order, Ordered
from submit.replies import github as replies
from submit.replies import order_lines
from submit.response import UNVERIFIED, VERIFIED, Source
from submit.sources import GitHub

DOOR = "github"
NOTHING: Mapping[str, str] = MappingProxyType({})
SECONDS = 30
"""How long a call may take."""
PAUSE = 1.0
"""Seconds between two comments, as GitHub asks (docs.github.com, "Best practices for using the REST API")."""
ISSUES = """
query($owner: String!, $name: String!, $labels: [String!], $since: DateTime, $after: String) {
  repository(owner: $owner, name: $name) {
    issues(first: 20, after: $after, states: [OPEN], labels: $labels, filterBy: {since: $since},
           orderBy: {field: UPDATED_AT, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id number body updatedAt lastEditedAt
        author { login ... on User { databaseId } ... on Bot { databaseId } }
        editor { login ... on User { databaseId } ... on Bot { databaseId } }
        comments(first: 1) { totalCount }
      }
    }
  }
}
"""
COMMENTS = """
query($id: ID!, $after: String) {
  node(id: $id) {
    ... on Issue {
      comments(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id url body createdAt lastEditedAt viewerDidAuthor
          author { login ... on User { databaseId } }
          editor { login ... on User { databaseId } }
        }
      }
    }
  }
}
"""


def open_inbox(desk: Desk, name: str, settings: GitHub) -> GitHubInbox:
    """DeskError where the token cannot be read."""
    if settings.token not in desk.config.secrets:
        raise DeskError(f"sources.{name}: token is not the name of an entry of [secrets]")
    return GitHubInbox(desk, settings, Service(settings.url, secret(desk, settings.token)))


def post(event: bytes, text: str) -> None:
    """Answer the issue that an event of a workflow tells of, as whom the workflow's own token stands for."""
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        raise DeskError("GITHUB_TOKEN is not set: hand the workflow's token over to this step")
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    issue = json.loads(event)["issue"]
    if not isinstance(issue.get("node_id"), str):
        raise DeskError(
            "this event names no issue that could be answered (node_id): give the file that GITHUB_EVENT_PATH names"
        )
    Service(url, token).answer(issue["node_id"], lambda before: text)


class GoneError(SourceDownError):
    """What was asked for is there no more, or not for this token, though GitHub answers."""


class Service:
    """GitHub, as one token sees it. What goes wrong with it is a SourceDownError that names no secret."""

    def __init__(self, url: str, token: str) -> None:
        self._written = -PAUSE
        self._client = Github(
            auth=Auth.Token(token),
            base_url=url,
            timeout=SECONDS,
            user_agent=f"denpyo/{denpyo_version()}",
            seconds_between_requests=None,
            seconds_between_writes=None,
            retry=None,  # every call is a POST, which may have done its work though nobody answered; the next look goes on
        )

    def issues(self, repository: str, label: str, since: str) -> Iterator[Mapping[str, Any]]:
        """Open issues with this label, the one that was touched longest ago first, from this moment (RFC 3339) on."""
        owner, _, name = repository.partition("/")
        variables = {"owner": owner, "name": name, "labels": [label], "since": since or None}
        yield from self._pages(ISSUES, variables, lambda data: data["repository"]["issues"])

    def comments(self, issue: str) -> Iterator[Mapping[str, Any]]:
        """All of an issue, the first to come first."""
        yield from self._pages(COMMENTS, {"id": issue}, lambda data: data["node"]["comments"])

    def answer(self, issue: str, write: Callable[[str], str], told: Mapping[str, str] = NOTHING) -> None:
        """Keep the one comment of ours on an issue up to date: none twice, and none touched that says so already. ``write`` gets what it
        says until now ("" for nothing), and gives what it is to say; ``told`` is what became of orders, by the address of each, and
        stands below. What stands there already of orders stays."""
        for one in self.comments(issue):
            if one["viewerDidAuthor"] and replies.is_ours(one["body"]):
                before, below = order_lines.parted(one["body"])
                now = order_lines.joined(write(before), below, told)
                if now.strip() != one["body"].replace("\r\n", "\n").strip():
                    self._mutate("updateIssueComment", {"id": one["id"], "body": now}, "issueComment { id }")
                return
        body = order_lines.joined(write(""), {}, told)
        self._mutate("addComment", {"subjectId": issue, "body": body}, "subject { id }")

    def _pages(
        self, query: str, variables: Mapping[str, Any], connection: Callable[[Any], Any]
    ) -> Iterator[Mapping[str, Any]]:
        after = None
        while True:
            page = self._call(partial(self._page, query, {**variables, "after": after}, connection))
            yield from page["nodes"]
            before, after = after, page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"] or after == before:
                return

    def _page(self, query: str, variables: dict[str, Any], connection: Callable[[Any], Any]) -> Mapping[str, Any]:
        """One page of a connection, all that is needed of it looked up here, where a wrong shape is still GitHub's."""
        found = connection(self._client.requester.graphql_query(query, variables)[1]["data"])
        return {
            "nodes": [one for one in found["nodes"] if one is not None],
            "pageInfo": {name: found["pageInfo"][name] for name in ("hasNextPage", "endCursor")},
        }

    def _mutate(self, name: str, given: Mapping[str, Any], wanted: str) -> None:
        time.sleep(max(0.0, self._written + PAUSE - time.monotonic()))
        self._written = time.monotonic()
        self._call(lambda: self._client.requester.graphql_named_mutation(name, dict(given), wanted))

    def _call(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except GithubException as error:
            wrong = GoneError if _is_gone(error) else SourceDownError
            raise wrong(f"GitHub: {_said(error)}") from None
        except requests.RequestException as error:
            raise SourceDownError(f"GitHub does not answer: {type(error).__name__}") from None
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
            raise SourceDownError("GitHub answers in a way that is not understood here") from None


def _is_gone(error: GithubException) -> bool:
    """Whether GraphQL found nothing under an id; a 404 of any other sort speaks of the address that was called."""
    return _first(error).get("type") == "NOT_FOUND"


def _first(error: GithubException) -> Mapping[str, Any]:
    """The first thing that GraphQL refuses."""
    data = error.data if isinstance(error.data, dict) else {}
    errors = data.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _said(error: GithubException) -> str:
    """Status and reason in a line; of what GraphQL refuses the first message."""
    data = error.data if isinstance(error.data, dict) else {}
    reason = str(_first(error).get("message") or error.message or data.get("message") or type(error).__name__)
    return f"{error.status} {foreign.said(reason)}"


@dataclass
class GitHubInbox:
    """One repository and one label."""

    desk: Desk
    settings: GitHub
    service: Service

    def look(self, place: str) -> Iterator[Delivery]:
        """The issues that were touched since ``place``: the moment of the last one, and what was read of those of that moment."""
        since, seen = _place(place)
        for issue in self.service.issues(self.settings.repository, self.settings.label, since):
            moment, number, digest = str(issue["updatedAt"]), str(issue["number"]), _digest(issue)
            if moment == since and seen.get(number) == digest:
                continue
            seen = {**(seen if moment == since else {}), number: digest}
            since = moment
            after = json.dumps({"since": since, "seen": seen})
            yield Delivery((self._source(issue),), after, partial(self._settle, issue), tuple(self._orders(issue)))

    def _orders(self, issue: Mapping[str, Any]) -> Iterator[Ordered]:
        """The comments of an issue that begin with an order; neither ours nor a program's."""
        if not issue["comments"]["totalCount"]:
            return
        for one in self.service.comments(str(issue["id"])):
            order = order_lines.first_line(str(one["body"]))
            if order and not one["viewerDidAuthor"] and (one["author"] or {}).get("databaseId"):
                yield self._ordered(issue, one, order)

    def _ordered(self, issue: Mapping[str, Any], one: Mapping[str, Any], order: Order) -> Ordered:
        """Of whoever wrote the comment: what somebody else has put into it counts for nobody."""
        who, editor = one["author"]["databaseId"], (one["editor"] or {}).get("databaseId")
        edited = bool(one["lastEditedAt"] or one["editor"]) and editor != who
        return Ordered(
            key=f"{DOOR}:{one['id']}",
            order=order,
            subject=f"{DOOR}:{who}",
            where=Where(str(one["url"])),
            problem="order_edited" if edited else "",
            source=0,
            at=str(one["createdAt"]),
            written=str(issue["lastEditedAt"] or ""),
        )

    def _source(self, issue: Mapping[str, Any]) -> Source:
        """The issue as its event would tell of it. Its author answers for it, or whoever edited it last: nobody, where that account is
        gone."""
        number, body = issue["number"], issue["body"]
        said = {"repository": {"full_name": self.settings.repository}, "issue": {"number": number, "body": body}}
        edited = issue["editor"] or issue["lastEditedAt"]
        who = (issue["editor"] if edited else issue["author"]) or {}
        known = who.get("databaseId")
        return Source(
            name=f"{self.settings.repository}#{number}",
            data=json.dumps(said, ensure_ascii=False).encode(errors="surrogatepass"),
            door=DOOR,
            sender=f"{who.get('login')} ({DOOR}:{known})" if known else "",
            trust=VERIFIED,
            subject=f"{DOOR}:{known}" if known else UNVERIFIED,
            thread=str(issue["id"]),
        )

    def _settle(self, issue: Mapping[str, Any], outcome: Outcome) -> None:
        write = partial(self._written, outcome, str(issue["body"] or ""))
        language = next((one.language for one in outcome.responses if one.language), self.desk.config.language)
        told = {str(one.ordered.where): order_lines.line(one, language) for one in outcome.orders}
        self.service.answer(str(issue["id"]), write, told)

    def _written(self, outcome: Outcome, body: str, before: str) -> str:
        """The comment; as it was where that says the same, whatever else has been added to it since."""
        now = replies.comment(self.desk, outcome, body, before)
        return before if before and replies.says_the_same(before, now) else now


def _digest(issue: Mapping[str, Any]) -> str:
    who = issue["editor"] or {}
    said = [issue["body"], who.get("login"), issue["comments"]["totalCount"]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _place(place: str) -> tuple[str, dict[str, str]]:
    if not place:
        return "", {}
    known = json.loads(place)
    return known["since"], known["seen"]
