"""Does recalibration make the bundled model's bands better? A walk-forward over recorded weeks.

    python -m bench.bands --span report
    python -m bench.bands --history half_hours.csv.gz --from 2024-01-01 --to 2024-06-30

A forecast is made every three hours. Each day's margins come from the issues of the days before it
and from half-hours that had ended when the day began, as in operation; the first days of the walk
have none. `make bench` does not run this: it compares quality, not speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt

from grid_assets.forecasting import evaluation
from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.calibration import CALIBRATION_SPAN, STRIDE, compute_margins
from grid_assets.forecasting.history_files import read_history
from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.forecaster import MAX_MISSING, Values
from grid_assets.forecasting.questions import Read
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import DAY, HALF_HOUR, Window, days_window
from grid_assets.series import BUCKET_OF_STEP, INTENSITY, LEAD_BUCKETS, SERIES

WEEK: Final = timedelta(weeks=1)
RUNS: Final = ("raw", "stored")


@dataclass(frozen=True)
class Walk:
    """Whether each band held what happened (NaN: unknown), and each band's interval score.

    Arrays are (raw or stored, issues, 10, 96). The score is the width plus ten times the distance
    by which the actual lay outside: smaller is better, and no change of width alone improves it.
    """

    issued_at: list[datetime]
    inside: npt.NDArray[np.float64]
    interval_score: npt.NDArray[np.float64]


def walk(problems: evaluation.ProblemSet, raw: Values, issued_at: list[datetime]) -> Walk:
    """Recalibrate the raw quantiles, shape (issues, 10, 96, 3), day by day."""
    days = np.array([(at - problems.span.start) // DAY for at in issued_at])
    first_step = np.array([(at - problems.span.start) // HALF_HOUR for at in issued_at])
    ended = first_step[:, None] + np.arange(1, HORIZON + 1)  # half-hours since the start
    stored = np.empty(raw.shape, np.int64)
    untouched = finalise(raw, np.zeros((1, len(SERIES), HORIZON), np.float32))
    actual = problems.actual
    for day in np.unique(days):
        past = (days < day) & (days >= day - CALIBRATION_SPAN // DAY)
        known = np.where((ended[past] <= day * 48)[:, None, :], actual[past], np.nan)
        low, high = np.sort(raw[past], axis=-1)[..., [0, -1]].transpose(3, 0, 1, 2)
        margins = compute_margins(low, high, known).values
        stored[days == day] = finalise(raw[days == day], margins[None])
    inside, score = [], []
    for band in (untouched / 10, stored / 10):
        below, above = band[..., 0] - actual, actual - band[..., 2]
        outside = np.maximum(np.maximum(below, above), 0)
        inside.append(np.where(np.isnan(actual), np.nan, outside == 0))
        score.append(band[..., 2] - band[..., 0] + 10 * outside)
    return Walk(issued_at, np.stack(inside), np.stack(score))


def measure(span: Window, read: Read) -> Walk:
    """Forecast every three hours of the span with the bundled model, and walk through them."""
    loaded = registry.load(registry.SHIPPED_SOURCE, 1)
    if loaded.reason is not None:
        raise click.ClickException(loaded.reason)
    asked = evaluation.problem_set(span, STRIDE, read)
    times = evaluation.issue_times(span, STRIDE)
    whole = [
        number
        for number, problem in enumerate(asked.problems)
        if np.isnan(problem.context[:2]).sum(axis=1).max() <= MAX_MISSING
    ]
    usable = evaluation.ProblemSet(
        span, STRIDE, tuple(asked.problems[number] for number in whole), asked.actual[whole]
    )
    raw = np.concatenate(
        [
            loaded.forecaster.predict(usable.problems[at : at + 200], FORECAST_STEPS)
            for at in range(0, len(whole), 200)
        ]
    )
    return walk(usable, raw[:, :, :HORIZON], [times[number] for number in whole])


def report(walked: Walk, span: Window, series: str) -> Iterator[str]:
    """Coverage by lead: of all forecasts, and the range over the weeks of issue."""
    row = SERIES.index(series)
    week = np.array([(at - span.start) // WEEK for at in walked.issued_at])
    weeks = [n for n in np.unique(week) if (week == n).sum() == WEEK // STRIDE]
    buckets = np.array(BUCKET_OF_STEP)
    yield f"{series}: {len(walked.issued_at):,} forecasts, {len(weeks)} whole weeks of issue"
    yield f"{'':<9}{'interval score':<16}" + "".join(f"{name:>18}" for name in LEAD_BUCKETS)
    for number, name in enumerate(RUNS):
        inside = 100 * walked.inside[number][:, row]
        line = f"{name:<9}{np.nanmean(walked.interval_score[number][:, row]):<16.1f}"
        for bucket in LEAD_BUCKETS:
            steps = buckets == bucket
            by_week = [float(np.nanmean(inside[week == n][:, steps])) for n in weeks]
            low, high = np.percentile(by_week, [10, 90])
            line += f"{np.nanmean(inside[:, steps]):>7.0f} ({low:.0f} to {high:.0f})"
        yield line
        for first, last in ((0, 1), (1, 2), (2, 4), (4, len(weeks))):
            chosen = [n for n in weeks if first <= n < last]
            if chosen:
                away = [
                    abs(float(np.nanmean(inside[week == n][:, buckets == bucket])) - 80)
                    for n in chosen
                    for bucket in LEAD_BUCKETS
                ]
                yield f"  weeks {first + 1} to {last}: {np.mean(away):.1f} points from 80"


DAY_OPTION: Final = click.DateTime(["%Y-%m-%d"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--span", "name", type=click.Choice(["choose", "report"]), default="choose")
@click.option("--history", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "first", type=DAY_OPTION, help="First day to forecast, with --history.")
@click.option("--to", "last", type=DAY_OPTION, help="Last day that counts, with --history.")
@click.option("--series", type=click.Choice(SERIES), default=INTENSITY, show_default=True)
def main(
    name: str, history: Path | None, first: datetime | None, last: datetime | None, series: str
) -> None:
    """Print how much the raw and the recalibrated bands held, by lead and over the weeks."""
    span = {"choose": evaluation.CHOOSE, "report": evaluation.REPORT}[name]
    read: Read = read_recorded
    if history is not None:
        if first is None or last is None:
            raise click.UsageError("--history needs --from and --to.")
        span, read = days_window(first.date(), last.date()), read_history(history).read
    for line in report(measure(span, read), span, series):
        click.echo(line)


if __name__ == "__main__":
    main()
