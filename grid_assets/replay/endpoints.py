"""The routes of the recorded API: what each path returns at a given time, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR, api_time, floor, parse_api_time
from grid_assets.replay.recording import FACTORS, Record, View
from grid_assets.replay.regional import RegionalView
from grid_assets.replay.replies import Reply, error

LONGEST_WINDOW: Final = timedelta(days=14)
"""The longest window that `/intensity` and `/generation` accept in one request."""

NOW_REACHES_BACK: Final = timedelta(days=14)
"""Paths without dates return the newest half-hour, if it is no older than this."""

SIMULATED: Final = {"X-Grid-Simulated": "fw48h"}
SIMULATED_REGIONS: Final = {"X-Grid-Simulated": "regional"}

AHEAD_OR_BACK: Final = {
    "fw24h": timedelta(hours=24),
    "fw48h": timedelta(hours=48),
    "pt24h": timedelta(hours=-24),
}
"""What may stand for the end of a window of regions."""

BAD_DATE: Final = (
    "Please enter a valid date in ISO8601 format 'YYYY-MM-DDThh:mmZ' i.e. .../2017-08-25T12:35Z"
)
TOO_LONG: Final = "The maximum range of a request is 14 days."


class Endpoints:
    """The API's read-only endpoints over a `View`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._regional = RegionalView(view)

    def answer(self, path: str, now: datetime, withheld_from: datetime | None) -> tuple[str, Reply]:
        """The endpoint to count the request under, and the response: 200, 400 or 404."""
        match path.strip("/").split("/"):
            case ["intensity"]:
                return "/intensity", self._current_intensity(now, withheld_from)
            case ["intensity", "factors"]:
                return "/intensity/factors", _data([FACTORS])
            case ["generation"]:
                return "/generation", self._current_mix(now, withheld_from)
            case ["intensity", _, "fw48h"]:
                endpoint = "/intensity/fw48h"
            case ["intensity", _, _]:
                endpoint = "/intensity"
            case ["generation", _, _]:
                endpoint = "/generation"
            case ["regional"]:
                records = self._regional.records(now, floor(now) + HALF_HOUR, now, withheld_from)
                return "/regional", _regions(records[-1:])
            case ["regional", "intensity", first, last]:
                name = f"/regional/intensity/{last}" if last in AHEAD_OR_BACK else ""
                name = name or "/regional/intensity"
                try:
                    return name, self._regions_in(first, last, now, withheld_from)
                except (ValueError, OverflowError):
                    return name, error(400, "Bad Request", BAD_DATE)
            case _:
                return "other", error(404, "Not Found", "Nothing is found at this address.")
        _, start, end = path.strip("/").split("/")
        try:
            return endpoint, self._ranged(endpoint, start, end, now, withheld_from)
        except (ValueError, OverflowError):
            return endpoint, error(400, "Bad Request", BAD_DATE)

    def _ranged(
        self,
        endpoint: str,
        first: str,
        last: str,
        now: datetime,
        withheld_from: datetime | None,
    ) -> Reply:
        start = parse_api_time(first)
        if endpoint == "/intensity/fw48h":
            return replace(_data(self._view.forecast(start, now)), headers=SIMULATED)
        end = parse_api_time(last)
        if end - start > LONGEST_WINDOW:
            return error(400, "Bad Request", TOO_LONG)
        if endpoint == "/generation":
            return _data(self._view.generation(start, end, now, withheld_from))
        records = self._view.intensity(start, end, now, withheld_from)
        simulated = bool(records) and records[-1]["from"] > api_time(floor(now))
        return replace(_data(records), headers=SIMULATED if simulated else {})

    def _regions_in(
        self, first: str, last: str, now: datetime, withheld_from: datetime | None
    ) -> Reply:
        start = parse_api_time(first)
        end = start + AHEAD_OR_BACK[last] if last in AHEAD_OR_BACK else parse_api_time(last)
        start, end = min(start, end), max(start, end)
        if end - start >= LONGEST_WINDOW:  # regions refuse exactly 14 days too
            return error(400, "Bad Request", TOO_LONG)
        if last.startswith("fw"):  # no forecast is withheld
            withheld_from = None
        return _regions(self._regional.records(start, end, now, withheld_from))

    def _current_intensity(self, now: datetime, withheld_from: datetime | None) -> Reply:
        end = floor(now) + HALF_HOUR
        records = self._view.intensity(end - NOW_REACHES_BACK, end, now, withheld_from)
        return _data(records[-1:])

    def _current_mix(self, now: datetime, withheld_from: datetime | None) -> Reply:
        # An object; every other endpoint returns a list.
        records = self._view.generation(now - NOW_REACHES_BACK, now, now, withheld_from)
        return _data(records[-1] if records else [])


def _regions(records: list[Record]) -> Reply:
    return replace(_data(records), headers=SIMULATED_REGIONS)


def _data(data: object) -> Reply:
    return Reply(200, {"data": data})
