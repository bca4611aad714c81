"""`metrics.prom`: valid for Prometheus, and the values of the documents."""

from __future__ import annotations

import copy
import re
from collections import Counter
from datetime import datetime
from typing import Final

import pytest

from grid_assets.feeds.metrics import metrics
from grid_assets.series import FUELS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.feeds.conftest import Filled, made_of, now_of
from grid_assets_tests.feeds.programs import needs_promtool, promtool

Sample = tuple[str, frozenset[tuple[str, str]]]

LINE: Final = re.compile(
    r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (-?\d+(?:\.\d+)?)'
)
LABEL: Final = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
ESCAPED: Final = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
ODD: Final = 'odd "name"\\of\nmine'


def samples(text: str) -> dict[Sample, float]:
    """Each sample by its name and labels, read by the rules of the format."""
    found: dict[Sample, float] = {}
    family = ""
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert len(line.split()) > 3
        elif line.startswith("#"):
            assert line == f"# TYPE {family} gauge"
        else:
            read = LINE.fullmatch(line)
            assert read, line
            assert read[1] == family
            labels = {
                name: re.sub(r"\\.", lambda code: ESCAPED[code[0]], value)
                for name, value in LABEL.findall(read[2])
            }
            key = (family, frozenset(labels.items()))
            assert key not in found
            found[key] = float(read[3])
    return found


def of(found: dict[Sample, float], name: str, **labels: str) -> list[float]:
    return [
        value
        for (family, having), value in found.items()
        if family == f"grid_{name}" and labels.items() <= set(having)
    ]


def test_the_values_are_those_of_the_documents(filled: Filled) -> None:
    now, forecast = filled.made["now.json"], filled.made["forecast.json"]
    found = samples(metrics(filled.made))
    newest = now["carbon_intensity"]["value"]
    assert of(found, "carbon_intensity_grams_per_kwh") == [newest]
    assert of(found, "regional_carbon_intensity_grams_per_kwh") == [
        one["value"] for one in now["regions"]
    ]
    [london] = of(found, "regional_carbon_intensity_grams_per_kwh", region="London", region_id="13")
    assert london == filled.made["regions/13.json"]["now"]["value"]
    for percentile, field in (("10", "p10"), ("50", "value"), ("90", "p90")):
        for step, one in enumerate(forecast["half_hours"]):
            labels = {"minutes_ahead": str(30 * step), "percentile": percentile}
            ahead = of(found, "carbon_intensity_forecast_grams_per_kwh", **labels)
            assert ahead == [one[field]] * (one[field] is not None)
    for fuel in FUELS:
        share = now["mix"]["shares"][fuel]
        assert of(found, "generation_share_ratio", fuel=fuel) == (
            [] if share is None else [pytest.approx(share / 100)]
        )
    for one in filled.made["greenest.json"]["windows"]:
        [start] = of(found, "greenest_window_start_timestamp_seconds", hours=str(one["hours"]))
        assert start == datetime.fromisoformat(one["period_start"]).timestamp()
    [generated] = of(found, "feeds_generated_timestamp_seconds", data_kind="live")
    assert generated == int(filled.now.timestamp())


def test_generated_and_consumed_have_names_of_their_own(filled: Filled) -> None:
    """So that no sum or mean of one name mixes them."""
    names = Counter(name for name, _ in samples(metrics(filled.made)))
    assert names["grid_carbon_intensity_grams_per_kwh"] == 1
    assert names["grid_regional_carbon_intensity_grams_per_kwh"] == 18


def test_no_label_is_one_that_prometheus_keeps_for_itself(filled: Filled) -> None:
    labels = {name for _, pairs in samples(metrics(filled.made)) for name, _ in pairs}
    assert labels.isdisjoint({"quantile", "le", "job", "instance"})
    assert not [name for name in labels if name.startswith("__")]


def test_a_name_of_a_model_may_be_anything(filled: Filled) -> None:
    made = copy.deepcopy(filled.made)
    for one in made["forecast.json"]["half_hours"]:
        one["model"] = one["model"] and ODD
    found = samples(metrics(made))
    assert len(of(found, "carbon_intensity_forecast_grams_per_kwh", model=ODD)) > 96
    assert len(of(found, "forecast_issued_timestamp_seconds", model=ODD)) == 1


def test_what_is_not_known_has_no_sample(empty: Connection) -> None:
    text = metrics(made_of(empty, now_of(empty)))
    assert {name for name, _ in samples(text)} == {"grid_feeds_generated_timestamp_seconds"}
    values = [line.rpartition(" ")[2] for line in text.splitlines() if not line.startswith("#")]
    assert not re.search("nan|null|none|inf", " ".join(values).lower())


@needs_promtool
def test_prometheus_finds_no_fault_in_it(filled: Filled, empty: Connection) -> None:
    made = copy.deepcopy(filled.made)
    made["forecast.json"]["half_hours"][0]["model"] = ODD
    for text in (metrics(made), metrics(made_of(empty, now_of(empty)))):
        assert promtool("check", "metrics", text=text) == ""
