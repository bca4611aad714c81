"""The documents of the feeds, from the rows that were read. Pure.

A value that is not known is null. Each value has its unit, and `kind`: measured, forecast, derived
or simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from grid_assets.feeds.errors import accuracy, models
from grid_assets.feeds.postcodes import postcodes
from grid_assets.feeds.read import DAYS, WITHIN, Found, Row
from grid_assets.feeds.values import Document, Kind, age, kind_of, london, number, period, stamp
from grid_assets.halfhours import HALF_HOUR
from grid_assets.regions import REGIONS, Region
from grid_assets.series import CARBON_INTENSITY, FUEL_GROUPS, FUELS
from grid_assets.settings import DataKind

UNIT: Final = CARBON_INTENSITY.unit
STEPS: Final = 96
"""Half-hours of a forecast: 48 hours, always."""

ATTRIBUTION: Final = (
    "NESO Carbon Intensity API, CC BY 4.0. Contains BMRS data © Elexon Limited copyright and "
    "database right. Supported by National Energy SO Open Data."
)


def documents(found: Found, data_kind: DataKind) -> dict[str, Document]:
    """Every document by its path below the version's folder."""
    made = {
        "now.json": _now(found),
        "forecast.json": _forecast(found),
        "greenest.json": _greenest(found, None),
        "accuracy.json": accuracy(found),
    }
    if found.regional_now:
        made["postcodes.json"] = {
            **postcodes(),
            "regions": {str(one.region_id): _greenest_in(found, one) for one in REGIONS},
        }
        made |= {f"regions/{one.region_id}.json": _region(found, one) for one in REGIONS}
    return {
        name: {
            "generated_at": stamp(found.now),
            "data_kind": data_kind,
            "attribution": ATTRIBUTION,
            **document,
        }
        for name, document in made.items()
    }


def _now(found: Found) -> Document:
    newest, current = found.newest, found.forecast[0]
    return {
        "carbon_intensity": {
            **period(newest["actual_start"], found.now),
            "value": number(newest["actual_gco2_kwh"]),
            "unit": UNIT,
            "kind": kind_of(newest["actual_gco2_kwh"], "measured"),
            "basis": "generation",
            "index": newest["intensity_index"],
        },
        "forecast": {
            **period(current["at"], found.now),
            "unit": UNIT,
            "basis": "generation",
            **_predicted(current, found.now),
        },
        "mix": _mix(newest, newest["mix_start"], found.now, "measured", "generation"),
        "regions": [_region_now(row, found.now) for row in found.regional_now],
    }


def _forecast(found: Found) -> Document:
    return {
        "unit": UNIT,
        "basis": "generation",
        "half_hours": [_half_hour(row, found.now) for row in found.forecast],
    }


def _half_hour(row: Row, now: datetime) -> Document:
    return {
        "period_start": stamp(row["at"]),
        **_predicted(row, now),
        "neso": number(row["neso"]),
        "neso_kind": kind_of(row["neso"], "simulated" if row["neso_simulated"] else "forecast"),
    }


def _predicted(row: Row, now: datetime) -> Document:
    kind: Kind = "simulated" if row["simulated"] else "forecast"
    if row.get("derived") and kind == "forecast":
        kind = "derived"
    return {
        "value": number(row["p50"]),
        "p10": number(row["p10"]),
        "p90": number(row["p90"]),
        "model": row["model"],
        "kind": kind_of(row["p50"], kind),
        "issued_at": stamp(row["issued_at"]) if row["issued_at"] else None,
        "age_s": age(row["issued_at"], now),
    }


def _greenest(found: Found, region_id: int | None) -> Document:
    windows = [row for row in found.greenest if row["region_id"] == region_id]
    return {
        "unit": UNIT,
        "basis": "generation" if region_id is None else "consumption",
        "within_hours": WITHIN // timedelta(hours=1),
        "windows": [_window(row, found) for row in windows],
    }


def _greenest_in(found: Found, region: Region) -> Document:
    return {
        "region_id": region.region_id,
        "short_name": region.short_name,
        "greenest": _greenest(found, region.region_id),
    }


