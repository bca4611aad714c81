"""Rejected records and bodies are kept, counted, listed, and tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, api_time, days_window
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import (
    Rejected,
    parse_generation,
    parse_intensity,
)
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.load import Capture, load_intensity, load_neso_forecast
from grid_assets.telemetry.quarantine import MAX_PAYLOAD, Replayed, open_entries, replay
from grid_assets.warehouse.connection import Connection, write_transaction
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = days_window(date(2026, 1, 1), date(2026, 1, 1))
SEEN = datetime(2026, 1, 1, 12, 12, 1, tzinfo=UTC)
LATER = SEEN + timedelta(minutes=30)
SHARES = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True))
PATH = "/intensity/2026-01-01T00:00Z/2026-01-02T00:00Z"


def intensity(start: datetime = T0, **values: Any) -> dict[str, Any]:
    return {
        "from": api_time(start),
        "to": api_time(start + HALF_HOUR),
        "intensity": {"forecast": 100, "actual": 101, "index": "low", **values},
    }


def mix(start: datetime = T0, **shares: Any) -> dict[str, Any]:
    return {
        "from": api_time(start),
        "to": api_time(start + HALF_HOUR),
        "generationmix": [
            {"fuel": fuel, "perc": share} for fuel, share in {**SHARES, **shares}.items()
        ],
    }


@pytest.fixture
def keep(warehouse: SecretStr, connection: Connection) -> Callable[..., int]:
    def keep(
        *rejected: Rejected,
        asset: str = "raw.intensity",
        endpoint: str = PATH,
        captured_at: datetime = SEEN,
        run_id: str = "run 1",
        is_body: bool = False,
    ) -> int:
        return quarantine.keep(
            connection,
            asset,
            endpoint,
            rejected,
            captured_at=captured_at,
            run_id=run_id,
            is_body=is_body,
        )

    return keep


def record(content: Any, reason: str = "intensity.actual: an old fault") -> Rejected:
    return Rejected(reason, content if isinstance(content, str) else json.dumps(content))


def body(content: Any) -> Rejected:
    return record(content, "body: an old fault")


# Keeping


def test_a_rejected_record_is_kept_with_all_that_is_known_of_it(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    document = {"data": [intensity(actual="x"), intensity(T0 + HALF_HOUR)]}
    parsed = parse_intensity(document, DAY)
    assert keep(*parsed.rejected) == 1
    (entry,) = open_entries(connection)
    assert (entry.captured_at, entry.asset, entry.endpoint) == (SEEN, "raw.intensity", PATH)
    assert entry.reason == "intensity.actual: 'x' is not a number"
    assert json.loads(entry.payload) == document["data"][0]
    assert (entry.is_body, entry.times_seen) == (False, 1)
    assert rows("SELECT run_id, last_seen_at, resolved_at FROM ops.quarantine") == [
        ("run 1", SEEN, None)
    ]


def test_nothing_rejected_is_nothing_kept(keep: Callable[..., int], rows: Rows) -> None:
    assert keep() == 0
    assert rows("SELECT id FROM ops.quarantine") == []


def test_the_same_record_again_counts_up_and_keeps_its_first_capture(
    keep: Callable[..., int], rows: Rows
) -> None:
    bad = intensity(actual="x")
    assert keep(record(bad, "an old reason")) == 1
    # The same record comes under another path in every cycle.
    assert keep(record(bad, "a better reason"), endpoint="/other", captured_at=LATER) == 1
    assert rows(
        "SELECT captured_at, last_seen_at, endpoint, reason, run_id, times_seen FROM ops.quarantine"
    ) == [(SEEN, LATER, PATH, "a better reason", "run 1", 2)]


def test_the_same_record_twice_in_one_answer_is_one_entry(
    keep: Callable[..., int], rows: Rows
) -> None:
    assert keep(record("{}"), record("{}")) == 2
    assert rows("SELECT times_seen FROM ops.quarantine") == [(2,)]


def test_different_records_and_different_assets_are_different_entries(
    keep: Callable[..., int], rows: Rows
) -> None:
    keep(record('{"a": 1}'), record('{"a": 2}'))
    keep(record('{"a": 1}'), asset="raw.generation")
    assert rows("SELECT asset, times_seen FROM ops.quarantine ORDER BY id") == [
        ("raw.intensity", 1),
        ("raw.intensity", 1),
        ("raw.generation", 1),
    ]


def test_the_same_body_is_one_entry_for_each_request(keep: Callable[..., int], rows: Rows) -> None:
    html = "<html>Bad gateway</html>"
    keep(body(html))
    keep(body(html))
    keep(Rejected("no matter what", html), endpoint="/elsewhere", is_body=True)
    assert rows("SELECT endpoint, is_body, times_seen FROM ops.quarantine ORDER BY id") == [
        (PATH, True, 2),
        ("/elsewhere", True, 1),
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        ("🔥 £ \x01 \u2028", "🔥 £ \x01 \u2028"),
        ("", ""),
        ("'; DROP TABLE ops.quarantine; --", "'; DROP TABLE ops.quarantine; --"),
    ],
    ids=ascii,
)
def test_text_that_postgresql_cannot_hold_is_kept_readably(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], text: str, kept: str
) -> None:
    keep(Rejected(f"body: {text}", text))
    (entry,) = open_entries(connection)
    assert (entry.reason, entry.payload) == (f"body: {kept}", kept)


def test_a_huge_body_is_cut_and_still_recognised(keep: Callable[..., int], rows: Rows) -> None:
    keep(body("x" * (MAX_PAYLOAD + 1)))
    keep(body("x" * (MAX_PAYLOAD + 2)))
    assert rows("SELECT length(payload), times_seen FROM ops.quarantine") == [(MAX_PAYLOAD, 2)]


def test_a_reject_is_not_kept_in_a_transaction_whose_rollback_would_lose_it(
    connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    parsed = parse_intensity({"data": [intensity(), 7]}, DAY)
    with write_transaction(connection, "raw.intensity"), pytest.raises(ValueError, match="outside"):
        keep(*parsed.rejected)
    keep(*parsed.rejected)
    assert rows("SELECT payload FROM ops.quarantine") == [("7",)]


# Judging again


def test_a_record_that_is_good_after_a_fix_enters_raw_as_of_its_first_capture(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    # What today's rules accept was rejected by yesterday's, or so the entries say.
    keep(record(intensity(T0, actual=99)))
    keep(record(intensity(T0, actual=99)), captured_at=LATER)
    keep(record(mix(T0 + timedelta(days=1))), asset="raw.generation")
    assert replay(connection) == Replayed(
        accepted=2,
        still_rejected=0,
        days=frozenset({date(2026, 1, 1), date(2026, 1, 2)}),
    )
    assert rows("SELECT period_start, captured_at, actual_gco2_kwh FROM raw.intensity") == [
        (T0, SEEN, 99)
    ]
    assert rows("SELECT period_start, captured_at, gas_pct FROM raw.generation") == [
        (T0 + timedelta(days=1), SEEN, 30)
    ]
    assert open_entries(connection) == []
    assert rows("SELECT count(*) FROM ops.quarantine WHERE resolved_at IS NOT NULL") == [(2,)]


def test_a_resolved_entry_is_not_replayed_and_the_same_record_opens_a_new_one(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    keep(record(intensity()))
    assert replay(connection).accepted == 1
    assert replay(connection) == Replayed(0, 0, frozenset())
    keep(record(intensity()), captured_at=LATER)
    assert len(open_entries(connection)) == 1
    assert rows("SELECT count(*) FROM ops.quarantine") == [(2,)]


def test_what_is_known_since_is_not_overwritten_by_an_older_record(
    connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    keep(record(intensity(actual=99)))
    newer = parse_intensity({"data": [intensity(actual=105)]}, DAY)
    with write_transaction(connection, "raw.intensity"):
        load_intensity(connection, [Capture(newer.rows, LATER)])
    assert replay(connection).accepted == 1
    assert rows("SELECT captured_at, actual_gco2_kwh FROM raw.intensity ORDER BY 1") == [
        (SEEN, 99),
        (LATER, 105),
    ]


def test_a_body_that_is_good_after_a_fix_is_loaded_whole(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    document = {"data": [intensity(T0 + n * HALF_HOUR, actual=n) for n in range(48)]}
    keep(body(document))
    assert replay(connection) == Replayed(1, 0, frozenset({date(2026, 1, 1)}))
    assert rows("SELECT count(*), sum(actual_gco2_kwh) FROM raw.intensity") == [(48, 47 * 24)]


STILL_BAD = [
    record(intensity(actual="x")),
    record(intensity(actual=1) | {"from": "2026-01-01T00:17Z"}),
    record("7"),
    record("null"),
    record("{}"),
    record("not JSON"),
    record([intensity()], "record: it is not a JSON object"),
    record('{"from": "2026-01-01T00:00Z", "intensity": {"actual": NaN}}'),
    body("<html>Bad gateway</html>"),
    body("{}"),
    body('{"data": []}'),
    body("[]"),
    body('{"data": [7]}'),
    body({"data": [intensity(), intensity(T0 + HALF_HOUR, actual="x")]}),
    body(json.dumps({"data": [intensity()]})[:-3]),
    # JSON that Python's reader gives up on with errors of its own
    body("[" * MAX_PAYLOAD),
    record('{"a": ' * 5_000),
    body('{"data": 1e9999999999999999999999}'),
    body('{"data": ' + "1" * 5_000 + "}"),
]


@pytest.mark.parametrize("bad", STILL_BAD, ids=lambda bad: bad.payload[:40])
def test_what_is_still_bad_stays_open_and_writes_nothing(
    warehouse: SecretStr,
    connection: Connection,
    keep: Callable[..., int],
    rows: Rows,
    bad: Rejected,
) -> None:
    keep(bad)
    # A good one behind it is not kept waiting.
    keep(record(mix()), asset="raw.generation")
    assert replay(connection) == Replayed(1, 1, frozenset({date(2026, 1, 1)}))
    (entry,) = open_entries(connection)
    assert entry.payload == bad.payload[:MAX_PAYLOAD]
    assert rows("SELECT count(*) FROM raw.intensity") == [(0,)]


def test_a_real_reject_stays_rejected_while_the_rules_are_the_same(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    documents = [mix(gas=90), mix(gas="30"), mix(wind=float("nan")), mix(gas=1e-20)]
    rejected = [
        reject
        for document in documents
        for reject in parse_generation({"data": [document]}, DAY).rejected
    ]
    assert len(rejected) == len(documents)
    keep(*rejected, asset="raw.generation")
    assert replay(connection) == Replayed(0, 4, frozenset())
    assert rows("SELECT count(*) FROM raw.generation") == [(0,)]


def test_a_half_hour_that_stood_twice_stays_rejected_with_all_of_its_versions(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    parsed = parse_intensity({"data": [intensity(actual=1), intensity(actual=2)]}, DAY)
    keep(*parsed.rejected)
    assert replay(connection) == Replayed(0, 1, frozenset())
    assert rows("SELECT count(*) FROM raw.intensity") == [(0,)]


def test_a_half_hour_of_a_forecast_joins_the_capture_that_it_was_missing_from(
    connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    captured = parse_intensity({"data": [intensity(T0 + HALF_HOUR, actual=None)]}, DAY)
    with write_transaction(connection, "raw.neso_forecast"):
        load_neso_forecast(connection, captured.rows, SEEN, True)
    late = [intensity(T0, forecast=90), intensity(T0 + 2 * HALF_HOUR, forecast=None)]
    keep(*map(record, late), asset="raw.neso_forecast")
    # No core partition hangs on a forecast, so there is no day to make again.
    assert replay(connection) == Replayed(2, 0, frozenset())
    assert rows("SELECT * FROM raw.neso_forecast ORDER BY period_start") == [
        (SEEN, T0, 90, True),
        (SEEN, T0 + HALF_HOUR, 100, True),
    ]


def test_a_mix_refused_on_its_way_into_core_is_left_to_its_writer(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int]
) -> None:
    keep(record(mix(), "mix: an old fault"), asset="core.generation_mix", endpoint="raw")
    assert replay(connection) == Replayed(0, 1, frozenset())


def test_an_entry_is_resolved_only_together_with_its_rows(
    warehouse: SecretStr, connection: Connection, keep: Callable[..., int], rows: Rows
) -> None:
    keep(record(intensity(index="forbidden")))
    rows(
        "ALTER TABLE raw.intensity ADD CONSTRAINT for_a_test "
        "CHECK (intensity_index IS DISTINCT FROM 'forbidden')"
    )
    try:
        with pytest.raises(Exception, match="for_a_test"):
            replay(connection)
    finally:
        rows("ALTER TABLE raw.intensity DROP CONSTRAINT for_a_test")
    assert len(open_entries(connection)) == 1
    assert replay(connection).accepted == 1
