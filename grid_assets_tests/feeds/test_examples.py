"""The examples in deploy/feeds and docs/feeds.md do what they say with real feeds.

Home Assistant, evcc and KEDA themselves are not run here; docs/feeds.md says what was.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from grid_assets.feeds.metrics import metrics
from grid_assets.feeds.values import Document
from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.feeds.conftest import Filled
from grid_assets_tests.feeds.programs import jq, needs_jq, needs_promtool, promtool

Render = Callable[[str, Document], str]

FOLDER: Final = PROJECT_DIR / "deploy" / "feeds"
PAGE: Final = (PROJECT_DIR / "docs" / "feeds.md").read_text(encoding="utf-8")
COMMANDS: Final = re.findall(r"curl -s (\S+) \|\s+jq -r '([^']+)'", PAGE)
"""Address and jq expression of each command on the page."""


def example(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def at(document: Any, path: str) -> Any:
    """A value by a path of names and places, such as `$.greenest.windows[2]`."""
    for part in re.findall(r"\w+", path.removeprefix("$")):
        document = document[int(part) if part.isdigit() else part]
    return document


def text_of(filled: Filled, address: str) -> str:
    return json.dumps(filled.made[urlsplit(address).path.removeprefix("/v1/")])


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_every_address_is_one_of_a_feed_and_the_page_names_each_file(
    filled: Filled, file: Path
) -> None:
    for path in re.findall(r"/v1/([\w./-]+\w)", file.read_text(encoding="utf-8")):
        assert path in {*filled.made, "metrics.prom"}, path
    assert f"../deploy/feeds/{file.name}" in PAGE


# Home Assistant


@pytest.fixture
def rendered(filled: Filled) -> Render:
    """Renders a template as Home Assistant does, with its functions of these names."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    environment.globals |= {
        "now": lambda: filled.now,
        "as_datetime": datetime.fromisoformat,
        "timedelta": timedelta,
    }

    def render(template: str, document: Document) -> str:
        return environment.from_string(template).render(value_json=document).strip()

    return render


def sensors(filled: Filled) -> tuple[Document, Mapping[str, Mapping[str, Any]]]:
    [resource] = example("home-assistant.yaml")["rest"]
    return json.loads(text_of(filled, resource["resource"])), {
        one["unique_id"]: one for one in resource["sensor"]
    }


def test_the_sensors_of_home_assistant_show_the_feed(filled: Filled, rendered: Render) -> None:
    document, found = sensors(filled)
    intensity, greenest = found.values()
    assert float(rendered(intensity["value_template"], document)) == document["now"]["value"]
    assert intensity["unit_of_measurement"] == document["now"]["unit"]
    [window] = [one for one in document["greenest"]["windows"] if one["hours"] == 3]
    assert rendered(greenest["value_template"], document) == window["period_start"]
    assert at(document, greenest["json_attributes_path"]) == window
    for sensor in (intensity, greenest):
        assert rendered(sensor["availability"], document) == "True"
        assert set(sensor["json_attributes"]) <= set(at(document, sensor["json_attributes_path"]))


def test_the_sensors_are_unavailable_if_nothing_is_known_or_the_feed_is_old(
    filled: Filled, rendered: Render
) -> None:
    document, found = sensors(filled)
    templates = [sensor["availability"] for sensor in found.values()]
    unknown = copy.deepcopy(document)
    unknown["now"]["value"], unknown["greenest"]["windows"] = None, []
    old = document | {"generated_at": (filled.now - timedelta(hours=3)).isoformat()}
    for sensor in found.values():
        assert rendered(sensor["value_template"], unknown) == "None"
    for changed in (unknown, old):
        assert {rendered(template, changed) for template in templates} == {"False"}


# evcc


@needs_jq
@pytest.mark.parametrize("known", [96, 90])
def test_evcc_gets_the_half_hours_that_are_forecast_and_no_zero_for_the_others(
    filled: Filled, known: int
) -> None:
    source = example("evcc.yaml")["tariffs"]["co2"]["forecast"]
    document = json.loads(text_of(filled, source["uri"]))
    half_hours = document["forecast"]["half_hours"]
    for one in half_hours[known:]:
        one["value"] = None
    # a string that holds JSON, which evcc parses as rates
    rates = json.loads(jq(source["jq"], text=json.dumps(document)))
    assert [(rate["start"], rate["value"]) for rate in rates] == [
        (one["period_start"], one["value"]) for one in half_hours[:known]
    ]
    assert all(one["end"] == other["start"] for one, other in pairwise(rates))
    assert all(rate.keys() == {"start", "end", "value"} for rate in rates)


