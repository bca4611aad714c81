"""The page's panels: each chart with its summary and its table, which hold the same facts for
readers who cannot see the chart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grid_assets.dashboard import charts
from grid_assets.dashboard.queries import Snapshot
from grid_assets.dashboard.theme import FUEL_COLOURS, Spec, at, model_label, number, tenths
from grid_assets.series import LEAD_BUCKETS

Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""The header and the rows."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart (None without data), and the same facts as a sentence and as a table."""

    id: str
    title: str
    chart: Spec | None
    summary: str
    table: Table


def all_figures(snapshot: Snapshot) -> list[Figure]:
    return [
        _mix(snapshot),
        _record(snapshot),
        _errors(snapshot),
        _coverage(snapshot),
        _attempts(snapshot),
    ]


def _mix(snapshot: Snapshot) -> Figure:
    fuels = list(FUEL_COLOURS)
    return Figure(
        "mix",
        "Great Britain's generation mix of the last 24 hours",
        charts.mix(snapshot),
        _summarise_mix(snapshot),
        (
            ("from", *(f"{fuel}, %" for fuel in fuels)),
            [
                (at(start), *(tenths(shares[fuel]) for fuel in fuels))
                for start, shares in reversed(snapshot.mix)
            ],
        ),
    )


def _summarise_mix(snapshot: Snapshot) -> str:
    if not snapshot.mix:
        return "There is no generation mix for the last 24 hours yet."
    means = {
        fuel: sum((shares[fuel] or Decimal(0) for _, shares in snapshot.mix), Decimal(0))
        / len(snapshot.mix)
        for fuel in FUEL_COLOURS
    }
    first, second, third = sorted(means, key=lambda fuel: -means[fuel])[:3]
    return (
        f"Over {len(snapshot.mix)} half-hours, most power came from {first} "
        f"({tenths(means[first])} % on average), then {second} ({tenths(means[second])} %) and "
        f"{third} ({tenths(means[third])} %)."
    )


def _record(snapshot: Snapshot) -> Figure:
    actuals = {row.period_start: row.actual_gco2_kwh for row in snapshot.intensity}
    ours = {row.period_start: row for row in snapshot.of(snapshot.model)}
    neso = {row.period_start: row for row in snapshot.of("neso")}
    simulated = any(row.simulated for row in neso.values())
    rows: list[Sequence[object]] = []
    for start in sorted({*actuals, *ours, *neso}, reverse=True):
        our = ours.get(start)
        rows.append(
            (
                at(start),
                number(actuals.get(start)),
                tenths(our.p50 if our else None),
                tenths(our.p10 if our else None),
                tenths(our.p90 if our else None),
                tenths(neso[start].p50 if start in neso else None),
            )
        )
    return Figure(
        "record",
        "The last 24 hours: actual, and as forecast a day before",
        charts.record(snapshot),
        _summarise_record(snapshot),
        (
            ("from", "actual", "median", "p10", "p90", model_label("neso", simulated)),
            rows,
        ),
    )


def _summarise_record(snapshot: Snapshot) -> str:
    measured = {
        row.period_start: row.actual_gco2_kwh
        for row in snapshot.intensity
        if row.actual_gco2_kwh is not None
    }
    if not measured:
        return "There are no actuals for the last 24 hours yet."
    low, high = (
        min(measured, key=lambda at: measured[at]),
        max(measured, key=lambda at: measured[at]),
    )
    sentences = [
        f"It was between {number(measured[low])} gCO2/kWh at {at(low)} and "
        f"{number(measured[high])} at {at(high)}."
    ]
    for model in dict.fromkeys(filter(None, (snapshot.model, "neso"))):
        rows = [row for row in snapshot.of(model) if row.period_start in measured]
        if rows:
            off = sum(abs(row.p50 - measured[row.period_start]) for row in rows) / len(rows)
            label = model_label(model, any(row.simulated for row in rows))
            sentences.append(f"{label} was off by {tenths(off)} on average.")
    return " ".join(sentences)


def _errors(snapshot: Snapshot) -> Figure:
    labels = charts.model_labels(snapshot)
    return Figure(
        "errors",
        "Accuracy by lead: mean absolute error",
        charts.errors(snapshot),
        " ".join(_summarise_errors(snapshot, model, label) for model, label in labels.items())
        or "No forecast has been scored yet.",
        (
            ("model", "lead", "forecasts", "MAE, gCO2/kWh", "inside the 80 % band, %"),
            [
                (
                    label,
                    score.lead_bucket,
                    f"{score.n:,}",
                    f"{score.mae:.1f}",
                    "–" if score.inside_pct is None else f"{score.inside_pct:.0f}",
                )
                for model, label in labels.items()
                for score in snapshot.accuracy_of(model)
            ],
        ),
    )


def _summarise_errors(snapshot: Snapshot, model: str, label: str) -> str:
    scores = snapshot.accuracy_of(model)
    first, last = scores[0], scores[-1]
    return f"{label} is off by {first.mae:.1f} gCO2/kWh at {first.lead_bucket}" + (
        f" and by {last.mae:.1f} at {last.lead_bucket}." if len(scores) > 1 else "."
    )


def _coverage(snapshot: Snapshot) -> Figure:
    labels = charts.model_labels(snapshot)
    inside = {
        model: [
            score.inside_pct
            for score in snapshot.accuracy_of(model)
            if score.inside_pct is not None
        ]
        for model in labels
    }
    sentences = [
        f"{min(inside[model]):.0f} to {max(inside[model]):.0f} % of the actuals were inside the "
        f"band of {label}."
        for model, label in labels.items()
        if inside[model]
    ]
    return Figure(
        "coverage",
        "Accuracy by lead: actuals inside the 80 % band",
        charts.coverage(snapshot),
        " ".join(sentences) or "No band has been scored yet.",
        (
            ("model", *LEAD_BUCKETS),
            [
                (label, *_inside_by_bucket(snapshot, model))
                for model, label in labels.items()
                if inside[model]
            ],
        ),
    )


def _inside_by_bucket(snapshot: Snapshot, model: str) -> Iterator[str]:
    by_bucket = {score.lead_bucket: score.inside_pct for score in snapshot.accuracy_of(model)}
    for bucket in LEAD_BUCKETS:
        inside = by_bucket.get(bucket)
        yield "–" if inside is None else f"{inside:.0f} %"


def _attempts(snapshot: Snapshot) -> Figure:
    rows = snapshot.attempts_by_hour
    total = sum(row.attempts for row in rows)
    failed = sum(row.attempts for row in rows if row.status in ("failed", "crashed"))
    return Figure(
        "attempts",
        "Attempts in the last 24 hours",
        charts.attempts(snapshot),
        f"{total} attempts in 24 hours, {failed} of them failed or crashed."
        if total
        else "Nothing has run in the last 24 hours.",
        (
            ("hour from", "status", "attempts"),
            [(at(row.hour), row.status, row.attempts) for row in reversed(rows)],
        ),
    )
