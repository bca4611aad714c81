"""The feeds: valid by their schemas, always 48 hours, and honest about what is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from grid_assets.feeds.documents import STEPS
from grid_assets.feeds.read import HOURS
from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document, stamp
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.feeds.conftest import (
    DAY,
    HOUR,
    Filled,
    made_of,
    now_of,
    ours,
    validate,
    value,
)
from grid_assets_tests.forecasting.regions.captured import capture


def half_hours_of(made: dict[str, Document]) -> Iterator[tuple[str, list[Document]]]:
    """Every forecast of 48 hours, with the name of its document."""
    for name, document in made.items():
        if "half_hours" in document:
            yield name, document["half_hours"]
        elif "half_hours" in document.get("forecast", {}):
            yield name, document["forecast"]["half_hours"]


@pytest.mark.parametrize("name", schemas())
def test_the_schemas_are_schemas_and_refuse_what_is_not_a_feed(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])
    with pytest.raises(jsonschema.ValidationError):
        validate({name.replace("region.", "regions/1."): {}})


def test_an_empty_warehouse_has_valid_feeds_of_nulls(empty: Connection) -> None:
    made = made_of(empty, now_of(empty))
    assert sorted(made) == ["accuracy.json", "forecast.json", "greenest.json", "now.json"]
    assert made["now.json"]["carbon_intensity"]["value"] is None
    assert made["now.json"]["carbon_intensity"]["kind"] is None
    half_hours = made["forecast.json"]["half_hours"]
    assert len(half_hours) == STEPS
    assert {one["value"] for one in half_hours} == {one["model"] for one in half_hours} == {None}
    assert made["greenest.json"]["windows"] == made["accuracy.json"]["models"] == []


def test_each_value_says_its_unit_kind_basis_and_age(filled: Filled) -> None:
    now, made = filled.now, filled.made
    newest = made["now.json"]["carbon_intensity"]
    assert (newest["kind"], newest["basis"], newest["unit"]) == (
        "measured",
        "generation",
        "gCO2/kWh",
    )
    start = floor(now) - HOUR
    assert (newest["period_start"], newest["period_end"]) == (stamp(start), stamp(start + HOUR / 2))
    assert newest["age_s"] == round((now - start - HALF_HOUR).total_seconds())
    forecast = made["now.json"]["forecast"]
    assert (forecast["kind"], forecast["model"]) == ("forecast", "blend")
    assert forecast["age_s"] == round((now - start).total_seconds())
    london = made["regions/13.json"]
    assert london["now"] in made["now.json"]["regions"]
    assert (london["now"]["kind"], london["now"]["basis"]) == ("forecast", "consumption")
    assert (london["mix"]["kind"], london["mix"]["basis"]) == ("forecast", "consumption")
    assert london["now"]["age_s"] == 0  # the half-hour lasts
    assert {one["basis"] for one in (london["forecast"], london["greenest"])} == {"consumption"}
    assert london["accuracy"]["against"] == "estimate"


def test_there_are_always_48_hours(filled: Filled) -> None:
    first = floor(filled.now)
    found = dict(half_hours_of(filled.made))
    assert len(found) == 19
    for half_hours in found.values():
        assert [one["period_start"] for one in half_hours] == [
            stamp(first + n * HALF_HOUR) for n in range(STEPS)
        ]


def test_where_one_model_ends_the_next_goes_on_and_what_nobody_forecasts_is_null(
    connection: Connection,
) -> None:
    now = now_of(connection)
    connection.execute("DELETE FROM forecast.latest WHERE model = 'neso'")
    half_hours = made_of(connection, now, regions=False)["forecast.json"]["half_hours"]
    first = floor(now)
    # the blend was issued an hour before `first`, and so reaches 47 hours from it
    blend, rest = half_hours[:94], half_hours[94:]
    assert {(one["model"], one["kind"]) for one in blend} == {("blend", "forecast")}
    assert {(one["model"], one["value"], one["kind"], one["age_s"]) for one in rest} == {
        (None, None, None, None)
    }
    issued = first - timedelta(minutes=3)
    for step in (94, 95):
        connection.execute(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, "
            "created_at, p50, simulated) "
            "VALUES ('neso', 'carbon_intensity', %s, %s, %s, %s, true)",
            [first + step * HALF_HOUR, issued, issued, 300 + step],
        )
    rest = made_of(connection, now, regions=False)["forecast.json"]["half_hours"][94:]
    assert [one["value"] for one in rest] == [394, 395]
    assert {(one["model"], one["kind"], one["issued_at"]) for one in rest} == {
        ("neso", "simulated", stamp(issued))
    }


def test_a_forecast_that_is_old_says_how_old_and_how_far_it_was_looked_at(
    connection: Connection,
) -> None:
    now = now_of(connection)
    for relation in (b"forecast.latest", b"forecast.issues"):
        connection.execute(
            b"UPDATE %b SET issued_at = issued_at - interval '40 hours' WHERE model = 'blend'"
            % relation
        )
    connection.execute(
        "DELETE FROM forecast.latest WHERE model = 'blend' AND period_start >= %s",
        [floor(now) + 7 * HOUR],
    )
    made = made_of(connection, now, regions=False)
    half_hours = made["forecast.json"]["half_hours"]
    assert [one["model"] for one in half_hours] == ["blend"] * 14 + ["neso"] * 80 + [None] * 2
    assert {one["age_s"] // 3600 for one in half_hours[:14]} == {41}
    windows = made["greenest.json"]["windows"]
    assert [one["hours"] for one in windows] == list(HOURS)
    assert {(one["model"], one["age_s"] // 3600) for one in windows} == {("blend", 41)}
    assert {one["forecast_to"] for one in windows} == {stamp(floor(now) + 7 * HOUR)}


def test_the_greenest_windows_are_those_of_the_function(filled: Filled) -> None:
    of_region = filled.made["regions/7.json"]["greenest"]
    for region, document in ((None, filled.made["greenest.json"]), (7, of_region)):
        assert [one["hours"] for one in document["windows"]] == list(HOURS)
        for one in document["windows"]:
            earliest = floor(filled.now) + HALF_HOUR
            rows = filled.connection.execute(
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


def test_a_derived_value_says_so(filled: Filled) -> None:
    half_hours = filled.made["regions/13.json"]["forecast"]["half_hours"]
    # the half-hour that has begun is NESO's newest; the blend ends an hour before NESO's forecast
    kinds = ["forecast", *["derived"] * 93, *["forecast"] * 2]
    assert [one["kind"] for one in half_hours] == kinds
    models = {"forecast": "neso", "derived": "blend"}
    assert [one["model"] for one in half_hours] == [models[kind] for kind in kinds]
    windows = filled.made["regions/13.json"]["greenest"]["windows"]
    assert {(one["kind"], one["model"]) for one in windows} == {("derived", "blend")}
    others = filled.made["regions/12.json"]["forecast"]["half_hours"]
    assert {(one["kind"], one["model"]) for one in others} == {("forecast", "neso")}


def test_a_simulated_value_says_so(connection: Connection) -> None:
    now = now_of(connection)
    connection.execute("UPDATE core.regional_intensity SET simulated = true")
    connection.execute("UPDATE raw.regional_vintages SET simulated = true")
    made = made_of(connection, now)
    assert {one["kind"] for one in made["now.json"]["regions"]} == {"simulated"}
    for region in (2, 13):  # as published, and derived from what is simulated
        document = made[f"regions/{region}.json"]
        assert document["mix"]["kind"] == "simulated"
        assert {one["kind"] for one in document["forecast"]["half_hours"]} == {"simulated"}
        assert {one["kind"] for one in document["greenest"]["windows"]} == {"simulated"}
    assert {one["kind"] for one in made["forecast.json"]["half_hours"]} >= {"forecast"}


def test_a_region_without_data_has_a_feed_of_nulls(connection: Connection) -> None:
    now = now_of(connection)
    connection.execute("DELETE FROM core.regional_intensity WHERE region_id = 4")
    connection.execute("DELETE FROM core.regional_mix WHERE region_id = 4")
    # a mix without an intensity
    connection.execute("DELETE FROM core.regional_intensity WHERE region_id = 5")
    connection.execute("DELETE FROM raw.regional_vintages")
    capture(connection, floor(now) + timedelta(minutes=1), value, regions=[1, 2, 3])
    made = made_of(connection, now)
    for region in (4, 5):
        document = made[f"regions/{region}.json"]
        assert document["now"]["value"] is document["now"]["kind"] is None
        unknown = {(one["value"], one["model"]) for one in document["forecast"]["half_hours"]}
        assert unknown == {(None, None)}
        assert document["greenest"]["windows"] == []
    assert made["regions/4.json"]["now"]["period_start"] is None
    assert made["regions/4.json"]["mix"]["groups"]["fossil"] is None
    assert made["regions/5.json"]["mix"]["groups"]["fossil"] == 40.5


def test_what_is_older_than_two_days_is_not_the_newest(connection: Connection) -> None:
    made = made_of(connection, now_of(connection) + 3 * DAY)
    assert made["now.json"]["carbon_intensity"]["value"] is None
    assert made["now.json"]["mix"]["shares"]["wind"] is None
    assert made["now.json"]["regions"] == []


def test_regions_that_are_switched_off_are_left_out(connection: Connection) -> None:
    made = made_of(connection, now_of(connection), regions=False)
    assert made["now.json"]["regions"] == []
    assert made["now.json"]["carbon_intensity"]["value"] is not None


def test_a_band_word_that_is_new_is_passed_on(connection: Connection) -> None:
    connection.execute("UPDATE core.intensity SET intensity_index = 'off the scale'")
    made = made_of(connection, now_of(connection), regions=False)
    assert made["now.json"]["carbon_intensity"]["index"] == "off the scale"


def test_times_are_utc_and_those_of_london_by_its_clock(filled: Filled) -> None:
    def walk(name: str, node: Any) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            for key, inner in node.items():
                yield from walk(key, inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(name, inner)
        elif isinstance(node, str):
            yield name, node

    texts = [found for document in filled.made.values() for found in walk("", document)]
    times = [(name, text) for name, text in texts if re.search(r"\d\d:\d\d", text)]
    by_clock = {"start_london", "end_london"}
    assert {name for name, _ in times} == by_clock | {
        *("generated_at", "period_start", "period_end", "issued_at", "forecast_to")
    }
    for name, text in times:
        if name not in by_clock:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text), name


def test_the_first_half_hour_of_a_region_goes_on_from_what_was_published(filled: Filled) -> None:
    first = filled.made["regions/9.json"]["forecast"]["half_hours"][0]
    assert first["value"] == round(value(9, floor(filled.now)), 2)
    assert (first["model"], first["issued_at"], first["age_s"]) == ("neso", None, None)


def test_national_values_are_not_those_of_region_18(filled: Filled) -> None:
    [gb] = [one for one in filled.made["now.json"]["regions"] if one["region_id"] == 18]
    assert gb["short_name"] == "GB"
    current = filled.made["now.json"]["forecast"]
    assert current["value"] == round(ours(floor(filled.now)), 2) != gb["value"]


def test_a_time_is_of_the_half_hour_that_has_begun(filled: Filled) -> None:
    generated = datetime.fromisoformat(filled.made["now.json"]["generated_at"])
    start = datetime.fromisoformat(filled.made["now.json"]["forecast"]["period_start"])
    assert start <= generated < start + HALF_HOUR
