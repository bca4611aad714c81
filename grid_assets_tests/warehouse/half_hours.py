"""Half-hours of intensity, mix and generation that tests make up, and the rows of views."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from grid_assets.halfhours import DAY, HALF_HOUR, london_midnight
from grid_assets.series import FUELS, NAMED_FUELS
from grid_assets.warehouse.connection import Connection

Row = dict[str, Any]

MIX: Final = dict(zip(NAMED_FUELS, (7, 0, 12, 30, 15, 1, 5, 30), strict=True))
"""Nothing is left for other."""

POWER: Final = dict.fromkeys(FUELS, 1000)


def of_day(day: date) -> Iterator[datetime]:
    """The half-hours of a London day."""
    at, end = london_midnight(day), london_midnight(day + DAY)
    while at < end:
        yield at
        at += HALF_HOUR


def add_intensity(connection: Connection, at: datetime, actual: Any = 100) -> None:
    connection.execute(
        "INSERT INTO core.intensity (period_start, forecast_gco2_kwh, actual_gco2_kwh) "
        "VALUES (%s, 999, %s)",
        [at, actual],
    )


def add(connection: Connection, relation: str, at: datetime, values: Row) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} (period_start, {}) VALUES (%s{})").format(
            sql.Identifier(*relation.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", %s" * len(values)),
        ),
        [at, *values.values()],
    )


def add_mix(connection: Connection, at: datetime, **shares: Any) -> None:
    values = {f"{fuel}_pct": share for fuel, share in (MIX | shares).items()}
    add(connection, "core.generation_mix", at, values)


def add_power(
    connection: Connection, at: datetime, grams: Any = 100, demand: Any = 5000, **fuels: Any
) -> None:
    values = {f"{fuel}_mw": power for fuel, power in (POWER | fuels).items()}
    if None in values.values():
        grams = None
    values |= {"recomputed_gco2_kwh": grams, "demand_mw": demand}
    add(connection, "core.generation_mw", at, values)


def rows(connection: Connection, view: str) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        name = sql.Identifier("reporting", view)
        return cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(name)).fetchall()


def row(connection: Connection, view: str) -> Row:
    [only] = rows(connection, view)
    return only
