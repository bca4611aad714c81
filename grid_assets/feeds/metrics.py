"""`metrics.prom`: the newest values for Prometheus, in its text format. Pure.

A value that is not known has no sample: Prometheus has no null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from grid_assets.feeds.values import Document

Sample = tuple[Mapping[str, str], float | int]

PERCENTILES: Final = {"10": "p10", "50": "value", "90": "p90"}
"""The label `percentile` of a forecast, by its field. Not `quantile`, which is for summaries."""


def metrics(made: Mapping[str, Document]) -> str:
    """The text, from the documents of the feeds."""
    now, forecast = made["now.json"], made["forecast.json"]
    greenest = made["greenest.json"]
    families: list[tuple[str, str, list[Sample]]] = [
        (
            "grid_carbon_intensity_grams_per_kwh",
            "Newest measured carbon intensity of what Great Britain generates, gCO2/kWh.",
            list(_intensity(now["carbon_intensity"], {})),
        ),
        (
            # by a name of its own, so that no sum or mean mixes what is generated and consumed
            "grid_regional_carbon_intensity_grams_per_kwh",
            "Newest carbon intensity of what a region consumes, gCO2/kWh. Regions 15 to 18 are "
            "England, Scotland, Wales and GB.",
            [
                sample
                for region in now["regions"]
                for sample in _intensity(
                    region,
                    {"region_id": str(region["region_id"]), "region": region["short_name"]},
                )
            ],
        ),
        (
            "grid_carbon_intensity_forecast_grams_per_kwh",
            "Forecast carbon intensity of Great Britain, gCO2/kWh, by minutes ahead of the current "
            "half-hour.",
            list(_forecasts(forecast)),
        ),
        (
            "grid_generation_share_ratio",
            "Share of a fuel in the newest mix of Great Britain, 0 to 1.",
            [
                ({"fuel": fuel, "kind": now["mix"]["kind"]}, round(share / 100, 4))
                for fuel, share in now["mix"]["shares"].items()
                if share is not None
            ],
        ),
        (
            "grid_greenest_window_start_timestamp_seconds",
            "Start of the greenest window of some hours within the next 24.",
            [
                ({"hours": str(one["hours"]), "model": one["model"]}, _seconds(one["period_start"]))
                for one in greenest["windows"]
            ],
        ),
        (
            "grid_newest_period_start_timestamp_seconds",
            "Start of the newest half-hour that was published.",
            [
                ({"series": name}, _seconds(now[name]["period_start"]))
                for name in ("carbon_intensity", "mix")
                if now[name]["period_start"]
            ],
        ),
        (
            "grid_forecast_issued_timestamp_seconds",
            "Issue time of the newest forecast in the feed, by model.",
            list(_issued(forecast)),
        ),
        (
            "grid_feeds_generated_timestamp_seconds",
            "When the feeds were made.",
            [({"data_kind": now["data_kind"]}, _seconds(now["generated_at"]))],
        ),
    ]
    lines: list[str] = []
    for name, text, samples in families:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _intensity(value: Document, labels: Mapping[str, str]) -> Iterator[Sample]:
    if value["value"] is not None:
        yield {**labels, "kind": value["kind"]}, value["value"]


def _forecasts(forecast: Document) -> Iterator[Sample]:
    for step, one in enumerate(forecast["half_hours"]):
        for percentile, name in PERCENTILES.items():
            if one[name] is not None:
                labels = {
                    "minutes_ahead": str(30 * step),
                    "percentile": percentile,
                    "model": one["model"],
                    "kind": one["kind"],
                }
                yield labels, one[name]


def _issued(forecast: Document) -> Iterator[Sample]:
    newest: dict[str, str] = {}
    for one in forecast["half_hours"]:
        if one["issued_at"]:
            newest[one["model"]] = max(newest.get(one["model"], ""), one["issued_at"])
    for model, issued_at in newest.items():
        yield {"model": model}, _seconds(issued_at)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())


def _labels(labels: Mapping[str, Any]) -> str:
    inside = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
