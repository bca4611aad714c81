"""The messages of alerts, written for somebody who has just been woken: what, where, when, by whom.

Times are London's, with their zone. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from grid_assets.alerts.rules import Alert, Event, Forecast
from grid_assets.halfhours import HALF_HOUR, LONDON

OFF: Final = "UPDATE ops.alerts SET is_on = false WHERE alert_id = {};"


def message(alert: Alert, event: Event, *, recorded: bool) -> tuple[str, str]:
    """The first line and the text of the message about an event; `recorded` marks the demo's."""
    what, *lines = {
        "below": _below,
        "greenest_window": _window,
        "no_telemetry": _silence,
    }[alert.kind](alert, event)
    title = f"{alert.name}: {what}"
    if recorded:
        title = f"RECORDED DATA, {title}"
        lines.append("This is the demo: the data is recorded, not live.")
    lines.append(f"To switch it off, run in SQL: {OFF.format(alert.alert_id)}")
    return title, "\n".join(lines)


def span(start: datetime, end: datetime) -> str:
    """`Fri 27 Nov 22:30 to Sat 28 Nov 01:00 GMT`; the zone twice where it changes between."""
    first, last = start.astimezone(LONDON), end.astimezone(LONDON)
    zone = "" if first.tzname() == last.tzname() else f" {first.tzname()}"
    day = "" if first.date() == last.date() else f"{_day(last)} "
    return f"{_day(first)} {first:%H:%M}{zone} to {day}{last:%H:%M} {last.tzname()}"


def length(duration: timedelta) -> str:
    """`30 minutes`, `1 hour`, `2.5 hours`."""
    minutes = duration // timedelta(minutes=1)
    if minutes < 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes / 60:g} hours"


def _below(alert: Alert, event: Event) -> list[str]:
    lowest = min(event.forecasts, key=lambda each: each.gco2_kwh)
    limit = f"{float(alert.below_gco2_kwh or 0):g}"
    end = event.forecasts[-1].period_end
    again = "; ".join(span(*later) for later in event.later)
    return [
        f"{alert.region_name or 'Great Britain'} below {limit} g from {_clock(event.start)}",
        f"{alert.place} is forecast below {limit} gCO2/kWh for "
        f"{length(end - event.start)}: {span(event.start, end)}.",
        f"Mean {_mean(event.forecasts)} g, lowest {_grams(lowest.gco2_kwh)} g "
        f"({_clock(lowest.period_start)}).",
        *([f"Below it again: {again}."] if again else []),
        _source(event.forecasts),
    ]


def _window(alert: Alert, event: Event) -> list[str]:
    assert alert.within is not None
    saved = event.saved_gco2_kwh
    less = f", {_grams(saved)} g less than from now on" if saved and saved > 0 else ""
    used = length(event.end - event.start).removeprefix("1 ")
    return [
        f"the greenest {used} begin{'s' if used == 'hour' else ''} {_clock(event.start)}",
        f"The greenest {used} of the next {length(alert.within)} in {alert.place}: "
        f"{span(event.start, event.end)}.",
        f"Mean {_mean(event.forecasts)} gCO2/kWh{less}.",
        _source(event.forecasts),
    ]


def _silence(alert: Alert, event: Event) -> list[str]:
    return [
        f"nothing new for {(event.end - event.start) // timedelta(minutes=1)} minutes",
        f"The newest half-hour of telemetry is {span(event.start - HALF_HOUR, event.start)}.",
        "`grid status` says what failed; if nothing did, the source is late.",
    ]


def _source(forecasts: Sequence[Forecast]) -> str:
    models = " and ".join(sorted({each.model for each in forecasts}))
    issued = min(each.issued_at for each in forecasts).astimezone(LONDON)
    return f"Forecast by {models}, issue of {_day(issued)} {issued:%H:%M %Z}."


def _mean(forecasts: Sequence[Forecast]) -> str:
    return _grams(sum((each.gco2_kwh for each in forecasts), Decimal(0)) / len(forecasts))


def _grams(value: Decimal) -> str:
    return f"{value:.0f}"


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}"


def _clock(at: datetime) -> str:
    """With the day of the week, as a forecast reaches into the day after tomorrow."""
    return f"{at.astimezone(LONDON):%a %H:%M %Z}"
