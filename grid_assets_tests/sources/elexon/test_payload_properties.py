"""Properties of parsing: any JSON is accounted for, and each record is judged alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grid_assets.halfhours import HALF_HOUR, days_window
from grid_assets.sources.elexon import queries
from grid_assets.sources.elexon.client import read_json
from grid_assets.sources.elexon.payloads import (
    Parsed,
    parse_demand_forecasts,
    parse_demand_outturn,
    parse_generation,
    parse_wind_forecasts,
)
from grid_assets.sources.elexon.queries import Query
from grid_assets.sources.records import TWICE
from grid_assets_tests.properties import PROPERTY
from grid_assets_tests.sources.elexon.records import (
    NEVER,
    as_received,
    demand,
    fuel,
    outturn,
    seconds,
    wind,
)

Parse = Callable[..., Parsed[Any]]
Value = tuple[Any, ...]

DAY = days_window(date(2026, 10, 25), date(2026, 10, 25))
"""The day on which summer time ends: its London day has 50 periods."""
LONGEST_REASON = 300

DATASETS: tuple[tuple[Parse, Query], ...] = (
    (parse_wind_forecasts, next(queries.wind_forecasts(DAY))),
    (parse_demand_forecasts, next(queries.demand_forecasts(DAY))),
    (parse_generation, next(queries.generation(DAY))),
    (parse_demand_outturn, next(queries.demand_outturn(DAY))),
)

texts = st.text(st.sampled_from("ab1 .é\n\0\N{FIRE}\ud800<"), max_size=8) | st.just("x" * 200)
numbers = (
    st.integers(-(10**40), 10**40)
    | st.floats()
    | st.sampled_from([0, -0.0, 0.5, 48, 5000.0, 1e308, 10**400])
)
times = st.sampled_from(
    ["0001-01-01T00:00:00Z", "9999-12-31T23:30:00Z", "2026-10-25T06:00:00", "2026-10-25"]
)
scalars = st.none() | st.booleans() | numbers | texts | times
any_json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


@st.composite
def good_records(draw: st.DrawFn) -> dict[str, Any]:
    """A record of one of the datasets; times and values are few, so that some clash."""
    start = DAY.start + draw(st.integers(-2, 50)) * HALF_HOUR
    issue = DAY.start + draw(st.integers(-1, 49)) * HALF_HOUR
    mw = draw(st.sampled_from([5000, 5001, None]))
    records = [
        wind(seconds(issue), seconds(start.replace(minute=0)), mw),
        demand(seconds(issue), seconds(start), mw),
        fuel(seconds(start), draw(st.sampled_from(["WIND", "INTNEW"])), mw),
        outturn(seconds(start), mw),
    ]
    record = draw(st.sampled_from(records))
    if draw(st.booleans()):
        del record["dataset"]
    return record


@st.composite
def damaged_records(draw: st.DrawFn) -> Any:
    """A good record of which one value is replaced or removed."""
    record = draw(good_records())
    name = draw(st.sampled_from(sorted(record)))
    if draw(st.booleans()):
        del record[name]
    else:
        record[name] = draw(any_json)
    return record


any_record = good_records() | damaged_records() | any_json


def values_of(parsed: Parsed[Any]) -> dict[tuple[Any, ...], Any]:
    """The values of all rows by what identifies them."""
    found: dict[tuple[Any, ...], Any] = {}
    for row in parsed.rows:
        if hasattr(row, "values"):
            found |= {(row.published_at, start): mw for start, mw in row.values.items()}
        elif hasattr(row, "generation_mw"):
            found |= {(row.period_start, name): mw for name, mw in row.generation_mw.items()}
        else:
            found[(row.period_start,)] = row.demand_mw
    return found


@PROPERTY
@given(any_json | st.dictionaries(st.sampled_from(["data", "metadata", "errors"]), any_json))
def test_any_document_is_parsed_without_an_exception(document: Any) -> None:
    received = json.loads(json.dumps(document))
    for parse, query in DATASETS:
        parsed = parse(received, query, NEVER)
        assert all(len(reject.reason) < LONGEST_REASON for reject in parsed.rejected)


@PROPERTY
@given(any_record)
def test_any_record_is_a_value_or_rejected_or_skipped_and_stays_rejected(record: Any) -> None:
    for parse, query in DATASETS:
        parsed = parse(as_received(record), query, NEVER)
        unasked = any(reject.reason.startswith("body: ") for reject in parsed.rejected)
        accounted = len(values_of(parsed)) + len(parsed.rejected) + parsed.skipped
        assert accounted == (2 if unasked else 1)
        for reject in parsed.rejected:
            assert len(reject.reason) < LONGEST_REASON
            again = parse(read_json("/test", f'{{"data":[{reject.payload}]}}'), query, NEVER)
            assert again.rows == []
            if not unasked:
                assert [repeated.payload for repeated in again.rejected] == [reject.payload]


@PROPERTY
@given(st.lists(any_record, max_size=6))
def test_records_are_judged_alone_and_versions_of_one_value_together(records: list[Any]) -> None:
    for parse, query in DATASETS:
        alone = [parse(as_received(record), query, NEVER) for record in records]
        versions: dict[tuple[Any, ...], set[tuple[Any, datetime]]] = {}
        for one in alone:
            for key, mw in values_of(one).items():
                versions.setdefault(key, set()).add((mw, one.rows[0].published_at))

        parsed = parse(as_received(*records), query, NEVER)

        # A version that is published later replaces; two of one publication cancel each other.
        expected: dict[tuple[Any, ...], Any] = {}
        conflicts = 0
        for key, found in versions.items():
            by_time: dict[datetime, list[Any]] = {}
            for mw, published_at in found:
                by_time.setdefault(published_at, []).append(mw)
            conflicts += sum(len(mws) > 1 for mws in by_time.values())
            if sound := [when for when, mws in by_time.items() if len(mws) == 1]:
                [expected[key]] = by_time[max(sound)]
        assert values_of(parsed) == expected
        assert sum(reject.reason == TWICE for reject in parsed.rejected) == conflicts

        def judged(parsed: Parsed[Any]) -> list[tuple[str, str]]:
            return [
                (reject.reason, reject.payload)
                for reject in parsed.rejected
                if reject.reason != TWICE and not reject.reason.startswith("body: ")
            ]

        assert Counter(judged(parsed)) == Counter(reject for one in alone for reject in judged(one))


@PROPERTY
@given(st.lists(good_records(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_a_response_does_not_matter(records: list[Any], random: Any) -> None:
    shuffled = records.copy()
    random.shuffle(shuffled)
    for parse, query in DATASETS:
        one, other = (parse(as_received(*given), query, NEVER) for given in (records, shuffled))
        assert one.rows == other.rows
        assert one.skipped == other.skipped
        assert len(one.rejected) == len(other.rejected)
