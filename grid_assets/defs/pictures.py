"""Pictures in the metadata of a run: a day of telemetry, a forecast, and the errors of forecasts.

Colours are those of the dashboard. matplotlib is slow to import, so it is imported only when
a picture is drawn.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from psycopg import sql

from grid_assets.dashboard.theme import (
    ACTUAL,
    ACTUAL_COLOUR,
    FUEL_COLOURS,
    OTHER_COLOURS,
    model_colours,
    model_label,
)
from grid_assets.defs.partitions import Days
from grid_assets.defs.resources import Services
from grid_assets.forecasting.horizon import HORIZON_TIME
from grid_assets.halfhours import Window
from grid_assets.series import CARBON_INTENSITY, LEAD_BUCKETS, STACKED, model_place
from grid_assets.warehouse.statements import statement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTORY: Final = timedelta(hours=24)
"""Actuals before the issue time in the picture of a forecast."""

OUTLOOK_COLOURS: Final = {
    "demand_mw": "#555555",
    "wind_mw": FUEL_COLOURS["wind"],
    "embedded_wind_mw": FUEL_COLOURS["hydro"],
    "embedded_solar_mw": FUEL_COLOURS["solar"],
}

Rows = list[tuple[Any, ...]]
Metadata = dict[str, dg.MarkdownMetadataValue]


def picture_of_day(services: Services, relation: str, days: Days) -> Metadata:
    """Metadata `picture` for a run started by hand for one day; empty for every other run."""
    if not days.is_one_by_hand:
        return {}
    is_mix = "generation" in relation
    shown = (
        [fuel.column for fuel in STACKED] if is_mix else ["forecast_gco2_kwh", "actual_gco2_kwh"]
    )
    rows = _day(services, relation, days.window, shown)
    if not rows:
        return {}
    figure, axes = _new_figure(legend_outside=True)
    times, *values = zip(*rows, strict=True)
    if is_mix:
        known = [[share or 0 for share in fuel] for fuel in values]
        axes.stackplot(times, *known, labels=list(FUEL_COLOURS), colors=list(FUEL_COLOURS.values()))
        axes.set_ylabel("share of generation, %")
        axes.set_ylim(0, 100)
    else:
        forecast, actual = values
        axes.plot(times, forecast, "--", color=OTHER_COLOURS["neso"], label="forecast")
        axes.plot(times, actual, color=ACTUAL_COLOUR, label=ACTUAL)
        _intensity_axis(axes)
    _time_axis(axes)
    axes.set_xlim(times[0], times[-1])
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), reverse=is_mix)
    return {"picture": _as_metadata(figure, f"{relation}, {days.first} (UTC)", services)}


def outlook_as_known_now(services: Services, relation: str, days: Days) -> Metadata:
    """Metadata `picture` for a run by hand: the outlook of the next two days as known now."""
    now = services.now()
    if not days.is_one_by_hand:
        return {}
    rows = _read(services, "outlook", at=now, end=now + HORIZON_TIME)
    if not rows:
        return {}
    figure, axes = _new_figure()
    for series, colour in OUTLOOK_COLOURS.items():
        points = [row[1:] for row in rows if row[0] == series]
        if points:
            label = series.removesuffix("_mw").replace("_", " ")
            axes.plot(*zip(*points, strict=True), color=colour, label=label)
    axes.set_ylabel("MW")
    axes.set_ylim(bottom=0)
    _time_axis(axes)
    axes.legend(fontsize=8)
    return {"picture": _as_metadata(figure, f"The outlook at {now:%Y-%m-%d %H:%M} UTC", services)}


def generation_of_day(services: Services, relation: str, days: Days) -> Metadata:
    """Metadata `picture` for a run by hand for one day: generation by fuel in MW."""
    if not days.is_one_by_hand:
        return {}
    rows = _day(services, relation, days.window, [f"{fuel.name}_mw" for fuel in STACKED])
    if not rows:
        return {}
    figure, axes = _new_figure(legend_outside=True)
    times, *values = zip(*rows, strict=True)
    known = [[mw or 0 for mw in fuel] for fuel in values]
    axes.stackplot(times, *known, labels=list(FUEL_COLOURS), colors=list(FUEL_COLOURS.values()))
    axes.set_ylabel("MW")
    _time_axis(axes)
    axes.set_xlim(times[0], times[-1])
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
    return {"picture": _as_metadata(figure, f"{relation}, {days.first} (UTC)", services)}


def fan_chart(services: Services, model: str, issued_at: datetime) -> Metadata:
    """Metadata `fan_chart`: a day of actuals, then median and 80 % band, beside NESO's forecast."""
    end = issued_at + HORIZON_TIME
    issue = {"model": model, "issued_at": issued_at, "end": end}
    actual = _read(services, "actual", start=issued_at - HISTORY, end=end)
    forecast = _read(services, "issue", **issue)
    neso = _read(services, "neso_at_issue", **issue)
    if not forecast:
        return {}
    figure, axes = _new_figure()
    if actual:
        axes.plot(*zip(*actual, strict=True), color=ACTUAL_COLOUR, linewidth=1.2, label=ACTUAL)
    _band(axes, forecast, model)
    if neso:
        starts, medians, simulated = zip(*neso, strict=True)
        label = model_label("neso", any(simulated))
        axes.plot(starts, medians, "--", color=OTHER_COLOURS["neso"], linewidth=1, label=label)
    axes.axvline(issued_at, color="#555555", linewidth=0.8)  # type: ignore[arg-type]
    _intensity_axis(axes)
    _time_axis(axes)
    axes.legend(fontsize=8)
    title = f"Carbon intensity, issued {issued_at:%Y-%m-%d %H:%M} UTC"
    return {"fan_chart": _as_metadata(figure, title, services)}


