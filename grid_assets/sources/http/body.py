"""Reads the body of a response as JSON, within a size limit and a time limit."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import requests
import urllib3

from grid_assets.sources.http.errors import (
    BODY_EXCERPT_BYTES,
    ApiBodyTooLarge,
    ApiMalformedBody,
    ApiUnreachable,
)

CHUNK_BYTES: Final = 64 * 1024
"""The most to read at once: half of an ordinary 14-day body."""


@dataclass(frozen=True)
class BodyReader:
    """Reads bodies of at most `max_bytes` that arrive within `timeout_s` of their headers."""

    max_bytes: int
    timeout_s: float
    clock: Callable[[], float]

    def text(self, path: str, response: requests.Response) -> str:
        """The whole body. Raises `ApiMalformedBody`, `ApiUnreachable` or `ApiBodyTooLarge`."""
        body = bytearray()
        try:
            self._fill(body, response, self.max_bytes)
        except urllib3.exceptions.DecodeError as error:
            raise malformed(path, "cannot be decompressed", _readable(body)) from error
        except (OSError, urllib3.exceptions.HTTPError) as error:
            if isinstance(root_error(error), http.client.IncompleteRead):
                raise malformed(path, "was cut off before its end", _readable(body)) from error
            fault = connection_fault(error, self.timeout_s)
            raise ApiUnreachable(
                f"The connection broke while reading {path}: {fault}.", path=path, status=200
            ) from error
        if len(body) > self.max_bytes:
            raise ApiBodyTooLarge(
                f"The answer to {path} is larger than {self.max_bytes / 1e6:g} MB; "
                "GRID_API_MAX_BODY_MB sets the limit.",
                path=path,
                status=200,
                body=_readable(body[:BODY_EXCERPT_BYTES]),
            )
        try:
            return body.decode("utf-8-sig")  # a byte order mark is not part of the text
        except UnicodeDecodeError as error:
            raise malformed(path, "is not UTF-8", _readable(body)) from error

    def excerpt(self, response: requests.Response) -> str:
        """The first 64 kB, or as much as arrived: the status of a refusal matters most."""
        body = bytearray()
        with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
            self._fill(body, response, BODY_EXCERPT_BYTES)
        return _readable(body[:BODY_EXCERPT_BYTES])

    def _fill(self, body: bytearray, response: requests.Response, most: int) -> None:
        """Reads to the end, or one byte past `most`. Raises `TimeoutError` if that takes too long.

        `read1` returns whatever has arrived. `iter_content` waits for a full chunk, so a server
        that sends a byte now and then could block it for ever.
        """
        deadline = self.clock() + self.timeout_s
        while wanted := min(CHUNK_BYTES, most + 1 - len(body)):
            chunk = response.raw.read1(wanted, decode_content=True)
            if not chunk:
                return
            body += chunk
            if self.clock() > deadline:
                raise TimeoutError


def json_object(path: str, text: str) -> dict[str, Any]:
    """A body as a dict with exact decimals. Raises `ApiMalformedBody`."""
    document = json_value(path, text)
    if not isinstance(document, dict):
        raise malformed(path, "is JSON, but not an object", text)
    return document


def json_value(path: str, text: str) -> Any:
    """A body that may be any JSON, with exact decimals. Raises `ApiMalformedBody`."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise malformed(path, "is not JSON", text) from error


def malformed(path: str, fault: str, body: str) -> ApiMalformedBody:
    return ApiMalformedBody(f"The answer to {path} {fault}.", path=path, status=200, body=body)


def connection_fault(error: Exception, timeout_s: float) -> str:
    """Why a connection gave no complete answer, such as `Connection refused`."""
    root = root_error(error)
    if isinstance(root, TimeoutError | urllib3.exceptions.TimeoutError):
        return f"no complete answer within {timeout_s:g} s (GRID_API_TIMEOUT_S)"
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


def root_error(error: BaseException) -> BaseException:
    """The innermost of the errors that requests, urllib3 and http.client wrap in each other."""
    for inner in (getattr(error, "reason", None), error.__cause__, *error.args):
        if isinstance(inner, BaseException):
            return root_error(inner)
    return error


def _readable(body: bytearray) -> str:
    return body.decode("utf-8", "replace")
