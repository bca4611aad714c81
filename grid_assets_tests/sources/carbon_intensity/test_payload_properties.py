"""Properties of parsing: any JSON is accounted for, and published numbers stay exact."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grid_assets.halfhours import HALF_HOUR, api_time, days_window
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import (
    TWICE,
    Parsed,
    parse_generation,
    parse_intensity,
)
from grid_assets.sources.http.body import json_object
from grid_assets_tests.properties import PROPERTY

Parse = Callable[..., Parsed[Any]]

DAY = days_window(date(2026, 1, 1), date(2026, 1, 1))
LONGEST_REASON = 300

texts = st.text(st.sampled_from("ab1 .é\n\0\N{FIRE}\ud800<"), max_size=8) | st.just("x" * 200)
numbers = (
    st.integers(-(10**40), 10**40)
    | st.floats()
    | st.sampled_from([0, -0.0, 0.1, 100, 1e16, 1e308, 10**400])
)
# What JSON can write and a float cannot hold; `as_received` takes the quotes away.
long_numbers = st.sampled_from(["number:0.1000000000000000055", "number:12345678901234567.5"])
scalars = st.none() | st.booleans() | numbers | long_numbers | texts
any_json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)

starts = st.integers(-2, 50).map(lambda step: api_time(DAY.start + step * HALF_HOUR))
shares = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@st.composite
def good_records(draw: st.DrawFn) -> dict[str, Any]:
    """A record that both endpoints accept; half-hours and values are few, so that some clash."""
    start = draw(starts)
    gas = draw(st.sampled_from([40, 40.5]))
    return {
        "from": start,
        "intensity": {"forecast": draw(st.sampled_from([100, 101])), "index": "low"},
        "generationmix": [
            {"fuel": "gas", "perc": gas},
            {"fuel": "wind", "perc": 60},
            {"fuel": "tidal", "perc": 0.1},
        ],
    }


def paths(value: Any) -> list[tuple[Any, ...]]:
    """The place of every value inside a record."""
    if isinstance(value, dict):
        inner: list[tuple[Any, Any]] = list(value.items())
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    return [path for key, item in inner for path in [(key,), *((key, *p) for p in paths(item))]]


@st.composite
def damaged_records(draw: st.DrawFn) -> Any:
    """A good record of which any one value, of any depth, is replaced or removed."""
    record = draw(good_records())
    *outer, key = draw(st.sampled_from(paths(record)))
    holder = record
    for step in outer:
        holder = holder[step]
    if draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(any_json)
    return record


any_record = good_records() | damaged_records() | any_json
PARSERS: tuple[Parse, ...] = (parse_intensity, parse_generation)


def as_received(document: Any) -> dict[str, Any]:
    """The document after a trip through the client's own JSON reader."""
    return json_object("/test", re.sub(r'"number:([^"]+)"', r"\1", json.dumps(document)))


def is_kept(received: Any, kept: Any) -> bool:
    """Whether a payload holds the values that were received; a number may have become a text."""
    if isinstance(received, dict) and isinstance(kept, dict):
        return list(received) == list(kept) and is_kept([*received.values()], [*kept.values()])
    if isinstance(received, list) and isinstance(kept, list):
        return len(received) == len(kept) and all(map(is_kept, received, kept))
    if isinstance(received, Decimal):
        return Decimal(str(kept)) == received
    return repr(received) == repr(kept)


@PROPERTY
@given(st.dictionaries(st.sampled_from(["data", "error"]), any_json))
def test_any_document_is_parsed_without_an_exception(document: Any) -> None:
    for parse in PARSERS:
        parsed = parse(as_received(document), DAY)
        assert all(len(reject.reason) < LONGEST_REASON for reject in parsed.rejected)


@PROPERTY
@given(any_record)
def test_any_record_is_a_row_or_rejected_or_outside_and_stays_rejected(record: Any) -> None:
    document = as_received({"data": [record]})
    for parse in PARSERS:
        parsed = parse(document, DAY)
        assert len(parsed.rows) + len(parsed.rejected) + parsed.outside == 1
        assert all(row.period_start in DAY for row in parsed.rows)
        for reject in parsed.rejected:
            assert len(reject.reason) < LONGEST_REASON
            kept = json_object("/test", f'{{"data":[{reject.payload}]}}')
            assert is_kept(document, kept)
            again = parse(kept, DAY)
            assert again.rows == []
            assert [repeated.payload for repeated in again.rejected] == [reject.payload]


@PROPERTY
@given(st.lists(any_record, max_size=6))
def test_records_are_judged_alone_and_those_of_one_half_hour_together(records: list[Any]) -> None:
    for parse in PARSERS:
        alone = [parse(as_received({"data": [record]}), DAY) for record in records]
        versions: dict[datetime, set[str]] = {}
        for row in [row for one in alone for row in one.rows]:
            versions.setdefault(row.period_start, set()).add(repr(row))

        parsed = parse(as_received({"data": records}), DAY)

        assert [row.period_start for row in parsed.rows] == [
            start for start, rows in sorted(versions.items()) if len(rows) == 1
        ]
        assert all({repr(row)} == versions[row.period_start] for row in parsed.rows)
        assert parsed.outside == sum(one.outside for one in alone)
        assert Counter(reject for reject in parsed.rejected if reject.reason != TWICE) == Counter(
            reject for one in alone for reject in one.rejected
        )
        twice = [reject for reject in parsed.rejected if reject.reason == TWICE]
        assert len(twice) == sum(len(rows) > 1 for rows in versions.values())


printed = st.decimals(-999_999, 999_999, places=3).map(str) | st.integers(-9999, 9999).map(str)


@PROPERTY
@given(forecast=printed, actual=printed)
def test_an_intensity_is_exactly_the_number_that_was_printed(forecast: str, actual: str) -> None:
    body = (
        f'{{"data":[{{"from":"{api_time(DAY.start)}",'
        f'"intensity":{{"forecast":{forecast},"actual":{actual}}}}}]}}'
    )
    [row] = parse_intensity(json_object("/test", body), DAY).rows
    assert [str(row.forecast_gco2_kwh), str(row.actual_gco2_kwh)] == [forecast, actual]


@PROPERTY
@given(gas=st.decimals(0, 60, places=4))
def test_a_share_is_exactly_the_number_that_was_printed(gas: Decimal) -> None:
    body = (
        f'{{"data":[{{"from":"{api_time(DAY.start)}","generationmix":'
        f'[{{"fuel":"gas","perc":{gas}}},{{"fuel":"other","perc":{100 - gas}}}]}}]}}'
    )
    [row] = parse_generation(json_object("/test", body), DAY).rows
    assert [str(row.shares_pct[fuel]) for fuel in ("gas", "other")] == [str(gas), str(100 - gas)]
    assert all(row.shares_pct[fuel] is None for fuel in FUELS if fuel not in ("gas", "other"))