def _window(row: Row, found: Found) -> Document:
    shown = _rows_of(found, row["region_id"])
    used = [one for one in shown if row["starts_at"] <= one["at"] < row["ends_at"]]
    simulated = any(one["simulated"] for one in used)
    derived = row["region_id"] is not None and row["model"] == "blend"
    kind: Kind = "simulated" if simulated else "derived" if derived else "forecast"
    return {
        "hours": row["hours"],
        "period_start": stamp(row["starts_at"]),
        "period_end": stamp(row["ends_at"]),
        "start_london": london(row["starts_at"]),
        "end_london": london(row["ends_at"]),
        "value": number(row["mean_gco2_kwh"]),
        "saved": number(row["saved_gco2_kwh"]),
        "model": row["model"],
        "kind": kind,
        "issued_at": stamp(row["issued_at"]),
        "age_s": age(row["issued_at"], found.now),
        "forecast_to": stamp(row["forecast_to"]),
    }


def _rows_of(found: Found, region_id: int | None) -> Sequence[Mapping[str, Any]]:
    if region_id is None:
        return found.forecast
    return _half_hours(found, region_id)


def _half_hours(found: Found, region_id: int) -> list[Document]:
    """The 96 half-hours of a region. The first has begun: it is the newest that was published."""
    known = {
        row["period_start"]: {**row, "at": row["period_start"]}
        for row in found.regional_forecast
        if row["region_id"] == region_id
    }
    [now] = [row for row in found.regional_now if row["region_id"] == region_id]
    newest = now["intensity_gco2_kwh"] if now["period_start"] == found.first else None
    if newest is not None and found.first not in known:
        known[found.first] = {
            **_NOTHING,
            "at": found.first,
            "model": "neso",
            "p50": newest,
            "simulated": now["simulated"],
            "neso": newest,
            "neso_simulated": now["simulated"],
        }
    half_hours = (found.first + step * HALF_HOUR for step in range(STEPS))
    return [known.get(at, {**_NOTHING, "at": at}) for at in half_hours]


_NOTHING: Final[Document] = {
    "model": None,
    "issued_at": None,
    "p10": None,
    "p50": None,
    "p90": None,
    "simulated": False,
    "derived": False,
    "neso": None,
    "neso_simulated": False,
}


def _region(found: Found, region: Region) -> Document:
    [now] = [row for row in found.regional_now if row["region_id"] == region.region_id]
    kind: Kind = "simulated" if now["simulated"] else "forecast"
    return {
        "region_id": region.region_id,
        "short_name": region.short_name,
        "nation": region.nation,
        "now": _region_now(now, found.now),
        "mix": _mix(now, now["period_start"], found.now, kind, "consumption"),
        "forecast": {
            "unit": UNIT,
            "basis": "consumption",
            "half_hours": [
                _half_hour(row, found.now) for row in _half_hours(found, region.region_id)
            ],
        },
        "greenest": _greenest(found, region.region_id),
        "accuracy": {
            "days": DAYS,
            "unit": UNIT,
            "against": "estimate",
            "models": models(
                row for row in found.regional_accuracy if row["region_id"] == region.region_id
            ),
        },
    }


def _region_now(row: Row, now: datetime) -> Document:
    value = row["intensity_gco2_kwh"]
    return {
        "region_id": row["region_id"],
        "short_name": row["short_name"],
        **period(row["period_start"], now),
        "value": number(value),
        "unit": UNIT,
        # the API calls it a forecast, also once the half-hour is over
        "kind": kind_of(value, "simulated" if row["simulated"] else "forecast"),
        "basis": "consumption",
        "index": row["intensity_index"],
    }


def _mix(row: Row, start: datetime | None, now: datetime, kind: Kind, basis: str) -> Document:
    shares = {fuel: row[f"{fuel}_pct"] for fuel in FUELS}
    groups = {
        "renewable": FUEL_GROUPS["renewable"],
        "zero_carbon": (*FUEL_GROUPS["renewable"], "nuclear"),
        "fossil": FUEL_GROUPS["fossil"],
    }
    is_known = any(share is not None for share in shares.values())
    return {
        **period(start if is_known else None, now),
        "unit": "%",
        "kind": kind if is_known else None,
        "basis": basis,
        "shares": {fuel: number(share) for fuel, share in shares.items()},
        "groups": {
            name: number(sum(shares[fuel] or 0 for fuel in fuels)) if is_known else None
            for name, fuels in groups.items()
        },
    }
