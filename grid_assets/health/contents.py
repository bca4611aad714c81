"""For `grid demo --once`: a table of the warehouse's contents, and the rules that it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from grid_assets.halfhours import utc_text
from grid_assets.warehouse.connection import Connection

RELATIONS: Final = {
    "raw.intensity": "period_start",
    "raw.generation": "period_start",
    "raw.neso_forecast": "issued_at",
    "raw.outlook": "published_at",
    "raw.elexon_generation": "period_start",
    "raw.regional": "period_start",
    "raw.regional_forecast": "issued_at",
    "core.intensity": "period_start",
    "core.generation_mix": "period_start",
    "core.outlook": "published_at",
    "core.generation_mw": "period_start",
    "core.regional_intensity": "period_start",
    "core.regional_mix": "period_start",
    "forecast.predictions": "issued_at",
    "reporting.telemetry": "period_start",
    "reporting.telemetry_24h": "period_start",
    "reporting.generation_mix_24h": "period_start",
    "reporting.forecast_latest": "period_start",
    "reporting.actual_vs_predicted_24h": "period_start",
    "reporting.forecast_accuracy": "target_date",
    "reporting.forecast_value": "target_date",
    "reporting.regional_now": "period_start",
    "ops.etl_runs": "started_at",
    "ops.quarantine": "captured_at",
}
"""Relations to list, each with its time column."""


def table(connection: Connection) -> Iterator[str]:
    """One line for each relation: rows, first and last time."""
    yield f"  {'relation':<30}{'rows':>8}   {'from':<18}{'to':<18}"
    for relation, column in RELATIONS.items():
        row = connection.execute(
            sql.SQL("SELECT count(*), min({column}), max({column}) FROM {relation}").format(
                column=sql.Identifier(column), relation=sql.Identifier(*relation.split("."))
            )
        ).fetchone()
        assert row is not None
        yield f"  {relation:<30}{row[0]:>8}   {utc_text(row[1]):<18}{utc_text(row[2]):<18}".rstrip()


def faults(connection: Connection, *, regions: bool) -> list[str]:
    """Rules that a loaded warehouse breaks; `regions` says whether it must have regions."""
    breaches = {
        "core.intensity is empty": "SELECT NOT EXISTS (SELECT FROM core.intensity)",
        "core.generation_mix is empty": "SELECT NOT EXISTS (SELECT FROM core.generation_mix)",
        "a mix does not sum to exactly 100": (
            "SELECT EXISTS (SELECT FROM reporting.telemetry WHERE total_pct <> 100)"
        ),
        "a mix of a region does not sum to exactly 100": (
            "SELECT EXISTS (SELECT FROM reporting.regional_telemetry WHERE total_pct <> 100)"
        ),
        "there is no forecast": "SELECT NOT EXISTS (SELECT FROM forecast.archive)",
        "there are no scores": "SELECT NOT EXISTS (SELECT FROM forecast.accuracy)",
        "the shares of a forecast do not sum to exactly 100": (
            "SELECT EXISTS (SELECT FROM forecast.predictions WHERE series <> 'carbon_intensity' "
            "GROUP BY model, issued_at, period_start HAVING sum(p50) <> 100)"
        ),
        "the last attempt of an asset did not succeed": (
            "SELECT EXISTS (SELECT FROM (SELECT DISTINCT ON (asset) status FROM ops.etl_runs "
            # trials are no part of a demo
            "WHERE started_at <= now() AND asset NOT LIKE 'training.%' "
            "ORDER BY asset, started_at DESC) AS last "
            "WHERE status <> 'success')"
        ),
    }
    if regions:
        breaches["a region has no carbon intensity"] = (
            "SELECT EXISTS (SELECT FROM reporting.regional_now WHERE intensity_gco2_kwh IS NULL)"
        )
    return [
        fault
        for fault, query in breaches.items()
        if connection.execute(query).fetchone() == (True,)
    ]
