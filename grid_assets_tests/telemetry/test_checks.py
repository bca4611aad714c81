"""Every check, once on data that passes it and once on data that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.forecasting import checks as forecasts
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.halfhours import HALF_HOUR, days_window
from grid_assets.outlook import checks as outlook
from grid_assets.outlook.sources import SOURCES
from grid_assets.regional import checks as regional
from grid_assets.replay.recording import load_recording
from grid_assets.series import FUELS, INTENSITY, LEAD_BUCKETS, SERIES
from grid_assets.telemetry import checks as telemetry
from grid_assets.telemetry.checks import (
    FEW_QUARANTINED,
    Check,
    Verdict,
    judge,
    judge_forecast,
    judge_quarantined,
)
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import sql_dir, statement
from grid_assets_tests import shared_warehouse

one_warehouse = shared_warehouse.one_warehouse

OWN_TESTS = outlook.WARNING.keys() | regional.WARNING.keys()
"""Relations whose warnings are tested on data of their own, in `outlook/` and `regional/`."""

BLOCKING = telemetry.BLOCKING | forecasts.BLOCKING | regional.BLOCKING
WARNING = telemetry.WARNING | outlook.WARNING | forecasts.WARNING | regional.WARNING


T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = days_window(date(2026, 1, 1), date(2026, 1, 1))
NOW = T0 + timedelta(days=1, minutes=10)
SEEN = T0 + timedelta(hours=20)
SHARES = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True))


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def insert(connection: Connection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(*table.split(".")),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
            ),
            row,
        )


def staged_mix(start: datetime | None = T0, **shares: Any) -> dict[str, Any]:
    return {
        "period_start": start,
        **{f"{fuel}_pct": share for fuel, share in {**SHARES, **shares}.items()},
    }


def published_mix(start: datetime = T0, total: float = 100, **shares: Any) -> dict[str, Any]:
    """A row for `core`, where the database derives other_pct itself."""
    row = staged_mix(start, **shares) | {"published_total_pct": total, "captured_at": SEEN}
    del row["other_pct"]
    return row


def intensity(start: datetime, actual: float | None = 100, **values: Any) -> dict[str, Any]:
    return {"period_start": start, "actual_gco2_kwh": actual, **values}


def day_of_intensity(**by_half_hour: Any) -> list[dict[str, Any]]:
    """48 even half-hours, `h7=5` sets the eighth actual to 5."""
    return [intensity(T0 + n * HALF_HOUR, by_half_hour.get(f"h{n}", 100)) for n in range(48)]


def check(relation: str, name: str) -> Check:
    checks = (*BLOCKING.get(relation, ()), *WARNING[relation])
    (found,) = (check for check in checks if check.name == name)
    return found


def verdict_on(connection: Connection, relation: str, name: str, now: datetime = NOW) -> Verdict:
    (verdict,) = judge(connection, [check(relation, name)], DAY, now)
    return verdict


# Blocking checks, on the table `staged`


@pytest.fixture
def stage(connection: Connection) -> Callable[..., None]:
    def stage(*rows: dict[str, Any]) -> None:
        connection.execute(statement("core/stage_generation_mix"))
        insert(connection, "staged", *rows)

    return stage


def test_good_mixes_pass_every_blocking_check(
    connection: Connection, stage: Callable[..., None]
) -> None:
    stage(
        staged_mix(),
        staged_mix(T0 + HALF_HOUR, gas=30.1, other=0, wind=29.9),
        staged_mix(T0 + 2 * HALF_HOUR, coal=None, hydro=None, other=1),
        staged_mix(T0 + 3 * HALF_HOUR, **dict.fromkeys(FUELS, 0) | {"wind": 100}),
    )
    verdicts = judge(connection, BLOCKING["core.generation_mix"], DAY, NOW)
    assert [(verdict.check.name, verdict.passed) for verdict in verdicts] == [
        ("sums_to_100", True),
        ("fuels_kept", True),
    ]
    assert [verdict.sentence for verdict in verdicts] == [v.check.name for v in verdicts]


@pytest.mark.parametrize(
    ("relation", "staging"),
    [
        ("core.intensity", "core/stage_intensity"),
        ("core.generation_mix", "core/stage_generation_mix"),
    ],
)
def test_nothing_staged_is_nothing_wrong(
    connection: Connection, relation: str, staging: str
) -> None:
    connection.execute(statement(staging), {"start": DAY.start, "end": DAY.end, "now": NOW})
    assert all(verdict.passed for verdict in judge(connection, BLOCKING[relation], DAY, NOW))


@pytest.mark.parametrize(
    ("name", "bad", "example"),
    [
        ("sums_to_100", staged_mix(gas=31), "101.0"),
        ("sums_to_100", staged_mix(gas=29.9), "99.9"),
        ("sums_to_100", staged_mix(gas=30.04, wind=30.06), "100.1"),
        ("sums_to_100", staged_mix(gas="NaN"), "NaN"),
        ("sums_to_100", staged_mix(other=None), ""),
    ],
)
def test_a_mix_that_breaks_a_rule_fails_its_check(
    connection: Connection,
    stage: Callable[..., None],
    name: str,
    bad: dict[str, Any],
    example: str,
) -> None:
    stage(staged_mix(T0 + 5 * HALF_HOUR), bad)
    verdict = verdict_on(connection, "core.generation_mix", name)
    assert not verdict.passed
    assert verdict.total == 1
    (answer,) = verdict.examples
    assert answer.endswith(example)


def test_ten_examples_are_given_and_all_are_counted(
    connection: Connection, stage: Callable[..., None]
) -> None:
    stage(*(staged_mix(T0 + n * HALF_HOUR, gas=40) for n in range(30)))
    verdict = verdict_on(connection, "core.generation_mix", "sums_to_100")
    assert (verdict.total, len(verdict.examples)) == (30, 10)
    assert verdict.sentence == (
        "sums_to_100: 30 (2026-01-01T00:00Z 110.0; 2026-01-01T00:30Z 110.0; "
        "2026-01-01T01:00Z 110.0)"
    )


# Warnings, on core


def test_a_good_day_raises_no_warning(connection: Connection) -> None:
    insert(connection, "core.intensity", *day_of_intensity())
    raw = [staged_mix(T0 + n * HALF_HOUR) | {"captured_at": SEEN} for n in range(48)]
    insert(connection, "raw.generation", *raw)
    insert(
        connection,
        "core.generation_mix",
        *(published_mix(T0 + n * HALF_HOUR) for n in range(48)),
    )
    insert_predictions(connection, "seasonal_naive", DAY.end)
    for relation in outlook.WARNING:  # nothing of the outlook is there: both sources are off
        verdicts = outlook.judge_warnings(relation, SOURCES, connection, DAY, NOW)
        assert [verdict.sentence for verdict in verdicts if not verdict.passed] == [], relation
    for relation in WARNING.keys() - OWN_TESTS:
        verdicts = judge(connection, WARNING[relation], DAY, NOW)
        assert [verdict.sentence for verdict in verdicts if not verdict.passed] == [], relation


@pytest.mark.parametrize("relation", ["core.intensity", "core.generation_mix"])
def test_a_past_day_that_lacks_half_hours_is_reported(
    connection: Connection, relation: str
) -> None:
    row = intensity if relation == "core.intensity" else published_mix
    insert(connection, relation, *(row(T0 + n * HALF_HOUR) for n in range(48) if n not in (7, 8)))
    verdict = verdict_on(connection, relation, "half_hours_complete")
    assert verdict.examples == ["2026-01-01T00:00Z 2 missing"]
    # Before the day is over nothing is missing yet.
    early = verdict_on(connection, relation, "half_hours_complete", DAY.end - HALF_HOUR)
    assert early.passed


@pytest.mark.parametrize("relation", ["core.intensity", "core.generation_mix"])
def test_every_empty_day_of_a_range_is_reported(connection: Connection, relation: str) -> None:
    window = days_window(date(2026, 3, 1), date(2026, 4, 30))
    (verdict,) = judge(
        connection, [check(relation, "half_hours_complete")], window, window.end + HALF_HOUR
    )
    # Both of its London clock-change days are 48 half-hours like any other.
    assert verdict.total == 61
    assert verdict.examples[0] == "2026-04-30T00:00Z 48 missing"


@pytest.mark.parametrize("relation", ["core.intensity", "core.generation_mix"])
def test_data_older_than_two_hours_are_reported(connection: Connection, relation: str) -> None:
    assert verdict_on(connection, relation, "is_recent").total == 1
    row = intensity(T0) if relation == "core.intensity" else published_mix(T0)
    insert(connection, relation, row)
    assert verdict_on(connection, relation, "is_recent", T0 + timedelta(hours=2)).passed
    late = verdict_on(connection, relation, "is_recent", T0 + timedelta(hours=2, minutes=1))
    assert late.total == 1
    assert late.examples[0].endswith("began 02:01:00 ago")


def test_a_half_hour_without_an_actual_does_not_make_intensity_recent(
    connection: Connection,
) -> None:
    insert(connection, "core.intensity", intensity(T0), intensity(T0 + 10 * HALF_HOUR, None))
    now = T0 + 10 * HALF_HOUR
    assert not verdict_on(connection, "core.intensity", "is_recent", now).passed


@pytest.mark.parametrize(
    ("half_hours", "examples"),
    [
        ({"h7": 0}, ["2026-01-01T03:30Z actual is 0; actual 0 is far from both neighbours"]),
        ({"h7": 0, "h8": 0}, ["2026-01-01T04:00Z actual is 0", "2026-01-01T03:30Z actual is 0"]),
        ({"h7": 19}, ["2026-01-01T03:30Z actual 19 is far from both neighbours"]),
        ({"h7": 181}, ["2026-01-01T03:30Z actual 181 is far from both neighbours"]),
        ({"h7": 20}, []),
        ({"h7": 180}, []),
        # A step is not a spike, and beside a gap nobody can tell.
        ({f"h{n}": 300 for n in range(24)}, []),
        ({"h7": 300, "h8": None}, []),
        ({"h7": None}, []),
    ],
)
def test_a_zero_and_a_lonely_spike_are_reported_and_a_step_is_not(
    connection: Connection, half_hours: dict[str, Any], examples: list[str]
) -> None:
    insert(connection, "core.intensity", *day_of_intensity(**half_hours))
    verdict = verdict_on(connection, "core.intensity", "values_plausible")
    assert verdict.examples == examples
    assert verdict.total == len(examples)


def test_a_spike_at_the_edge_of_the_window_is_seen_beside_its_neighbours_outside(
    connection: Connection,
) -> None:
    insert(
        connection,
        "core.intensity",
        intensity(T0 - HALF_HOUR),
        *day_of_intensity(h0=300),
        intensity(DAY.end, 300),
        intensity(DAY.end + HALF_HOUR),
    )
    verdict = verdict_on(connection, "core.intensity", "values_plausible")
    assert verdict.examples == ["2026-01-01T00:00Z actual 300 is far from both neighbours"]


def test_a_value_with_neighbours_on_one_side_only_is_not_judged_by_them(
    connection: Connection,
) -> None:
    insert(
        connection,
        "core.intensity",
        intensity(T0),
        intensity(T0 + 2 * HALF_HOUR, 300),
        intensity(T0 + 3 * HALF_HOUR),
    )
    assert verdict_on(connection, "core.intensity", "values_plausible").passed


@pytest.mark.parametrize("value", [0, 250])
def test_an_odd_forecast_is_reported_as_an_odd_actual_is(
    connection: Connection, value: int
) -> None:
    rows = [row | {"forecast_gco2_kwh": 100} for row in day_of_intensity()]
    rows[9]["forecast_gco2_kwh"] = value
    insert(connection, "core.intensity", *rows)
    verdict = verdict_on(connection, "core.intensity", "values_plausible")
    (example,) = verdict.examples
    assert example.endswith(f"forecast {value} is far from both neighbours")
    assert ("forecast is 0" in example) == (value == 0)


def test_a_value_that_was_set_to_null_is_reported_with_its_reason(connection: Connection) -> None:
    insert(
        connection,
        "core.intensity",
        intensity(T0, None, actual_reason="published 13579 gCO2/kWh is outside 0 to 1000"),
        intensity(T0 + HALF_HOUR, forecast_reason="published -3 gCO2/kWh is outside 0 to 1000"),
    )
    verdict = verdict_on(connection, "core.intensity", "values_plausible")
    assert verdict.examples == [
        "2026-01-01T00:30Z forecast: published -3 gCO2/kWh is outside 0 to 1000",
        "2026-01-01T00:00Z actual: published 13579 gCO2/kWh is outside 0 to 1000",
    ]


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        (date(2023, 6, 7), ["11:00Z actual is 0", "10:30Z", "10:00Z", "09:30Z actual is 0"]),
        (
            date(2019, 7, 24),
            ["22:00Z forecast: published 11513", "21:00Z forecast: published 13579"],
        ),
        (date(2025, 12, 1), []),
    ],
)
def test_recorded_faults_are_reported_and_an_ordinary_recorded_day_is_quiet(
    connection: Connection, day: date, answer: list[str]
) -> None:
    window = days_window(day, day)
    recorded = load_recording().intensity
    for start, row in recorded.items():
        if start in window:
            connection.execute(
                "INSERT INTO core.intensity (period_start, forecast_gco2_kwh, forecast_reason, "
                "actual_gco2_kwh) VALUES (%s, core.plausible_gco2_kwh(%s), "
                "core.implausible_reason(%s), %s)",
                [start, row.forecast, row.forecast, row.actual],
            )
    (verdict,) = judge(
        connection, [check("core.intensity", "values_plausible")], window, window.end
    )
    assert verdict.total == len(answer)
    for example, fragment in zip(verdict.examples, answer, strict=True):
        assert fragment in example


@pytest.mark.parametrize(
    ("total", "passed"),
    [(99.7, True), (100.3, True), (100, True), (99.6, False), (100.4, False), (75, False)],
)
def test_published_totals_further_than_rounding_from_100_are_reported(
    connection: Connection, total: float, passed: bool
) -> None:
    insert(connection, "core.generation_mix", published_mix(total=total))
    verdict = verdict_on(connection, "core.generation_mix", "published_total_near_100")
    assert verdict.passed == passed
    if not passed:
        assert verdict.examples == [f"2026-01-01T00:00Z published shares sum to {total:.1f}"]


@pytest.mark.parametrize(
    ("values", "example"),
    [
        ({}, None),
        ({"coal_pct": None, "hydro_pct": None}, "missing: coal, hydro"),
        ({"unknown_pct": '{"geothermal": 0.4}'}, 'unknown: {"geothermal": 0.4}'),
        (
            {"coal_pct": None, "unknown_pct": '{"a": 0}'},
            'unknown: {"a": 0}; missing: coal',
        ),
    ],
)
def test_a_fuel_too_many_or_too_few_is_reported_by_name(
    connection: Connection, values: dict[str, Any], example: str | None
) -> None:
    insert(connection, "raw.generation", staged_mix() | {"captured_at": SEEN} | values)
    insert(connection, "core.generation_mix", published_mix())
    verdict = verdict_on(connection, "core.generation_mix", "fuels_known")
    assert verdict.examples == ([] if example is None else [f"2026-01-01T00:00Z {example}"])


def test_what_lies_outside_the_window_is_not_judged(connection: Connection) -> None:
    outside = DAY.end + 3 * HALF_HOUR
    insert(connection, "core.intensity", intensity(outside, 0))
    insert(connection, "core.generation_mix", published_mix(outside, total=80))
    assert verdict_on(connection, "core.intensity", "values_plausible").passed
    assert verdict_on(connection, "core.generation_mix", "published_total_near_100").passed


# Blocking checks of forecasts, on the table `staged`


@pytest.fixture
def stage_forecast(connection: Connection) -> Callable[..., None]:
    """Stages one valid issue from `T0`, except for the given values of some series and leads."""

    def stage_forecast(
        changed: dict[tuple[str, int], dict[str, Any]] | None = None,
        *,
        left_out: set[tuple[str, int]] = frozenset(),  # type: ignore[assignment]
    ) -> None:
        connection.execute(
            "CREATE TEMPORARY TABLE staged (LIKE forecast.predictions INCLUDING DEFAULTS) "
            "ON COMMIT DROP; ALTER TABLE staged ALTER p50 DROP NOT NULL"
        )
        copied = "COPY staged (model, issued_at, created_at, series, period_start, p10, p50, p90)"
        with connection.cursor() as cursor, cursor.copy(f"{copied} FROM STDIN".encode()) as copy:
            for series in SERIES:
                for step in range(HORIZON):
                    if (series, step) in left_out:
                        continue
                    p50 = 100 if series == INTENSITY else SHARES[series]
                    row = {"period_start": T0 + step * HALF_HOUR, "p10": 0, "p50": p50, "p90": 100}
                    row |= (changed or {}).get((series, step), {})
                    copy.write_row(("chronos:some", T0, T0, series, *row.values()))

    return stage_forecast


def judged(connection: Connection) -> dict[str, list[str]]:
    """The examples of the blocking checks of forecasts that fail."""
    verdicts = judge(connection, BLOCKING["forecast.predictions"], DAY, NOW)
    return {verdict.check.name: verdict.examples for verdict in verdicts if not verdict.passed}


def test_a_sound_forecast_passes_every_blocking_check(
    connection: Connection, stage_forecast: Callable[..., None]
) -> None:
    stage_forecast(
        {
            (INTENSITY, 0): {"p10": 0, "p50": 0, "p90": 0},
            (INTENSITY, 1): {"p10": 0, "p50": 500, "p90": 1000},
            ("gas", 2): {"p50": 30.1},
            ("wind", 2): {"p50": 29.9},
        }
    )
    assert judged(connection) == {}


def test_no_forecast_at_all_is_nothing_wrong_with_one(
    connection: Connection, stage_forecast: Callable[..., None]
) -> None:
    stage_forecast(left_out={(series, step) for series in SERIES for step in range(HORIZON)})
    assert judged(connection) == {}


@pytest.mark.parametrize(
    ("series", "values", "fails", "example"),
    [
        (INTENSITY, {"p10": 101}, {"quantiles_ordered"}, "p10 101.0, p50 100.0, p90 100.0"),
        (INTENSITY, {"p90": 99}, {"quantiles_ordered"}, "p10 0.0, p50 100.0, p90 99.0"),
        (INTENSITY, {"p50": None}, {"quantiles_ordered"}, "p50 null"),
        (INTENSITY, {"p50": "NaN"}, {"quantiles_ordered"}, "p50 NaN"),
        (INTENSITY, {"p10": None}, {"quantiles_ordered"}, "p10 null"),
        ("wind", {"p50": 30.1}, {"shares_sum_to_100"}, "100.1 of 9 fuels"),
        ("wind", {"p50": None}, {"quantiles_ordered", "shares_sum_to_100"}, "70.0 of 9 fuels"),
    ],
)
def test_a_forecast_that_breaks_a_rule_fails_its_check(
    connection: Connection,
    stage_forecast: Callable[..., None],
    series: str,
    values: dict[str, Any],
    fails: set[str],
    example: str,
) -> None:
    stage_forecast({(series, 7): values})
    found = judged(connection)
    assert found.keys() == fails
    assert all(answer[0].startswith("2026-01-01T03:30Z ") for answer in found.values())
    assert any(example in answer[0] for answer in found.values())


@pytest.mark.parametrize(
    ("left_out", "changed", "example"),
    [
        ({(INTENSITY, 95)}, {}, "959 of 960 values"),
        ({(series, 0) for series in SERIES}, {}, "950 of 960 values, from 2026-01-01 00:30:00+00"),
        ({(series, 95) for series in SERIES}, {}, "to 2026-01-02 23:00:00+00"),
        # 960 rows all the same
        (set(), {(INTENSITY, 5): {"period_start": T0 + 6 * HALF_HOUR}}, "960 of 960 values"),
        (
            set(),
            {(series, 95): {"period_start": T0 + 96 * HALF_HOUR} for series in SERIES},
            "to 2026-01-03 00:00:00+00",
        ),
    ],
)
def test_a_forecast_that_lacks_a_half_hour_of_a_series_is_not_complete(
    connection: Connection,
    stage_forecast: Callable[..., None],
    left_out: set[tuple[str, int]],
    changed: dict[tuple[str, int], dict[str, Any]],
    example: str,
) -> None:
    connection.execute("SET LOCAL TimeZone = 'UTC'")
    stage_forecast(changed, left_out=left_out)
    (answer,) = judged(connection)["horizon_complete"]
    assert answer.startswith("2026-01-01T00:00Z chronos:some: ")
    assert example in answer


def test_a_half_hour_without_one_of_the_fuels_does_not_sum_however_its_shares_do(
    connection: Connection, stage_forecast: Callable[..., None]
) -> None:
    assert SHARES["other"] == 0
    stage_forecast(left_out={("other", 3)})
    assert judged(connection)["shares_sum_to_100"] == [
        "2026-01-01T01:30Z chronos:some issued 2026-01-01 00:00:00+00: 100.0 of 8 fuels"
    ]


# Warnings of forecasts and scores


def insert_predictions(connection: Connection, model: str, issued_at: datetime) -> None:
    insert(
        connection,
        "forecast.predictions",
        {
            "model": model,
            "series": INTENSITY,
            "period_start": issued_at + timedelta(hours=1),
            "issued_at": issued_at,
            "created_at": issued_at,
            "p50": 100,
        },
    )


def issue(model: str, issued_at: datetime = SEEN, **values: Any) -> dict[str, Any]:
    return {
        "model": model,
        "issued_at": issued_at,
        "created_at": issued_at,
        "revision": "1",
        "context_missing": 0,
        "context_assumed": 0,
        "known_by": "capture",
    } | values


def test_a_forecast_older_than_two_hours_is_reported(connection: Connection) -> None:
    none = verdict_on(connection, "forecast.predictions", "is_recent")
    assert (none.total, none.examples) == (1, ["- there is no forecast"])
    insert_predictions(connection, "seasonal_naive", T0)
    insert_predictions(connection, "neso", DAY.end)  # not ours
    in_time = verdict_on(connection, "forecast.predictions", "is_recent", T0 + timedelta(hours=2))
    assert in_time.passed
    late = T0 + timedelta(hours=2, minutes=1)
    assert verdict_on(connection, "forecast.predictions", "is_recent", late).examples == [
        "2026-01-01T00:00Z newest forecast was issued 02:01:00 ago"
    ]
    # The one that is made now starts at the next half-hour.
    early = T0 - timedelta(minutes=18)
    assert verdict_on(connection, "forecast.predictions", "is_recent", early).passed


def test_a_model_that_stands_in_for_the_configured_one_is_reported_with_the_reason(
    connection: Connection,
) -> None:
    insert(connection, "forecast.issues", issue("chronos:some"), issue("seasonal_naive"))
    assert verdict_on(connection, "forecast.predictions", "by_configured_model").passed
    why = "GRID_CHRONOS_MODEL=/gone cannot be used"
    insert(
        connection,
        "forecast.issues",
        issue("chronos:small", SEEN + HALF_HOUR, fallback_reason=why),
        issue("chronos:gone", SEEN + HALF_HOUR, refused_reason=why),
        issue("seasonal_naive", DAY.end, fallback_reason="outside the window"),
    )
    verdict = verdict_on(connection, "forecast.predictions", "by_configured_model")
    assert verdict.examples == [f"2026-01-01T20:30Z chronos:small: {why}"]
    # A missing model is not reported as missing context as well.
    assert verdict_on(connection, "forecast.predictions", "context_sufficient").passed


def test_trees_that_cannot_be_used_are_reported_as_such_and_not_as_missing_telemetry(
    connection: Connection,
) -> None:
    why = "The bundled trees cannot be used: the disk is full."
    unread = {"revision": "not loaded", "refused_reason": why}
    times = [SEEN, SEEN + HALF_HOUR]
    insert(
        connection,
        "forecast.issues",
        *(issue(model, at) for model in ("chronos:some", "blend") for at in times),
        *(issue("gradient_boosting", at, **unread) for at in times),
    )
    verdict = verdict_on(connection, "forecast.predictions", "by_configured_model")
    assert verdict.examples == [
        f"2026-01-01T20:30Z gradient_boosting: {why}",
        f"2026-01-01T20:00Z gradient_boosting: {why}",
    ]
    assert verdict_on(connection, "forecast.predictions", "context_sufficient").passed


def test_an_issue_time_at_which_only_neso_forecast_counts_once_however_many_models_refused(
    connection: Connection,
) -> None:
    insert(
        connection,
        "forecast.issues",
        issue("neso"),
        issue("chronos:some", refused_reason="100 of 336 are missing"),
        issue("chronos:other", refused_reason="100 of 336 are missing"),
    )
    verdict = verdict_on(connection, "forecast.predictions", "context_sufficient")
    assert (verdict.total, len(verdict.examples)) == (1, 1)


def test_an_issue_time_with_too_little_context_is_reported_with_the_reason(
    connection: Connection,
) -> None:
    insert(connection, "forecast.issues", issue("chronos:some"))
    assert verdict_on(connection, "forecast.predictions", "context_sufficient").passed
    insert(
        connection,
        "forecast.issues",
        issue("chronos:some", SEEN + HALF_HOUR, refused_reason="100 of 336 are missing"),
        issue("chronos:some", DAY.end, refused_reason="outside the window"),
    )
    verdict = verdict_on(connection, "forecast.predictions", "context_sufficient")
    assert verdict.examples == ["2026-01-01T20:30Z 100 of 336 are missing"]
    assert verdict_on(connection, "forecast.predictions", "by_configured_model").passed


def score(model: str = "chronos:some", **values: Any) -> dict[str, Any]:
    """500 forecasts of a day, 400 of them inside their band, each wrong by 10."""
    return {
        "model": model,
        "series": INTENSITY,
        "target_date": date(2026, 1, 2),  # of NOW
        "lead_bucket": "24-48h",
        "n": 500,
        "abs_error_sum": 5000,
        "error_sum": 0,
        "abs_actual_sum": 50_000,
        "n_band": 500,
        "pinball_sum": 1000,
        "n_inside_80": 400,
        "simulated": False,
    } | values


@pytest.mark.parametrize(
    ("scores", "example"),
    [
        ([], None),
        ([score()], None),
        ([score(n_inside_80=350)], None),
        ([score(n_inside_80=450)], None),
        ([score(n_inside_80=349)], "chronos:some carbon_intensity: 69.8 % of 500"),
        ([score(n_inside_80=451)], "chronos:some carbon_intensity: 90.2 % of 500"),
        ([score(n_inside_80=500)], "chronos:some carbon_intensity: 100.0 % of 500"),
        ([score(series="wind", n_inside_80=200)], "chronos:some wind: 40.0 % of 500"),
        # The buckets and days of a series are judged together.
        ([score(n_inside_80=300), score(lead_bucket="0-3h", n_inside_80=490)], None),
        (
            [
                score(n_inside_80=200, target_date=date(2025, 12, 20)),
                score(n_inside_80=400, target_date=date(2025, 12, 21)),
            ],
            "chronos:some carbon_intensity: 60.0 % of 1000",
        ),
        # Older than 14 days, too few, of a series that hardly moves, and of other models.
        ([score(n_inside_80=0, target_date=date(2025, 12, 19))], None),
        ([score(n=479, n_band=479, n_inside_80=0)], None),
        ([score(n_inside_80=500, series="coal", abs_error_sum=50)], None),
        ([score("seasonal_naive", n_inside_80=0)], None),
        ([score("neso", n_band=0, n_inside_80=0, pinball_sum=None)], None),
    ],
)
def test_a_band_that_holds_too_little_or_too_much_of_14_days_is_reported(
    connection: Connection, scores: list[dict[str, Any]], example: str | None
) -> None:
    insert(connection, "forecast.accuracy", *scores)
    verdict = verdict_on(connection, "forecast.accuracy", "coverage_80")
    assert verdict.examples == ([] if example is None else [f"- {example}"])


@pytest.mark.parametrize(
    ("inside", "example"),
    [
        (1090, None),  # 90.8 % of all, but 490 of the 600 that could be missed: 81.7 %
        (1000, "chronos:some solar: 66.7 % of 600"),  # 83.3 % of all
    ],
)
def test_an_actual_of_0_in_a_band_that_starts_at_0_says_nothing_about_the_band(
    connection: Connection, inside: int, example: str | None
) -> None:
    nights = [
        T0 - timedelta(days=day) + step * HALF_HOUR for day in range(12) for step in range(25)
    ]
    insert(connection, "core.generation_mix", *(published_mix(start, solar=0) for start in nights))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
            "p10, p50, p90) VALUES ('chronos:some', 'solar', %s, %s, %s, %s, %s, %s)",
            [
                (start, start - lead, start - lead, low, low, high)
                for start in nights
                for lead, low, high in (
                    (timedelta(0), 0, 0),
                    (timedelta(hours=47), 0, 0.2),
                    (timedelta(hours=24), 0.1, 0.2),  # a miss, which counts
                )
            ],
        )
    insert(
        connection,
        "forecast.accuracy",
        score(series="solar", n=1200, n_band=1200, abs_error_sum=600, n_inside_80=inside),
    )
    verdict = verdict_on(connection, "forecast.accuracy", "coverage_80")
    assert verdict.examples == ([] if example is None else [f"- {example}"])


@pytest.mark.parametrize(
    ("scores", "example"),
    [
        ([score()], None),
        ([score(), score("seasonal_naive", abs_error_sum=5000)], None),
        (
            [score(), score("seasonal_naive", abs_error_sum=4900)],
            "chronos:some 24-48h: 10.0 against 9.8 gCO2/kWh",
        ),
        # Not on the same day, not at the same lead, not of carbon intensity, and too few.
        (
            [score(), score("seasonal_naive", abs_error_sum=1, target_date=date(2026, 1, 1))],
            None,
        ),
        ([score(), score("seasonal_naive", abs_error_sum=1, lead_bucket="0-3h")], None),
        (
            [score(series="gas"), score("seasonal_naive", abs_error_sum=1, series="gas")],
            None,
        ),
        (
            [
                score(target_date=date(2025, 12, 19)),
                score("seasonal_naive", abs_error_sum=1, target_date=date(2025, 12, 19)),
            ],
            None,
        ),
        (
            [
                score(n=47, n_band=47, n_inside_80=40),
                score("seasonal_naive", abs_error_sum=1),
            ],
            None,
        ),
        ([score("neso"), score("seasonal_naive", abs_error_sum=1)], None),
    ],
)
def test_a_model_that_is_worse_than_seasonal_naive_over_14_days_is_reported(
    connection: Connection, scores: list[dict[str, Any]], example: str | None
) -> None:
    insert(connection, "forecast.accuracy", *scores)
    verdict = verdict_on(connection, "forecast.accuracy", "better_than_naive")
    assert verdict.examples == ([] if example is None else [f"- {example}"])


def test_each_lead_of_each_model_is_compared_with_naive_for_itself(connection: Connection) -> None:
    for place, bucket in enumerate(LEAD_BUCKETS):
        insert(
            connection,
            "forecast.accuracy",
            score(lead_bucket=bucket),
            score("chronos:other", lead_bucket=bucket, abs_error_sum=1000),
            score("seasonal_naive", lead_bucket=bucket, abs_error_sum=4000 + 500 * place),
        )
    verdict = verdict_on(connection, "forecast.accuracy", "better_than_naive")
    assert verdict.examples == [
        "- chronos:some 0-3h: 10.0 against 8.0 gCO2/kWh",
        "- chronos:some 3-6h: 10.0 against 9.0 gCO2/kWh",
    ]


# The share of rejects


@pytest.mark.parametrize(
    ("received", "rejected", "passed"),
    [(100, 0, True), (100, 1, True), (100, 2, False), (96, 1, False), (0, 0, True), (0, 1, False)],
)
def test_more_than_one_reject_in_a_hundred_is_reported(
    received: int, rejected: int, passed: bool
) -> None:
    verdict = judge_quarantined(received, ["time: late"] * rejected)
    assert verdict.passed == passed
    assert verdict.check is FEW_QUARANTINED
    if not passed:
        assert (verdict.total, verdict.examples) == (rejected, ["time: late"])


def test_a_whole_answer_that_is_rejected_is_reported_among_any_number() -> None:
    assert not judge_quarantined(100_000, ["body: all of its 2 records are outside"]).passed


@pytest.mark.parametrize(("half_hours", "missing"), [(96, 0), (95, 1), (0, 96)])
def test_a_captured_forecast_that_ends_early_is_reported(half_hours: int, missing: int) -> None:
    verdict = judge_forecast(half_hours, 96)
    assert (verdict.total, verdict.passed) == (missing, missing == 0)
    if missing:
        assert verdict.examples == [f"{half_hours} of 96 half-hours were published"]


def test_at_most_ten_different_reasons_are_shown() -> None:
    verdict = judge_quarantined(10, [f"reason {n:02}" for n in range(20)] * 2)
    assert verdict.total == 40
    assert verdict.examples == [f"reason {n:02}" for n in range(10)]


def test_a_verdict_explains_what_was_expected_and_what_was_found() -> None:
    check = Check("coverage_80", "", "The band held 70 to 90 %.")
    assert Verdict(check, 0).explanation == "The band held 70 to 90 %."
    assert Verdict(check, 2, ["- chronos:x wind: 60 %", "2026-01-01T00:00Z gas"]).explanation == (
        "Expected: The band held 70 to 90 %. Found 2: chronos:x wind: 60 %; 2026-01-01T00:00Z gas"
    )


# The list of checks


def test_every_query_belongs_to_a_check_and_every_check_asks_in_a_sentence() -> None:
    checks = [check for group in (BLOCKING, WARNING) for some in group.values() for check in some]
    files = {path.stem for path in (sql_dir() / "checks").glob("[!_]*.sql")}  # _… are fragments
    assert {check.query for check in checks if check.query} == files
    assert all(check.description.endswith(".") for check in [*checks, FEW_QUARANTINED])
    for relation in WARNING:
        names = [check.name for check in (*BLOCKING.get(relation, ()), *WARNING[relation])]
        assert len(names) == len(set(names))
