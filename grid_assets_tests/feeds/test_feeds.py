"""The feeds: valid by their schemas, equal to the database, always 48 hours, and written whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import psycopg
import pytest

from grid_assets.feeds.documents import STEPS, documents
from grid_assets.feeds.metrics import metrics
from grid_assets.feeds.read import HOURS, read_in
from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document, stamp
from grid_assets.feeds.write import write
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.regions.captured import IDS, capture, estimate, national

one_warehouse = shared_warehouse.one_warehouse
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def connection(one_warehouse: Any) -> Iterator[Connection]:
    """A warehouse in which nothing is committed and now() stands still."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def now_of(connection: Connection) -> datetime:
    [(now,)] = connection.execute("SELECT now()").fetchall()
    found: datetime = now
    return found.astimezone(UTC)


def value(region: int, at: datetime) -> int:
    return 100 + region + at.hour


def fill(connection: Connection) -> datetime:
    """Telemetry up to the half-hour before the last, forecasts, and regions; returns now."""
    now = now_of(connection)
    first = floor(now)
    start = first - DAY
    estimate(connection, start, first + HALF_HOUR, value)
    connection.execute(
        "INSERT INTO core.regional_mix (region_id, period_start, gas_pct, wind_pct) "
        "SELECT region_id, period_start, 40.5, 30 FROM core.regional_intensity"
    )
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh, intensity_index) "
        "SELECT period_start, 150 + extract(hour FROM period_start), 'moderate' "
        "FROM core.regional_intensity WHERE region_id = 1 AND period_start < %s",
        [first - HALF_HOUR],
    )
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, gas_pct, wind_pct, nuclear_pct) "
        "SELECT period_start, 30.2, 40.1, 10 FROM core.intensity"
    )
    national(connection, first - HOUR, lambda at: 200 + at.hour, lambda at: 210 + at.hour)
    capture(connection, first + timedelta(minutes=1), value)
    for region, errors in ((13, 5), (18, 7)):
        connection.execute(
            "INSERT INTO forecast.regional_accuracy VALUES "
            "('neso', %s, %s, '0-3h', 10, %s, -3, 1000, NULL, false)",
            [region, now.date() - DAY, errors],
        )
    return now


def validate(made: dict[str, Document]) -> None:
    known = schemas()
    for name, document in made.items():
        schema = known["region.json" if name.startswith("regions/") else name]
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


def made_of(connection: Connection, now: datetime) -> dict[str, Document]:
    made = documents(read_in(connection, now), "live")
    validate(made)
    return made


def test_an_empty_warehouse_has_valid_feeds_of_nulls(connection: Connection) -> None:
    made = made_of(connection, now_of(connection))
    assert sorted(made) == ["accuracy.json", "forecast.json", "greenest.json", "now.json"]
    assert made["now.json"]["carbon_intensity"]["value"] is None
    assert made["now.json"]["carbon_intensity"]["kind"] is None
    half_hours = made["forecast.json"]["half_hours"]
    assert len(half_hours) == STEPS
    assert {one["value"] for one in half_hours} == {one["model"] for one in half_hours} == {None}
    assert made["greenest.json"]["windows"] == made["accuracy.json"]["models"] == []


def test_the_feeds_say_what_the_database_says(connection: Connection) -> None:
    now = fill(connection)
    made = made_of(connection, now)
    first = floor(now)
    newest = made["now.json"]["carbon_intensity"]
    [(start, actual)] = connection.execute(
        "SELECT period_start, actual_gco2_kwh FROM core.intensity ORDER BY 1 DESC LIMIT 1"
    ).fetchall()
    assert (newest["period_start"], newest["value"]) == (stamp(start), actual)
    assert (newest["kind"], newest["basis"], newest["unit"]) == (
        "measured",
        "generation",
        "gCO2/kWh",
    )
    assert newest["age_s"] == round((now - start - HALF_HOUR).total_seconds())
    mix = made["now.json"]["mix"]
    assert mix["shares"]["wind"] == 40.1
    assert mix["shares"]["other"] == 19.7
    assert mix["groups"] == {"renewable": 40.1, "zero_carbon": 50.1, "fossil": 30.2}

    regions = {one["region_id"]: one for one in made["now.json"]["regions"]}
    assert sorted(regions) == list(IDS)
    assert regions[13]["value"] == value(13, first)
    assert (regions[13]["kind"], regions[13]["basis"]) == ("forecast", "consumption")

    london = made["regions/13.json"]
    assert london["now"] == regions[13]
    assert london["mix"]["shares"]["gas"] == 40.5
    assert [one["value"] for one in london["forecast"]["half_hours"]] == [
        value(13, first + n * HALF_HOUR) for n in range(STEPS)
    ]
    assert london["accuracy"]["models"] == [
        {
            "model": "neso",
            "kind": "measured",
            "leads": [{"lead_bucket": "0-3h", "n": 10, "mae": 0.5, "bias": -0.3}],
        }
    ]


def test_where_one_model_ends_the_next_goes_on_and_what_nobody_forecasts_is_null(
    connection: Connection,
) -> None:
    now = fill(connection)
    half_hours = made_of(connection, now)["forecast.json"]["half_hours"]
    first = floor(now)
    assert [one["period_start"] for one in half_hours] == [
        stamp(first + n * HALF_HOUR) for n in range(STEPS)
    ]
    # the blend was issued an hour before `first`, and so reaches 47 hours from it
    ours, rest = half_hours[:94], half_hours[94:]
    assert {(one["model"], one["kind"]) for one in ours} == {("blend", "forecast")}
    assert [one["value"] for one in ours] == [200 + (first + n * HALF_HOUR).hour for n in range(94)]
    assert {(one["model"], one["value"], one["kind"]) for one in rest} == {(None, None, None)}
    later = {(first + n * HALF_HOUR): 300 + n for n in range(94, 96)}
    issued = first - timedelta(minutes=3)
    for at, gco2_kwh in later.items():
        connection.execute(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, "
            "created_at, p50, simulated) "
            "VALUES ('neso', 'carbon_intensity', %s, %s, %s, %s, true)",
            [at, issued, issued, gco2_kwh],
        )
    rest = made_of(connection, now)["forecast.json"]["half_hours"][94:]
    assert [one["value"] for one in rest] == [394, 395]
    assert {(one["model"], one["kind"]) for one in rest} == {("neso", "simulated")}


