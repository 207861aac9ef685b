from __future__ import annotations

import pytest

from submit import foreign


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("401 Authorization: token c0ffee", "401 Authorization: token …"),
        ("{'Authorization': 'Bearer c0ffee', 'Accept': '*/*'}", "{'Authorization': 'Bearer …', 'Accept': '*/*'}"),
        ('{"client_secret": "c0ffee", "grant": "x"}', '{"client_secret": "…", "grant": "x"}'),
        ("grant=x&refresh_token=c0ffee&client_id=app", "grant=x&refresh_token=…&client_id=app"),
        ("GET /x?sv=1&X-Amz-Signature=c0ffee&y=2 failed", "GET /x?sv=1&X-Amz-Signature=…&y=2 failed"),
        ("A1 NO wrong: LOGIN forms c0ffee", "A1 NO wrong: LOGIN …"),
        ("Set-Cookie: session=c0ffee; Path=/", "Set-Cookie: …; Path=/"),
        ("Token expired.\nSign in again", "Token expired. Sign in again"),
        ("Not Found", "Not Found"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_what_another_program_said_is_one_line_without_what_lets_others_in(heard: str, said: str) -> None:
    assert foreign.said(heard) == said
