"""How single values of the feeds are written: times, ages, kinds and numbers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from grid_assets.halfhours import HALF_HOUR

LONDON: Final = ZoneInfo("Europe/London")

Kind = Literal["measured", "forecast", "derived", "simulated"]
Document = dict[str, Any]


def stamp(at: datetime) -> str:
    """A time as RFC 3339, UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def period(start: datetime | None, now: datetime) -> Document:
    """A half-hour, and the time since it ended; 0 while it lasts."""
    end = start + HALF_HOUR if start else None
    return {
        "period_start": stamp(start) if start else None,
        "period_end": stamp(end) if end else None,
        "age_s": age(end, now),
    }


def age(at: datetime | None, now: datetime) -> int | None:
    """Whole seconds from a time to when the feed was made; 0 for a later one."""
    return max(0, round((now - at).total_seconds())) if at else None


def kind_of(value: object, kind: Kind) -> Kind | None:
    return None if value is None else kind


def number(value: Decimal | int | None) -> float | int | None:
    """A number with at most two decimals, without a decimal point if it is whole."""
    if value is None:
        return None
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded


def london(at: datetime) -> str:
    return at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")
