"""From published rows to `raw`, and from `raw` to `core`, in a real database."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, Window, days_window, floor, parse_api_time
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import GenerationRow, IntensityRow
from grid_assets.telemetry.load import Capture, load_generation, load_intensity, load_neso_forecast
from grid_assets.telemetry.publish import Published, publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, connect, copy_rows, write_transaction
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse
VINTAGES = Path(__file__).parent.parent / "fixtures" / "vintages"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = T0 + timedelta(hours=12)
LATER = SEEN + timedelta(minutes=30)
DAY = days_window(date(2026, 1, 1), date(2026, 1, 1))
NOW = T0 + timedelta(days=3)
SHARES = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True))

Rows = Callable[..., list[tuple[Any, ...]]]


def intensity(
    start: datetime = T0,
    forecast: float | None = 100,
    actual: float | None = 101,
    index: str | None = "low",
) -> IntensityRow:
    return IntensityRow(start, decimal(forecast), decimal(actual), index)


def generation(
    start: datetime = T0, unknown: dict[str, float] | None = None, **shares: float | None
) -> GenerationRow:
    published = {**SHARES, **shares}
    return GenerationRow(
        start,
        {fuel: decimal(share) for fuel, share in published.items()},
        {fuel: Decimal(str(share)) for fuel, share in (unknown or {}).items()},
    )


def decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def passes(connection: Connection) -> None:
    """A judge that finds nothing to object to."""


@pytest.fixture
def load(warehouse: SecretStr) -> Callable[..., int]:
    def load(row_or_rows: Any, captured_at: datetime = SEEN, *, replayed: bool = False) -> int:
        rows = row_or_rows if isinstance(row_or_rows, list) else [row_or_rows]
        capture = Capture(rows, captured_at)
        if isinstance(rows[0], IntensityRow):
            with connect(warehouse) as connection, write_transaction(connection, "raw.intensity"):
                return load_intensity(connection, [capture], replayed=replayed)
        with connect(warehouse) as connection, write_transaction(connection, "raw.generation"):
            return load_generation(connection, [capture], replayed=replayed)

    return load


@pytest.fixture
def publish(warehouse: SecretStr) -> Callable[..., Published]:
    def publish(
        relation: str,
        window: Window = DAY,
        now: datetime = NOW,
        judge: Callable[[Connection], None] = passes,
    ) -> Published:
        function = {
            "core.intensity": publish_intensity,
            "core.generation_mix": publish_generation_mix,
        }[relation]
        with connect(warehouse) as connection, write_transaction(connection, relation):
            return function(connection, window, now, judge)

    return publish


ACTUALS = "SELECT captured_at, actual_gco2_kwh FROM raw.intensity ORDER BY arrival, captured_at"


# The change-log


def test_the_same_values_again_add_nothing(load: Callable[..., int], rows: Rows) -> None:
    assert load(intensity()) == 1
    assert load(intensity(), LATER) == 0
    assert load(intensity(), SEEN) == 0
    assert load(generation()) == 1
    assert load(generation(), LATER) == 0
    assert rows("SELECT captured_at FROM raw.intensity") == [(SEEN,)]
    assert rows("SELECT captured_at FROM raw.generation") == [(SEEN,)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (intensity(actual=None), intensity(actual=101)),
        (intensity(actual=101), intensity(actual=103)),
        (intensity(actual=0), intensity(actual=None)),
        (intensity(forecast=100), intensity(forecast=99)),
        (intensity(index="low"), intensity(index="moderate")),
        (intensity(index="low"), intensity(index=None)),
        (generation(hydro=0, other=0), generation(hydro=0.5, other=0.5)),
        (generation(other=None), generation(other=0)),
        (generation(), generation(unknown={"geothermal": 0.1})),
        (generation(unknown={"geothermal": 0.1}), generation(unknown={"geothermal": 0.2})),
    ],
)
def test_any_change_of_a_value_adds_one_row_and_keeps_the_old_one(
    load: Callable[..., int], rows: Rows, first: Any, second: Any
) -> None:
    relation = "raw.intensity" if isinstance(first, IntensityRow) else "raw.generation"
    assert (load(first), load(second, LATER), load(second, LATER + HALF_HOUR)) == (1, 1, 0)
    captures = rows(f"SELECT captured_at FROM {relation} ORDER BY 1")  # noqa: S608
    assert captures == [(SEEN,), (LATER,)]


def test_the_values_of_unchanged_half_hours_are_not_repeated(
    load: Callable[..., int], rows: Rows
) -> None:
    day = [intensity(T0 + n * HALF_HOUR, actual=n) for n in range(48)]
    assert load(day) == 48
    day[7] = intensity(T0 + 7 * HALF_HOUR, actual=70)
    assert load(day, LATER) == 1
    assert rows("SELECT count(*) FROM raw.intensity") == [(49,)]


def test_numbers_that_differ_only_in_spelling_are_the_same(load: Callable[..., int]) -> None:
    assert load(IntensityRow(T0, Decimal("100"), Decimal("0"), None)) == 1
    assert load(IntensityRow(T0, Decimal("100.0"), Decimal("-0.00"), None), LATER) == 0


def test_a_value_that_returns_is_a_change_again(load: Callable[..., int], rows: Rows) -> None:
    for minutes, actual in enumerate([1, 2, 1, 1]):
        load(intensity(actual=actual), SEEN + timedelta(minutes=minutes))
    assert [actual for _, actual in rows(ACTUALS)] == [1, 2, 1]


def test_an_older_capture_that_is_replayed_takes_its_place(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load(intensity(actual=1), SEEN)
    load(intensity(actual=3), LATER)
    between = SEEN + timedelta(minutes=10)
    assert load(intensity(actual=2), between, replayed=True) == 1
    assert load(intensity(actual=2), between, replayed=True) == 0
    assert rows(ACTUALS) == [(SEEN, 1), (between, 2), (LATER, 3)]
    publish("core.intensity")
    assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(3,)]
    # Newer than all others, it is what was received last.
    assert load(intensity(actual=4), LATER + HALF_HOUR, replayed=True) == 1
    publish("core.intensity")
    assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(4,)]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_an_older_capture_that_equals_the_one_after_it_adds_nothing(
    load: Callable[..., int], rows: Rows, minutes: int
) -> None:
    load(intensity(actual=1), SEEN - timedelta(hours=1))
    load(intensity(actual=2), SEEN)
    late = SEEN + timedelta(minutes=minutes)
    assert load(intensity(actual=2), late) == 0
    assert load(intensity(actual=2), late, replayed=True) == 0
    assert len(rows(ACTUALS)) == 2


def test_the_very_first_capture_that_is_replayed_and_differs_is_kept(
    load: Callable[..., int], rows: Rows
) -> None:
    load(intensity(actual=2), LATER)
    assert load(intensity(actual=None), SEEN, replayed=True) == 1
    assert rows(ACTUALS) == [(SEEN, None), (LATER, 2)]


def test_unknown_fuels_are_kept_by_name(load: Callable[..., int], rows: Rows) -> None:
    load(generation(gas=29, unknown={"<script>": 0.4, "geothermal": 0.6}))
    assert rows("SELECT unknown_pct FROM raw.generation") == [
        ({"<script>": 0.4, "geothermal": 0.6},)
    ]


def test_two_loaders_at_once_leave_the_rows_of_one(
    warehouse: SecretStr, load: Callable[..., int], rows: Rows
) -> None:
    month = [intensity(T0 + n * HALF_HOUR, actual=n % 300) for n in range(30 * 48)]
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda n: load(month, SEEN + timedelta(minutes=n)), range(4)))
    assert sorted(added) == [0, 0, 0, 30 * 48]
    assert rows("SELECT count(*), count(DISTINCT period_start) FROM raw.intensity") == [
        (30 * 48, 30 * 48)
    ]


# Recorded vintages, replayed capture by capture

Vintage = tuple[datetime, datetime, Decimal | None, Decimal | None, str | None]


def vintages(name: str, *columns: str) -> list[Vintage]:
    """(capture, start, forecast, actual, index) of every recorded row, in the file's order."""
    captured, start = columns
    with gzip.open(VINTAGES / name, "rt", encoding="utf-8", newline="") as text:
        return [
            (
                datetime.fromisoformat(row[captured]).replace(tzinfo=UTC),
                parse_api_time(row[start]),
                Decimal(row["forecast_gco2_kwh"]) if row["forecast_gco2_kwh"] else None,
                Decimal(row["actual_gco2_kwh"]) if row["actual_gco2_kwh"] else None,
                row["index"] or None,
            )
            for row in csv.DictReader(text)
        ]


