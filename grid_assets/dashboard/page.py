"""The dashboard's HTML: its words, its tables, and the charts' data. Pure, but for reading the
template beside it.

Belongs here: what the page says about its facts, and how it is escaped: text by Jinja2, data by
`in_script`. Does not belong here: reading (`snapshot`) and chart marks (`charts`).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from grid_assets.dashboard import charts
from grid_assets.dashboard.queries import GREEN, LOOKED_BACK, NEXT_HOURS, Snapshot
from grid_assets.dashboard.theme import FUEL_COLOURS, Spec, at, model_label, ms
from grid_assets.halfhours import HALF_HOUR, age_text
from grid_assets.series import LEAD_BUCKETS
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.warehouse.stamp import Stamp

LONDON: Final = ZoneInfo("Europe/London")

OLD: Final = timedelta(hours=1)
"""A page this old was not renewed by two half-hourly cycles, and says so in the browser."""

Table = tuple[Sequence[str], Sequence[Sequence[object]]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart with its two equals for who cannot see it: a sentence and a table."""

    id: str
    title: str
    spec: Spec | None
    summary: str
    table: Table


def render(snapshot: Snapshot, stamp: Stamp, library: str) -> str:
    """The whole page; `library` is the JavaScript that defines `vegaEmbed`."""
    from jinja2 import Environment, StrictUndefined  # here, so that a start does not wait for it

    folder = files("grid_assets.dashboard")
    program = folder.joinpath("page.js").read_text(encoding="utf-8")
    for script in (library, program):
        if "</script" in script or "<!--" in script:
            raise ValueError("A script of the page holds a mark that would end it early.")
    shown = {chart.id: chart for chart in _charts(snapshot)}
    data = {
        "charts": {
            name: {**chart.spec, "description": f"{chart.title}. {chart.summary}"}
            for name, chart in shown.items()
            if chart.spec
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
        charts=shown,
        next_hours=snapshot.next_hours(),
        next_hours_table=_next_hours_table(snapshot),
        green=snapshot.greenest(),
        green_hours=GREEN // timedelta(hours=1),
        next_span=NEXT_HOURS // timedelta(hours=1),
        model=_model_name(snapshot),
        fresh=_freshness(snapshot),
        too_old=TOO_OLD,
        looked_back=LOOKED_BACK.days,
        failures=sum(one.failures_24h for one in snapshot.last_attempts),
        rejected=sum(one.rejected_24h for one in snapshot.last_attempts),
        attempted=sum(one.attempts_24h for one in snapshot.last_attempts),
        fuels=list(FUEL_COLOURS.items()),
        data=in_script(data),
        library=library,
        program=program,
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        # Only these two scripts may run and nothing may be fetched, whatever got into the page.
        hashes=" ".join(f"'sha256-{_digest(script)}'" for script in (library, program)),
    )


def in_script(data: Any) -> str:
    """JSON that is safe between script tags: no tag, comment or line separator can come of it."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def utc_and_london(instant: datetime) -> str:
    """An instant in UTC and, as people in Britain read it, in London, with the zone's name."""
    london = instant.astimezone(LONDON)
    return f"{at(instant)} UTC ({london:%H:%M} {london.tzname()} in London)"


def number(value: Decimal | None) -> str:
    """A published number: whole where it is, else with one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def tenths(value: Decimal | None) -> str:
    """A computed number or a share, in tenths; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


def _charts(snapshot: Snapshot) -> list[Chart]:
    return [
        _mix(snapshot),
        _intensity(snapshot),
        _errors(snapshot),
        _coverage(snapshot),
        _attempts(snapshot),
    ]


def _mix(snapshot: Snapshot) -> Chart:
    fuels = list(FUEL_COLOURS)
    return Chart(
        "mix",
        "Generation mix of the last 24 hours",
        charts.mix(snapshot),
        _mix_summary(snapshot),
        (
            ("from, UTC", *(f"{fuel}, %" for fuel in fuels)),
            [
                (at(start), *(tenths(shares[fuel]) for fuel in fuels))
                for start, shares in reversed(snapshot.mix)
            ],
        ),
    )


def _mix_summary(snapshot: Snapshot) -> str:
    if not snapshot.mix:
        return "There is no generation mix of the last 24 hours yet."
    means = {
        fuel: sum((shares[fuel] or Decimal(0) for _, shares in snapshot.mix), Decimal(0))
        / len(snapshot.mix)
        for fuel in FUEL_COLOURS
    }
    first, second, third = sorted(means, key=lambda fuel: -means[fuel])[:3]
    return (
        f"Over {len(snapshot.mix)} half-hours most came from {first} ({tenths(means[first])} % on "
        f"average), then {second} ({tenths(means[second])} %) and {third} "
        f"({tenths(means[third])} %)."
    )


def _intensity(snapshot: Snapshot) -> Chart:
    actual = {one.period_start: one.actual_gco2_kwh for one in snapshot.intensity}
    ours = {one.period_start: one for one in snapshot.of(snapshot.model)}
    neso = {one.period_start: one for one in snapshot.of("neso")}
    starts = sorted({*actual, *ours, *neso}, reverse=True)
    simulated = any(one.simulated for one in neso.values())
    rows: list[Sequence[object]] = []
    for start in starts:
        one = ours.get(start)
        rows.append(
            (
                at(start),
                number(actual.get(start)),
                tenths(one.p50 if one else None),
                tenths(one.p10 if one else None),
                tenths(one.p90 if one else None),
                tenths(neso[start].p50 if start in neso else None),
            )
        )
    return Chart(
        "intensity",
        "Carbon intensity: actual against predicted",
        charts.intensity(snapshot),
        _intensity_summary(snapshot),
        (
            ("from, UTC", "actual", "median", "p10", "p90", model_label("neso", simulated)),
            rows,
        ),
    )


def _intensity_summary(snapshot: Snapshot) -> str:
    known = [one for one in snapshot.intensity if one.actual_gco2_kwh is not None]
    coming = snapshot.coming()
    said = []
    if known:
        low = min(known, key=lambda one: one.actual_gco2_kwh or 0)
        high = max(known, key=lambda one: one.actual_gco2_kwh or 0)
        said.append(
            f"In the last 24 hours it lay between {number(low.actual_gco2_kwh)} gCO2/kWh at "
            f"{at(low.period_start)} and {number(high.actual_gco2_kwh)} at {at(high.period_start)}."
        )
    if coming:
        low_p = min(coming, key=lambda one: one.p50)
        high_p = max(coming, key=lambda one: one.p50)
        ends = coming[-1].period_start + HALF_HOUR
        said.append(
            f"Until {at(ends)} its forecast median lies between {tenths(low_p.p50)} at "
            f"{at(low_p.period_start)} and {tenths(high_p.p50)} at {at(high_p.period_start)}."
        )
    return " ".join(said) or "There is neither an actual of the last 24 hours nor a forecast yet."


def _errors(snapshot: Snapshot) -> Chart:
    names = charts.model_names(snapshot)
    return Chart(
        "errors",
        "Accuracy by lead: mean absolute error",
        charts.errors(snapshot),
        " ".join(_scored(snapshot, model, name) for model, name in names.items())
        or "No forecast has been scored yet.",
        (
            ("model", "lead", "forecasts", "MAE, gCO2/kWh", "inside the 80 % band, %"),
            [
                (
                    name,
                    one.lead_bucket,
                    f"{one.n:,}",
                    f"{one.mae:.1f}",
                    "–" if one.inside_pct is None else f"{one.inside_pct:.0f}",
                )
                for model, name in names.items()
                for one in snapshot.accuracy_of(model)
            ],
        ),
    )


def _scored(snapshot: Snapshot, model: str, name: str) -> str:
    first, *_, last = [*snapshot.accuracy_of(model)] * 2
    return f"{name} is {first.mae:.1f} gCO2/kWh off at {first.lead_bucket}" + (
        f" and {last.mae:.1f} at {last.lead_bucket}." if last is not first else "."
    )


def _coverage(snapshot: Snapshot) -> Chart:
    held = {
        name: [one.inside_pct for one in snapshot.accuracy_of(model) if one.inside_pct is not None]
        for model, name in charts.model_names(snapshot).items()
    }
    sentences = [
        f"The band of {name} held {min(found):.0f} to {max(found):.0f} % of the actuals."
        for name, found in held.items()
        if found
    ]
    return Chart(
        "coverage",
        "Accuracy by lead: how often the band held",
        charts.coverage(snapshot),
        " ".join(sentences) or "No band has been scored yet.",
        (
            ("model", *LEAD_BUCKETS),
            [
                (name, *_by_bucket(snapshot, model))
                for model, name in charts.model_names(snapshot).items()
                if held[name]
            ],
        ),
    )


def _by_bucket(snapshot: Snapshot, model: str) -> Iterable[str]:
    found = {one.lead_bucket: one.inside_pct for one in snapshot.accuracy_of(model)}
    for bucket in LEAD_BUCKETS:
        inside = found.get(bucket)
        yield "–" if inside is None else f"{inside:.0f} %"


def _attempts(snapshot: Snapshot) -> Chart:
    total = sum(one.attempts for one in snapshot.attempts_by_hour)
    bad = sum(
        one.attempts for one in snapshot.attempts_by_hour if one.status in ("failed", "crashed")
    )
    return Chart(
        "attempts",
        "Attempts of the last 24 hours",
        charts.attempts(snapshot),
        f"{total} attempts in 24 hours, {bad} of them failed or crashed."
        if total
        else "Nothing has run in the last 24 hours.",
        (
            ("hour from, UTC", "status", "attempts"),
            [
                (at(one.hour), one.status, one.attempts)
                for one in reversed(snapshot.attempts_by_hour)
            ],
        ),
    )


def _next_hours_table(snapshot: Snapshot) -> Table:
    return (
        ("from, UTC", "median", "p10 to p90"),
        [
            (
                at(one.period_start),
                tenths(one.p50),
                f"{tenths(one.p10)} to {tenths(one.p90)}" if one.p10 is not None else "–",
            )
            for one in snapshot.next_hours()
        ],
    )


def _model_name(snapshot: Snapshot) -> str | None:
    """The page's model by name; a simulated one says so."""
    coming = snapshot.coming()
    return model_label(coming[0].model, coming[0].simulated) if coming else None


def _freshness(snapshot: Snapshot) -> list[tuple[str, str, bool]]:
    """What is newest, when, and whether that is later than it should be."""
    intensity, mix = snapshot.newest_intensity, snapshot.newest_mix
    newest = {
        "actual intensity": intensity.period_start if intensity else None,
        "generation mix": mix[0] if mix else None,
        "forecast issued": max((one.issued_at for one in snapshot.coming()), default=None),
    }
    return [
        (name, f"{at(start)} UTC" if start else "none", not start or snapshot.now - start > TOO_OLD)
        for name, start in newest.items()
    ]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
