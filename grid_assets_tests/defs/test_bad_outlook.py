"""Bad records of Elexon and the NESO Data Portal: each is kept with its reason, the others are
loaded and published, and nothing impossible reaches what a forecast sees.

Both replays have the fault at once; database and runs are real. Answers of which nothing can be
used are in `outlook/test_bad_answers.py`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final

import pytest

from grid_assets.defs.planning import OUTLOOK
from grid_assets.outlook.sources import ENDPOINTS, FUELHH, INDO
from grid_assets.replay.outlook_faults import OF_ROWS
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.neso_portal import datasets
from grid_assets_tests.defs import test_outlook
from grid_assets_tests.defs.conftest import Tables, failed_checks
from grid_assets_tests.defs.test_outlook import Rows, Run, states

instance, run = test_outlook.instance, test_outlook.run

EMBEDDED: Final = datasets.EMBEDDED.source
ELEXON: Final = (WINDFOR, NDF, FUELHH, INDO)


def of(reason: str, *names: str, embedded: str | None = None) -> dict[str, str]:
    """Reasons by dataset: the same for some of Elexon's, and one for the embedded forecast."""
    found = dict.fromkeys(names or ELEXON, reason)
    return found | ({} if embedded is None else {EMBEDDED: embedded})


UNIT = r"^body: .* the unit must have changed"
OUTSIDE = r"^body: all of its \d+ records are outside"

REASONS: dict[str, dict[str, str]] = {
    "nan": of("nan is not a finite number", embedded="nan is not from 0 to"),
    "null_value": {},
    "string_value": of("' is not a number"),  # the portal's CSV has nothing but text
    "negative": of("-500 MW is not between", WINDFOR, NDF, INDO, embedded="-500 is not from 0"),
    "absurd": of(r"1\.0+e\+6 MW is not between", embedded="1000000 is not from 0 to"),
    "missing_field": of("the field is missing"),
    "not_a_dict": of("^record: it is not", WINDFOR, FUELHH),  # counted again for the others
    "duplicate": {},
    "duplicate_conflict": of(
        "appears twice with different values", embedded="appears twice with different values"
    ),
    "off_grid": of("is not a step of", embedded="is not that of settlement period"),
    "zeros": of("0 MW is not between", NDF, INDO, embedded=UNIT),
    "halved": {},
    "gigawatts": of(r"MW is not between|not a whole number of MW", embedded=UNIT),
    "holes": {},
    "overlap": of("is not a step of", embedded="is not that of settlement period"),
    "older": of("before the end of the half-hour", FUELHH, INDO),
    "wrong_window": {},
    "renamed": of("the field is missing", embedded=r"^body: the column \w+ is missing"),
    "recased": of("publishTime: None is not"),  # the portal does change its case
    "series_ends": {},
    # of the others, the newest publication may have the day's first half-hours alone
    "periods": of("^settlement: ", NDF, embedded="settlement period"),
}
ALL_LOST: Final = ("renamed", "recased")


def test_every_fault_of_rows_is_here() -> None:
    assert REASONS.keys() == OF_ROWS.keys()


CASES = [pytest.param({"name": name}, reasons, id=name) for name, reasons in REASONS.items()]
CASES.append(pytest.param({"name": "periods", "periods": 46}, REASONS["periods"], id="periods-46"))


@pytest.mark.parametrize(("fault", "reasons"), CASES)
def test_a_bad_record_is_kept_with_its_reason_and_the_others_are_published(
    fault: dict[str, Any],
    reasons: dict[str, str],
    run: Run,
    today: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
) -> None:
    for source in ("elexon", "neso_portal"):
        replay.control.fault({**fault, "source": source})
    ran = run(today - timedelta(days=1), today, OUTLOOK)
    assert ran.success
    assert set(states(tables).values()) == {"success"}, tables.attempts()

    found: defaultdict[str, list[str]] = defaultdict(list)
    for entry in tables.quarantine():
        found[entry.endpoint].append(entry.reason)
    for dataset, reason in reasons.items():
        kept = found[ENDPOINTS[dataset]]
        assert [one for one in kept if re.search(reason, one)] == kept != [], (dataset, kept)
    if fault["name"] == "wrong_window":
        # from 00:15 to 00:45 the newest publication of demand is all that is asked for
        assert all(re.match(OUTSIDE, one) for kept in found.values() for one in kept)
    elif not reasons:
        assert not found

    # What a forecast sees is possible, and only a fault of everything costs all of a source.
    known = {
        series: (count, least, most)
        for series, count, least, most in rows(
            "SELECT series, count(*), min(value_mw), max(value_mw) "
            "FROM core.outlook_as_known_at(now()) WHERE period_start >= now() GROUP BY 1"
        )
    }
    halves = 0.5 if fault["name"] == "halved" else 1
    for series, least, most in (
        ("demand_mw", 10_000 * halves, 60_000),
        ("wind_mw", 0, 30_000),
        ("embedded_wind_mw", 0, 10_000),
        ("embedded_solar_mw", 0, 20_000),
    ):
        if series in known:
            assert least <= known[series][1] <= known[series][2] <= most, (series, known)
    [(half_hours, fueled)] = rows("SELECT count(*), count(nuclear_mw) FROM core.generation_mw")
    if fault["name"] in ALL_LOST:
        assert half_hours == 0
    else:
        assert {"demand_mw", "wind_mw"} <= known.keys()
        # all of yesterday, but for one, and another one in the first minutes of a day
        assert half_hours >= 46
        assert fueled >= half_hours - 1
    if fault["name"] in (*ALL_LOST, "overlap"):
        assert ("raw.outlook", "few_quarantined", "WARN") in failed_checks(ran)
