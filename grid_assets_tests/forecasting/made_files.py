"""Small files for `grid evaluate`, made up: three weeks of history, and an outlook of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from grid_assets.forecasting.history_files import HIGHEST_OUTLOOK, NESO_SERIES
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.series import SERIES

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
HALF_HOURS: Final = 21 * 48

Row = list[str]
Change = Callable[[Row], Row]


def unchanged(row: Row) -> Row:
    return row


def history_rows() -> Iterator[Row]:
    random = np.random.default_rng(7)
    for number in range(HALF_HOURS):
        wave = np.sin(number / 48 * 2 * np.pi)
        intensity = 150 + 50 * wave + random.normal(0, 5)
        wind = round(30 - 10 * wave, 1)
        shares = dict.fromkeys(SERIES[1:], 0.0) | {"gas": round(100 - wind, 1), "wind": wind}
        yield [
            api_time(START + number * HALF_HOUR),
            f"{intensity:.1f}",
            *(f"{share:.1f}" for share in shares.values()),
        ]


def write_history(file: Path, change: Change = unchanged) -> Path:
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["period_start_utc", *SERIES])
        writer.writerows(change(row) for row in history_rows())
    return file


def outlook_rows() -> Iterator[Row]:
    """Every day at 09:00 the next day in MW, and every six hours NESO's next 48 hours."""
    random = np.random.default_rng(8)
    for number in range(0, HALF_HOURS, 12):
        issued = START + number * HALF_HOUR
        for step in range(96):
            value = f"{random.uniform(100, 300):.0f}"
            yield [api_time(issued), api_time(issued + step * HALF_HOUR), NESO_SERIES, value]
    for day in range(21):
        for series in HIGHEST_OUTLOOK:
            if series != NESO_SERIES:
                for step in range(48):
                    issued = START + timedelta(days=day, hours=9)
                    begins = START + timedelta(days=day + 1) + step * HALF_HOUR
                    value = f"{random.uniform(1000, 30_000):.0f}"
                    yield [api_time(issued), api_time(begins), series, value]


def write_outlook(file: Path, change: Change = unchanged) -> Path:
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["issued_at_utc", "period_start_utc", "series", "value"])
        writer.writerows(change(row) for row in outlook_rows())
    return file
