"""What was uploaded, by its path; the real one is fileserver/fileserver.py."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import quote, unquote


class Files:
    """The files server: PUT a body, or POST a form whose parts are named by their paths; GET and DELETE by path."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, path: str, body: bytes) -> None:
        self.kept[_plain(path)] = body

    def post(self, kind: str, body: bytes) -> bytes:
        """Each part of a multipart form is a file at the path that its name says. The answer lists the paths."""
        form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        paths = []
        for part in form.iter_parts():
            path = _plain(str(part.get_param("name", header="content-disposition") or part.get_filename() or ""))
            self.kept[path] = _bytes(part.get_payload(decode=True))
            paths.append(quote(path))
        return json.dumps(paths).encode()

    def get(self, path: str) -> bytes | None:
        return self.kept.get(_plain(path))

    def delete(self, path: str) -> bool:
        return self.kept.pop(_plain(path), None) is not None


def _plain(path: str) -> str:
    return unquote(path.partition("?")[0]).strip("/")


def _bytes(content: object) -> bytes:
    return content if isinstance(content, bytes) else b""
