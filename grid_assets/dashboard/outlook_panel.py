"""The panel of the outlook: its chart, the same facts as text and table, who published them when,
and what is off, late or suspect. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from grid_assets.dashboard import charts
from grid_assets.dashboard.outlook import KINDS, NAMES, Outlook
from grid_assets.dashboard.panels import Figure
from grid_assets.dashboard.theme import at
from grid_assets.halfhours import HALF_HOUR, age_text
from grid_assets.outlook import recent
from grid_assets.outlook.sources import NAMES as SOURCE_NAMES
from grid_assets.outlook.sources import Source, publisher, title
from grid_assets.sources import elexon
from grid_assets.sources.neso_portal import datasets
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.warehouse.stamp import Stamp

SUN: Final = 0.05
"""GW below which the sun counts as down."""


def figure(outlook: Outlook) -> Figure:
    actual, ahead = outlook.actual(), outlook.ahead()
    rows = [
        (
            at(start),
            *(
                text
                for kind in KINDS
                for text in (_gw(actual[kind].get(start)), _gw(ahead[kind].get(start)))
            ),
        )
        for start in reversed(list(outlook.half_hours()))
        if any(start in line for line in (*actual.values(), *ahead.values()))
    ]
    header = [f"{kind}, {state}" for kind in KINDS for state in ("actual", "outlook")]
    return Figure(
        "outlook",
        "Wind, sun and demand: actual and outlook, GW",
        charts.outlook(outlook),
        " ".join(_summarise(ahead)) or "Nothing is known about the next days.",
        (("from", *header), rows),
    )


def _gw(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _summarise(ahead: dict[str, dict[datetime, float]]) -> Iterator[str]:
    for kind, line in ahead.items():
        if not line:
            continue
        end = max(line) + HALF_HOUR
        low, high = min(line, key=lambda start: line[start]), max(line, key=lambda s: line[s])
        if kind == "solar":
            peak = f"at most {line[high]:.1f} GW, at {at(high)}" if line[high] > SUN else "none"
            yield f"Embedded solar: {peak} (until {at(end)})."
        else:
            yield (
                f"{kind.capitalize()} is expected between {line[low]:.1f} GW at {at(low)} and "
                f"{line[high]:.1f} at {at(high)} (until {at(end)})."
            )


def publications(outlook: Outlook) -> list[tuple[str, str]]:
    """What each series ahead is read from: its name, and its datasets as a sentence."""
    found: dict[str, list[str]] = {}
    for one in outlook.used():
        simulated = " (simulated)" if one.simulated else ""
        found.setdefault(one.series, []).append(
            f"{title(one.source)}{simulated} of {at(one.published_at)}, to {at(one.ends_at)}"
        )
    return [(NAMES[series].capitalize(), "; then ".join(texts)) for series, texts in found.items()]


def warnings(outlook: Outlook) -> Iterator[str]:
    """A sentence for each source that is off, late or suspect."""
    for source, reason in outlook.off.items():
        yield f"{SOURCE_NAMES[source][0].upper()}{SOURCE_NAMES[source][1:]}: {reason}"
    yield from _late(outlook)
    for one in outlook.newest:
        limit = recent.LATE.get(one.source, timedelta(0))
        is_used = publisher(one.source) not in outlook.off
        if one.suspect and is_used and outlook.now - one.published_at <= limit:
            yield (
                f"The newest {title(one.source)} ({NAMES[one.series]}, published "
                f"{at(one.published_at)}) is suspect, so forecasts use it only if there is no "
                f"other: {one.reason}"
            )
    if "elexon" not in outlook.off:
        yield from _late_generation(outlook)


def _late(outlook: Outlook) -> Iterator[str]:
    published = [(row.series, row.source, row.published_at) for row in outlook.newest]
    for one in recent.judged(published, outlook.off):
        if one.published_at is None:
            yield f"No outlook of {NAMES[one.series]} has been captured yet ({title(one.dataset)})."
        elif one.is_late(outlook.now):
            yield (
                f"The outlook of {NAMES[one.series]} is late: the newest {title(one.dataset)} is "
                f"from {at(one.published_at)}, {age_text(outlook.now - one.published_at)} "
                "before this page was made."
            )


def _late_generation(outlook: Outlook) -> Iterator[str]:
    newest = max((row.period_start for row in outlook.generation), default=None)
    if newest is None:
        yield "Elexon's generation of the last 24 hours is missing."
    elif outlook.now - newest > TOO_OLD:
        yield f"Elexon's generation is late: the newest half-hour began at {at(newest)}."


def attribution(outlook: Outlook, stamp: Stamp) -> str:
    """The notices that the publishers ask for, of the year in which the data was published."""
    year = (outlook.now - timedelta(weeks=stamp.shift_weeks or 0)).year
    notices: dict[Source, str] = {
        "elexon": elexon.ATTRIBUTION.replace("[year]", str(year)),
        "neso_portal": datasets.ATTRIBUTION,
    }
    return " ".join(f"{notices[source]}." for source in notices if source in outlook.shown_sources)
