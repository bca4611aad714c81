"""Writes the record that models are trained on as files for `grid evaluate`.

python -m bench.record --history history.csv.gz --outlook outlook.csv.gz
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
import numpy as np

from grid_assets.forecasting.history_files import NESO_SERIES
from grid_assets.forecasting.training_record import Record, load_record
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.series import OUTLOOK, SERIES


@click.command()
@click.option("--history", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option("--outlook", type=click.Path(path_type=Path), required=True, help="File to write.")
def main(history: Path, outlook: Path) -> None:
    """Write the record as gzipped CSV, in the format that `grid evaluate` reads."""
    record = load_record()
    write_history(record, history)
    write_outlook(record, outlook)
    click.echo(f"Written to {history} and {outlook}.")


def write_history(record: Record, file: Path) -> None:
    """Carbon intensity and the shares of every half-hour."""
    with gzip.open(file, "wt", encoding="ascii", newline="") as text:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["period_start_utc", *SERIES])
        for place, values in enumerate(record.history.T):
            lines.writerow([_time(record, place), *(_number(value) for value in values)])


def write_outlook(
    record: Record, file: Path, neso: Iterable[tuple[datetime, datetime, float]] = ()
) -> None:
    """Every value of the outlook, with its time of publication; also forecasts of carbon intensity
    by NESO: issue, half-hour and value."""
    with gzip.open(file, "wt", encoding="ascii", newline="") as text:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["issued_at_utc", "period_start_utc", "series", "value"])
        for place in np.flatnonzero(np.isfinite(record.issued)):
            issued, start = _time(record, int(record.issued[place])), _time(record, int(place))
            for series, value in zip(OUTLOOK, record.outlook[:, place], strict=True):
                lines.writerow([issued, start, series, _number(value)])
        for issue, half_hour, forecast in neso:
            lines.writerow([api_time(issue), api_time(half_hour), NESO_SERIES, f"{forecast:g}"])


def _time(record: Record, place: int) -> str:
    return api_time(record.start + place * HALF_HOUR)


def _number(value: np.floating) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"


if __name__ == "__main__":
    main()
