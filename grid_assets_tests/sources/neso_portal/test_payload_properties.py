"""Properties of parsing: any table is accounted for, and values keep their half-hour."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grid_assets.halfhours import HALF_HOUR, LONDON
from grid_assets.sources.neso_portal.archives import (
    parse_day_ahead_demand,
    parse_day_ahead_wind_archive,
    parse_embedded_archive,
)
from grid_assets.sources.neso_portal.collecting import Parsed
from grid_assets.sources.neso_portal.labels import london_instants, settlement_start
from grid_assets.sources.neso_portal.payloads import (
    parse_day_ahead_wind,
    parse_demand_2_14_days,
    parse_embedded,
    parse_embedded_outturn,
)
from grid_assets.sources.neso_portal.tables import Table, table_of_csv, table_of_result
from grid_assets.sources.records import TWICE, as_json
from grid_assets_tests.properties import PROPERTY
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import at, csv_of, result_of

LONGEST_REASON = 400
NOW = at("2026-08-16T18:25")

Parse = Callable[[Table], Parsed[Any]]
Make = Callable[..., dict[str, Any]]

PARSERS: dict[str, tuple[Parse, Make]] = {
    "embedded": (lambda table: parse_embedded(table, NOW), bodies.embedded),
    "wind": (lambda table: parse_day_ahead_wind(table, NOW), bodies.wind),
    "demand": (lambda table: parse_demand_2_14_days(table, NOW), bodies.demand),
    "outturn": (parse_embedded_outturn, bodies.outturn),
    "embedded archive": (
        parse_embedded_archive,
        lambda start, **other: bodies.embedded(
            start, **{"Forecast_Datetime": "2026-01-05T08:52:00", **other}
        ),
    ),
    "wind archive": (
        parse_day_ahead_wind_archive,
        lambda start, **other: bodies.wind(
            start, **{"Forecast_Timestamp": "2020-01-05T08:52:00", **other}
        ),
    ),
    "day-ahead demand": (parse_day_ahead_demand, bodies.performance),
}

texts = st.text(st.sampled_from("ab1 .é\n\0\N{FIRE}\ud800<"), max_size=8) | st.just("x" * 200)
numbers = st.integers(-(10**40), 10**40) | st.floats() | st.sampled_from([0, -0.0, 1e308, 10**400])
times = st.sampled_from(["2026-08-16T00:00:00Z", "9999-12-31", "0001-01-01", "24:00", "00:30"])
scalars = st.none() | st.booleans() | numbers | texts | times
any_json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
half_hours = st.integers(0, 17_520).map(lambda step: at("2024-01-01T00:00") + step * HALF_HOUR)
kinds = st.sampled_from(sorted(PARSERS))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Parse, Table]:
    """A parser and a table for it in which any cell may be anything."""
    parse, make = PARSERS[draw(kinds)]
    records: list[Any] = []
    for start in draw(st.lists(half_hours, min_size=1, max_size=4)):
        record = make(start)
        for name in draw(st.lists(st.sampled_from(sorted(record)), max_size=2)):
            record[name] = draw(any_json)
        records.append(record)
    fields = [{"id": name} for name in records[0]]
    records += draw(st.lists(any_json, max_size=2))
    text = json.dumps({"result": {"fields": fields, "records": records}})
    return parse, table_of_result(result_of(text))


@PROPERTY
@given(tables())
def test_every_record_is_a_value_or_rejected_or_skipped(given: tuple[Parse, Table]) -> None:
    parse, table = given
    parsed = parse(table)
    assert all(len(reject.reason) < LONGEST_REASON for reject in parsed.rejected)
    payloads = {reject.payload for reject in parsed.rejected}
    doubles = sum(
        len(json.loads(reject.payload)) for reject in parsed.rejected if reject.reason == TWICE
    )
    alone = [reject for reject in parsed.rejected if reject.reason != TWICE]
    kept = {
        (getattr(row, "published_at", None), start)
        for row in parsed.rows
        for start in getattr(row, "values", None) or [row.period_start]
    }
    # Equal rows of one half-hour count once, so the sum may be smaller, and never zero.
    assert len(alone) + doubles + parsed.skipped + len(kept) <= len(table.records) or not kept
    assert not table.records or kept or parsed.rejected or parsed.skipped
    assert all(
        payload.startswith("[") or payload in {as_json(record) for record in table.records}
        for payload in payloads
    )


@PROPERTY
@given(
    st.dictionaries(st.sampled_from(["fields", "records", "total"]), any_json),
    st.sampled_from(sorted(PARSERS)),
)
def test_any_result_is_read_without_another_exception(result: dict[str, Any], kind: str) -> None:
    received = result_of(json.dumps({"result": result}))
    if isinstance(received.get("records"), list):
        PARSERS[kind][0](table_of_result(received))


@PROPERTY
@given(st.text(max_size=200), st.sampled_from(sorted(PARSERS)))
def test_any_text_is_read_as_csv_or_refused(text: str, kind: str) -> None:
    try:
        table = table_of_csv(text)
    except ValueError:
        return
    parsed = PARSERS[kind][0](table)
    assert parsed.rows == []
    assert parsed.rejected


@PROPERTY
@given(st.lists(half_hours, min_size=1, max_size=20, unique=True), kinds)
def test_sound_records_keep_their_half_hour_in_json_and_csv(
    chosen: list[datetime], kind: str
) -> None:
    parse, make = PARSERS[kind]
    records = [make(start) for start in chosen]
    parsed = parse(bodies.table(*records))
    found = {
        start for row in parsed.rows for start in getattr(row, "values", None) or [row.period_start]
    }
    assert found == set(chosen)
    assert (parsed.rejected, parsed.skipped) == ([], 0)
    assert parse(table_of_csv(csv_of(records).decode())) == parsed


@PROPERTY
@given(half_hours)
def test_settlement_periods_and_london_times_lead_back_to_their_instant(start: datetime) -> None:
    where = bodies.settlement(start)
    day = datetime.fromisoformat(where["SETTLEMENT_DATE"]).date()
    assert settlement_start(day, where["SETTLEMENT_PERIOD"]) == start
    assert start in london_instants(start.astimezone(LONDON).replace(tzinfo=None))
