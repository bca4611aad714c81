"""How single values of the feeds are written: times, ages, kinds and numbers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from grid_assets.halfhours import HALF_HOUR

LONDON: Final = ZoneInfo("Europe/London")
PLACES: Final = Decimal("0.01")
"""What a number is rounded to."""

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
    """A number with at most two decimals, rounded as PostgreSQL does; whole ones have no point."""
    if value is None:
        return None
    rounded = Decimal(value).quantize(PLACES, ROUND_HALF_UP)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def london(at: datetime) -> str:
    return at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")
