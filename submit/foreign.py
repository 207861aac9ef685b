"""What another program said, fit for a line of ours: servers repeat in their errors what they were sent, credentials among it."""

from __future__ import annotations

import re

from schema.problem import shown

LONGEST = 200
SECRET = re.compile(
    r"((?:[\w.-]*(?:authorization|token|secret|passw|credential|signature|api[_-]?key|private[_-]?key|assertion|cookie)[\w.-]*"
    r"['\"]*\s*[:=]\s*['\"]*)(?:(?:bearer|basic|token|negotiate)\s+)?|\b(?:bearer|basic|login|auth plain)\s+)[^\s&;,}\"'][^&;,}\"'\r\n]*",
    re.IGNORECASE,
)
"""A name that something secret bears in headers, forms, JSON and mail, with what stands after it."""


def said(text: object, longest: int = LONGEST) -> str:
    """One line of at most so many characters, and in place of what may be secret three dots."""
    return shown(" ".join(SECRET.sub(r"\1…", str(text)).split()), longest)
