"""Bad answers about regions: a broken region holds up no other, and none of them the nation.

The API is the recorded one with faults switched on, or one that serves its answers changed;
database and runs are real.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from pydantic import SecretStr

from grid_assets import mix
from grid_assets.defs.assets import raw, regional
from grid_assets.defs.planning import HISTORY, REGIONS
from grid_assets.halfhours import HALF_HOUR, Window, api_time, days_window, floor
from grid_assets.regional import quarantined
from grid_assets.regions import REGIONS as KNOWN
from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.defs import test_regional
from grid_assets_tests.defs.conftest import (
    Tables,
    evaluations,
    examples,
    failed_checks,
    half_hours,
    noon,
)
from grid_assets_tests.defs.test_regional import (
    ALL,
    FORECAST,
    RAW,
    TABLES,
    VALUES,
    Rows,
    Run,
    counts,
    published,
    values,
)
from grid_assets_tests.http_stub import Reply, serving

run = test_regional.run

BOTH: Final = {RAW, FORECAST}
UNUSABLE: Final = "ApiError"
SHORT: Final = {"GRID_API_TIMEOUT_S": "0.4"}

NO_ANSWERS: Final = [
    pytest.param({"name": "429", "retry_after": 7}, {}, "ApiRateLimited", None, id="429"),
    pytest.param({"name": "500"}, {}, "ApiServerError", None, id="500"),
    pytest.param({"name": "400"}, {}, "ApiBadRequest", None, id="400"),
    pytest.param({"name": "hang"}, SHORT, "ApiUnreachable", None, id="hang"),
    pytest.param({"name": "html"}, {}, "ApiMalformedBody", "<!DOCTYPE", id="html"),
    pytest.param({"name": "truncated_json"}, {}, "ApiMalformedBody", '{"data":[{', id="truncated"),
    pytest.param({"name": "empty_object"}, {}, UNUSABLE, "{}", id="empty-object"),
    pytest.param({"name": "empty_list"}, {}, UNUSABLE, '{"data": []}', id="empty-list"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "settings", "error_type", "body"), NO_ANSWERS)
def test_no_usable_answer_fails_both_captures_with_a_clear_row_and_not_the_run(
    fault: dict[str, Any],
    settings: dict[str, str],
    error_type: str,
    body: str | None,
    run: Run,
    today: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    replay.control.fault({**fault, "path": "/regional"})

    result = run(today, assets=(regional.regional, regional.regional_forecast))

    assert result.success  # so what is after it in a run is made
    assert set(counts(rows).values()) == {0}
    attempts = {one.asset: one for one in tables.attempts()}
    assert {name for name, one in attempts.items() if one.status != "success"} == BOTH
    for name in BOTH:
        failed = attempts[name]
        assert (failed.status, failed.error_type, failed.written) == ("failed", error_type, 0)
        assert "/regional/intensity/" in (failed.error_message or "")
        assert failed.quarantined == int(body is not None)
    kept = {entry.asset: entry for entry in tables.quarantine()}
    assert kept.keys() == (BOTH if body else set())
    for entry in kept.values():
        assert entry.is_body
        assert entry.payload.startswith(str(body))
        assert entry.endpoint.startswith("/regional/intensity/")
    warned = failed_checks(result)
    assert {(name, "sources_answer", "ERROR") for name in BOTH} <= warned
    assert {check for _, check, severity in warned if severity == "ERROR"} == {"sources_answer"}


def test_regions_that_fail_hold_up_no_telemetry_and_one_good_cycle_completes_them(
    run: Run, day: date, rows: Rows, tables: Tables, replay: ReplayServer
) -> None:
    replay.control.fault({"name": "500", "path": "/regional"})
    assert run(day, assets=(*HISTORY, raw.neso_forecast, *ALL)).success
    for table in ("core.intensity", "core.generation_mix"):
        assert rows(f"SELECT count(*) FROM {table}") == [(48,)]  # noqa: S608
    assert rows("SELECT count(*) FROM raw.neso_forecast") == [(96,)]
    assert {one.asset for one in tables.attempts() if one.status != "success"} == BOTH
    assert set(counts(rows).values()) == {0}
    replay.control.heal()
    assert failed_checks(run(day)) == {
        (table, "is_recent", "WARN") for table in ("core.regional_intensity", "core.regional_mix")
    }
    whole = 48 * 18
    assert counts(rows) == {**dict.fromkeys(TABLES, whole), FORECAST: 96 * 18}


# Records that are rejected, or kept with what they lack

ONE_RECORD: Final[dict[str, tuple[dict[str, Any], str | None]]] = {
    "nan": ({}, r"^intensity.forecast: nan is not a finite number$"),
    "1e308": ({}, r"^intensity.forecast: 1.*\+308"),
    "string_value": ({}, r"^intensity.forecast: '\d+' is not a number$"),
    "not_a_dict": ({}, "^region: it is not a JSON object$"),
    "negative_share": ({}, "^mix: the share of 'wind' is -5, outside 0 to 100$"),
    "share_101": ({}, "^mix: the share of 'wind' is 101, outside 0 to 100$"),
    "drop_fuels": (
        {"fuels": ["wind", "gas", "nuclear", "imports", "biomass"]},
        "^mix: 'other' would have to be",
    ),
    "duplicate_conflict": ({}, "^record: the half-hour appears twice with different values$"),
    "duplicate": ({}, None),
    "missing_field": ({}, None),
    "tenth_fuel": ({}, None),
    "forecast_13579": ({}, None),
    "revision": ({}, None),
}
"""Faults of the record of one region, each with its options and why the record is rejected."""


def spoil(replay: ReplayServer, first: datetime, path: str) -> dict[str, tuple[int, datetime]]:
    """Each fault in a region and half-hour of its own; returns these."""
    places = {}
    for n, (name, (options, _)) in enumerate(ONE_RECORD.items()):
        places[name] = (1 + n, first + n * HALF_HOUR)
        place = {"region": 1 + n, "period": api_time(first + n * HALF_HOUR)}
        replay.control.fault({"name": name, "path": path, **options, **place})
    return places


def test_a_bad_record_of_one_region_is_quarantined_and_all_others_are_there(
    run: Run, day: date, rows: Rows, tables: Tables, replay: ReplayServer
) -> None:
    good = {
        (one.region_id, one.period_start): values(one)
        for one in published(
            replay,
            f"/regional/intensity/{day}T00:00Z/{day + timedelta(days=1)}T00:00Z",
            days_window(day, day),
        )
    }
    assert len(good) == 48 * 18
    places = spoil(replay, noon(day), "/regional")
    off = [half_hours(day)[2], half_hours(day)[3]]
    for name, period in zip(("off_grid", "no_zone"), off, strict=True):
        replay.control.fault({"name": name, "path": "/regional", "period": api_time(period)})

    result = run(day, assets=REGIONS)

    assert result.success
    found = {(one[0], one[1]): one for one in rows(VALUES.format(RAW))}
    rejected = {place for name, place in places.items() if ONE_RECORD[name][1]}
    lost = rejected | {(one.region_id, period) for one in KNOWN for period in off}
    assert good.keys() - found.keys() == lost
    odd = {places[name] for name in ("missing_field", "forecast_13579", "revision")}
    assert {place for place, one in found.items() if one != good[place]} == odd
    assert found[places["missing_field"]][2] is None
    reasons = Counter(entry.reason for entry in tables.quarantine())
    assert sum(reasons.values()) == len(rejected) + 2
    for _, reason in ONE_RECORD.values():
        assert reason is None or any(re.search(reason, one) for one in reasons), reason
    for entry in tables.quarantine():
        assert (entry.is_body, entry.asset) == (False, RAW)
        for record in json.loads(entry.payload):
            assert len(record["regions"]) == (18 if entry.reason.startswith("time:") else 1)
    attempts = {one.asset: one for one in tables.attempts()}
    assert {one.status for one in attempts.values()} == {"success"}
    assert attempts[RAW].quarantined == len(rejected) + 2
    assert attempts[RAW].written == len(found) == 48 * 18 - len(lost)
    impossible = (
        "SELECT region_id, period_start FROM core.regional_intensity "
        "WHERE intensity_reason IS NOT NULL AND intensity_gco2_kwh IS NULL"
    )
    assert rows(impossible) == [places["forecast_13579"]]
    unknown = "SELECT region_id, period_start FROM raw.regional WHERE unknown_pct <> '{}'"
    assert rows(unknown) == [places["tenth_fuel"]]
    assert rows("SELECT DISTINCT total_pct FROM reporting.regional_telemetry") == [(100,)]
    [(intensities, mixes)] = rows(
        "SELECT (SELECT count(*) FROM core.regional_intensity), "
        "(SELECT count(*) FROM core.regional_mix)"
    )
    assert (intensities, mixes) == (len(found) - 1, len(found))  # one has no forecast
    warned = failed_checks(result)
    assert all(severity == "WARN" for *_, severity in warned)
    assert (RAW, "regions_complete", "WARN") in warned

    replay.control.heal()
    assert run(day, assets=REGIONS).success
    newest = (
        "SELECT DISTINCT ON (region_id, period_start) region_id, period_start, forecast_gco2_kwh "
        "FROM raw.regional ORDER BY region_id, period_start, arrival DESC"
    )
    assert rows(newest) == [one[:3] for one in good.values()]
    assert counts(rows)["core.regional_mix"] == 48 * 18


def test_a_bad_record_of_a_forecast_costs_no_other_and_completes_it_once_it_can_be_used(
    run: Run,
    today: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    now = floor(datetime.now(UTC))
    window = Window(now, now + timedelta(hours=48))
    path = f"/regional/intensity/{api_time(now)}/fw48h"
    good = {(one.region_id, one.period_start): one for one in published(replay, path, window)}
    places = spoil(replay, now + 6 * HALF_HOUR, "/regional")

    result = run(today, assets=[regional.regional_forecast])

    assert result.success
    assert (FORECAST, "reaches_48_hours", "WARN") in failed_checks(result)
    found = {(one[0], one[1]): one for one in rows(VALUES.format(FORECAST))}
    lost = {place for name, place in places.items() if ONE_RECORD[name][1]}
    assert good.keys() - found.keys() == lost
    large = places["forecast_13579"]  # which the archive cannot hold; its shares are kept
    assert found[large][2:] == (None, *values(good[large])[3:])
    changed = {places["missing_field"], places["revision"], large}
    assert {place for place, one in found.items() if one != values(good[place])} == changed
    [tried] = [one for one in tables.attempts() if one.asset == FORECAST]
    assert (tried.status, tried.written, tried.quarantined) == (
        "success",
        96 * 18 - len(lost),
        len(lost) + 1,
    )
    [(unknown,)] = rows("SELECT unknown_pct FROM raw.regional_vintages")
    assert [(one["region_id"], one["fuel"], one["pct"]) for one in unknown] == [
        (places["tenth_fuel"][0], "tidal", 0.4)
    ]

    # as if the code had been mended, for which NaN is no number
    rows("UPDATE ops.quarantine SET payload = replace(payload, 'NaN', '123')")
    done = quarantined.replay(connection, simulated=True)
    assert (done.accepted, done.still_rejected, done.days) == (1, len(lost), frozenset())
    after = {(one[0], one[1]): one for one in rows(VALUES.format(FORECAST))}
    assert after.keys() - found.keys() == {places["nan"]}
    assert after[places["nan"]][2:] == (123, *values(good[places["nan"]])[3:])
    assert rows("SELECT count(*) FROM raw.regional_vintages") == [(1,)]


# Regions that are missing, unknown, renamed or bare

STRANGE: Final = {
    "region_missing": 13,
    "region_renamed": 6,
    "region_no_mix": 17,
    "region_actual": 18,
    "region_unknown": 1,
}


SHOWN: Final = "SELECT * FROM reporting.regional_telemetry ORDER BY region_id, period_start"


def test_strange_regions_are_reported_and_cost_nothing_else(
    run: Run, today: date, rows: Rows, tables: Tables, replay: ReplayServer
) -> None:
    for name, number in STRANGE.items():
        replay.control.fault({"name": name, "region": number, "path": "/regional"})

    result = run(today)

    assert result.success
    now = floor(datetime.now(UTC))
    begun = sum(start <= now for start in half_hours(today))
    whole = {one.region_id: begun for one in KNOWN if one.region_id not in (13, 6)}

    def by_region(table: str) -> dict[int, int]:
        return dict(rows(f"SELECT region_id, count(*) FROM {table} GROUP BY 1"))  # noqa: S608

    assert by_region(RAW) == by_region("core.regional_intensity") == whole
    assert by_region("core.regional_mix") == {n: c for n, c in whole.items() if n != 17}
    assert by_region(FORECAST) == dict.fromkeys(whole, 96)
    marks = (
        "SELECT array_agg(DISTINCT region_id) FILTER (WHERE actual_gco2_kwh = 42), "
        "array_agg(DISTINCT region_id) FILTER (WHERE num_nonnulls(wind_pct, other_pct) = 0) "
        "FROM raw.regional"
    )
    assert rows(marks) == [([18], [17])]
    of_forecast = (
        "SELECT bool_and(core.intensity_gco2_kwh = raw.forecast_gco2_kwh) "
        "FROM core.regional_intensity AS core JOIN raw.regional AS raw "
        "USING (region_id, period_start) WHERE region_id = 18"
    )
    assert rows(of_forecast) == [(True,)]
    bare = "SELECT count(*), count(wind_pct) FROM reporting.regional_now WHERE region_id = 17"
    assert rows(bare) == [(1, 0)]
    reasons = {(entry.asset, entry.reason) for entry in tables.quarantine()}
    assert reasons == {
        (asset, f"shortname: {name} (regionid {number}) is none of the 18 regions")
        for asset in BOTH
        for name, number in (("'Elsewhere'", 6), ("'Orkney'", 19))
    }
    assert {one.status for one in tables.attempts()} == {"success"}
    warned = failed_checks(result)
    assert warned >= {
        (RAW, "regions_complete", "WARN"),
        (RAW, "no_actuals", "WARN"),
        (RAW, "few_quarantined", "WARN"),
        (FORECAST, "few_quarantined", "WARN"),
        (FORECAST, "reaches_48_hours", "WARN"),
        ("core.regional_intensity", "is_recent", "WARN"),
        ("core.regional_mix", "is_recent", "WARN"),
    }
    assert all(severity == "WARN" for *_, severity in warned)
    lacking = examples(evaluations(result)[RAW, "regions_complete"])
    assert lacking == [
        f"{name}: {begun} of {begun} half-hours are missing"
        for name in ("North Wales & Merseyside", "London")
    ]

    # what was lost is there once the API is well, and nothing that was there has gone
    replay.control.heal()
    assert failed_checks(run(today)) == set()
    assert by_region("core.regional_mix") == dict.fromkeys(range(1, 19), begun)
    before = rows(SHOWN)
    for name, number in STRANGE.items():
        replay.control.fault({"name": name, "region": number, "path": "/regional"})
    assert run(today, assets=REGIONS).success
    assert rows(SHOWN) == before


def test_a_nineteenth_region_alone_raises_a_warning(
    run: Run, day: date, rows: Rows, replay: ReplayServer
) -> None:
    replay.control.fault({"name": "region_unknown", "path": "/regional"})
    result = run(day, assets=[regional.regional])
    assert counts(rows)[RAW] == 48 * 18
    assert failed_checks(result) == {(RAW, "few_quarantined", "WARN")}


# Blocking checks


def test_a_fuel_that_the_api_takes_back_from_most_regions_publishes_no_mix(
    run: Run,
    day: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The API gives every region another value, and no biomass to the first few of them."""
    assert run(day, assets=REGIONS).success
    mixes = "SELECT * FROM core.regional_mix ORDER BY 1, 3"
    before = rows(mixes)
    without = 14

    def script(path: str) -> Reply:
        _, answer = replay.endpoints.answer(path, replay.now(), None)
        document = json.loads(answer.body)
        for record in document["data"]:
            for region in record["regions"]:
                region["intensity"]["forecast"] += 1
                if region["regionid"] <= without:
                    share = region["generationmix"].pop(0)
                    region["generationmix"][4]["perc"] += share["perc"]  # other
        headers = {"X-Grid-Replay": f"shift_weeks={replay.shift_weeks}", **answer.headers}
        return Reply(json.dumps(document).encode(), headers=headers)

    with serving() as other:
        other.script = script
        monkeypatch.setenv("GRID_API_URL", other.url)
        result = run(day, assets=REGIONS)
        assert not result.success
        assert ("core.regional_mix", "fuels_kept", "ERROR") in failed_checks(result)
        assert rows(mixes) == before
        newer = "SELECT count(*) FROM core.regional_intensity WHERE captured_at > %s"
        assert rows(newer, before[0][-1]) == [(48 * 18,)]  # intensity is published all the same
        [*_, tried] = [one for one in tables.attempts() if one.asset == "core.regional_mix"]
        assert (tried.status, tried.error_type) == ("failed", "BlockingCheckFailed")
        assert "fuels_kept" in (tried.error_message or "")

        without = 5
        assert run(day, assets=REGIONS).success
    refused = [entry for entry in tables.quarantine() if entry.asset == "core.regional_mix"]
    assert len(refused) > 0
    kept = {json.loads(entry.payload)["region_id"] for entry in refused}
    assert kept <= {1, 2, 3, 4, 5}
    unchanged = {one[0] for one in rows(mixes) if one in before}
    assert unchanged == kept


def test_the_exact_100_rule_broken_publishes_no_mix_and_every_intensity(
    run: Run, day: date, rows: Rows, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = mix.complete

    def wrong(*given: Any) -> mix.Mix:
        exact = complete(*given)
        return replace(exact, other=exact.other + 1)

    with monkeypatch.context() as patch:
        patch.setattr(mix, "complete", wrong)
        result = run(day, assets=REGIONS)
    assert not result.success
    found = evaluations(result)["core.regional_mix", "sums_to_100"]
    assert (found.passed, found.severity.value) == (False, "ERROR")
    assert found.metadata["found"].value == 48 * 18
    whole = dict.fromkeys(TABLES, 48 * 18) | {FORECAST: 0}
    assert counts(rows) == {**whole, "core.regional_mix": 0}
    assert run(day, assets=REGIONS).success
    assert counts(rows) == whole
