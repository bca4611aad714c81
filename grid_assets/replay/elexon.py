"""The recorded Elexon Insights API: what each dataset returns at a given time, and what it refuses.

Generation by fuel, demand and the wind forecasts are recorded; the demand forecast is simulated.
Only JSON is served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, Final

from grid_assets.halfhours import DAY, HALF_HOUR, LONDON, floor, london_midnight, settlement
from grid_assets.replay.outlook_recording import FUEL_TYPES, OutlookView
from grid_assets.replay.replies import Reply
from grid_assets.replay.settlement import later_day, starts_between

OUTTURN_LAG: Final = timedelta(minutes=5)
"""How long after the end of a half-hour its outturn appears. The rows name the end itself."""

NDF_MINUTES: Final = (48, 16)
"""Minutes of an hour at which a demand forecast is published (seen: 10:16, 10:49, 11:48)."""

WHOLE_NEXT_DAY_FROM: Final = time(11, 45)
"""London time from which a demand forecast covers the whole next day; before, to 05:00 of it."""

NDF_REACHES: Final = time(5)

LATEST_WITHIN: Final = timedelta(days=14)
"""Requests without dates return the latest publication, if it is no older than this."""

SETTLEMENT_CAP: Final = 7 * DAY

NO_STORE: Final = {"Cache-Control": "no-store"}

Row = dict[str, Any]
Query = Mapping[str, Sequence[str]]
Rows = Callable[[datetime, datetime], Iterator[Row]]
"""The rows of what was published in a window that ends at or before now, newest first."""


class Refused(Exception):
    """A request that the API answers with status 400; a rule for several parameters names none."""

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class _Dataset:
    rows: Rows
    cap: timedelta | None = None
    lag: timedelta = timedelta(0)
    simulated: bool = False
    by_settlement: bool = False


class ElexonApi:
    """The API's datasets over an `OutlookView`."""

    def __init__(self, view: OutlookView) -> None:
        self._view = view
        self._datasets = {
            "WINDFOR": _Dataset(self._wind_forecasts),
            "NDF": _Dataset(self._demand_forecasts, cap=DAY, simulated=True),
            "FUELHH": _Dataset(self._generation, lag=OUTTURN_LAG, by_settlement=True),
            "INDO": _Dataset(self._demand("INDO", "demand"), lag=OUTTURN_LAG),
            "ITSDO": _Dataset(self._demand("ITSDO", "transmission_demand"), lag=OUTTURN_LAG),
        }

    def answer(self, path: str, query: Query, now: datetime) -> tuple[str, Reply]:
        """The dataset to count the request under, and the response: 200, 400 or 404.

        `path` is below the API's base address. Unknown parameters are ignored, as by the API.
        """
        match path.strip("/").split("/"):
            case ["datasets", name] if name in self._datasets:
                stream = False
            case ["datasets", name, "stream"] if name in self._datasets:
                stream = True
            case _:
                return "other", Reply(404, {"statusCode": 404, "message": "Resource not found"})
        dataset = self._datasets[name]
        try:
            rows = self._selected(dataset, query, now - dataset.lag, capped=not stream)
        except Refused as refused:
            return name, problem(str(refused), refused.parameter)
        except OverflowError:
            return name, problem("The dates are out of range.")
        headers = {**NO_STORE, "X-Grid-Simulated": name} if dataset.simulated and rows else NO_STORE
        return name, Reply(200, rows if stream else {"data": rows}, headers=headers)

    def _selected(
        self, dataset: _Dataset, query: Query, now: datetime, *, capped: bool
    ) -> list[Row]:
        published = _instants(query, "publishDateTimeFrom", "publishDateTimeTo")
        days = _days(query) if dataset.by_settlement else (None, None)
        if any(days) and any(published):
            raise Refused("The Settlement Date fields cannot be set when a Publish Date is set")
        if any(days):
            rows = self._of_days(dataset, days, now, capped=capped)
        elif any(published):
            first, last = published[0] or self._view.recorded.start - DAY, published[1] or now
            if capped and dataset.cap and last - first > dataset.cap and all(published):
                raise Refused(_too_long("PublishDateTime", dataset.cap))
            rows = list(dataset.rows(first, min(last, now)))
        else:
            newest = dataset.rows(now - LATEST_WITHIN, now)
            head = next(newest, None)
            rows = [head] if head else []
            rows += takewhile(lambda row: row["publishTime"] == rows[0]["publishTime"], newest)
        if not dataset.by_settlement:
            return rows
        fuels, periods = query.get("fuelType"), query.get("settlementPeriod")
        return [
            row
            for row in rows
            if (not fuels or row["fuelType"] in fuels)
            and (not periods or str(row["settlementPeriod"]) in periods)
        ]

    def _of_days(
        self,
        dataset: _Dataset,
        days: tuple[date | None, date | None],
        now: datetime,
        *,
        capped: bool,
    ) -> list[Row]:
        first, last = days[0] or days[1], days[1] or days[0]
        assert first is not None
        assert last is not None
        if capped and last - first >= SETTLEMENT_CAP:
            raise Refused(_too_long("SettlementDate", SETTLEMENT_CAP))
        start, end = london_midnight(first), london_midnight(last + DAY)
        rows = dataset.rows(start, min(end, now))
        return [row for row in rows if first.isoformat() <= row["settlementDate"] <= str(last)]

    def _wind_forecasts(self, first: datetime, last: datetime) -> Iterator[Row]:
        for published, hours in self._view.wind_publications(first, last):
            for hour, generation in hours.items():
                yield {
                    "dataset": "WINDFOR",
                    "publishTime": _utc(published),
                    "startTime": _utc(hour),
                    "generation": generation,
                }

    def _demand_forecasts(self, first: datetime, last: datetime) -> Iterator[Row]:
        recorded = self._view.recorded
        first, hour = max(first, recorded.start - 2 * DAY), min(last, recorded.end)
        hour = hour.replace(minute=0, second=0, microsecond=0)
        while hour + timedelta(hours=1) > first:
            for minute in NDF_MINUTES:
                issue = hour + timedelta(minutes=minute)
                if first <= issue <= last:
                    yield from self._demand_forecast(issue)
            hour -= timedelta(hours=1)

    def _demand_forecast(self, issue: datetime) -> Iterator[Row]:
        if issue.astimezone(LONDON).time() >= WHOLE_NEXT_DAY_FROM:
            end = later_day(issue, 2)
        else:
            next_day = later_day(issue, 1).astimezone(LONDON)
            end = datetime.combine(next_day, NDF_REACHES, tzinfo=LONDON).astimezone(UTC)
        for start in starts_between(floor(issue) + HALF_HOUR, end):
            demand = self._view.demand_forecast(issue, start)
            if demand is not None:
                yield {
                    "dataset": "NDF",
                    "demand": demand,
                    "publishTime": _utc(issue),
                    "startTime": _utc(start),
                    **_settlement(start),
                    "boundary": "N",
                }

    def _generation(self, first: datetime, last: datetime) -> Iterator[Row]:
        for start in self._ended(first, last):
            outturn = self._view.outturn(start)
            if outturn is None:
                continue
            common = _outturn_row("FUELHH", start)
            for fuel, generation in zip(FUEL_TYPES, outturn.generation, strict=True):
                yield {**common, "fuelType": fuel, "generation": generation}

    def _demand(self, dataset: str, field: str) -> Rows:
        def rows(first: datetime, last: datetime) -> Iterator[Row]:
            for start in self._ended(first, last):
                outturn = self._view.outturn(start)
                if outturn is not None:
                    yield {**_outturn_row(dataset, start), "demand": getattr(outturn, field)}

        return rows

    def _ended(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Starts of the recorded half-hours that end in [`first`, `last`], newest first."""
        recorded = self._view.recorded
        start = min(floor(last), recorded.end) - HALF_HOUR
        while start >= recorded.start and start + HALF_HOUR >= first:
            yield start
            start -= HALF_HOUR


def problem(message: str, parameter: str = "") -> Reply:
    """Status 400 in the shape of the API's own."""
    document = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {parameter: [message]},
    }
    return Reply(400, document, content_type="application/problem+json; charset=utf-8")