def half_day_ahead(services: Services, model: str, window: Window) -> Metadata:
    """Metadata `half_day_ahead`: a back-test's forecasts 12 hours ahead or more, and actuals."""
    rows = _read(
        services, "half_day_ahead", model=model, start=window.start, end=window.end + HORIZON_TIME
    )
    if not rows:
        return {}
    figure, axes = _new_figure()
    _band(axes, [row[:4] for row in rows], model)
    axes.plot(
        [row[0] for row in rows],
        [row[4] for row in rows],
        color=ACTUAL_COLOUR,
        linewidth=1,
        label=ACTUAL,
    )
    _intensity_axis(axes)
    _time_axis(axes)
    axes.legend(fontsize=8)
    title = "Carbon intensity as forecast at least 12 hours before"
    return {"half_day_ahead": _as_metadata(figure, title, services)}


def errors_by_lead(services: Services, window: Window) -> Metadata:
    """Metadata `error_by_lead`: mean absolute error of carbon intensity by lead, for each model."""
    rows = _read(services, "errors_by_lead", first=window.start.date(), end=window.end.date())
    if not rows:
        return {}
    figure, axes = _new_figure()
    order = list(LEAD_BUCKETS)
    for model, colour in model_colours(sorted({row[0] for row in rows})).items():
        own = sorted((order.index(row[1]), row[2], row[3]) for row in rows if row[0] == model)
        axes.plot(
            [place for place, _, _ in own],
            [error for _, error, _ in own],
            marker="o",
            color=colour,
            linestyle="-" if model_place(model) <= model_place("chronos") else "--",
            label=model_label(model, any(simulated for _, _, simulated in own)),
        )
    axes.set_xticks(range(len(order)), order)
    axes.set_xlabel("lead")
    _intensity_axis(axes, "mean absolute error, ")
    axes.legend(fontsize=8)
    last = (window.end - timedelta(days=1)).date()
    title = f"Error of carbon intensity, {window.start.date()} to {last}"
    return {"error_by_lead": _as_metadata(figure, title, services)}


def _read(services: Services, picture: str, **values: Any) -> Rows:
    connection = services.connection
    return connection.execute(statement(f"pictures/{picture}"), values).fetchall()


def _day(services: Services, relation: str, window: Window, columns: Sequence[str]) -> Rows:
    """What was received last of each half-hour of a window, numbers as float."""
    query = sql.SQL(
        "SELECT DISTINCT ON (period_start) period_start, {columns} FROM {relation} "
        "WHERE period_start >= %(start)s AND period_start < %(end)s "
        "ORDER BY period_start{newest}"
    ).format(
        columns=sql.SQL(", ").join(
            sql.SQL("{}::float8").format(sql.Identifier(column)) for column in columns
        ),
        relation=sql.Identifier(*relation.split(".")),
        newest=sql.SQL(", arrival DESC, captured_at DESC" if relation.startswith("raw.") else ""),
    )
    connection = services.connection
    values = {"start": window.start, "end": window.end}
    return connection.execute(query, values).fetchall()


def _new_figure(*, legend_outside: bool = False) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    size = (8, 3.4)
    if legend_outside:
        figure = Figure(figsize=size, layout="constrained")
    else:  # fixed margins: to work them out takes longer than to draw, in every cycle
        figure = Figure(figsize=size)
        figure.subplots_adjust(left=0.08, right=0.985, bottom=0.15, top=0.91)
    return figure, figure.subplots()


def _band(axes: Axes, rows: Rows, model: str) -> None:
    """Median and 80 % band, from rows of time, p10, p50 and p90."""
    starts, low, median, high = zip(*rows, strict=True)
    colour = model_colours([model])[model]
    axes.fill_between(starts, low, high, color=colour, alpha=0.2, linewidth=0, label="80 % band")
    axes.plot(starts, median, color=colour, label=model)


def _intensity_axis(axes: Axes, quantity: str = "") -> None:
    axes.set_ylabel(f"{quantity}{CARBON_INTENSITY.unit}")
    axes.set_ylim(bottom=0)


def _time_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))


def _as_metadata(figure: Figure, title: str, services: Services) -> dg.MarkdownMetadataValue:
    """A figure with its title, which says so if the data are recorded."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    if services.stamp.kind != "live":
        title = f"{title} – {services.stamp}"
    figure.axes[0].set_title(title, fontsize=9)
    figure.set_dpi(80)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    small = io.BytesIO()
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba().tobytes())
    # a third of the size: Dagster keeps one with every forecast
    drawn.convert("RGB").quantize(32).save(small, format="png", optimize=True)
    image = base64.b64encode(small.getvalue()).decode("ascii")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{image})")