# Prometheus


def test_prometheus_scrapes_the_metrics_and_its_rules_name_some_that_exist(filled: Filled) -> None:
    [job] = example("prometheus.yaml")["scrape_configs"]
    assert job["metrics_path"] == "/v1/metrics.prom"
    assert (FOLDER / example("prometheus.yaml")["rule_files"][0]).exists()
    text = metrics(filled.made)
    rules = str(example("prometheus-rules.yaml"))
    names = set(re.findall(r"\bgrid_\w+", rules)) - {"grid_assets"}
    assert names
    for page in (names, set(re.findall(r"^\| `(grid_\w+)`", PAGE, re.MULTILINE))):
        assert page <= set(re.findall(r"# TYPE (\w+)", text))
    for label in re.findall(r'(\w+)=~?"', rules):
        assert f'{label}="' in text


@needs_promtool
@pytest.mark.slow  # it starts a process
def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    promtool("check", "config", str(FOLDER / "prometheus.yaml"))
    promtool("check", "rules", str(FOLDER / "prometheus-rules.yaml"))


@needs_promtool
@pytest.mark.slow
def test_the_rules_find_old_feeds_and_the_mean_of_three_hours(tmp_path: Path) -> None:
    forecast = "grid_carbon_intensity_forecast_grams_per_kwh"
    mean = "grid:carbon_intensity_forecast:next_3_hours"
    ahead = [
        {"series": f'{forecast}{{percentile="50",minutes_ahead="{30 * step}"}}', "values": value}
        for step, value in enumerate(["900x200", *[f"{100 + n}x200" for n in range(6)], "900x200"])
    ]
    made = [{"series": "grid_feeds_generated_timestamp_seconds", "values": "0x200"}]
    _, rule = example("prometheus-rules.yaml")["groups"][0]["rules"]
    fired = [{"exp_annotations": rule["annotations"]}]
    test = {
        "interval": "1m",
        "input_series": [*ahead, *made],
        "alert_rule_test": [
            {"eval_time": "90m", "alertname": rule["alert"], "exp_alerts": []},
            {"eval_time": "97m", "alertname": rule["alert"], "exp_alerts": fired},
        ],
        "promql_expr_test": [
            {"expr": mean, "eval_time": "5m", "exp_samples": [{"labels": mean, "value": 102.5}]}
        ],
    }
    file = tmp_path / "rules.yaml"
    rules = [str(FOLDER / "prometheus-rules.yaml")]
    file.write_text(yaml.safe_dump({"rule_files": rules, "tests": [test]}), encoding="utf-8")
    promtool("test", "rules", str(file))


# KEDA


def test_the_trigger_of_keda_leads_to_a_number_and_its_formula_has_its_name(filled: Filled) -> None:
    spec = example("keda.yaml")["spec"]
    [trigger] = spec["triggers"]
    assert trigger["type"] == "metrics-api"
    metadata = trigger["metadata"]
    document = json.loads(text_of(filled, metadata["url"]))
    assert at(document, metadata["valueLocation"]) == document["forecast"]["value"] > 0
    assert all(isinstance(value, str) for value in metadata.values())  # as the CRD demands
    formula = spec["advanced"]["scalingModifiers"]["formula"]
    assert set(re.findall(r"[a-z]+", formula)) == {trigger["name"]}
    assert spec["fallback"]["replicas"] == spec["minReplicaCount"]
    assert max(map(int, re.findall(r"[?:] (\d+)", formula))) == spec["maxReplicaCount"]


# The page


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) >= 3


@needs_jq
@pytest.mark.parametrize(("address", "expression"), COMMANDS)
def test_every_command_of_the_page_finds_something(
    filled: Filled, address: str, expression: str
) -> None:
    found = jq(expression, text=text_of(filled, address)).strip()
    assert found
    assert "null" not in found