def _too_long(field: str, cap: timedelta) -> str:
    days = f"{cap.days} day{'s' if cap.days > 1 else ''}"
    return f"The date range between {field}From and {field}To inclusive must not exceed {days}"


def _instants(query: Query, *names: str) -> list[datetime | None]:
    return [_instant(name, query[name][-1]) if query.get(name) else None for name in names]


def _instant(name: str, text: str) -> datetime:
    """A date, which means 00:00 UTC of it, or a time; without a zone it is in UTC."""
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"The value '{text}' is not valid.", name) from None


def _days(query: Query) -> tuple[date | None, date | None]:
    return _day(query, "settlementDateFrom"), _day(query, "settlementDateTo")


def _day(query: Query, name: str) -> date | None:
    if not query.get(name):
        return None
    try:
        return datetime.strptime(query[name][-1], "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refused(f"The value '{query[name][-1]}' is not valid.", name) from None


def _outturn_row(dataset: str, start: datetime) -> Row:
    times = {"publishTime": _utc(start + HALF_HOUR), "startTime": _utc(start)}
    return {"dataset": dataset, **times, **_settlement(start)}


def _settlement(start: datetime) -> Row:
    day, period = settlement(start)
    return {"settlementDate": day.isoformat(), "settlementPeriod": period}


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
