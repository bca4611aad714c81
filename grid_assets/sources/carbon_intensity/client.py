"""The client of the Carbon Intensity API.

It limits how many requests run at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal

from grid_assets.halfhours import Window, api_time
from grid_assets.settings import Settings
from grid_assets.sources.http.client import HttpClient, Response
from grid_assets.sources.http.errors import (
    BODY_EXCERPT_BYTES,
    ApiError,
    ApiRateLimited,
    ApiUnreachable,
    ApiWrongKind,
    Service,
    unexpected,
)
from grid_assets.sources.http.session import is_loopback
from grid_assets.sources.http.source import SourceClient, limits_of

LONGEST_WINDOW: Final = timedelta(days=14)
"""The longest window that `/intensity` and `/generation` accept in one request."""

SILENT_WINDOWS: Final = 3
"""Unanswered windows in a row before the rest are abandoned; one or two may be bad luck."""

PROBE_TIMEOUT_S: Final = 2.0
"""A replay on the same machine answers in milliseconds."""

LONGEST_REGIONAL_WINDOW: Final = timedelta(days=2)
"""The longest window of all regions in one request: 2.8 MB. The API refuses exactly 14 days."""

Endpoint = Literal["intensity", "generation", "regional/intensity"]


SERVICE: Final = Service(
    name="The API",
    url_setting="GRID_API_URL",
    rate_advice="Lower GRID_API_CONCURRENCY if this lasts.",
)

ApiResponse = Response
"""A response whose `document` is an object."""


@dataclass(frozen=True)
class ReplayInfo:
    """How many weeks a replay has moved its recording towards the present."""

    shift_weeks: int


class CarbonIntensityApi(SourceClient):
    """A client of the API for one run, for use in a `with` block by any number of threads."""

    def __init__(self, base_url: str, *, concurrency: int = 4, **options: Any) -> None:
        """`options` go to `HttpClient`."""
        super().__init__(HttpClient(base_url, SERVICE, concurrency=concurrency, **options))
        self._concurrency = concurrency
        # One pool for the life of the client: the limit applies to all its windows together.
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="carbon-intensity")

    @classmethod
    def from_settings(cls, settings: Settings, **options: Any) -> CarbonIntensityApi:
        return cls(
            settings.api_url,
            concurrency=settings.api_concurrency,
            **limits_of(settings),
            **options,
        )

    def close(self) -> None:
        """End waits between tries, drop requests that have not started, close the connections."""
        self._http.end_waits()
        self._pool.shutdown(cancel_futures=True)
        super().close()

    def get(self, path: str) -> ApiResponse:
        """The response to GET `path`, such as `/intensity/factors`. Raises `ApiError`."""
        return self._http.get(path)

    def fetch_forecast(self, from_half_hour: datetime) -> ApiResponse:
        """NESO's forecast for the 48 hours from a half-hour on. Raises `ApiError`."""
        return self.get(f"/intensity/{api_time(from_half_hour)}/fw48h")

    def fetch_regional_forecast(self, from_half_hour: datetime) -> ApiResponse:
        """NESO's forecast of all regions for the 48 hours from a half-hour on. Raises
        `ApiError`."""
        return self.get(f"/regional/intensity/{api_time(from_half_hour)}/fw48h")

    def fetch_windows(
        self,
        endpoint: Endpoint,
        window: Window,
        longest: timedelta = LONGEST_WINDOW,
        *,
        at_once: int | None = None,
    ) -> Iterator[tuple[Window, ApiResponse | ApiError]]:
        """Each piece of `window` with its response or its error, in time order.

        A failing piece does not stop the others; only `ApiWrongKind` is raised. If the caller is
        slow, at most `at_once` responses are held, or else twice as many as requests may be in
        flight. Closing the iterator early drops the pieces that have not started.

        When three pieces in a row get no answer despite all retries, the rest become
        `ApiUnreachable` without a request. Only silence and HTTP 429 count, because neither depends
        on the piece; a 5xx or a malformed body may concern a single piece.
        """
        gave_up = threading.Event()

        def fetch(path: str) -> ApiResponse:
            if gave_up.is_set():
                raise ApiUnreachable(
                    f"{path} was not requested: the {SILENT_WINDOWS} requests before it got no "
                    f"answer from {self._http.host}. Try again later.",
                    path=path,
                )
            return self.get(path)

        at_once = at_once or 2 * self._concurrency
        pieces = window.split(longest)
        pending: deque[tuple[Window, Future[ApiResponse]]] = deque()
        silent = 0
        try:
            while True:
                for piece in islice(pieces, at_once - len(pending)):
                    path = f"/{endpoint}/{api_time(piece.start)}/{api_time(piece.end)}"
                    pending.append((piece, self._pool.submit(fetch, path)))
                if not pending:
                    return
                piece, future = pending.popleft()
                try:
                    outcome: ApiResponse | ApiError = future.result()
                except ApiWrongKind:
                    raise
                except ApiError as error:
                    outcome = error
                except Exception as error:  # a fault of ours must not lose the other pieces
                    outcome = unexpected(f"/{endpoint}, {piece}", error)
                silent = silent + 1 if isinstance(outcome, ApiUnreachable | ApiRateLimited) else 0
                if silent >= SILENT_WINDOWS and not any(_has_answer(later) for _, later in pending):
                    gave_up.set()  # an answer to a later piece would prove that the API is alive
                yield piece, outcome
        finally:
            for _, future in pending:
                future.cancel()


def probe_replay(base_url: str, timeout_s: float = PROBE_TIMEOUT_S) -> ReplayInfo | None:
    """The replay that runs at an address on this machine; None for anything else.

    Never raises if the server is dead or is not a replay, and never contacts another machine.
    """
    if not is_loopback(base_url):
        return None
    with CarbonIntensityApi(
        base_url,
        timeout_s=timeout_s,
        retry_budget_s=0,
        concurrency=1,
        max_body_bytes=BODY_EXCERPT_BYTES,
    ) as api:
        try:
            document = api.get("/replay/status").document
        except ApiError:
            return None
    shift_weeks = document.get("shift_weeks")
    if document.get("kind") != "replay" or type(shift_weeks) is not int:
        return None
    return ReplayInfo(shift_weeks)


def _has_answer(future: Future[ApiResponse]) -> bool:
    return future.done() and future.exception() is None
