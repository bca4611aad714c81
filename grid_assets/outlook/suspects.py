"""Which publications are passed over: those that contradict what the same source said before. Pure.

Sources publish nonsense now and then: NESO's carbon-intensity forecast of 2023-04-14 11:00 was half
of those before and after it. A publication is suspect if it contradicts the last accepted one and
the one right before it. So one bogus publication is passed over, and a true change is accepted when
a second publication confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR, age_text, api_time
from grid_assets.sources.neso_portal.datasets import DEMAND_2_14_DAYS
from grid_assets.warehouse.clocks import TOLERANCE

MOST_CHANGE: Final = {
    "demand_mw": 0.2,
    "wind_mw": 0.35,
    "embedded_wind_mw": 0.35,
    "embedded_solar_mw": 0.35,
}
"""Share of the level by which publications may differ. Of 247 pairs of WINDFOR issues in January
2024, half differ by less than 0.006, 99 % by less than 0.106, and all by at most 0.141; a halved
one differs by 0.5. In 1,147 days, day-ahead demand was never further than 0.082 from what
happened."""

LEAST_LEVEL_MW: Final = {
    "demand_mw": 10_000,
    "wind_mw": 3_000,
    "embedded_wind_mw": 1_000,
    "embedded_solar_mw": 1_000,
}
"""The level counts as at least this: in a calm, or at night, a small change is a large share."""

COMPARED: Final = 96
"""Half-hours that are compared, from the start of the later publication. Further ahead, weather
forecasts differ from one run to the next."""

FRESH: Final = timedelta(hours=12)
"""An older publication contradicts nothing: in a day a wind forecast may change by half."""

FRESH_OF: Final = {DEMAND_2_14_DAYS.source: timedelta(hours=30)}
"""Demand for the days after tomorrow comes twice a day and changes little in one. The day-ahead
forecasts of the portal share no half-hour with those of the day before: they cannot be judged."""

OLDEST: Final = max(FRESH, *FRESH_OF.values())


@dataclass(frozen=True, slots=True)
class Issue:
    """The half-hours of one publication: MW from `starts_at` on."""

    published_at: datetime
    starts_at: datetime
    values: Sequence[float | None]


def change(series: str, earlier: Issue, later: Issue, fresh: timedelta = FRESH) -> float | None:
    """The mean difference in the half-hours that both have, as a share of the higher mean.

    None if they have none in common, or if the earlier one is not `fresh`.
    """
    if later.published_at - earlier.published_at > fresh:
        return None
    ahead = (later.starts_at - earlier.starts_at) // HALF_HOUR
    if ahead < 0:
        return change_of(series, earlier.values, later.values[-ahead:])
    return change_of(series, earlier.values[ahead:], later.values)


def change_of(
    series: str, some: Sequence[float | None], others: Sequence[float | None]
) -> float | None:
    """As `change`, of values that begin with the same half-hour."""
    both = [
        (one, other)
        for one, other in zip(some[:COMPARED], others[:COMPARED], strict=False)
        if one is not None and other is not None
    ]
    if not both:
        return None
    difference = sum(abs(one - other) for one, other in both)
    levels = (sum(one for one, _ in both), sum(other for _, other in both))
    return difference / max(*levels, LEAST_LEVEL_MW[series] * len(both))


class Chain:
    """The publications of one source and series, judged in the order of publication."""

    def __init__(self, series: str, source: str = "") -> None:
        self.series = series
        self._fresh = FRESH_OF.get(source, FRESH)
        self._accepted: Issue | None = None
        self._before: Issue | None = None
        self._newest: tuple[Issue, bool] | None = None

    def reason(self, issue: Issue) -> str | None:
        """Why a publication is suspect, None if it is not. Versions of one publication are compared
        with the publication before it, not with each other."""
        self._move_on(issue.published_at)
        reason = self._contradiction(issue)
        self.remember(issue, reason is not None)
        return reason

    def remember(self, issue: Issue, suspect: bool) -> None:
        """Take the verdict on a publication as known."""
        self._move_on(issue.published_at)
        if issue.values:
            self._newest = issue, suspect

    def _move_on(self, published_at: datetime) -> None:
        if self._newest is None or self._newest[0].published_at == published_at:
            return
        self._before, suspect = self._newest
        if not suspect:
            self._accepted = self._before
        self._newest = None

    def _contradiction(self, issue: Issue) -> str | None:
        changes = []
        for other in (self._accepted, self._before):
            found = None if other is None else change(self.series, other, issue, self._fresh)
            if other is None or found is None or found <= MOST_CHANGE[self.series]:
                return None
            changes.append(f"{100 * found:.0f} % from that of {api_time(other.published_at)}")
        return "differs by " + " and by ".join(dict.fromkeys(changes))


def stamp_fault(published_at: datetime, captured_at: datetime) -> str | None:
    """Why a time of publication cannot be true, None if it can: nothing is captured before it is
    published."""
    late = published_at - captured_at
    if late <= TOLERANCE:
        return None
    return f"is stamped {age_text(late)} later than its capture"
