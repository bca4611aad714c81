"""What can go wrong between a request and a usable JSON object, as one small tree.

Belongs here: the error types, which of them may pass with time, and the sentences they say.
Does not belong here: retrying (`api_retry`), and content that is JSON but not data (`payloads`).

No message holds more of an address than its host, so none can hold a password.
"""

from __future__ import annotations

import json
from typing import Final

BODY_EXCERPT_BYTES: Final = 64 * 1024
"""Bytes kept of a body that is no answer: enough for any error page, little enough to store."""


class ApiError(Exception):
    """A request without a usable answer; `body` is what was received of one, up to 64 kB."""

    def __init__(
        self, message: str, *, path: str, status: int | None = None, body: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.status = status
        self.body = body

    def __str__(self) -> str:
        return self.message


class TransientApiError(ApiError):
    """The same request may succeed later; these, and only these, are retried."""

    retry_after_s: float | None = None
    """What the server asks to wait, where it says so (429 and 5xx)."""


class ApiUnreachable(TransientApiError):
    """No complete answer came: DNS, refused, reset, timeout, or a body that came too slowly."""


class ApiServerError(TransientApiError):
    """HTTP 5xx."""


class ApiRateLimited(TransientApiError):
    """HTTP 429."""


class ApiMalformedBody(TransientApiError):
    """HTTP 200 with a body that is truncated, not JSON or no object; `body` is all of it."""


class ApiBadRequest(ApiError):
    """HTTP 400: the API does not accept what was asked."""


class ApiNotFound(ApiError):
    """HTTP 404."""


class ApiUnexpectedStatus(ApiError):
    """Any other status; redirects are among them, because they could lead to another host."""


class ApiBodyTooLarge(ApiError):
    """The body went past the cap; the rest of it was not read."""


class ApiWrongKind(ApiError):
    """Recorded data where live was expected, or the other way round."""


def status_error(
    status: int, *, path: str, body: str | None, retry_after_s: float | None
) -> ApiError:
    """The error of a status other than 200."""
    kind: type[ApiError]
    if status == 429:
        kind, message = (
            ApiRateLimited,
            f"The API takes no more requests for now (HTTP 429 to {path}); "
            "a lower GRID_API_CONCURRENCY asks less of it.",
        )
    elif status >= 500:
        kind, message = ApiServerError, f"The API failed with HTTP {status} on {path}."
    elif status == 400:
        kind, message = ApiBadRequest, f"The API does not accept {path} (HTTP 400){_reason(body)}."
    elif status == 404:
        kind, message = (
            ApiNotFound,
            f"There is no {path} at this address (HTTP 404); check GRID_API_URL.",
        )
    else:
        kind, message = (
            ApiUnexpectedStatus,
            f"HTTP {status} on {path} is no answer of this API; check GRID_API_URL.",
        )
    error = kind(message, path=path, status=status, body=body)
    if isinstance(error, TransientApiError):
        error.retry_after_s = retry_after_s
    return error


def _reason(body: str | None) -> str:
    """What the API's own 400 body, `{"error": {"code", "message"}}`, gives as reason."""
    try:
        return f": {str(json.loads(body or '')['error']['message'])[:200].rstrip('.')}"
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
