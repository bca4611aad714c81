"""Bad responses of the API: each is reported, no good data is lost, and none is invented.

The API is the recorded one with faults switched on; database and runs are real.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets import mix
from grid_assets.defs.assets import core
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.replay import recording
from grid_assets.replay.server import ReplayServer
from grid_assets.series import FUELS
from grid_assets.telemetry import quarantine
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.defs.conftest import (
    Recorded,
    Tables,
    evaluations,
    examples,
    failed_checks,
    half_hours,
    noon,
    publish_alone,
)
from grid_assets_tests.http_stub import Reply, serving

Materialise = Callable[..., dg.ExecuteInProcessResult]

RAW = ("raw.generation", "raw.intensity")
CORE = ("core.generation_mix", "core.intensity")
NOTHING = dict.fromkeys((*RAW, *CORE), 0)
ONE_DAY = dict.fromkeys((*RAW, *CORE), 48)
WHOLE = [(Decimal(100),)]


def assert_as_recorded(
    tables: Tables, recorded: Recorded, day: date, *, but: frozenset[datetime] = frozenset()
) -> None:
    """All half-hours of the day are there with the recorded values; those of `but` may differ."""

    def kept(found: dict[datetime, Any]) -> dict[datetime, Any]:
        return {start: values for start, values in found.items() if start not in but}

    intensity, shares = kept(recorded.intensity(day)), kept(recorded.shares(day))
    assert kept(tables.by_period("raw.intensity")) == intensity
    assert kept(tables.by_period("core.intensity")) == intensity
    assert kept(tables.by_period("raw.generation")) == shares
    exact = {start: mix.complete(dict(zip(FUELS, s, strict=True))) for start, s in shares.items()}
    assert kept(tables.by_period("core.generation_mix")) == {
        start: whole.shares for start, whole in exact.items()
    }
    assert (
        tables.rows("SELECT DISTINCT total_pct FROM reporting.telemetry WHERE biomass_pct >= 0")
        == WHOLE
    )


# Answers of which nothing can be used.

UNREADABLE = "ApiMalformedBody"
NO_ANSWERS = [
    pytest.param({"name": "400"}, {}, "ApiBadRequest", "Please enter a valid date", id="400"),
    pytest.param({"name": "404"}, {}, "ApiNotFound", "check GRID_API_URL", id="404"),
    pytest.param(
        {"name": "429", "retry_after": 7}, {}, "ApiRateLimited", "asks to wait 7 s", id="429-wait"
    ),
    pytest.param(
        {"name": "429", "retry_after": None}, {}, "ApiRateLimited", "HTTP 429", id="429-no-wait"
    ),
    pytest.param({"name": "500"}, {}, "ApiServerError", "HTTP 500", id="500"),
    pytest.param({"name": "reset"}, {}, "ApiUnreachable", "cannot be reached", id="reset"),
    pytest.param(
        {"name": "hang"},
        {"GRID_API_TIMEOUT_S": "0.2"},
        "ApiUnreachable",
        r"answer within 0\.2 s \(GRID_API_TIMEOUT_S\)",
        id="hang",
    ),
    pytest.param(
        {"name": "slow", "seconds": 4},
        {"GRID_API_TIMEOUT_S": "0.3"},
        "ApiUnreachable",
        r"0\.3 s.*GRID_API_TIMEOUT_S",
        id="slow",
    ),
    pytest.param({"name": "html"}, {}, UNREADABLE, "is not JSON", id="html"),
    pytest.param({"name": "truncated"}, {}, UNREADABLE, "before its end", id="truncated"),
    pytest.param({"name": "truncated_json"}, {}, UNREADABLE, "is not JSON", id="truncated-json"),
    pytest.param(
        {"name": "huge", "size_mb": 0.3},
        {"GRID_API_MAX_BODY_MB": "0.1"},
        "ApiBodyTooLarge",
        r"larger than 0\.1 MB; GRID_API_MAX_BODY_MB",
        id="huge",
    ),
]


@pytest.mark.parametrize(("fault", "settings", "error_type", "message"), NO_ANSWERS)
def test_no_usable_answer_fails_both_captures_with_a_clear_row_and_writes_nothing(
    fault: dict[str, Any],
    settings: dict[str, str],
    error_type: str,
    message: str,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    replay.control.fault(fault)

    result = materialise(day)

    assert not result.success
    assert tables.counts() == NOTHING
    assert tables.rows("SELECT * FROM reporting.telemetry") == []
    attempts = tables.attempts()
    assert sorted(a.asset for a in attempts) == sorted(RAW)  # core did not run
    keeps_body = error_type in (UNREADABLE, "ApiBodyTooLarge")
    for a in attempts:
        assert (a.status, a.error_type, a.attempt) == ("failed", error_type, 1)
        assert (a.first_day, a.last_day, a.trigger) == (day, day, "tick")
        assert (a.fetched, a.written, a.quarantined) == (0, 0, int(keeps_body))
        assert a.error_message
        assert a.stack_trace
        assert re.search(message, a.error_message)
        assert f"/{a.asset.removeprefix('raw.')}/{day}T00:00Z/" in a.error_message
        assert a.stack_trace.startswith("Traceback")
        assert f"{error_type}: " in a.stack_trace
    kept = tables.quarantine()
    assert sorted(entry.asset for entry in kept) == (sorted(RAW) if keeps_body else [])
    for entry in kept:
        assert entry.is_body
        assert entry.reason.startswith("body: The answer to /")
        assert entry.payload.startswith("<!DOCTYPE" if fault["name"] == "html" else '{"data":[{')


def test_a_message_speaks_of_no_wait_that_the_api_did_not_ask_for(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    replay.control.fault({"name": "500"})
    materialise(day)
    for a in tables.attempts():
        assert "asks to wait" not in (a.error_message or "")


def test_after_an_outage_of_many_faces_one_good_run_completes_the_day(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    for name in ("500", "html", "truncated"):
        replay.control.heal()
        replay.control.fault({"name": name})
        assert not materialise(day).success
    replay.control.heal()
    replay.control.fault({"name": "empty_list"})
    assert materialise(day).success
    assert tables.counts() == NOTHING

    replay.control.heal()
    assert materialise(day).success

    assert tables.counts() == ONE_DAY
    assert_as_recorded(tables, recorded, day)
    statuses = [a.status for a in tables.attempts()]
    assert statuses == ["failed"] * 6 + ["success"] * 8


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"name": "500", "times": 2}], id="500"),
        pytest.param([{"name": "429", "times": 1, "retry_after": 1}], id="429-wait"),
        pytest.param(
            [
                {"name": "429", "times": 1, "retry_after": None, "path": "/generation"},
                {"name": "truncated", "times": 1, "path": "/intensity"},
            ],
            id="429-no-wait-and-truncated",
        ),
    ],
)
def test_a_failure_that_passes_within_the_budget_costs_nothing_but_time(
    faults: list[dict[str, Any]],
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "20")
    for fault in faults:
        replay.control.fault(fault)

    assert materialise(day).success

    assert replay.control.status()["faults"] == []  # all were met
    assert_as_recorded(tables, recorded, day)
    found = [(a.status, a.attempt, a.quarantined) for a in tables.attempts()]
    assert found == [("success", 1, 0)] * 4
    assert tables.quarantine() == []


@pytest.mark.parametrize(("name", "kept"), [("empty_object", "{}"), ("empty_list", None)])
def test_an_empty_answer_with_status_200_succeeds_with_warnings(
    name: str,
    kept: str | None,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    day: date,
) -> None:
    replay.control.fault({"name": name})

    result = materialise(day)

    assert result.success
    assert tables.counts() == NOTHING
    assert [a.status for a in tables.attempts()] == ["success"] * 4
    assert [(e.reason, e.payload, e.is_body) for e in tables.quarantine()] == (
        [("body: the answer has no list of data", kept, True)] * 2 if kept else []
    )
    expected = {
        (core, name, "WARN") for core in CORE for name in ("half_hours_complete", "is_recent")
    }
    expected |= {(raw, "few_quarantined", "WARN") for raw in RAW if kept}
    assert failed_checks(result) == expected


# Records that are rejected, each alone.

REJECTED: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    (
        "nan",
        {"name": "nan"},
        "intensity.actual: nan is not a finite number",
        "generationmix.wind: nan is not a finite number",
    ),
    ("1e308", {"name": "1e308"}, r"^intensity.actual: 1.*\+308 ", r"wind\W.* 1E\+308\W"),
    (
        "text-for-number",
        {"name": "string_value"},
        r"intensity.actual: '\d+' is not a number",
        r"generationmix.wind: '[\d.]+' is not a number",
    ),
    (
        "no-object",
        {"name": "not_a_dict"},
        "record: it is not a JSON object",
        "record: it is not a JSON object",
    ),
    (
        "negative-share",
        {"name": "negative_share"},
        None,
        "mix: the share of 'wind' is -5, outside 0 to 100",
    ),
    (
        "share-of-101",
        {"name": "share_101"},
        None,
        "mix: the share of 'wind' is 101, outside 0 to 100",
    ),
    (
        "big-fuels-absent",
        {"name": "drop_fuels", "fuels": ["wind", "gas"]},
        None,
        r"mix: 'other' would have to be [\d.]+, but [\d.]+ was published",
    ),
    (
        "17-past",
        {"name": "off_grid"},
        r"time: '.*T\d\d:[14]7Z' is not the start of a half-hour",
        r"time: '.*T\d\d:[14]7Z' is not the start of a half-hour",
    ),
    (
        "no-zone",
        {"name": "no_zone"},
        r"time: '.*T\d\d:\d\d' is not a UTC time",
        r"time: '.*T\d\d:\d\d' is not a UTC time",
    ),
    (
        "conflicting-duplicate",
        {"name": "duplicate_conflict"},
        "record: the half-hour appears twice with different values",
        "record: the half-hour appears twice with different values",
    ),
]


@pytest.mark.parametrize(
    ("fault", "intensity_reason", "mix_reason"),
    [pytest.param(*row, id=name) for name, *row in REJECTED],
)
def test_a_bad_record_is_quarantined_with_its_reason_and_the_47_others_are_there(
    fault: dict[str, Any],
    intensity_reason: str | None,
    mix_reason: str | None,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    day: date,
) -> None:
    bad = noon(day)
    replay.control.fault({**fault, "period": api_time(bad)})
    reasons = {"raw.generation": mix_reason, "raw.intensity": intensity_reason}
    versions = 2 if fault["name"] == "duplicate_conflict" else 1

    result = materialise(day)

    assert result.success
    rejecting = [asset for asset in RAW if reasons[asset]]
    kept = tables.quarantine()
    assert sorted(entry.asset for entry in kept) == sorted(rejecting)
    for entry in kept:
        assert re.search(reasons[entry.asset] or "", entry.reason)
        assert (entry.is_body, entry.times_seen) == (False, 1)
        assert entry.endpoint.startswith(f"/{entry.asset.removeprefix('raw.')}/{day}T00:00Z/")
        payload = json.loads(entry.payload)
        if fault["name"] != "not_a_dict":
            records = payload if isinstance(payload, list) else [payload]
            assert len(records) == versions
            assert all(record["from"].startswith(f"{day}T12:") for record in records)
    expected = {
        a: 47 if raw in rejecting else 48
        for raw, core in zip(RAW, CORE, strict=True)
        for a in (raw, core)
    }
    assert tables.counts() == expected
    by_asset = {a.asset: a for a in tables.attempts()}
    assert len(by_asset) == len(tables.attempts()) == 4
    for raw in RAW:
        a, rejected = by_asset[raw], int(raw in rejecting)
        assert (a.status, a.fetched, a.written) == (
            "success",
            expected[raw] + rejected,
            expected[raw],
        )
        assert (a.quarantined, a.error_type, a.stack_trace) == (rejected, None, None)
    assert_as_recorded(tables, recorded, day, but=frozenset({bad}))
    shown = {start for (start,) in tables.rows("SELECT period_start FROM reporting.telemetry")}
    assert shown == set(half_hours(day)) - ({bad} if len(rejecting) == 2 else set())
    for raw in rejecting:
        warned = evaluations(result)[raw, "few_quarantined"]
        assert (warned.passed, warned.severity.value) == (False, "WARN")
        assert examples(warned) == [next(e.reason for e in kept if e.asset == raw)]


def test_bad_records_repeated_or_tried_again_change_no_table_and_good_ones_complete_the_day(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    connection: Connection,
    day: date,
) -> None:
    periods = [noon(day) + n * HALF_HOUR for n in range(len(REJECTED))]
    for period, (_, fault, _, _) in zip(periods, REJECTED, strict=True):
        replay.control.fault({**fault, "period": api_time(period)})
    assert materialise(day).success
    kept, before = tables.quarantine(), tables.contents()
    assert len(tables.contents()["raw.intensity"]) == 48 - 7
    assert len(tables.contents()["core.generation_mix"]) == 48 - 10
    assert_as_recorded(tables, recorded, day, but=frozenset(periods))

    assert materialise(day).success
    assert quarantine.replay(connection).accepted == 0  # as no rule has changed
    assert tables.contents() == before
    assert tables.quarantine() == [e._replace(times_seen=2 * e.times_seen) for e in kept]
    assert {a.written for a in tables.attempts()[4:]} == {0}

    replay.control.heal()
    assert materialise(day).success
    assert_as_recorded(tables, recorded, day)
    assert tables.counts() == ONE_DAY
    assert len(tables.quarantine()) == len(kept)  # what happened stays on record


# Odd records that are kept as published.


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"name": "tenth_fuel", "fuel": "tidal"}, "tidal"),
        ({"name": "script_fuel"}, "<script>alert(1)</script>"),
    ],
)
def test_an_unknown_fuel_is_kept_in_raw_counts_as_other_and_warns(
    fault: dict[str, Any],
    name: str,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    day: date,
) -> None:
    odd = noon(day)
    replay.control.fault({**fault, "period": api_time(odd)})

    result = materialise(day)

    assert result.success
    assert tables.quarantine() == []
    assert tables.counts() == ONE_DAY
    assert_as_recorded(tables, recorded, day)
    assert tables.rows(
        "SELECT period_start, unknown_pct FROM raw.generation WHERE unknown_pct <> '{}'"
    ) == [(odd, {name: 0.4})]
    assert tables.rows(
        "SELECT published_total_pct FROM core.generation_mix WHERE period_start = %s", odd
    ) == [(sum(recorded.shares(day)[odd]) + Decimal("0.4"),)]
    fuels = tables.rows("SELECT DISTINCT fuel FROM reporting.generation_mix")
    assert {fuel for (fuel,) in fuels} == set(FUELS)
    warned = evaluations(result)["core.generation_mix", "fuels_known"]
    assert (warned.passed, warned.severity.value) == (False, "WARN")
    assert examples(warned) == [f'{api_time(odd)} unknown: {{"{name}": 0.4}}']


def test_small_fuels_that_are_absent_are_null_and_their_power_is_in_other_with_a_warning(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    odd, absent = noon(day), ("biomass", "hydro")
    replay.control.fault({"name": "drop_fuels", "fuels": list(absent), "period": api_time(odd)})

    result = materialise(day)

    assert result.success
    assert tables.quarantine() == []
    published = dict(zip(FUELS, recorded.shares(day)[odd], strict=True))
    in_raw = dict(zip(FUELS, tables.by_period("raw.generation")[odd], strict=True))
    in_core = dict(zip(FUELS, tables.by_period("core.generation_mix")[odd], strict=True))
    assert in_raw == {f: None if f in absent else share for f, share in published.items()}
    named = {f: share for f, share in in_raw.items() if f != "other"}
    assert {f: share for f, share in in_core.items() if f != "other"} == named
    assert in_core["other"] == 100 - sum(share for share in named.values() if share)
    assert_as_recorded(tables, recorded, day, but=frozenset({odd}))
    total = sum(share for share in in_raw.values() if share is not None)
    for check, example in (
        ("fuels_known", "missing: biomass, hydro"),
        ("published_total_near_100", f"published shares sum to {total}"),
    ):
        warned = evaluations(result)["core.generation_mix", check]
        assert (warned.passed, warned.severity.value) == (False, "WARN")
        assert examples(warned) == [f"{api_time(odd)} {example}"]


def test_a_half_hour_that_appears_twice_with_the_same_values_is_one_row(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    replay.control.fault({"name": "duplicate", "period": api_time(noon(day))})
    assert materialise(day).success
    assert tables.counts() == ONE_DAY
    assert_as_recorded(tables, recorded, day)
    assert tables.quarantine() == []
    assert {a.fetched for a in tables.attempts()} == {48}


IMPOSSIBLE = "published 13579 gCO2/kWh is outside 0 to 1000"
ODD_VALUES = [
    pytest.param("actual_null", {"actual": None}, {"actual": None}, None, None, id="actual-null"),
    pytest.param("missing_field", {"actual": None}, {"actual": None}, None, None, id="no-actual"),
    pytest.param(
        "actual_zero", {"actual": 0}, {"actual": 0}, None, "actual is 0", id="actual-zero"
    ),
    pytest.param(
        "forecast_13579",
        {"forecast": 13579},
        {"forecast": None},
        IMPOSSIBLE,
        f"forecast: {IMPOSSIBLE}",
        id="forecast-13579",
    ),
]


@pytest.mark.parametrize(("name", "in_raw", "in_core", "reason", "warning"), ODD_VALUES)
def test_an_odd_value_stays_in_raw_and_core_neither_invents_nor_hides_one(
    name: str,
    in_raw: dict[str, Any],
    in_core: dict[str, Any],
    reason: str | None,
    warning: str | None,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    day: date,
) -> None:
    odd = noon(day)
    replay.control.fault({"name": name, "period": api_time(odd), "path": "/intensity"})

    result = materialise(day)

    assert result.success
    assert tables.counts() == ONE_DAY
    assert tables.quarantine() == []
    whole = recorded.intensity(day)[odd]._asdict()
    assert tables.by_period("raw.intensity")[odd] == tuple({**whole, **in_raw}.values())
    assert tables.by_period("core.intensity")[odd] == tuple({**whole, **in_core}.values())
    assert_as_recorded(tables, recorded, day, but=frozenset({odd}))
    assert tables.rows(
        "SELECT forecast_reason, actual_reason FROM core.intensity WHERE period_start = %s", odd
    ) == [(reason, None)]
    assert tables.rows(
        "SELECT forecast_gco2_kwh, actual_gco2_kwh FROM reporting.telemetry "
        "WHERE period_start = %s",
        odd,
    ) == [tables.by_period("core.intensity")[odd][:2]]
    plausible = evaluations(result)["core.intensity", "values_plausible"]
    assert plausible.passed == (warning is None)
    if warning:
        assert plausible.severity.value == "WARN"
        assert examples(plausible)[0].startswith(f"{api_time(odd)} {warning}")


def test_odd_records_repeated_change_no_table_and_a_correction_is_a_new_row(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    names = ("actual_null", "actual_zero", "forecast_13579", "tenth_fuel", "duplicate")
    periods = [noon(day) + n * HALF_HOUR for n in range(len(names))]
    for period, name in zip(periods, names, strict=True):
        replay.control.fault({"name": name, "period": api_time(period)})
    assert materialise(day).success
    before = tables.contents()

    assert materialise(day).success
    assert tables.contents() == before
    assert {a.written for a in tables.attempts()[4:]} == {0}

    replay.control.heal()
    assert materialise(day).success
    assert_as_recorded(tables, recorded, day)
    assert tables.counts() == {**ONE_DAY, "raw.intensity": 48 + 3, "raw.generation": 48 + 1}


def test_a_revision_adds_a_row_to_raw_and_changes_core_and_what_was_known_stays_known(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    assert materialise(day).success
    [(known_at,)] = tables.rows("SELECT clock_timestamp()")
    revised = noon(day)
    replay.control.fault({"name": "revision", "period": api_time(revised)})

    assert materialise(day).success
    before = tables.contents()
    assert materialise(day).success

    assert tables.contents() == before
    assert tables.counts() == {**ONE_DAY, "raw.intensity": 49, "raw.generation": 49}
    assert [a.written for a in tables.attempts()] == [48] * 4 + [1] * 4 + [0] * 4
    old = recorded.intensity(day)[revised]
    assert old.actual is not None
    new = (old.forecast, old.actual + 3, old.band)
    published = [row[1:] for row in tables.values()["raw.intensity"] if row[0] == revised]
    assert published == [old, new]
    assert tables.by_period("core.intensity")[revised] == new
    assert tables.rows(
        "SELECT actual_gco2_kwh FROM reporting.intensity_as_known_at(%s) WHERE period_start = %s",
        known_at,
        revised,
    ) == [(old.actual,)]
    wind = dict(zip(FUELS, recorded.shares(day)[revised], strict=True))["wind"]
    shares = dict(zip(FUELS, tables.by_period("core.generation_mix")[revised], strict=True))
    assert shares["wind"] == wind - min(Decimal("0.6"), wind)
    assert sum(shares.values()) == 100
    assert_as_recorded(tables, recorded, day, but=frozenset({revised}))


def test_the_edge_row_of_the_day_before_is_left_aside(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    start = half_hours(day)[0]
    answer = replay.view.intensity(start, start + timedelta(days=1), replay.now())
    assert len(answer) == 49  # the premise: the API gives one half-hour too many
    assert materialise(day).success
    assert tables.counts() == ONE_DAY
    assert list(tables.by_period("raw.intensity")) == half_hours(day)
    assert list(tables.by_period("raw.generation")) == half_hours(day)
    assert {(a.fetched, a.quarantined) for a in tables.attempts()} == {(48, 0)}


@pytest.mark.parametrize(
    ("shift_weeks", "changed", "periods"),
    [
        pytest.param(47, date(2026, 3, 29), 46, id="spring"),
        pytest.param(47, date(2026, 10, 25), 50, id="autumn"),
        pytest.param(0, date(2025, 10, 26), 50, id="autumn-as-recorded"),
    ],
)
def test_the_days_of_a_clock_change_are_whole(
    shift_weeks: int,
    changed: date,
    periods: int,
    materialise: Materialise,
    tables: Tables,
    rows: Callable[..., list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The recording lies still for this test, whenever it runs.
    rows("UPDATE ops.warehouse SET shift_weeks = %s", shift_weeks)
    before = changed - timedelta(days=1)
    with ReplayServer(shift_weeks=shift_weeks) as still:
        monkeypatch.setenv("GRID_API_URL", still.url)
        result = materialise(before, changed)
    assert result.success
    recorded = Recorded(shift_weeks * recording.WEEK)
    assert tables.counts() == dict.fromkeys(ONE_DAY, 96)
    assert tables.by_period("core.intensity") == recorded.intensity(before, changed)
    assert tables.by_period("raw.generation") == recorded.shares(before, changed)
    assert tables.rows("SELECT DISTINCT total_pct FROM reporting.telemetry") == WHOLE
    found = evaluations(result, "half_hours_complete")
    assert [check.passed for check in found.values()] == [True, True]
    assert rows(
        "SELECT array_agg(settlement_period ORDER BY period_start) FROM reporting.telemetry "
        "WHERE settlement_date = %s",
        changed,
    ) == [(list(range(1, periods + 1)),)]


# What was rejected can be tried again.

TOO_BIG = {"name": "drop_fuels", "fuels": ["wind", "gas"]}


def test_a_quarantined_record_is_accepted_once_the_rule_that_refused_it_is_fixed(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    connection: Connection,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = noon(day)
    replay.control.fault({**TOO_BIG, "period": api_time(bad)})
    materialise(day)
    assert quarantine.replay(connection) == quarantine.Replayed(0, 1, frozenset())
    assert bad not in tables.by_period("raw.generation")

    monkeypatch.setattr(mix, "MAX_UNPUBLISHED_OTHER", 1000)
    assert quarantine.replay(connection) == quarantine.Replayed(1, 0, frozenset({day}))
    assert quarantine.replay(connection) == quarantine.Replayed(0, 0, frozenset())
    published = dict(zip(FUELS, recorded.shares(day)[bad], strict=True))
    in_raw = dict(zip(FUELS, tables.by_period("raw.generation")[bad], strict=True))
    assert in_raw == {**published, "wind": None, "gas": None}

    assert materialise(day).success  # the API still gives the same
    assert tables.counts() == ONE_DAY
    assert tables.rows("SELECT resolved_at IS NOT NULL FROM ops.quarantine") == [(True,)]


def test_a_replayed_record_does_not_hide_what_was_published_later(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    connection: Connection,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replay.control.fault({**TOO_BIG, "period": api_time(noon(day))})
    materialise(day)
    replay.control.heal()
    materialise(day)
    monkeypatch.setattr(mix, "MAX_UNPUBLISHED_OTHER", 1000)

    assert quarantine.replay(connection).accepted == 1
    assert materialise(day).success

    assert tables.counts() == {**ONE_DAY, "raw.generation": 49}
    assert_as_recorded(tables, recorded, day)


def test_a_body_over_the_cap_is_accepted_by_a_replay_and_half_a_body_is_not(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    connection: Connection,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_API_MAX_BODY_MB", "0.1")
    replay.control.fault({"name": "huge", "size_mb": 0.3, "path": "/generation"})
    replay.control.fault({"name": "truncated_json", "path": "/intensity"})
    assert not materialise(day).success

    outcome = quarantine.replay(connection)

    assert (outcome.accepted, outcome.still_rejected) == (1, 1)
    shares = tables.by_period("raw.generation")
    assert {start: shares[start] for start in half_hours(day)} == recorded.shares(day)
    assert tables.by_period("raw.intensity") == {}


def test_an_answer_for_other_days_is_warned_about_and_kept_but_never_replayed(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    connection: Connection,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = {"from": "2020-01-01T00:00Z", "to": "2020-01-01T00:30Z", "intensity": {"actual": 1}}
    stale = Reply(
        json.dumps({"data": [record]}).encode(),
        headers={"X-Grid-Replay": f"shift_weeks={replay.shift_weeks}"},
    )
    with serving() as cache:
        cache.replies(stale)
        monkeypatch.setenv("GRID_API_URL", cache.url)
        result = materialise(day)
    assert set(tables.counts().values()) == {0}
    assert {(relation, "few_quarantined", "WARN") for relation in RAW} <= failed_checks(result)
    kept = tables.quarantine()
    assert [json.loads(entry.payload) for entry in kept] == [[[record]]] * 2
    assert all(entry.reason.startswith("body: all of its 1 records are outside") for entry in kept)
    assert quarantine.replay(connection).still_rejected == 2


def test_a_mix_that_another_program_wrote_and_that_is_none_is_quarantined_on_its_way_to_core(
    materialise: Materialise, tables: Tables, recorded: Recorded, day: date
) -> None:
    assert materialise(day).success
    tables.rows(
        "INSERT INTO raw.generation (period_start, captured_at, wind_pct, gas_pct) "
        "VALUES (%s, clock_timestamp(), 'NaN', 40)",
        noon(day),
    )
    before = tables.contents()["core.generation_mix"]

    assert publish_alone(core.generation_mix, day).success

    [entry] = tables.quarantine()
    assert (entry.asset, entry.endpoint) == ("core.generation_mix", "raw")
    assert entry.reason == "mix: the share of 'wind' is NaN, outside 0 to 100"
    assert json.loads(entry.payload)["gas"] == "40"
    assert tables.contents()["core.generation_mix"] == before
    refused = [a for a in tables.attempts() if a.asset == "core.generation_mix"][-1]
    assert (refused.status, refused.quarantined, refused.written) == ("success", 1, 0)
