"""Every number of the feeds equals the database's, read from tables by statements of this test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import pytest

from grid_assets.feeds.read import DAYS, HOURS
from grid_assets.feeds.values import Document, stamp
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.series import FUELS
from grid_assets_tests.feeds.conftest import DAY, Filled
from grid_assets_tests.forecasting.regions.captured import IDS

ORDER: Final = ("blend", "chronos", "gradient_boosting", "seasonal_naive", "neso")
PLACES: Final = (None, *IDS)
"""Great Britain and the regions."""

Steps = dict[datetime, tuple[str, Any, Any, Any]]
"""Model, p10, p50 and p90 by half-hour."""


def two_decimals(value: Any) -> float | None:
    """As PostgreSQL rounds."""
    return None if value is None else float(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def tenths(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def rows(filled: Filled, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return filled.connection.execute(query.encode(), values).fetchall()


@pytest.fixture(scope="module")
def expected(filled: Filled) -> Callable[[int | None], Steps]:
    """The forecast of a place by half-hour, of the first model that has one."""
    national = [
        (None, at, *found)
        for at, *found in rows(
            filled,
            "SELECT period_start, model, p10, p50, p90 FROM forecast.latest "
            "WHERE series = 'carbon_intensity'",
        )
    ]
    published = rows(
        filled,
        "SELECT region_id, period_start, 'neso', NULL, forecast_gco2_kwh, NULL "
        "FROM raw.regional_forecast WHERE period_start >= issued_at",
    )
    started = rows(
        filled,
        "SELECT region_id, period_start, 'neso', NULL, intensity_gco2_kwh, NULL "
        "FROM core.regional_intensity WHERE period_start = %s",
        floor(filled.now),
    )
    of_model = {(at, model): p50 for _, at, model, _, p50, _ in national}
    derived = [
        (13, at, "blend", max(0, moved - Decimal("12.5")), moved, moved + Decimal("12.5"))
        for region, at, _, _, p50, _ in published
        if region == 13 and (at, "blend") in of_model
        for moved in [tenths(p50 + (of_model[at, "blend"] - of_model[at, "neso"]) / 2)]
    ]
    by_place: dict[int | None, Steps] = {place: {} for place in PLACES}
    for place, at, *found in (*national, *published, *started, *derived):
        known = by_place[place].get(at)
        if known is None or ORDER.index(found[0]) < ORDER.index(known[0]):
            by_place[place][at] = (found[0], found[1], found[2], found[3])
    return by_place.__getitem__


def feed(filled: Filled, place: int | None, part: str) -> Document:
    made = filled.made
    found: Document = made[f"{part}.json"] if place is None else made[f"regions/{place}.json"][part]
    return found


@pytest.mark.parametrize("place", PLACES)
def test_forecasts(
    filled: Filled, expected: Callable[[int | None], Steps], place: int | None
) -> None:
    first = floor(filled.now)
    known = expected(place)
    for step, one in enumerate(feed(filled, place, "forecast")["half_hours"]):
        model, p10, p50, p90 = known.get(first + step * HALF_HOUR, (None, None, None, None))
        assert one["model"] == model
        found = (one["p10"], one["value"], one["p90"])
        assert found == tuple(map(two_decimals, (p10, p50, p90)))


@pytest.mark.parametrize("place", [None, 7, 13])
def test_greenest_windows(
    filled: Filled, expected: Callable[[int | None], Steps], place: int | None
) -> None:
    """By hand: the mean of each stretch, of the model that is shown first."""
    start = floor(filled.now) + HALF_HOUR
    known = expected(place)
    values = [known[start + n * HALF_HOUR][2] for n in range(DAY // HALF_HOUR)]
    windows = {one["hours"]: one for one in feed(filled, place, "greenest")["windows"]}
    assert tuple(windows) == HOURS
    for hours, one in windows.items():
        length = 2 * hours
        totals = [sum(values[n : n + length]) for n in range(len(values) - length + 1)]
        best = totals.index(min(totals))
        assert one["period_start"] == stamp(start + best * HALF_HOUR)
        assert one["period_end"] == stamp(start + (best + length) * HALF_HOUR)
        assert one["value"] == float(tenths(totals[best] / length))
        assert one["saved"] == float(tenths((totals[0] - totals[best]) / length))
        assert one["model"] == known[start][0]


def test_what_is_newest(filled: Filled, expected: Callable[[int | None], Steps]) -> None:
    now = filled.made["now.json"]
    [(start, actual)] = rows(
        filled,
        "SELECT period_start, actual_gco2_kwh FROM core.intensity "
        "WHERE actual_gco2_kwh IS NOT NULL ORDER BY 1 DESC LIMIT 1",
    )
    assert (now["carbon_intensity"]["period_start"], now["carbon_intensity"]["value"]) == (
        stamp(start),
        actual,
    )
    current = now["forecast"]
    _, *quantiles = expected(None)[floor(filled.now)]
    found = [current["p10"], current["value"], current["p90"]]
    assert found == [two_decimals(value) for value in quantiles]
    newest = rows(
        filled,
        "SELECT DISTINCT ON (region_id) region_id, period_start, intensity_gco2_kwh "
        "FROM core.regional_intensity ORDER BY region_id, period_start DESC",
    )
    assert [(one["region_id"], one["period_start"], one["value"]) for one in now["regions"]] == [
        (region, stamp(at), two_decimals(value)) for region, at, value in newest
    ]
    for one in now["regions"]:
        assert filled.made[f"regions/{one['region_id']}.json"]["now"] == one


@pytest.mark.parametrize("place", PLACES)
def test_mixes(filled: Filled, place: int | None) -> None:
    if place is None:
        query, values = "SELECT period_start, to_jsonb(m) FROM core.generation_mix AS m", []
    else:
        query = "SELECT period_start, to_jsonb(m) FROM core.regional_mix AS m WHERE region_id = %s"
        values = [place]
    start, row = rows(filled, f"{query} ORDER BY period_start DESC LIMIT 1", *values)[0]
    mix = filled.made["now.json" if place is None else f"regions/{place}.json"]["mix"]
    known = {fuel: row[f"{fuel}_pct"] for fuel in FUELS}
    assert mix["period_start"] == stamp(start)
    assert mix["shares"] == {fuel: two_decimals(share) for fuel, share in known.items()}
    assert sum(Decimal(str(share or 0)) for share in mix["shares"].values()) == 100

    def together(*fuels: str) -> float | None:
        return two_decimals(sum(known[fuel] or 0 for fuel in fuels))

    assert mix["groups"] == {
        "renewable": together("wind", "solar", "hydro"),
        "zero_carbon": together("wind", "solar", "hydro", "nuclear"),
        "fossil": together("gas", "coal"),
    }


def scores(found: Sequence[tuple[Any, ...]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Rows of model, bucket, n, absolute errors, errors and, if known, forecasts in a band."""
    return {
        (model, bucket): {
            "lead_bucket": bucket,
            "n": n,
            "mae": two_decimals(absolute / n),
            "bias": two_decimals(error / n),
            **dict(zip(("inside_80_pct",), map(two_decimals, inside), strict=False)),
        }
        for model, bucket, n, absolute, error, *inside in found
    }


