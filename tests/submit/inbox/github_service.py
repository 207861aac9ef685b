"""A stand-in for GitHub on loopback: its GraphQL API as far as the inbox uses it, with the service's own rules.

Types and arguments are those of GitHub's public GraphQL schema (docs.github.com/graphql); a query that names anything else, leaves a
page unbounded or comes without a token is refused as GitHub refuses it. Time goes on by a second with every change.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.submit.inbox.graphql import Refused, run

SCHEMA: Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "Query": {
        "repository": ("Repository", {"owner": "String!", "name": "String!"}),
        "node": ("Node", {"id": "ID!"}),
    },
    "Mutation": {
        "addComment": ("AddCommentPayload", {"input": "AddCommentInput!"}),
        "updateIssueComment": ("UpdateIssueCommentPayload", {"input": "UpdateIssueCommentInput!"}),
    },
    "Repository": {
        "issues": (
            "IssueConnection",
            {
                "first": "Int",
                "after": "String",
                "states": "[IssueState!]",
                "labels": "[String!]",
                "filterBy": "IssueFilters",
                "orderBy": "IssueOrder",
            },
        ),
    },
    "IssueConnection": {"pageInfo": ("PageInfo", {}), "nodes": ("Issue", {})},
    "IssueCommentConnection": {
        "totalCount": ("Int", {}),
        "pageInfo": ("PageInfo", {}),
        "nodes": ("IssueComment", {}),
    },
    "PageInfo": {"hasNextPage": ("Boolean", {}), "endCursor": ("String", {})},
    "Issue": {
        "id": ("ID", {}),
        "number": ("Int", {}),
        "body": ("String", {}),
        "updatedAt": ("DateTime", {}),
        "lastEditedAt": ("DateTime", {}),
        "author": ("Actor", {}),
        "editor": ("Actor", {}),
        "comments": ("IssueCommentConnection", {"first": "Int", "after": "String"}),
    },
    "IssueComment": {
        "id": ("ID", {}),
        "url": ("URI", {}),
        "body": ("String", {}),
        "createdAt": ("DateTime", {}),
        "lastEditedAt": ("DateTime", {}),
        "viewerDidAuthor": ("Boolean", {}),
        "author": ("Actor", {}),
        "editor": ("Actor", {}),
    },
    "Actor": {"login": ("String", {})},
    "User": {"login": ("String", {}), "databaseId": ("Int", {})},
    "Bot": {"login": ("String", {}), "databaseId": ("Int", {})},
    "AddCommentPayload": {"subject": ("Node", {})},
    "UpdateIssueCommentPayload": {"issueComment": ("IssueComment", {})},
    "Node": {"id": ("ID", {})},
}
INPUTS: Mapping[str, Mapping[str, str]] = {
    "IssueFilters": {"since": "DateTime", "labels": "[String!]", "states": "[IssueState!]"},
    "IssueOrder": {"field": "IssueOrderField!", "direction": "OrderDirection!"},
    "AddCommentInput": {"subjectId": "ID!", "body": "String!", "clientMutationId": "String"},
    "UpdateIssueCommentInput": {"id": "ID!", "body": "String!", "clientMutationId": "String"},
}
ENUMS = {
    "IssueState": {"OPEN", "CLOSED"},
    "IssueOrderField": {"CREATED_AT", "UPDATED_AT", "COMMENTS"},
    "OrderDirection": {"ASC", "DESC"},
}
MOST = 100
LONGEST_COMMENT = 65_536
BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Account:
    login: str
    id: int
    type: str = "User"

    def shown(self) -> dict[str, Any]:
        return {"__typename": self.type, "login": self.login, "databaseId": self.id}


@dataclass
class Comment:
    """``editor`` is None until the comment is edited."""

    id: str
    author: Account
    body: str
    created: datetime
    editor: Account | None = None
    edited: datetime | None = None


@dataclass
class Issue:
    """``editor`` is None until the body is edited, and when the account that edited it is gone."""

    number: int
    body: str
    author: Account | None
    labels: tuple[str, ...]
    updated: datetime
    state: str = "OPEN"
    editor: Account | None = None
    edited: datetime | None = None
    comments: list[Comment] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"I_{self.number}"


@dataclass
class Service:
    """One repository. ``faults`` are taken one a call (None: the call goes well): the answer instead of its own, and whether the call
    had done its work all the same."""

    repository: str
    tokens: Mapping[str, Account]
    issues: dict[int, Issue] = field(default_factory=dict)
    faults: list[tuple[Answer, bool] | None] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    clock: datetime = BEGIN
    url: str = ""

    def tick(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def opened(self, author: Account | None, body: str, *labels: str) -> Issue:
        number = len(self.issues) + 1
        self.issues[number] = Issue(number, body, author, labels, self.tick())
        return self.issues[number]

    def edited(self, issue: Issue, editor: Account | None, body: str) -> None:
        issue.body, issue.editor, issue.updated = body, editor, self.tick()
        issue.edited = issue.updated

    def said(self, issue: Issue, author: Account, body: str) -> Comment:
        issue.updated = self.tick()
        made = Comment(f"IC_{issue.number}_{len(issue.comments)}", author, body, issue.updated)
        issue.comments.append(made)
        return made

    def rewritten(self, issue: Issue, comment: Comment, editor: Account, body: str) -> None:
        comment.body, comment.editor, comment.edited = body, editor, self.tick()
        issue.updated = comment.edited

    def answer(self, path: str, headers: Mapping[str, str], data: bytes) -> Answer:
        if path != "/graphql":
            return answered(404, {"message": "Not Found"})
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or token not in self.tokens:
            return answered(401, {"message": "Bad credentials"})
        if not headers.get("User-Agent"):
            return answered(403, {"message": "Missing or invalid User Agent string."})
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault[1]:
            return fault[0]
        try:
            asked = json.loads(data)
            found = run(asked["query"], asked["variables"], SCHEMA, INPUTS, ENUMS, _Resolver(self, self.tokens[token]))
        except Refused as refused:
            return answered(200, {"data": None, "errors": [{"type": refused.type, "message": str(refused)}]})
        return fault[0] if fault else answered(200, {"data": found})


@dataclass
class _Resolver:
    """What each field of a query and mutation finds, for whom the token stands for."""

    service: Service
    viewer: Account

    def __call__(self, name: str, given: Mapping[str, Any]) -> Any:
        self.service.called.append(name)
        resolvers: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "repository": self._repository,
            "node": lambda given: self._issue(self._of(given["id"])),
            "addComment": lambda given: self._add(given["input"]),
            "updateIssueComment": lambda given: self._update(given["input"]),
        }
        return resolvers[name](given)

    def _repository(self, given: Mapping[str, Any]) -> Any:
        name = f"{given['owner']}/{given['name']}"
        if name != self.service.repository:
            raise Refused(f"Could not resolve to a Repository with the name '{name}'.", "NOT_FOUND")
        return {"__typename": "Repository", "issues": self._issues}

    def _issues(self, given: Mapping[str, Any]) -> Any:
        since = (given.get("filterBy") or {}).get("since") or ""
        found = [
            one
            for one in self.service.issues.values()
            if one.state in given["states"] and set(one.labels) & set(given["labels"]) and _stamp(one.updated) >= since
        ]
        assert given["orderBy"] == {"field": "UPDATED_AT", "direction": "ASC"}
        found.sort(key=lambda one: (one.updated, one.number))
        return _page(
            "IssueConnection", [(f"{_stamp(one.updated)} {one.number:09}", self._issue(one)) for one in found], given
        )

    def _issue(self, one: Issue) -> dict[str, Any]:
        return {
            "__typename": "Issue",
            "id": one.id,
            "number": one.number,
            "body": one.body,
            "updatedAt": _stamp(one.updated),
            "lastEditedAt": one.edited and _stamp(one.edited),
            "author": one.author and one.author.shown(),
            "editor": one.editor and one.editor.shown(),
            "comments": lambda given: _page(
                "IssueCommentConnection",
                [(f"{at:09}", self._comment(two)) for at, two in enumerate(one.comments)],
                given,
            ),
        }

    def _comment(self, one: Comment) -> dict[str, Any]:
        return {
            "__typename": "IssueComment",
            "id": one.id,
            "url": f"https://github.com/{self.service.repository}/issues/1#issuecomment-{one.id}",
            "body": one.body,
            "createdAt": _stamp(one.created),
            "lastEditedAt": one.edited and _stamp(one.edited),
            "viewerDidAuthor": one.author == self.viewer,
            "author": one.author.shown(),
            "editor": one.editor and one.editor.shown(),
        }

    def _of(self, id: str) -> Issue:
        for one in self.service.issues.values():
            if one.id == id:
                return one
        raise Refused(f"Could not resolve to a node with the global id of '{id}'.", "NOT_FOUND")

    def _add(self, given: Mapping[str, Any]) -> Any:
        _refuse_body(given["body"])
        self.service.said(self._of(given["subjectId"]), self.viewer, given["body"])
        return {"__typename": "AddCommentPayload", "subject": {"__typename": "Issue", "id": given["subjectId"]}}

    def _update(self, given: Mapping[str, Any]) -> Any:
        _refuse_body(given["body"])
        for issue in self.service.issues.values():
            for one in (one for one in issue.comments if one.id == given["id"]):
                if one.author != self.viewer:
                    raise Refused(f"{self.viewer.login} does not have the correct permissions", "FORBIDDEN")
                one.body, issue.updated = given["body"], self.service.tick()
                return {"__typename": "UpdateIssueCommentPayload", "issueComment": self._comment(one)}
        raise Refused(f"Could not resolve to a node with the global id of '{given['id']}'.", "NOT_FOUND")


def _refuse_body(body: str) -> None:
    if not body.strip() or len(body) > LONGEST_COMMENT:
        raise Refused(f"Body is too long (maximum is {LONGEST_COMMENT} characters)", "UNPROCESSABLE")


def _page(kind: str, found: list[tuple[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    first = given.get("first")
    if not isinstance(first, int) or not 1 <= first <= MOST:
        raise Refused("You must provide a `first` value of at most 100 records", "MISSING_PAGINATION_BOUNDARIES")
    rest = [one for one in found if one[0] > (given.get("after") or "")]
    end = rest[:first][-1][0] if rest else None
    info = {"__typename": "PageInfo", "hasNextPage": len(rest) > first, "endCursor": end}
    nodes = [one for _, one in rest[:first]]
    return {"__typename": kind, "totalCount": len(found), "pageInfo": info, "nodes": nodes}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def answered(status: int, said: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return status, headers or {}, json.dumps(said).encode()


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Answer on a port of 127.0.0.1 until the block ends."""
    lock = threading.Lock()

    class Talk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                status, headers, body = service.answer(self.path, dict(self.headers), data)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = int(headers.get("Content-Length", len(body))) != len(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