def changes(recorded: Iterable[Vintage]) -> list[tuple[Any, ...]]:
    """What a change-log of these captures must hold, found without any SQL."""
    log: list[tuple[Any, ...]] = []
    last: dict[datetime, tuple[Any, ...]] = {}
    for captured, start, *values in sorted(recorded, key=lambda row: (row[1], row[0])):
        if last.get(start) != tuple(values):
            log.append((start, captured, *values))
            last[start] = tuple(values)
    return log


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("intensity_polled_each_minute_2026-02-05.csv.gz", ("fetched_at", "from_ts")),
        ("intensity_daily_refetch_2026-05.csv.gz", ("fetched_on", "from_utc")),
    ],
)
def test_recorded_vintages_leave_exactly_their_changes_however_often_they_are_replayed(
    warehouse: SecretStr, rows: Rows, name: str, columns: tuple[str, str]
) -> None:
    recorded = vintages(name, *columns)
    captures: dict[datetime, list[IntensityRow]] = defaultdict(list)
    for captured, start, forecast, actual, index in recorded:
        captures[captured].append(IntensityRow(start, forecast, actual, index))
    log = changes(recorded)
    assert len({start for start, *_ in log}) < len(log) < len(recorded)

    def replayed(order: Iterable[datetime]) -> list[tuple[Any, ...]]:
        with psycopg.connect(warehouse.get_secret_value()) as connection:
            for captured in order:
                with connection.transaction():
                    load_intensity(connection, [Capture(captures[captured], captured)])
                    connection.execute("DROP TABLE staged")
        return rows(
            "SELECT period_start, captured_at, forecast_gco2_kwh, actual_gco2_kwh, "
            "intensity_index FROM raw.intensity ORDER BY period_start, captured_at"
        )

    assert replayed(sorted(captures)) == log
    # What was received last adds nothing when it comes once more.
    assert replayed(sorted(captures)[-1:]) == log
    # As-of answers are those of the recording, at any capture.
    for known_at in sorted(captures)[:: max(1, len(captures) // 5)]:
        newest = {start: values for start, captured, *values in log if captured <= known_at}
        as_known = rows(
            "SELECT period_start, forecast_gco2_kwh, actual_gco2_kwh, intensity_index "
            "FROM reporting.intensity_as_known_at(%s)",
            known_at,
        )
        assert {start: values for start, *values in as_known} == {
            start: values for start, values in newest.items() if start <= known_at
        }


# NESO's forecast


def forecast(offset: float = 0, half_hours: int = 96) -> list[IntensityRow]:
    return [
        intensity(T0 + n * HALF_HOUR, forecast=100 + n + offset, actual=None)
        for n in range(half_hours)
    ]


@pytest.fixture
def load_forecast(warehouse: SecretStr) -> Callable[..., int]:
    def load(rows: list[IntensityRow], issued_at: datetime, simulated: bool = False) -> int:
        with connect(warehouse) as connection, write_transaction(connection, "raw.neso_forecast"):
            return load_neso_forecast(connection, rows, issued_at, simulated)

    return load


def test_a_repeated_forecast_adds_nothing_and_a_new_one_adds_all_of_itself(
    load_forecast: Callable[..., int], rows: Rows
) -> None:
    assert load_forecast(forecast(), SEEN) == 96
    assert load_forecast(forecast(), LATER) == 0
    assert load_forecast(forecast(1), LATER) == 96
    # The first one again is news after the second.
    assert load_forecast(forecast(), LATER + HALF_HOUR) == 96
    assert rows(
        "SELECT issued_at, count(*), min(forecast_gco2_kwh) FROM raw.neso_forecast "
        "GROUP BY 1 ORDER BY 1"
    ) == [(SEEN, 96, 100), (LATER, 96, 101), (LATER + HALF_HOUR, 96, 100)]


def test_a_forecast_is_kept_though_a_clock_that_was_ahead_stamped_the_same_one_later(
    load_forecast: Callable[..., int], rows: Rows
) -> None:
    assert load_forecast(forecast(), SEEN + timedelta(days=400)) == 96
    assert load_forecast(forecast(), SEEN) == 96
    assert load_forecast(forecast(), LATER) == 0
    assert rows("SELECT count(*) FROM raw.neso_forecast WHERE issued_at = %s", SEEN) == [(96,)]


def test_a_forecast_without_values_adds_nothing(
    load_forecast: Callable[..., int], rows: Rows
) -> None:
    empty = [intensity(forecast=None, actual=None)]
    assert load_forecast(empty, SEEN) == 0
    assert load_forecast([], SEEN) == 0
    assert load_forecast([*forecast(half_hours=1), *empty[1:]], SEEN) == 1
    assert load_forecast(empty, LATER) == 0
    assert len(rows("SELECT 1 FROM raw.neso_forecast")) == 1


def test_a_made_up_forecast_is_marked_as_one(load_forecast: Callable[..., int], rows: Rows) -> None:
    load_forecast(forecast(), SEEN, True)
    load_forecast(forecast(5), LATER, False)
    assert rows("SELECT DISTINCT issued_at, simulated FROM raw.neso_forecast ORDER BY 1") == [
        (SEEN, True),
        (LATER, False),
    ]


def test_recorded_forecasts_are_kept_vintage_by_vintage(
    load_forecast: Callable[..., int], rows: Rows
) -> None:
    issued: dict[datetime, list[IntensityRow]] = defaultdict(list)
    with gzip.open(VINTAGES / "neso_fw48h_2023-03.csv.gz", "rt", newline="") as text:
        for row in csv.DictReader(text):
            start = parse_api_time(row["period_start_utc"])
            issued[parse_api_time(row["issued_at_utc"])].append(
                intensity(start, float(row["forecast"]), None)
            )
    for issued_at, vintage in sorted(issued.items()):
        assert load_forecast(vintage, issued_at) == len(vintage)
        assert load_forecast(vintage, issued_at + timedelta(minutes=1)) == 0
    assert rows("SELECT count(DISTINCT issued_at), count(*) FROM raw.neso_forecast") == [(9, 864)]


# From raw to core


def test_core_holds_the_newest_capture_of_every_half_hour(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load([intensity(actual=1), intensity(T0 + HALF_HOUR, actual=5)], SEEN)
    load(intensity(actual=2), LATER)
    assert publish("core.intensity") == Published(2, 2, [])
    assert rows("SELECT period_start, actual_gco2_kwh, captured_at FROM core.intensity") == [
        (T0, 2, LATER),
        (T0 + HALF_HOUR, 5, SEEN),
    ]


@pytest.mark.parametrize(
    "off",
    [timedelta(0), timedelta(days=-400), timedelta(minutes=1), timedelta(days=50 * 365)],
    ids=str,
)
def test_core_holds_what_was_received_last_whatever_the_clock_said(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows, off: timedelta
) -> None:
    for actual, captured_at in enumerate((SEEN, SEEN + off, LATER, LATER, SEEN)):
        load(intensity(actual=actual), captured_at)
        load(generation(wind=30 - actual, other=actual), captured_at)
        publish("core.intensity")
        publish("core.generation_mix")
        assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(actual,)]
        assert rows("SELECT wind_pct FROM core.generation_mix") == [(30 - actual,)]
    # nothing is lost where a clock comes back to a stamp, and no stamp is taken twice
    for relation in ("raw.intensity", "raw.generation"):
        assert rows(
            f"SELECT count(*), count(DISTINCT captured_at) FROM {relation}"  # noqa: S608
        ) == [(5, 5)]


def test_the_same_value_again_takes_the_place_of_one_stamped_later_than_now(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    future = datetime.now(UTC) + timedelta(days=400)
    load([intensity(), intensity(T0 + HALF_HOUR)], future)
    assert load(intensity(), future + HALF_HOUR) == 0  # as wrong as before
    assert load(intensity(), SEEN) == 1
    assert load(intensity(), LATER) == 0
    publish("core.intensity")
    assert rows("SELECT captured_at FROM core.intensity ORDER BY period_start") == [
        (SEEN,),
        (future,),
    ]


def test_another_program_adds_rows_without_naming_their_order(
    warehouse: SecretStr, load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load(intensity(actual=1), LATER)
    rows("INSERT INTO raw.intensity VALUES (%s, %s, 100, 2, 'low')", T0, SEEN)
    publish("core.intensity")
    assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(2,)]
    with connect(warehouse) as connection:
        copy_rows(
            connection,
            "raw.intensity",
            ("period_start", "captured_at", "actual_gco2_kwh"),
            [(T0, SEEN - HALF_HOUR, 3)],
        )
    publish("core.intensity")
    assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(3,)]


def test_publishing_again_without_news_writes_nothing(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load([intensity(), intensity(T0 + HALF_HOUR, 13_579, None, None)])
    load([generation(), generation(T0 + HALF_HOUR, gas=30.2, coal=None)])
    versions = (
        "SELECT period_start, xmin::text FROM core.intensity UNION ALL "
        "SELECT period_start, xmin::text FROM core.generation_mix ORDER BY 1, 2"
    )
    assert (publish("core.intensity").written, publish("core.generation_mix").written) == (2, 2)
    before = rows(versions)
    assert publish("core.intensity") == Published(2, 0, [])
    assert publish("core.generation_mix") == Published(2, 0, [])
    assert rows(versions) == before


def test_a_revision_rewrites_its_half_hour_alone(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load([intensity(T0 + n * HALF_HOUR) for n in range(48)])
    load([generation(T0 + n * HALF_HOUR) for n in range(48)])
    publish("core.intensity")
    publish("core.generation_mix")
    load(intensity(T0 + 5 * HALF_HOUR, actual=150), LATER)
    load(generation(T0 + 5 * HALF_HOUR, wind=28.8, hydro=2.2), LATER)
    assert publish("core.intensity") == Published(48, 1, [])
    assert publish("core.generation_mix") == Published(48, 1, [])
    assert rows("SELECT period_start, wind_pct FROM core.generation_mix WHERE hydro_pct > 1") == [
        (T0 + 5 * HALF_HOUR, Decimal("28.8"))
    ]


@pytest.mark.parametrize("garbage", [13_579, 1001, -1, 1000.5])
def test_an_impossible_value_stays_in_raw_and_is_null_with_its_reason_in_core(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows, garbage: float
) -> None:
    load([intensity(forecast=garbage), intensity(T0 + HALF_HOUR, actual=garbage)])
    publish("core.intensity")
    assert rows("SELECT forecast_gco2_kwh FROM raw.intensity WHERE period_start = %s", T0) == [
        (decimal(garbage),)
    ]
    reason = f"published {garbage} gCO2/kWh is outside 0 to 1000"
    assert rows(
        "SELECT forecast_gco2_kwh, forecast_reason, actual_gco2_kwh, actual_reason "
        "FROM core.intensity ORDER BY period_start"
    ) == [(None, reason, 101, None), (100, None, None, reason)]


@pytest.mark.parametrize("value", [0, 1000, 0.5, None])
def test_a_possible_value_and_a_missing_one_pass_unchanged(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows, value: float | None
) -> None:
    load(intensity(forecast=value, actual=value, index=None))
    publish("core.intensity")
    # 0 is a value and null is none: neither becomes the other.
    assert rows(
        "SELECT forecast_gco2_kwh, actual_gco2_kwh, intensity_index, forecast_reason, "
        "actual_reason FROM core.intensity"
    ) == [(decimal(value), decimal(value), None, None, None)]


def test_a_value_put_right_loses_its_reason(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load(intensity(forecast=13_579))
    publish("core.intensity")
    load(intensity(forecast=135), LATER)
    assert publish("core.intensity").written == 1
    assert rows("SELECT forecast_gco2_kwh, forecast_reason FROM core.intensity") == [(135, None)]


def test_a_half_hour_that_has_not_begun_is_not_in_core(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load([intensity(T0 + n * HALF_HOUR, actual=None) for n in range(4)])
    load([generation(T0 + n * HALF_HOUR) for n in range(4)])
    now = T0 + HALF_HOUR + timedelta(minutes=12)
    assert publish("core.intensity", now=now).read == 2
    assert publish("core.generation_mix", now=now).read == 2
    assert publish("core.intensity", now=T0 + 2 * HALF_HOUR).read == 3
    # nor is one that has begun only by the clock of this machine
    tomorrow = floor(datetime.now(UTC) + timedelta(days=1))
    load(intensity(tomorrow))
    load(generation(tomorrow))
    ahead = Window(tomorrow, tomorrow + HALF_HOUR)
    for relation in ("core.intensity", "core.generation_mix"):
        assert publish(relation, ahead, now=tomorrow + HALF_HOUR).read == 0
    assert rows("SELECT max(period_start) FROM core.intensity") == [(T0 + 2 * HALF_HOUR,)]
    assert rows("SELECT max(period_start) FROM core.generation_mix") == [(T0 + HALF_HOUR,)]


def test_only_the_half_hours_of_the_window_are_published(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    starts = [DAY.start - HALF_HOUR, DAY.start, DAY.end - HALF_HOUR, DAY.end]
    load([intensity(start) for start in starts])
    load([generation(start) for start in starts])
    publish("core.intensity")
    publish("core.generation_mix")
    for relation in ("core.intensity", "core.generation_mix"):
        published = rows(f"SELECT period_start FROM {relation} ORDER BY 1")  # noqa: S608
        assert published == [(DAY.start,), (DAY.end - HALF_HOUR,)]


def test_published_mixes_become_exact_and_say_how(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load(
        [
            generation(T0),
            generation(T0 + HALF_HOUR, gas=29.8),
            generation(T0 + 2 * HALF_HOUR, gas=30.2),
            generation(T0 + 3 * HALF_HOUR, coal=None, hydro=None),
            generation(T0 + 4 * HALF_HOUR, gas=29, unknown={"geothermal": 0.9}),
        ]
    )
    assert publish("core.generation_mix") == Published(5, 5, [])
    assert rows(
        "SELECT gas_pct, coal_pct, other_pct, published_total_pct, adjustment "
        "FROM core.generation_mix ORDER BY period_start"
    ) == [
        (30, 0, 0, 100, "none"),
        (Decimal("29.8"), 0, Decimal("0.2"), Decimal("99.8"), "other_completed"),
        (Decimal("30.1"), 0, 0, Decimal("100.2"), "scaled_to_100"),
        (30, None, 1, 99, "other_completed"),
        (29, 0, 1, Decimal("99.9"), "other_completed"),
    ]


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("gas_pct = 80", "the named fuels sum to 150.0"),
        ("gas_pct = -1", "the share of 'gas' is -1, outside 0 to 100"),
        ("gas_pct = 'NaN'", "the share of 'gas' is NaN, outside 0 to 100"),
        ("gas_pct = 'Infinity'", "the share of 'gas' is Infinity, outside 0 to 100"),
        ("gas_pct = NULL", "'other' would have to be 30.0, but 0.0 was published"),
        ("unknown_pct = '{\"geothermal\": 101}'", "the share of 'geothermal' is 101"),
        ('unknown_pct = \'{"geothermal": "much"}\'', "unknown_pct is {'geothermal': 'much'}"),
        ("unknown_pct = '{\"geothermal\": null}'", "unknown_pct is {'geothermal': None}"),
        ("unknown_pct = '[1]'", "unknown_pct is [1], not percent by fuel"),
        ("unknown_pct = 'null'", "unknown_pct is None, not percent by fuel"),
    ],
)
def test_a_mix_that_another_program_wrote_badly_is_refused_and_core_keeps_what_it_had(
    load: Callable[..., int],
    publish: Callable[..., Published],
    rows: Rows,
    assignment: str,
    reason: str,
) -> None:
    load([generation(T0), generation(T0 + HALF_HOUR)])
    publish("core.generation_mix")
    before = rows("SELECT * FROM core.generation_mix ORDER BY 1")
    rows(
        "INSERT INTO raw.generation OVERRIDING USER VALUE SELECT (jsonb_populate_record(g, "
        "jsonb_build_object('captured_at', %s::timestamptz))).* FROM raw.generation AS g",
        LATER,
    )
    bad = f"UPDATE raw.generation SET {assignment} "  # noqa: S608
    rows(bad + "WHERE period_start = %s AND captured_at = %s", T0, LATER)
    rows("UPDATE raw.generation SET wind_pct = 29.9 WHERE period_start > %s", T0)
    published = publish("core.generation_mix")
    assert (published.read, published.written) == (2, 1)
    (refused,) = published.refused
    assert refused.reason.startswith(f"mix: {reason}")
    assert json.loads(refused.payload)["period_start"] == "2026-01-01T00:00:00+00:00"
    assert rows("SELECT * FROM core.generation_mix WHERE period_start = %s", T0) == before[:1]


def test_a_judge_that_objects_leaves_core_as_it_was(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load(intensity())
    load(generation())
    publish("core.intensity")
    publish("core.generation_mix")
    load(intensity(actual=7), LATER)
    load(generation(wind=29.9), LATER)

    def objects(connection: Connection) -> None:
        assert connection.execute("SELECT count(*) FROM staged").fetchone() == (1,)
        raise RuntimeError("not this one")

    for relation in ("core.intensity", "core.generation_mix"):
        with pytest.raises(RuntimeError, match="not this one"):
            publish(relation, judge=objects)
    assert rows("SELECT actual_gco2_kwh FROM core.intensity") == [(101,)]
    assert rows("SELECT wind_pct FROM core.generation_mix") == [(30,)]
    # Nothing is left over that would be in the way of the next try.
    assert publish("core.intensity").written == 1
    assert publish("core.generation_mix").written == 1


def test_two_publishers_at_once_leave_the_rows_of_one(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    load([generation(T0 + n * HALF_HOUR) for n in range(48)])
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(publish, "core.generation_mix") for _ in range(3)]
    assert sorted(one.result().written for one in done) == [0, 0, 48]


def test_a_row_that_another_program_wrote_to_core_is_replaced_by_what_was_published(
    load: Callable[..., int], publish: Callable[..., Published], rows: Rows
) -> None:
    rows("INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, 5)", T0)
    assert publish("core.intensity") == Published(0, 0, [])
    load(intensity())
    assert publish("core.intensity").written == 1
    assert rows("SELECT actual_gco2_kwh, captured_at FROM core.intensity") == [(101, SEEN)]


def test_more_half_hours_than_one_batch_are_all_cleaned(
    load: Callable[..., int],
    publish: Callable[..., Published],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grid_assets.telemetry.publish.BATCH", 10)
    load([generation(T0 + n * HALF_HOUR, wind=30 - n / 10, other=n / 10) for n in range(48)])
    assert publish("core.generation_mix") == Published(48, 48, [])
    assert rows("SELECT sum(other_pct) FROM core.generation_mix") == [(Decimal("112.8"),)]