def shown(document: Document) -> dict[tuple[str, str], Document]:
    return {
        (model["model"], lead["lead_bucket"]): lead
        for model in document["models"]
        for lead in model["leads"]
    }


def test_errors(filled: Filled) -> None:
    recent = filled.now.date() - (DAYS - 1) * DAY
    national = rows(
        filled,
        "SELECT model, lead_bucket, sum(n), sum(abs_error_sum), sum(error_sum), "
        "100.0 * sum(n_inside_80) / nullif(sum(n_band), 0) FROM forecast.accuracy "
        "WHERE series = 'carbon_intensity' AND target_date >= %s GROUP BY 1, 2",
        recent,
    )
    assert len(national) == 6
    accuracy = filled.made["accuracy.json"]
    assert shown(accuracy) == scores(national)
    assert [one["model"] for one in accuracy["models"]][:2] == ["blend", "neso"]
    for region in IDS:
        found = rows(
            filled,
            "SELECT model, lead_bucket, sum(n), sum(abs_error_sum), sum(error_sum) "
            "FROM forecast.regional_accuracy WHERE region_id = %s AND target_date >= %s "
            "GROUP BY 1, 2",
            region,
            recent,
        )
        assert shown(filled.made[f"regions/{region}.json"]["accuracy"]) == scores(found)
        assert len(found) == (region in (13, 18))


