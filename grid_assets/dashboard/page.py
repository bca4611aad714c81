"""The dashboard as one HTML file: the template filled with figures, styles and scripts.

What is now and what is forecast comes from the documents of the feeds, which the page contains and,
where it is served, reads again. Jinja2 escapes all text, `in_script` escapes the data, and only the
page's own script may run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from grid_assets.dashboard import charts, outlook_panel
from grid_assets.dashboard.map import NATIONS, TILES
from grid_assets.dashboard.outlook import Outlook
from grid_assets.dashboard.panels import all_figures
from grid_assets.dashboard.queries import Snapshot
from grid_assets.dashboard.theme import FUEL_COLOURS, at, ms, tenths
from grid_assets.dashboard.value import summarise_value, value_table
from grid_assets.feeds.documents import documents
from grid_assets.feeds.values import Document
from grid_assets.halfhours import LONDON
from grid_assets.regions import REGIONS
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.warehouse.stamp import Stamp

OLD: Final = timedelta(hours=1)
"""Two half-hourly cycles have failed to replace a page this old, so the browser warns."""

SCRIPTS: Final = ("chart.js", "use.js", "page.js")
"""In the order in which they use each other."""

GREEN: Final = 3
"""Hours of the greenest window that a page without JavaScript names."""


def render(snapshot: Snapshot, stamp: Stamp) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined  # imported late: it would delay every start

    folder = files("grid_assets.dashboard")
    script = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    outlook = snapshot.outlook or Outlook(snapshot.now)
    figures = {
        figure.id: figure for figure in (*all_figures(snapshot), outlook_panel.figure(outlook))
    }
    made = documents(snapshot.feeds, stamp.kind)
    data = {
        "feeds": _shown(made),
        "charts": {
            name: {**figure.chart, "title": figure.title}
            for name, figure in figures.items()
            if figure.chart
        },
        "fuels": FUEL_COLOURS,
        "models": charts.colours(snapshot),
        "made": ms(snapshot.now),
        "old": _ms(OLD),
        "late": _ms(TOO_OLD),
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(at=at, time=_time, tenths=tenths)
    template = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        snapshot=snapshot,
        stamp=stamp,
        figures=figures,
        now=made["now.json"],
        half_hours=made["forecast.json"]["half_hours"],
        greenest=next((w for w in made["greenest.json"]["windows"] if w["hours"] == GREEN), None),
        has_regions=bool(snapshot.feeds.regional_now),
        regions=REGIONS,
        tiles=TILES,
        nations=NATIONS,
        value_table=value_table(snapshot),
        value_summary=summarise_value(snapshot),
        freshness=_freshness(snapshot),
        zone=snapshot.now.astimezone(LONDON).tzname(),
        failures=sum(last.failures_24h for last in snapshot.last_attempts),
        rejected=sum(last.rejected_24h for last in snapshot.last_attempts),
        attempts=sum(last.attempts_24h for last in snapshot.last_attempts),
        publications=outlook_panel.publications(outlook),
        is_outlook_simulated=any(one.simulated for one in outlook.used()),
        outlook_warnings=list(outlook_panel.warnings(outlook)),
        attribution=outlook_panel.attribution(outlook, stamp),
        data=in_script(data),
        script=script,
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        # Only this script may run, whatever text is on the page.
        hash=f"'sha256-{_digest(script)}'",
    )


def in_script(data: Any) -> str:
    """JSON that is safe between script tags: it cannot form a tag, comment or line separator."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _shown(made: dict[str, Document]) -> dict[str, Document]:
    """The documents that the page reads, without what it finds itself: the greenest windows."""
    shown = {
        name: {key: value for key, value in document.items() if key != "greenest"}
        for name, document in made.items()
        if name != "greenest.json"
    }
    if "postcodes.json" in shown:
        del shown["postcodes.json"]["regions"]
    return shown


def _freshness(snapshot: Snapshot) -> list[tuple[str, str, bool]]:
    """The newest value of each kind: its name, its time, and whether it is late."""
    intensity, mix = snapshot.newest_intensity, snapshot.newest_mix
    newest = {
        "actual intensity": intensity.period_start if intensity else None,
        "generation mix": mix[0] if mix else None,
        "forecast issued": snapshot.issued_at,
    }
    return [
        (name, at(start) if start else "none", not start or snapshot.now - start > TOO_OLD)
        for name, start in newest.items()
    ]


def _time(stamp: str) -> str:
    """A time of the feeds by London's clock."""
    return at(datetime.fromisoformat(stamp))


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