def test_each_half_hour_has_nesos_own_forecast_beside_it(connection: Connection) -> None:
    now = fill(connection)
    first = floor(now)
    made = made_of(connection, now)
    half_hours = made["forecast.json"]["half_hours"]
    assert half_hours[0]["value"] != half_hours[0]["neso"]
    for step, one in enumerate(half_hours):
        at = first + step * HALF_HOUR
        expected = (210 + at.hour, "forecast") if step < 94 else (None, None)
        assert (one["neso"], one["neso_kind"]) == expected
    of_region = made["regions/13.json"]["forecast"]["half_hours"]
    assert [one["neso"] for one in of_region] == [
        value(13, first + n * HALF_HOUR) for n in range(STEPS)
    ]
    assert {one["neso_kind"] for one in of_region} == {"forecast"}

    connection.execute("UPDATE forecast.latest SET simulated = true WHERE model = 'neso'")
    connection.execute("UPDATE core.regional_intensity SET simulated = true")
    connection.execute("UPDATE raw.regional_vintages SET simulated = true")
    made = made_of(connection, now)
    half_hours = made["forecast.json"]["half_hours"]
    assert {(one["kind"], one["neso_kind"]) for one in half_hours[:90]} == {
        ("forecast", "simulated")
    }
    of_region = made["regions/13.json"]["forecast"]["half_hours"]
    assert {(one["neso_kind"], one["kind"]) for one in of_region} == {("simulated", "simulated")}


def test_the_greenest_windows_are_those_of_the_function(connection: Connection) -> None:
    now = fill(connection)
    made = made_of(connection, now)
    of_region = made["regions/7.json"]["greenest"]
    for region, document in ((None, made["greenest.json"]), (7, of_region)):
        assert [one["hours"] for one in document["windows"]] == list(HOURS)
        for one in document["windows"]:
            earliest = floor(now) + HALF_HOUR
            rows = connection.execute(
                "SELECT period_start, mean_gco2_kwh, saved_gco2_kwh, forecast_model "
                "FROM reporting.greenest_window(%s, %s, %s, region => %s)",
                [one["hours"] * HOUR, earliest + DAY, earliest, region],
            ).fetchall()
            assert one["period_start"] == stamp(rows[0][0])
            assert one["period_end"] == stamp(rows[-1][0] + HALF_HOUR)
            assert (one["value"], one["saved"], one["model"]) == tuple(
                float(cell) if index < 2 and cell is not None else cell
                for index, cell in enumerate(rows[0][1:])
            )


def test_a_simulated_value_says_so(connection: Connection) -> None:
    now = fill(connection)
    connection.execute("UPDATE core.regional_intensity SET simulated = true")
    connection.execute("UPDATE raw.regional_vintages SET simulated = true")
    made = made_of(connection, now)
    assert {one["kind"] for one in made["now.json"]["regions"]} == {"simulated"}
    region = made["regions/2.json"]
    assert {one["kind"] for one in region["forecast"]["half_hours"]} == {"simulated"}
    assert {one["kind"] for one in region["greenest"]["windows"]} == {"simulated"}


def test_a_region_without_data_has_a_feed_of_nulls(connection: Connection) -> None:
    now = fill(connection)
    connection.execute("DELETE FROM core.regional_intensity WHERE region_id = 4")
    connection.execute("DELETE FROM core.regional_mix WHERE region_id = 4")
    connection.execute("DELETE FROM raw.regional_vintages")
    capture(connection, floor(now) + timedelta(minutes=1), value, regions=[1, 2, 3])
    region = made_of(connection, now)["regions/4.json"]
    assert region["now"]["value"] is region["now"]["period_start"] is None
    assert {one["value"] for one in region["forecast"]["half_hours"]} == {None}


SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?\d+(\.\d+)?$')


def test_the_metrics_are_in_prometheus_text_format(connection: Connection) -> None:
    now = fill(connection)
    made = made_of(connection, now)
    lines = metrics(made).splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert [line for line in samples if not SAMPLE.match(line)] == []
    families = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {re.split("[{ ]", line)[0] for line in samples} <= families
    assert len(set(samples)) == len(samples)
    newest = made["now.json"]["carbon_intensity"]["value"]
    assert f'region="GB",region_id="",kind="measured",basis="generation"}} {newest}' in "\n".join(
        samples
    )
    assert any('region="London",region_id="13"' in line for line in samples)


def test_without_regions_their_files_are_removed_and_no_part_is_left(
    connection: Connection, tmp_path: Path
) -> None:
    now = now_of(connection)
    without = made_of(connection, now)
    fill(connection)
    made = made_of(connection, now)
    size = write(tmp_path, made)
    files = {str(file.relative_to(tmp_path / "v1")) for file in tmp_path.rglob("*.*")}
    assert files == {*made, "metrics.prom", *(f"schema/{name}" for name in schemas())}
    assert size == sum(file.stat().st_size for file in tmp_path.rglob("*.*"))
    written = json.loads((tmp_path / "v1" / "now.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(made["now.json"]))
    write(tmp_path, without)
    assert not list((tmp_path / "v1" / "regions").iterdir())