@pytest.mark.parametrize("place", PLACES)
def test_nesos_own_forecasts_stand_beside(filled: Filled, place: int | None) -> None:
    known = dict(
        rows(
            filled,
            "SELECT period_start, p50 FROM forecast.latest "
            "WHERE series = 'carbon_intensity' AND model = 'neso'",
        )
        if place is None
        else rows(
            filled,
            "SELECT period_start, forecast_gco2_kwh FROM raw.regional_forecast "
            "WHERE region_id = %s AND period_start >= issued_at "
            "UNION SELECT period_start, intensity_gco2_kwh FROM core.regional_intensity "
            "WHERE region_id = %s AND period_start = %s",
            *(place, place, floor(filled.now)),
        )
    )
    half_hours = feed(filled, place, "forecast")["half_hours"]
    for step, one in enumerate(half_hours):
        value = known.get(floor(filled.now) + step * HALF_HOUR)
        assert one["neso"] == two_decimals(value)
        assert one["neso_kind"] == (None if value is None else "forecast")
    assert sum(one["neso"] is not None for one in half_hours) >= 94
    if place in (None, 13):  # where another model speaks
        assert any(one["neso"] != one["value"] for one in half_hours)


def test_greenest_hours_of_postcodes_are_those_of_their_regions(filled: Filled) -> None:
    found = filled.made["postcodes.json"]["regions"]
    assert found == {
        str(region): {
            name: filled.made[f"regions/{region}.json"][name]
            for name in ("region_id", "short_name", "greenest")
        }
        for region in IDS
    }
    assert len(found["13"]["greenest"]["windows"]) == len(HOURS)


def test_regions_of_postcodes(filled: Filled) -> None:
    found = filled.made["postcodes.json"]["outward_codes"]
    assert found == dict(rows(filled, "SELECT outward_code, region_id FROM core.outward_codes"))
    [(region,)] = rows(filled, "SELECT region_id FROM reporting.region_of_postcode('rg10 9ny')")
    assert found["RG10"] == region


COMPARED: Final = {
    *("value", "p10", "p90", "neso", "saved"),  # forecasts, windows, what is newest
    *("n", "mae", "bias", "inside_80_pct"),
    *(*FUELS, "renewable", "zero_carbon", "fossil"),
}

NOT_OF_THE_DATABASE: Final = {"age_s", "days", "hours", "within_hours", "region_id"}


def test_there_is_no_number_that_is_not_compared(filled: Filled) -> None:
    def numbers(node: Any, name: str = "") -> Iterator[str]:
        if isinstance(node, dict):
            for key, inner in node.items():
                yield from numbers(inner, key)
        elif isinstance(node, list):
            for inner in node:
                yield from numbers(inner, name)
        elif isinstance(node, int | float):
            yield name

    documents = [one for name, one in filled.made.items() if name != "postcodes.json"]
    found = {name for document in documents for name in numbers(document)}
    assert found <= COMPARED | NOT_OF_THE_DATABASE
    assert found >= COMPARED - {*FUELS}
