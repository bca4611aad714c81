"""Replies from which no client gets an answer, with the error and words of its message.

`{name}` stands for the API's name in messages, `{setting}` for the setting of its address.
"""

from __future__ import annotations

from typing import Any

import pytest

from grid_assets.sources.http.errors import (
    ApiBadRequest,
    ApiError,
    ApiMalformedBody,
    ApiNotFound,
    ApiRateLimited,
    ApiServerError,
    ApiUnexpectedStatus,
    ApiUnreachable,
    Service,
)
from grid_assets_tests.http_stub import Reply

HTML = Reply(b"<html>Service down</html>", headers={"Content-Type": "text/html"})

OF_ANY_API: list[Any] = [
    pytest.param(*case, id=name)
    for name, case in {
        "500": (Reply(b"oops", status=500), ApiServerError, "{name} failed with HTTP 500"),
        "503": (Reply(b"", status=503), ApiServerError, "HTTP 503"),
        "429": (Reply(b"x", status=429), ApiRateLimited, "is rate-limiting this client (HTTP 429"),
        "400": (Reply(b"x", status=400), ApiBadRequest, "HTTP 400"),
        "404": (Reply(b"x", status=404), ApiNotFound, "check {setting}"),
        "403": (Reply(b"x", status=403), ApiUnexpectedStatus, "HTTP 403"),
        "html": (HTML, ApiMalformedBody, "is not JSON"),
        "csv": (Reply(b"Dataset,PublishTime\nWINDFOR,2026"), ApiMalformedBody, "is not JSON"),
        "cut": (Reply(b'{"data": [', announced=200), ApiMalformedBody, "cut off"),
        "half": (Reply(b'{"data": ['), ApiMalformedBody, "is not JSON"),
        "empty": (Reply(b""), ApiMalformedBody, "is not JSON"),
        "text": (Reply(b'"text"'), ApiMalformedBody, "is JSON, but"),
        "null": (Reply(b"null"), ApiMalformedBody, "is JSON, but"),
        "latin-1": (Reply(b'{"a": "\xff"}'), ApiMalformedBody, "UTF-8"),
        "nested": (Reply(b"[" * 40_000), ApiMalformedBody, "is not JSON"),
        "reset": (Reply(b"", reset=True), ApiUnreachable, "Check {setting}"),
        "reset-in-body": (
            Reply(b"{", announced=99, wait_s=0.05, reset=True),
            ApiUnreachable,
            "reset",
        ),
    }.items()
]


def judge(
    error: ApiError, reply: Reply, kind: type[ApiError], words: str, service: Service
) -> None:
    """Whether the error is of the kind, and names the cause and its own API."""
    assert type(error) is kind
    assert words.format(name=service.name, setting=service.url_setting) in str(error)
    if kind is not ApiUnreachable:
        assert error.status == reply.status
        assert error.body == reply.body.decode("utf-8", "replace")
    others = {"GRID_API_URL", "GRID_ELEXON_URL", "GRID_NESO_PORTAL_URL"} - {service.url_setting}
    assert not any(other in str(error) for other in others)
