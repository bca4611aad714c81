"""A picture of one day, for an analyst who started it by hand and wants to look rather than read.

Belongs here: drawing. matplotlib and pandas are imported where a picture is drawn and nowhere else,
so that the half-hourly runs do not pay for them.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final

import dagster as dg
from psycopg import sql

from grid_assets.defs.partitions import Days
from grid_assets.defs.resources import Services
from grid_assets.series import FUELS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = {
    "biomass": "#8c6d31",
    "coal": "#3b3b3b",
    "imports": "#9467bd",
    "gas": "#d1603d",
    "nuclear": "#5b8db8",
    "other": "#b5b5b5",
    "hydro": "#2a6f97",
    "solar": "#f2c14e",
    "wind": "#4ea67a",
}

_MIX: Final = tuple(f"{fuel}_pct" for fuel in FUELS)
_INTENSITY: Final = ("forecast_gco2_kwh", "actual_gco2_kwh")


def picture_of_day(
    services: Services, relation: str, days: Days
) -> dict[str, dg.MarkdownMetadataValue]:
    """Metadata `picture` for a run started by hand for one day; empty for every other run."""
    if not days.is_one_by_hand:
        return {}
    is_mix = "generation" in relation
    frame = _day(services, relation, days, _MIX if is_mix else _INTENSITY)
    if frame.empty:
        return {}
    return {"picture": _draw(frame, f"{relation}, {days.first} (UTC){banner(services)}", is_mix)}


def banner(services: Services) -> str:
    """What a title says of recorded data; nothing on live data."""
    return "" if services.stamp.kind == "live" else f" – {services.stamp}"


def new_figure() -> Figure:
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    return Figure(figsize=(8, 3.4), layout="constrained")


def as_metadata(figure: Figure, title: str) -> dg.MarkdownMetadataValue:
    """A figure as metadata, under its title."""
    from PIL import Image

    figure.axes[0].set_title(title, fontsize=9)
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80)
    # a third of the size: Dagster keeps one with every forecast
    Image.open(drawn).convert("RGB").quantize(32).save(small, format="png", optimize=True)
    image = base64.b64encode(small.getvalue()).decode("ascii")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{image})")


def _day(services: Services, relation: str, days: Days, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    query = sql.SQL(
        "SELECT DISTINCT ON (period_start) period_start, {columns} FROM {relation} "
        "WHERE period_start >= %(start)s AND period_start < %(end)s "
        "ORDER BY period_start, captured_at DESC"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        relation=sql.Identifier(*relation.split(".")),
    )
    connection = services.connection
    rows = connection.execute(
        query, {"start": days.window.start, "end": days.window.end}
    ).fetchall()
    frame = pd.DataFrame(rows, columns=["period_start", *columns])
    frame["period_start"] = pd.to_datetime(frame["period_start"], utc=True)
    return frame.set_index("period_start").astype(float)


def _draw(frame: pd.DataFrame, title: str, is_mix: bool) -> dg.MarkdownMetadataValue:
    from matplotlib.dates import DateFormatter

    figure = new_figure()
    axes = figure.subplots()
    if is_mix:
        _stack(axes, frame)
    else:
        _lines(axes, frame)
    axes.set_xlim(frame.index[0], frame.index[-1])
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), reverse=is_mix)
    return as_metadata(figure, title)


def _stack(axes: Axes, frame: pd.DataFrame) -> None:
    axes.stackplot(
        frame.index,
        *(frame[f"{fuel}_pct"].fillna(0) for fuel in FUELS),
        labels=FUELS,
        colors=[COLOURS[fuel] for fuel in FUELS],
    )
    axes.set_ylabel("share of generation, %")
    axes.set_ylim(0, 100)


def _lines(axes: Axes, frame: pd.DataFrame) -> None:
    axes.plot(frame.index, frame["forecast_gco2_kwh"], "--", color="#888888", label="forecast")
    axes.plot(frame.index, frame["actual_gco2_kwh"], color="#1f6f54", label="actual")
    axes.set_ylabel("gCO2/kWh")
    axes.set_ylim(bottom=0)
