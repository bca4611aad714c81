"""How far off forecasts were, for the feeds. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from grid_assets.feeds.read import DAYS, Found, Row
from grid_assets.feeds.values import Document, number
from grid_assets.series import CARBON_INTENSITY, LEAD_BUCKETS, model_place


def accuracy(found: Found) -> Document:
    """Of Great Britain, by model and lead."""
    return {
        "days": DAYS,
        "series": CARBON_INTENSITY.name,
        "unit": CARBON_INTENSITY.unit,
        "against": "actual",
        "models": models(found.accuracy),
    }


def models(rows: Iterable[Row]) -> list[Document]:
    """The errors of each model, in the order in which models are shown."""
    by_model: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_model.setdefault(row["model"], {})[row["lead_bucket"]] = row
    return [
        {
            "model": model,
            "kind": "simulated" if any(row["simulated"] for row in leads.values()) else "measured",
            "leads": [
                {
                    "lead_bucket": bucket,
                    "n": leads[bucket]["n"],
                    "mae": number(leads[bucket]["mae"]),
                    "bias": number(leads[bucket]["bias"]),
                    **{
                        name: number(leads[bucket][name])
                        for name in ("inside_80_pct",)
                        if name in leads[bucket]
                    },
                }
                for bucket in LEAD_BUCKETS
                if bucket in leads
            ],
        }
        for model, leads in sorted(by_model.items(), key=lambda one: (model_place(one[0]), one[0]))
    ]
