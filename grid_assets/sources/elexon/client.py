"""The client of the Elexon Insights API: what a window of a dataset holds, request by request.

Requests run one after the other and some time apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic

from grid_assets.halfhours import Window
from grid_assets.settings import Settings
from grid_assets.sources.elexon import payloads, queries
from grid_assets.sources.elexon.payloads import DemandRow, GenerationRow, Parsed, Row
from grid_assets.sources.elexon.queries import Query
from grid_assets.sources.http.body import json_value, malformed
from grid_assets.sources.http.client import HttpClient, Response
from grid_assets.sources.http.errors import (
    ApiError,
    ApiRateLimited,
    ApiUnreachable,
    ApiWrongKind,
    Service,
    unexpected,
)
from grid_assets.sources.http.session import is_loopback
from grid_assets.sources.http.source import SourceClient, limits_of
from grid_assets.sources.publication import Publication

SERVICE: Final = Service(
    name="The Elexon Insights API",
    url_setting="GRID_ELEXON_URL",
    rate_advice="Wait. Check whether something else polls from this address.",
)

LEAST_INTERVAL_S: Final = 0.5
"""No rate is documented; other clients keep to two requests a second, and see few HTTP 429."""

SILENT_REQUESTS: Final = 3
"""Unanswered requests in a row before the rest are abandoned; one or two may be bad luck."""

Parse = Callable[[Any, Query, datetime], Parsed[Row]]


@dataclass(frozen=True, slots=True)
class Captured(Generic[Row]):
    """What one request brought; `received_at` (UTC) is when the response was complete."""

    path: str
    received_at: datetime
    parsed: Parsed[Row]
    simulated: bool
    clock_ahead: timedelta | None
    """How far this machine's clock is ahead of the API's; None if the API sent no date."""


class ElexonApi(SourceClient):
    """A client of the API for one run, for use in a `with` block.

    Each method yields the pieces of its window in time order, with what their request brought or
    its error. A failing piece does not stop the others; only `ApiWrongKind` is raised. When three
    requests in a row get no answer despite all retries, the rest are not sent.
    """

    def __init__(self, base_url: str, **options: Any) -> None:
        """`options` go to `HttpClient`."""
        options.setdefault("least_interval_s", LEAST_INTERVAL_S)
        super().__init__(HttpClient(base_url, SERVICE, read_json=read_json, **options))

    @classmethod
    def from_settings(cls, settings: Settings, **options: Any) -> ElexonApi | None:
        """A client by the settings; None if they switch this source off.

        Requests to a server on this machine, which is not Elexon, are not kept apart.
        """
        url = settings.elexon_url
        if url is None:
            return None
        apart = 0 if is_loopback(url) else LEAST_INTERVAL_S
        return cls(url, **{"least_interval_s": apart, **limits_of(settings), **options})

    def wind_forecast(
        self, published: Window
    ) -> Iterator[tuple[Window, Captured[Publication] | ApiError]]:
        """Every hourly forecast of metered wind (WINDFOR) that was published in the window."""
        return self._fetch(queries.wind_forecasts(published), payloads.parse_wind_forecasts)

    def demand_forecast(
        self, published: Window
    ) -> Iterator[tuple[Window, Captured[Publication] | ApiError]]:
        """Every half-hourly forecast of national demand (NDF) that was published in the window."""
        return self._fetch(queries.demand_forecasts(published), payloads.parse_demand_forecasts)

    def generation(
        self, window: Window
    ) -> Iterator[tuple[Window, Captured[GenerationRow] | ApiError]]:
        """Generation by fuel (FUELHH) of the half-hours that start in the window."""
        return self._fetch(queries.generation(window), payloads.parse_generation)

    def demand_outturn(
        self, window: Window
    ) -> Iterator[tuple[Window, Captured[DemandRow] | ApiError]]:
        """National demand (INDO) of the half-hours that start in the window."""
        return self._fetch(queries.demand_outturn(window), payloads.parse_demand_outturn)

    def _fetch(
        self, requests: Iterator[Query], parse: Parse[Row]
    ) -> Iterator[tuple[Window, Captured[Row] | ApiError]]:
        silent = 0
        for query in requests:
            outcome: Captured[Row] | ApiError
            try:
                if silent >= SILENT_REQUESTS:
                    raise ApiUnreachable(
                        f"{query.path} was not requested for {query.wanted}: the "
                        f"{SILENT_REQUESTS} requests before it got no answer from "
                        f"{self._http.host}. Try again later.",
                        path=query.path,
                    )
                outcome = _captured(self._http.get(query.path, query.params), query, parse)
            except ApiWrongKind:
                raise
            except ApiError as error:
                outcome = error
            except Exception as error:  # a fault of ours must not lose the other pieces
                outcome = unexpected(f"{query.path}, {query.wanted}", error)
            silent = silent + 1 if isinstance(outcome, ApiUnreachable | ApiRateLimited) else 0
            yield query.wanted, outcome


def read_json(path: str, text: str) -> Any:
    """A body, which is an object or, of some paths, a list. Raises `ApiMalformedBody`."""
    document = json_value(path, text)
    if not isinstance(document, dict | list):
        raise malformed(path, "is JSON, but neither an object nor a list", text)
    return document


def _captured(response: Response, query: Query, parse: Parse[Row]) -> Captured[Row]:
    # A clock that is behind must not make what was just published look like the future.
    behind = max(-(response.clock_ahead or timedelta(0)), timedelta(0))
    parsed = parse(response.document, query, response.received_at + behind)
    return Captured(
        response.path, response.received_at, parsed, response.simulated, response.clock_ahead
    )
