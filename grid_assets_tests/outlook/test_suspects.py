"""Which publications are passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook.suspects import Chain, Issue, change, stamp_fault

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def issue(hours: float, level: float, *, half_hours: int = 96) -> Issue:
    """Published `hours` after `T0`, with one value for all half-hours from then on."""
    at = T0 + hours * HOUR
    return Issue(at, at, [level] * half_hours)


def verdicts(series: str, *issues: Issue) -> str:
    """A letter for each: `s` if suspect, `-` if not."""
    chain = Chain(series)
    return "".join("-" if chain.reason(one) is None else "s" for one in issues)


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ([6000, 6000, 3000, 6000, 6000], "--s--"),  # one bogus issue
        ([6000, 6600, 5400, 6600], "----"),  # the usual changes
        ([6000, 3000, 3000, 3000], "-s--"),  # a true change is confirmed by a second issue
        ([6000, 0, 12000, 6000], "-ss-"),  # two bogus issues that agree in nothing
        ([3000, 6000], "-s"),  # twice as much is as odd as half of it
        ([900, 300, 900], "---"),  # in a calm, a third is little
        ([0, 0, 0], "---"),
    ],
)
def test_an_issue_that_contradicts_both_before_it_is_suspect(levels: list[int], found: str) -> None:
    assert verdicts("wind_mw", *(issue(3 * n, mw) for n, mw in enumerate(levels))) == found


def test_the_reason_names_both() -> None:
    chain = Chain("demand_mw")
    assert [chain.reason(issue(n, mw)) for n, mw in enumerate((30_000, 15_000))] == [
        None,
        "differs by 50 % from that of 2026-01-01T00:00Z",
    ]
    assert chain.reason(issue(2, 60_000)) == (
        "differs by 50 % from that of 2026-01-01T00:00Z and by 75 % from that of 2026-01-01T01:00Z"
    )


def test_after_half_a_day_of_silence_everything_is_believed() -> None:
    assert verdicts("wind_mw", issue(0, 6000), issue(12, 1000)) == "-s"
    assert verdicts("wind_mw", issue(0, 6000), issue(12.5, 1000)) == "--"


def test_a_source_that_comes_twice_a_day_is_judged_by_the_day_before() -> None:
    def published(hours: float, mw: float, source: str) -> bool:
        chain = Chain("demand_mw", source)
        assert chain.reason(issue(0, 30_000, half_hours=600)) is None
        return chain.reason(issue(hours, mw, half_hours=600)) is not None

    assert published(17.5, 15_000, "neso_demand_2_14_days")
    assert not published(17.5, 28_000, "neso_demand_2_14_days")
    assert not published(31, 15_000, "neso_demand_2_14_days")
    assert not published(17.5, 15_000, "elexon_ndf")


def test_publications_of_different_days_contradict_nothing() -> None:
    tomorrow = Issue(T0, T0 + 24 * HOUR, [6000.0] * 48)
    day_after = Issue(T0 + 6 * HOUR, T0 + 48 * HOUR, [100.0] * 48)
    assert change("wind_mw", tomorrow, day_after) is None
    assert verdicts("wind_mw", issue(0, 1, half_hours=0), issue(1, 9000)) == "--"


def test_only_the_next_two_days_are_compared_and_holes_are_not() -> None:
    near, far = [6000.0] * 96, [100.0] * 96
    some = Issue(T0, T0, [*near, *near])
    assert change("wind_mw", some, Issue(T0 + HOUR, T0, [*near, *far])) == 0
    assert change("wind_mw", some, Issue(T0 + HOUR, T0, [None, *near[1:]])) == 0
    # half-hours are compared by their time, whichever publication begins first
    rising = [float(1000 * n) for n in range(10)]
    assert change("wind_mw", Issue(T0, T0, rising), Issue(T0, T0 + HOUR, rising[2:])) == 0
    assert change("wind_mw", Issue(T0, T0 + HALF_HOUR, rising[1:]), Issue(T0, T0, rising)) == 0


def test_versions_of_one_publication_are_compared_with_the_one_before_it() -> None:
    first, bogus, corrected, after = (
        issue(0, 6000),
        issue(3, 100),
        issue(3, 6100),
        issue(6, 6200),
    )
    assert verdicts("wind_mw", first, bogus, corrected, after) == "-s--"


def test_nothing_is_captured_before_it_is_published() -> None:
    assert stamp_fault(T0, T0) is None
    assert stamp_fault(T0 + timedelta(minutes=5), T0) is None
    assert stamp_fault(T0 + timedelta(minutes=6), T0) == "is stamped 6 min later than its capture"
