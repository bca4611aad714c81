"""The dashboard as one HTML file: the template filled with figures, styles and scripts.

Jinja2 escapes all text, `in_script` escapes the data, and only the page's own two scripts may run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from grid_assets.dashboard import outlook_panel
from grid_assets.dashboard.outlook import Outlook
from grid_assets.dashboard.panels import all_figures, next_hours_table
from grid_assets.dashboard.queries import GREEN, LOOKED_BACK, NEXT_HOURS, Snapshot
from grid_assets.dashboard.theme import FUEL_COLOURS, at, model_label, ms, number, tenths
from grid_assets.dashboard.value import summarise_value, value_table
from grid_assets.halfhours import LONDON, age_text
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.warehouse.stamp import Stamp

OLD: Final = timedelta(hours=1)
"""Two half-hourly cycles have failed to replace a page this old, so the browser warns."""


def render(snapshot: Snapshot, stamp: Stamp, library: str) -> str:
    """The whole page; `library` is the JavaScript that defines `vegaEmbed`."""
    from jinja2 import Environment, StrictUndefined  # imported late: it would delay every start

    folder = files("grid_assets.dashboard")
    program = folder.joinpath("page.js").read_text(encoding="utf-8")
    for script in (library, program):
        if "</script" in script or "<!--" in script:
            raise ValueError(
                "A script of the page contains </script or <!--, which would end it early, so no "
                "page was made. Install the version of vl-convert-python that constraints.txt "
                "names."
            )
    outlook = snapshot.outlook or Outlook(snapshot.now)
    figures = {
        figure.id: figure for figure in (*all_figures(snapshot), outlook_panel.figure(outlook))
    }
    data = {
        "charts": {
            name: {**figure.chart, "description": f"{figure.title}. {figure.summary}"}
            for name, figure in figures.items()
            if figure.chart
        },
        "made": ms(snapshot.now),
        "old": OLD.total_seconds() * 1000,
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        at=at, utc_and_london=utc_and_london, number=number, tenths=tenths, ago=age_text
    )
    template = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        snapshot=snapshot,
        stamp=stamp,
        figures=figures,
        next_hours=snapshot.next_hours(),
        next_hours_table=next_hours_table(snapshot),
        value_table=value_table(snapshot),
        value_summary=summarise_value(snapshot),
        green_hours=GREEN // timedelta(hours=1),
        next_span=NEXT_HOURS // timedelta(hours=1),
        model=_model_label(snapshot),
        freshness=_freshness(snapshot),
        too_old=TOO_OLD,
        looked_back=LOOKED_BACK.days,
        failures=sum(last.failures_24h for last in snapshot.last_attempts),
        rejected=sum(last.rejected_24h for last in snapshot.last_attempts),
        attempts=sum(last.attempts_24h for last in snapshot.last_attempts),
        fuels=[(fuel, FUEL_COLOURS[fuel]) for fuel in snapshot.fuels],
        publications=outlook_panel.publications(outlook),
        is_outlook_simulated=any(one.simulated for one in outlook.used()),
        outlook_warnings=list(outlook_panel.warnings(outlook)),
        attribution=outlook_panel.attribution(outlook, stamp),
        data=in_script(data),
        library=library,
        program=program,
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        # Only these two scripts may run and nothing may be fetched, whatever text is on the page.
        hashes=" ".join(f"'sha256-{_digest(script)}'" for script in (library, program)),
    )


def in_script(data: Any) -> str:
    """JSON that is safe between script tags: it cannot form a tag, comment or line separator."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def utc_and_london(instant: datetime) -> str:
    """An instant in UTC and in London, with the name of London's zone."""
    london = instant.astimezone(LONDON)
    return f"{at(instant)} UTC ({london:%H:%M} {london.tzname()} in London)"


def _model_label(snapshot: Snapshot) -> str | None:
    """The label of the page's model, None without a forecast."""
    coming = snapshot.upcoming()
    return model_label(coming[0].model, coming[0].simulated) if coming else None


def _freshness(snapshot: Snapshot) -> list[tuple[str, str, bool]]:
    """The newest value of each kind: its name, its time, and whether it is late."""
    intensity, mix = snapshot.newest_intensity, snapshot.newest_mix
    newest = {
        "actual intensity": intensity.period_start if intensity else None,
        "generation mix": mix[0] if mix else None,
        "forecast issued": max((row.issued_at for row in snapshot.upcoming()), default=None),
    }
    return [
        (name, f"{at(start)} UTC" if start else "none", not start or snapshot.now - start > TOO_OLD)
        for name, start in newest.items()
    ]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
