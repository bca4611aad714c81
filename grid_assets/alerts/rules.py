"""When an alert is met: the stretches below a limit, the greenest window, and a silence.

Pure: forecasts and times are arguments. What of it was told already is decided in `judging`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from grid_assets.halfhours import HALF_HOUR, floor

Kind = Literal["below", "greenest_window", "no_telemetry"]
Outcome = Literal["met", "not_met", "no_data", "failed", "demo"]

OLDEST: Final = timedelta(hours=6)
"""An older forecast is no ground for a message: cycles issue one every half-hour."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One row of `ops.alerts`; what its kind does not need is None."""

    alert_id: int
    name: str
    kind: Kind
    region_id: int | None
    region_name: str | None
    below_gco2_kwh: Decimal | None
    duration: timedelta | None
    within: timedelta | None
    notice: timedelta | None
    silent: timedelta | None
    quiet: timedelta
    in_demo: bool
    changed_at: datetime

    @property
    def place(self) -> str:
        """The region by name and number, or Great Britain."""
        if self.region_id is None:
            return "Great Britain"
        return f"{self.region_name} (region {self.region_id})"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of one half-hour."""

    period_start: datetime
    gco2_kwh: Decimal
    model: str
    issued_at: datetime

    @property
    def period_end(self) -> datetime:
        return self.period_start + HALF_HOUR


@dataclass(frozen=True, slots=True)
class Event:
    """What an alert is about: a stretch or window of forecast half-hours, or a silence.

    `saved_gco2_kwh` is how much greener a window is than the same use from now on, if known.
    `later` are the spans of stretches that are told with it; it ends with the last of them, and
    `forecasts` are those of the first.
    """

    start: datetime
    end: datetime
    forecasts: tuple[Forecast, ...] = ()
    saved_gco2_kwh: Decimal | None = None
    later: tuple[tuple[datetime, datetime], ...] = ()

    def followed_by(self, other: Event) -> Event:
        """This event and a later stretch, told together."""
        return replace(self, end=other.end, later=(*self.later, (other.start, other.end)))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one cycle says of one alert; `reason` says why it says nothing."""

    outcome: Outcome
    reason: str | None = None
    events: tuple[Event, ...] = ()


def first_half_hour(now: datetime) -> datetime:
    """The start of the first half-hour that has not begun."""
    begun = floor(now)
    return begun if begun == now else begun + HALF_HOUR


def judge_below(alert: Alert, forecasts: Sequence[Forecast], now: datetime) -> Judgement:
    """Met by each stretch below the limit of which `duration` lies in the hours to look at.

    `forecasts` are those of the place from `first_half_hour` on, in order; one that is missing ends
    a stretch. A stretch is told as long as it is, beyond these hours too.
    """
    assert alert.below_gco2_kwh is not None
    assert alert.duration is not None
    assert alert.within is not None
    until = first_half_hour(now) + alert.within
    if sum(each.period_end <= until for each in forecasts) * HALF_HOUR < alert.duration:
        return no_forecast(alert)
    found = tuple(
        Event(stretch[0].period_start, stretch[-1].period_end, tuple(stretch))
        for stretch in stretches_below(forecasts, alert.below_gco2_kwh)
        if len(stretch) * HALF_HOUR >= alert.duration
        and stretch[0].period_start + alert.duration <= until
    )
    return Judgement("met" if found else "not_met", events=found)


def stretches_below(forecasts: Sequence[Forecast], limit: Decimal) -> Iterator[list[Forecast]]:
    """The longest stretches of half-hours without a gap that are all below the limit."""
    stretch: list[Forecast] = []
    for each in forecasts:
        if each.gco2_kwh >= limit:
            continue
        if stretch and each.period_start != stretch[-1].period_end:
            yield stretch
            stretch = []
        stretch.append(each)
    if stretch:
        yield stretch


def judge_window(
    alert: Alert, window: Sequence[Forecast], saved_gco2_kwh: Decimal | None, now: datetime
) -> Judgement:
    """Met if the greenest window, empty if none is forecast, begins within the notice."""
    assert alert.notice is not None
    if not window or min(each.issued_at for each in window) < now - OLDEST:
        return no_forecast(alert)
    start = window[0].period_start
    if start - now > alert.notice:
        return Judgement("not_met")
    found = Event(start, window[-1].period_end, tuple(window), saved_gco2_kwh)
    return Judgement("met", events=(found,))


def judge_silence(alert: Alert, newest_end: datetime | None, now: datetime) -> Judgement:
    """Met if the newest half-hour of telemetry ended too long ago."""
    assert alert.silent is not None
    if newest_end is None:
        return Judgement("no_data", "There is no telemetry yet.")
    if now - newest_end < alert.silent:
        return Judgement("not_met")
    return Judgement("met", events=(Event(newest_end, now),))


def no_forecast(alert: Alert) -> Judgement:
    """Without times, so that the same reason is one row of `ops.alert_judgements`."""
    return Judgement(
        "no_data",
        f"The forecast of {alert.place} is missing, too short, or older than "
        f"{OLDEST // timedelta(hours=1)} hours.",
    )
