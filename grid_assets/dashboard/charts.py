"""The charts of the page as plain dictionaries, which `chart.js` draws. Pure.

Instants are milliseconds since 1970. A half-hour without a value is null, and nothing is drawn
across it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from grid_assets.dashboard.outlook import KINDS, Outlook
from grid_assets.dashboard.queries import Accuracy, Predicted, Snapshot
from grid_assets.dashboard.theme import (
    ACTUAL,
    ACTUAL_COLOUR,
    FUEL_COLOURS,
    STATUS_COLOURS,
    Spec,
    model_colours,
    model_label,
    ms,
    plain,
    times,
)
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import CARBON_INTENSITY, LEAD_BUCKETS, model_place

HOUR: Final = timedelta(hours=1)
LOW: Final = 180
"""Pixels of a chart that has little to say."""

OUTLOOK_LABELS: Final = {
    "wind": "wind, embedded included",
    "solar": "embedded solar",
    "demand": "demand",
}
OUTLOOK_COLOURS: Final = {"wind": "#3b82c4", "solar": "#b88600", "demand": "#7a828a"}
"""Darker than the fuels of the mix where a thin line could not be seen on white."""


def mix(snapshot: Snapshot) -> Spec | None:
    """Shares of nine fuels by half-hour, stacked to 100."""
    if not snapshot.mix:
        return None
    by_start = dict(snapshot.mix)
    starts = times(min(by_start), max(by_start), HALF_HOUR)
    return {
        "kind": "stack",
        "unit": "%",
        "top": 100,
        "choose": True,
        **_over_time(starts),
        "parts": [
            {
                "name": fuel,
                "colour": colour,
                "values": [plain(by_start.get(start, {}).get(fuel)) for start in starts],
            }
            for fuel, colour in FUEL_COLOURS.items()
        ],
    }


def record(snapshot: Snapshot) -> Spec | None:
    """Actual intensity of the last 24 hours, and what was forecast for it a day ago."""
    actuals = {
        row.period_start: row.actual_gco2_kwh
        for row in snapshot.intensity
        if row.actual_gco2_kwh is not None
    }
    ours, neso = snapshot.of(snapshot.model), snapshot.of("neso")
    if not actuals and not ours and not neso:
        return None
    starts = times(floor(snapshot.now - DAY) + HALF_HOUR, floor(snapshot.now), HALF_HOUR)
    lines: list[Spec] = [
        {
            "name": ACTUAL,
            "colour": ACTUAL_COLOUR,
            "values": [plain(actuals.get(start)) for start in starts],
        }
    ]
    if snapshot.model and ours:
        lines.append(_predicted(snapshot, snapshot.model, ours, starts))
    if neso and snapshot.model != "neso":
        lines.append({**_predicted(snapshot, "neso", neso, starts), "dashed": True})
    return {"kind": "lines", "unit": CARBON_INTENSITY.unit, **_over_time(starts), "lines": lines}


def _predicted(
    snapshot: Snapshot, model: str, rows: Sequence[Predicted], starts: Sequence[datetime]
) -> Spec:
    by_start = {row.period_start: row for row in rows}
    shown = [by_start.get(start) for start in starts]
    line: Spec = {
        "name": model_label(model, any(row.simulated for row in rows)),
        "colour": colours(snapshot)[model],
        "values": [plain(row.p50 if row else None) for row in shown],
    }
    if any(row.p10 is not None for row in rows):
        line["low"] = [plain(row.p10 if row else None) for row in shown]
        line["high"] = [plain(row.p90 if row else None) for row in shown]
    return line


def outlook(found: Outlook) -> Spec | None:
    """Three lines over three days, solid as far as they are measured, dashed from there on."""
    actual, ahead = found.actual(), found.ahead()
    if not any((*actual.values(), *ahead.values())):
        return None
    starts = list(found.half_hours())
    return {
        "kind": "lines",
        "unit": "GW",
        "ahead": "outlook",
        "now": ms(found.now),
        **_over_time(starts),
        "lines": [
            {
                "name": OUTLOOK_LABELS[kind],
                "colour": OUTLOOK_COLOURS[kind],
                "values": [plain(actual[kind].get(start)) for start in starts],
                "ahead": [plain(ahead[kind].get(start)) for start in starts],
            }
            for kind in KINDS
            if actual[kind] or ahead[kind]
        ],
    }


def errors(snapshot: Snapshot) -> Spec | None:
    """Mean absolute error by lead, one bar for each model."""
    return _by_lead(snapshot, "mae", {"unit": f"mean absolute error, {CARBON_INTENSITY.unit}"})


def coverage(snapshot: Snapshot) -> Spec | None:
    """Share of actuals inside the 80 % band by lead, against the target of 80 %."""
    more = {"unit": "inside the 80 % band, %", "top": 100, "target": 80, "digits": 0}
    return _by_lead(snapshot, "inside_pct", more)


def _by_lead(snapshot: Snapshot, field: str, more: Spec) -> Spec | None:
    """One bar for each model and lead bucket, of the models that have such a score."""
    scores: dict[str, dict[str, Accuracy]] = {}
    for score in snapshot.accuracy:
        if getattr(score, field) is not None:
            scores.setdefault(score.model, {})[score.lead_bucket] = score
    labels = model_labels(snapshot)
    of_model = colours(snapshot)
    parts = [
        {
            "name": label,
            "colour": of_model[model],
            "values": [
                plain(getattr(scores[model].get(bucket), field, None)) for bucket in LEAD_BUCKETS
            ],
        }
        for model, label in labels.items()
        if model in scores
    ]
    groups = list(LEAD_BUCKETS)
    return {"kind": "bars", "groups": groups, "parts": parts, **more} if parts else None


def attempts(snapshot: Snapshot) -> Spec | None:
    """Attempts of the last 24 hours by hour, stacked by status."""
    rows = snapshot.attempts_by_hour
    if not rows:
        return None
    last = snapshot.now.replace(minute=0, second=0, microsecond=0)
    starts = times(last - DAY, last, HOUR)
    counts = {(row.hour, row.status): row.attempts for row in rows}
    return {
        "kind": "stack",
        "unit": "attempts in the hour",
        "digits": 0,
        "height": LOW,
        **_over_time(starts, HOUR),
        "parts": [
            {
                "name": status,
                "colour": colour,
                "values": [counts.get((start, status)) for start in starts],
            }
            for status, colour in STATUS_COLOURS.items()
            if any(row.status == status for row in rows)
        ],
    }


def model_labels(snapshot: Snapshot) -> dict[str, str]:
    """Labels by model, in the order in which models are shown."""
    labels = {score.model: model_label(score.model, score.simulated) for score in snapshot.accuracy}
    return {
        model: labels[model]
        for model in sorted(labels, key=lambda model: (model_place(model), model))
    }


def colours(snapshot: Snapshot) -> dict[str, str]:
    """The colour of each model, the same in all charts; NESO's is always among them."""
    feeds = snapshot.feeds
    models = {
        *(score.model for score in snapshot.accuracy),
        *(row.model for row in snapshot.predicted),
        *(row["model"] for row in (*feeds.forecast, *feeds.regional_forecast) if row["model"]),
        "neso",
    }
    return model_colours(sorted(models))


def _over_time(starts: Sequence[datetime], step: timedelta = HALF_HOUR) -> Spec:
    return {"times": [ms(start) for start in starts], "step": step // timedelta(milliseconds=1)}
