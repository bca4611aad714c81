"""The HTTP client that every source uses: limits, retries, politeness and typed errors.

It knows nothing of what an API says. Clock, sleep and randomness are arguments, so that a test can
simulate an hour of outage.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from grid_assets.settings import DataKind
from grid_assets.sources.http.body import BodyReader, connection_fault, json_object
from grid_assets.sources.http.errors import (
    ApiUnreachable,
    ApiWrongKind,
    Service,
    redirect_target,
    status_error,
)
from grid_assets.sources.http.pace import Pace
from grid_assets.sources.http.retry import RetryBudget, retry_after_s, sent_time
from grid_assets.sources.http.session import is_loopback, new_session

MAX_PATH: Final = 300
"""Characters of a path in messages; one with SQL has thousands."""


@dataclass(frozen=True)
class Response:
    """JSON received with HTTP 200; `received_at` (UTC) is when it was complete.

    Decimals are `Decimal`. NaN and Infinity, which JSON does not have, are floats, so that the
    caller can reject just the record that holds them. `path` has the query, if there was one.
    """

    path: str
    document: Any
    received_at: datetime
    simulated: bool
    clock_ahead: timedelta | None = None
    """How far this machine's clock is ahead of the API's; None if the API sent no date."""


class HttpClient:
    """A client of one API, for use in a `with` block by any number of threads.

    All threads share one `requests.Session` whose pool has a connection for each. That is safe:
    urllib3's pool has its own lock, and cookies, the only shared state of a session, are off.
    """

    def __init__(
        self,
        base_url: str,
        service: Service,
        *,
        timeout_s: float = 20,
        retry_budget_s: float = 60,
        max_body_bytes: int = 16_000_000,
        concurrency: int = 1,
        least_interval_s: float = 0,
        turn_s: Callable[[str], float] = lambda path: 0.0,
        kind: DataKind | None = None,
        shift_weeks: int | None = None,
        read_json: Callable[[str, str], Any] = json_object,
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
        utcnow: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Responses must match `kind` and `shift_weeks`; None accepts any.

        Requests of all threads, tries again included, start `least_interval_s` apart. `turn_s`
        says how many seconds the request of a path must wait, for limits beyond this client.
        `read_json(path, text)` reads a body, or raises `ApiMalformedBody`.

        Unless `sleep` is given, closing the client also ends its waits. It closes its session.
        """
        parts = urlsplit(base_url)
        # Without the password in the address, no library can quote it in a message.
        self.host = parts.netloc.rpartition("@")[2]
        self._base_url = urlunsplit((parts.scheme, self.host, parts.path.rstrip("/"), "", ""))
        self._service = service
        self._session = session or new_session(concurrency, is_loopback(base_url))
        if parts.username:
            login = (unquote(text).encode() for text in (parts.username, parts.password or ""))
            self._session.auth = HTTPBasicAuth(*login)
        self._bodies = BodyReader(max_body_bytes, timeout_s, clock)
        self._read_json = read_json
        self._kind = kind
        self._wanted_shift = None if shift_weeks is None else f"shift_weeks={shift_weeks}"
        self._utcnow = utcnow
        self._retries = RetryBudget(retry_budget_s, clock, sleep, uniform)
        self._sleep = sleep or self._retries.closed.wait
        self._pace = Pace(least_interval_s, clock, self._sleep)
        self._turn_s = turn_s

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end_waits(self) -> None:
        """Give up all requests that wait for another try or for their turn; start no others."""
        self._retries.closed.set()

    def close(self) -> None:
        """End the waits and close the connections."""
        self.end_waits()
        self._session.close()

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, retry: bool = True
    ) -> Response:
        """The response to GET `path`, such as `/intensity/factors`. Raises `ApiError`."""
        asked = f"{path}?{urlencode(params, safe=':,')}" if params else path
        named = asked if len(asked) <= MAX_PATH else asked[:MAX_PATH] + "…"
        if not retry:
            return self._get_once(asked, named)
        return self._retries.retry(lambda: self._get_once(asked, named))

    def _get_once(self, asked: str, path: str) -> Response:
        """The response to `asked`; errors and messages call it `path`."""
        self._pace.wait_for_turn()
        if turn_s := self._turn_s(asked):
            self._sleep(turn_s)
        if self._retries.closed.is_set():
            raise ApiUnreachable(f"{path} was not requested: the client is closed.", path=path)
        try:
            response = self._session.get(
                self._base_url + asked,
                timeout=self._bodies.timeout_s,
                stream=True,  # the body is read within limits
                allow_redirects=False,  # they could lead to another host
            )
        # requests lets some errors of urllib3 through unwrapped.
        except (OSError, urllib3.exceptions.HTTPError) as error:
            fault = connection_fault(error, self._bodies.timeout_s)
            raise ApiUnreachable(
                f"{self.host} cannot be reached for {path}: {fault}. "
                f"Check {self._service.url_setting}.",
                path=path,
            ) from error
        with response:
            if response.status_code != 200:
                wait_s = retry_after_s(response.headers.get("Retry-After"), self._utcnow())
                body = self._bodies.excerpt(response)
                raise status_error(
                    response.status_code,
                    service=self._service,
                    path=path,
                    body=body,
                    retry_after_s=wait_s,
                    target=redirect_target(response, self._base_url),
                )
            self._check_kind(path, response)
            sent_at = sent_time(response.headers.get("Date"), response.headers.get("Age"))
            clock_ahead = None if sent_at is None else self._utcnow() - sent_at
            text = self._bodies.text(path, response)
            return Response(
                path=path,
                received_at=self._utcnow(),
                document=self._read_json(path, text),
                simulated="X-Grid-Simulated" in response.headers,
                clock_ahead=clock_ahead,
            )

    def _check_kind(self, path: str, response: requests.Response) -> None:
        """Refuse recorded data where live is expected, and the reverse: `X-Grid-Replay` tells."""
        shift = response.headers.get("X-Grid-Replay")
        if self._kind == "live" and shift is not None:
            fault = "is recorded, but live data is expected"
        elif self._kind == "replay" and shift is None:
            fault = "is not recorded, but a replay is expected"
        elif shift and self._wanted_shift and shift != self._wanted_shift:
            fault = f"has {shift[:40]}, but {self._wanted_shift} is expected"
        else:
            return
        raise ApiWrongKind(
            f"The answer of {self.host} to {path} {fault}. Recorded and live data are never "
            f"mixed: change {self._service.url_setting} or use another database.",
            path=path,
            status=response.status_code,
        )
