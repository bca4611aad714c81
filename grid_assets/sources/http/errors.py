"""The errors of a request that did not return a usable JSON object.

Only subclasses of `TransientApiError` can clear up with time, so only they are retried. Messages
show no more of an address than its host, so they cannot reveal a password.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

BODY_EXCERPT_BYTES: Final = 64 * 1024
"""How much of an unusable body is kept: enough for any error page, and little enough to store."""

MAX_TARGET: Final = 200
"""Characters of a redirect's target in a message."""


MAX_REASON: Final = 200
"""Characters of the API's own reason in a message."""


@dataclass(frozen=True, slots=True)
class Service:
    """How messages name an API, and what they advise."""

    name: str
    """The subject of a sentence, such as `The Elexon Insights API`."""
    url_setting: str
    """The setting that holds its address."""
    rate_advice: str
    """What to do if it limits the rate of requests, as a sentence."""


class ApiError(Exception):
    """A request got no usable response; `body` is the part that arrived, up to 64 kB."""

    def __init__(
        self,
        message: str,
        *,
        path: str,
        status: int | None = None,
        body: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.status = status
        self.body = body
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.message


class TransientApiError(ApiError):
    """The same request may succeed later."""


class ApiUnreachable(TransientApiError):
    """No complete answer: DNS, connection refused or reset, timeout, or a body sent too slowly."""


class ApiServerError(TransientApiError):
    """HTTP 5xx."""


class ApiRateLimited(TransientApiError):
    """HTTP 429."""


class ApiTryAgain(TransientApiError):
    """HTTP 408 or 425: the API wants the same request once more."""


class ApiMalformedBody(TransientApiError):
    """HTTP 200 with a body that is truncated, not JSON or not an object; `body` holds all of it."""


class ApiBadRequest(ApiError):
    """HTTP 400: the API rejects the request."""


class ApiNotFound(ApiError):
    """HTTP 404."""


class ApiUnexpectedStatus(ApiError):
    """Any other status. Redirects are not followed, because they could lead to another host."""


class ApiBodyTooLarge(ApiError):
    """The body is larger than the limit; the rest of it was not read."""


class ApiWrongKind(ApiError):
    """Recorded data where live was expected, or the other way round."""


def unexpected(path: str, fault: Exception) -> ApiError:
    """The error for a fault that no code expects, in a request or in what it returned."""
    error = ApiError(
        f"The answer to {path} could not be used: {type(fault).__name__}: {fault}.", path=path
    )
    error.__cause__ = fault
    return error


def status_error(
    status: int,
    *,
    service: Service,
    path: str,
    body: str,
    retry_after_s: float | None = None,
    target: str | None = None,
) -> ApiError:
    """The error for a status other than 200; `target` is where a redirect leads."""
    kind: type[ApiError]
    name, setting = service.name, service.url_setting
    match status:
        case 400:
            kind, text = ApiBadRequest, f"{name} rejected {path} (HTTP 400){reason(body)}."
        case 404:
            kind, text = ApiNotFound, f"{name} has no {path} (HTTP 404): check {setting}."
        case 429:
            kind = ApiRateLimited
            text = f"{name} is rate-limiting this client (HTTP 429 on {path}). "
            text += service.rate_advice
        case 408 | 425:
            kind, text = ApiTryAgain, f"{name} asks to repeat {path} (HTTP {status})."
        case _ if 300 <= status < 400 and target:
            kind = ApiUnexpectedStatus
            text = (
                f"{name} redirects {path} to {target} (HTTP {status}), and redirects are not "
                f"followed. If you trust that address, put it in {setting}."
            )
        case _ if status >= 500:
            kind, text = ApiServerError, f"{name} failed with HTTP {status} on {path}."
        case _:
            kind = ApiUnexpectedStatus
            text = f"Unexpected HTTP {status} on {path}{reason(body)}: check {setting}."
    return kind(text, path=path, status=status, body=body, retry_after_s=retry_after_s)


def redirect_target(response: requests.Response, base_url: str) -> str | None:
    """Host and path that a redirect leads to, without what may be secret; None without one."""
    location = response.headers.get("Location")
    if location is None:
        return None
    try:
        parts = urlsplit(urljoin(response.url, location))
    except ValueError:
        return None
    # The path of the base address may hold a key, and a redirect repeats it.
    path = parts.path.removeprefix(urlsplit(base_url).path)
    target = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
    return target[:MAX_TARGET] if target.isprintable() else None


def reason(body: str) -> str:
    """The API's own reason in the body of a refusal, behind a colon; empty if there is none.

    Known forms: `{"error": {"message"}}`, `error` by parameter without a message (CKAN), problem
    JSON (RFC 9110) with `errors` by parameter or with `detail` or `title`, and a JSON string.
    """
    try:
        found = _reason_of(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    text = " ".join(found.split())[:MAX_REASON].rstrip(".")
    return f": {text}" if text and text.isprintable() else ""


def _reason_of(document: Any) -> str:
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        return ""
    error, errors = document.get("error"), document.get("errors")
    if isinstance(error, dict) and "message" in error:
        return str(error["message"])
    if isinstance(error, dict) and not errors:
        errors = {field: text for field, text in error.items() if field != "__type"}
    if isinstance(errors, dict) and errors:
        return "; ".join(
            f"{field}: {text}" if field else text
            for field, texts in errors.items()
            for text in map(str, texts if isinstance(texts, list) else [texts])
        )
    return str(document.get("detail") or document.get("title") or "")
