"""A small warehouse for the dashboard: a day of telemetry, a forecast, scores and attempts.

It gives every panel something to show; `places` adds the regions. Without a database,
`feeds` and `forecast` make the rows of the feeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from grid_assets.feeds.documents import STEPS
from grid_assets.feeds.read import Found, Row
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import FUELS
from grid_assets.warehouse.connection import connect, copy_rows

MODEL: Final = "chronos:made-up"


def feeds(now: datetime, forecasts: Iterable[Row] = (), **more: Any) -> Found:
    """What the feeds hold of an empty warehouse, except for some rows of `forecast`."""
    first = floor(now)
    known = {row["at"]: row for row in forecasts}
    half_hours = (first + n * HALF_HOUR for n in range(STEPS))
    names = ("actual_start", "actual_gco2_kwh", "intensity_index", "mix_start")
    values: dict[str, Any] = {
        "now": now,
        "first": first,
        "newest": dict.fromkeys((*names, *(f"{fuel}_pct" for fuel in FUELS))),
        "forecast": [known.get(at, {**_NOTHING, "at": at}) for at in half_hours],
    }
    return Found(**{**dict.fromkeys((field.name for field in fields(Found)), ()), **values, **more})


_NOTHING: Final[Row] = {
    **dict.fromkeys(("model", "issued_at", "p10", "p50", "p90", "neso")),
    "simulated": False,
    "neso_simulated": False,
}


def forecast(now: datetime, place: int, p50: float, model: str = MODEL, **more: Any) -> Row:
    """The forecast of the half-hour so many after the current one, issued when that began."""
    values = {
        "at": floor(now) + place * HALF_HOUR,
        "model": model,
        "issued_at": floor(now),
        "p10": Decimal(p50 - 10),
        "p50": Decimal(p50),
        "p90": Decimal(p50 + 10),
    }
    return {**_NOTHING, **values, **more}


def fill(url: SecretStr, now: datetime, *, model: str = MODEL, error: str = "Out of luck.") -> None:
    """Rows as a pipeline would have left them by `now`; the newest half-hour is the last whole."""
    newest = floor(now) - HALF_HOUR
    with connect(url) as connection:
        for n in range(48):
            start = newest - n * HALF_HOUR
            wind = 30 + n / 10
            connection.execute(
                "INSERT INTO core.intensity (period_start, actual_gco2_kwh, intensity_index) "
                "VALUES (%s, %s, 'moderate')",
                [start, 100 + 3 * n],
            )
            connection.execute(
                "INSERT INTO core.generation_mix (period_start, wind_pct, gas_pct, nuclear_pct) "
                "VALUES (%s, %s, 40.5, %s)",
                [start, wind, 100 - 40.5 - wind],
            )
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source) VALUES (%s, 'r1', 'here')",
            [model],
        )
        for name, band, simulated in ((model, 20, False), ("neso", None, True)):
            # yesterday's forecast, one of three hours ago, and the newest, 10 g above each other
            for age in (48, 6, 0):
                connection.execute(
                    "INSERT INTO forecast.issues (model, issued_at, created_at, revision, "
                    "context_missing, context_assumed, known_by) "
                    "VALUES (%s, %s, %s, 'r1', 0, 0, 'capture') ON CONFLICT DO NOTHING",
                    [name, floor(now) - age * HALF_HOUR, now],
                )
                medians = {
                    floor(now) + n * HALF_HOUR: 150
                    + n % 10
                    + (n == 5) * -60
                    + (name == "neso") * 7
                    - 10 * (age > 0)
                    - 10 * (age > 6)
                    for n in range(-age, 96 - age)
                }
                copy_rows(
                    connection,
                    "forecast.predictions",
                    (
                        *("model", "series", "period_start", "issued_at", "created_at"),
                        *("p10", "p50", "p90", "simulated"),
                    ),
                    (
                        (
                            *(name, "carbon_intensity", start, floor(now) - age * HALF_HOUR, now),
                            *(band and median - band, median, band and median + band, simulated),
                        )
                        for start, median in medians.items()
                    ),
                )
        for name, simulated, bands in ((model, False, True), ("neso", True, False)):
            # two days of unequal weight: their mean by number is not the mean of their means
            for day, n, error_sum in ((1, 10, 100), (2, 30, 900)):
                for bucket in ("0-3h", "24-48h"):
                    connection.execute(
                        "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, "
                        "n, abs_error_sum, error_sum, abs_actual_sum, n_band, n_inside_80, "
                        "simulated) VALUES (%s, 'carbon_intensity', %s, %s, %s, %s, 0, 5000, "
                        "%s, %s, %s)",
                        [
                            name,
                            now.date() - day * DAY,
                            bucket,
                            n,
                            error_sum,
                            n if bands else 0,
                            n - 5 if bands else 0,
                            simulated,
                        ],
                    )
            # 10 cases that saved 12 g each and 30 that saved 4 g; 4 of all were made worse
            for day, n, saved, best, worse in ((1, 10, 720, 900, 0), (2, 30, 720, 1260, 4)):
                for hours in (12, 24):
                    connection.execute(
                        "INSERT INTO forecast.value (model, target_date, wait_hours, n, saved_sum, "
                        "best_sum, n_worse, simulated) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                        [
                            name,
                            now.date() - day * DAY,
                            hours,
                            n,
                            saved - 60 * simulated,
                            best,
                            worse,
                            simulated,
                        ],
                    )
        note_attempt(url, "raw.intensity", now - timedelta(hours=3), written=48, rejected=2)
        note_attempt(url, "core.intensity", now - timedelta(hours=2), error=error)


def note_attempt(
    url: SecretStr,
    asset: str,
    at: datetime,
    *,
    written: int = 0,
    rejected: int = 0,
    error: str | None = None,
    running: bool = False,
) -> None:
    """One attempt that took a second and a half, and succeeded unless there is an error."""
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
            "partition_end, started_at, finished_at, execution_time_ms, rows_written, "
            "rows_quarantined, status, error_type, error_message, host, pid, heartbeat_at) "
            "VALUES (%s, %s, 1, 'tick', %s, %s, %s, %s, 1500, %s, %s, %s, %s, %s, 'here', 1, %s)",
            [
                f"{asset} {at}",
                asset,
                at.date(),
                at.date(),
                at,
                None if running else at + timedelta(seconds=1.5),
                written,
                rejected,
                "running" if running else "failed" if error else "success",
                "Exception" if error else None,
                error,
                at,
            ],
        )
