"""Pictures of forecasts, for an analyst who wants to look rather than read.

Belongs here: drawing. matplotlib is imported where a picture is drawn and nowhere else, so that
loading the definitions does not pay for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from grid_assets.defs.pictures import as_metadata, banner, new_figure
from grid_assets.defs.resources import Services
from grid_assets.forecasting.horizon import HORIZON_TIME
from grid_assets.halfhours import Window
from grid_assets.series import LEAD_BUCKETS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTORY: Final = timedelta(hours=24)
COLOURS: Final = {"chronos": "#1f6f54", "seasonal_naive": "#888888", "neso": "#d1603d"}


def fan_chart(services: Services, model: str, issued_at: datetime) -> dict[str, Any]:
    """Metadata `fan_chart`: a day of actuals, then median and 80 % band, beside NESO's forecast."""
    connection = services.connection
    history = connection.execute(
        "SELECT period_start, actual_gco2_kwh::float8 FROM core.intensity "
        "WHERE period_start >= %s AND period_start < %s AND actual_gco2_kwh IS NOT NULL "
        "ORDER BY period_start",
        [issued_at - HISTORY, issued_at + HORIZON_TIME],
    ).fetchall()
    forecast = connection.execute(
        "SELECT period_start, p10::float8, p50::float8, p90::float8 FROM forecast.predictions "
        "WHERE model = %s AND series = 'carbon_intensity' AND issued_at = %s "
        "AND period_start >= %s AND period_start < %s ORDER BY period_start",
        [model, issued_at, issued_at, issued_at + HORIZON_TIME],
    ).fetchall()
    neso = connection.execute(
        "SELECT DISTINCT ON (period_start) period_start, p50::float8, simulated "
        "FROM forecast.predictions WHERE model = 'neso' AND series = 'carbon_intensity' "
        "AND period_start >= %s AND period_start < %s AND issued_at <= %s "
        "ORDER BY period_start, issued_at DESC",
        [issued_at, issued_at + HORIZON_TIME, issued_at],
    ).fetchall()
    if not forecast:
        return {}
    figure = new_figure()
    axes = figure.subplots()
    if history:
        axes.plot(*_columns(history, 2), color="black", linewidth=1.2, label="actual")
    starts, low, median, high = _columns(forecast, 4)
    colour = _colour(model)
    axes.fill_between(starts, low, high, color=colour, alpha=0.2, linewidth=0, label="80 % band")
    axes.plot(starts, median, color=colour, label=model)
    if neso:
        label = "NESO (simulated)" if any(row[2] for row in neso) else "NESO"
        axes.plot(*_columns(neso, 2), "--", color=COLOURS["neso"], linewidth=1, label=label)
    axes.axvline(issued_at, color="#555555", linewidth=0.8)  # type: ignore[arg-type]
    axes.set_ylabel("gCO2/kWh")
    axes.set_ylim(bottom=0)
    _time_axis(axes)
    title = f"Carbon intensity, issued {issued_at:%Y-%m-%d %H:%M} UTC{banner(services)}"
    return {"fan_chart": _titled(figure, title)}


def half_day_ahead(services: Services, model: str, window: Window) -> dict[str, Any]:
    """Metadata `half_day_ahead`: what a back-test forecast at least 12 hours ahead, and actuals."""
    connection = services.connection
    rows = connection.execute(
        "SELECT DISTINCT ON (period_start) period_start, p10::float8, p50::float8, p90::float8,"
        " actual::float8 FROM reporting.actual_vs_predicted "
        "WHERE model = %s AND series = 'carbon_intensity' AND lead_minutes >= 720 "
        "AND period_start >= %s AND period_start < %s ORDER BY period_start, issued_at DESC",
        [model, window.start, window.end + HORIZON_TIME],
    ).fetchall()
    if not rows:
        return {}
    figure = new_figure()
    axes = figure.subplots()
    starts, low, median, high, actual = _columns(rows, 5)
    colour = _colour(model)
    axes.fill_between(starts, low, high, color=colour, alpha=0.2, linewidth=0, label="80 % band")
    axes.plot(starts, median, color=colour, linewidth=1, label=model)
    axes.plot(starts, actual, color="black", linewidth=1, label="actual")
    axes.set_ylabel("gCO2/kWh")
    axes.set_ylim(bottom=0)
    _time_axis(axes)
    title = f"Carbon intensity as forecast at least 12 hours before{banner(services)}"
    return {"half_day_ahead": _titled(figure, title)}


def errors_by_lead(services: Services, window: Window) -> dict[str, Any]:
    """Metadata `error_by_lead`: mean absolute error of carbon intensity by lead, for each model."""
    connection = services.connection
    rows = connection.execute(
        "SELECT model, lead_bucket, (sum(abs_error_sum) / sum(n))::float8, bool_or(simulated) "
        "FROM forecast.accuracy WHERE series = 'carbon_intensity' AND target_date >= %s "
        "AND target_date < %s GROUP BY model, lead_bucket",
        [window.start.date(), window.end.date()],
    ).fetchall()
    if not rows:
        return {}
    figure = new_figure()
    axes = figure.subplots()
    for model in sorted({row[0] for row in rows}):
        errors = {bucket: error for name, bucket, error, _ in rows if name == model}
        simulated = any(flag for name, _, _, flag in rows if name == model)
        buckets = [bucket for bucket in LEAD_BUCKETS if bucket in errors]
        axes.plot(
            [list(LEAD_BUCKETS).index(bucket) for bucket in buckets],
            [errors[bucket] for bucket in buckets],
            marker="o",
            color=_colour(model),
            linestyle="-" if model.startswith("chronos:") else "--",
            label=f"{model} (simulated)" if simulated else model,
        )
    axes.set_xticks(range(len(LEAD_BUCKETS)), list(LEAD_BUCKETS))
    axes.set_xlabel("lead")
    axes.set_ylabel("mean absolute error, gCO2/kWh")
    axes.set_ylim(bottom=0)
    last = (window.end - timedelta(days=1)).date()
    title = f"Error of carbon intensity, {window.start.date()} to {last}{banner(services)}"
    return {"error_by_lead": _titled(figure, title)}


def _colour(model: str) -> str:
    return COLOURS.get(model.split(":")[0], "#9467bd")


def _columns(rows: Iterable[tuple[Any, ...]], count: int) -> tuple[Any, ...]:
    return tuple(zip(*(row[:count] for row in rows), strict=True))


def _time_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))


def _titled(figure: Figure, title: str) -> dg.MarkdownMetadataValue:
    figure.axes[0].legend(fontsize=8)
    return as_metadata(figure, title)
