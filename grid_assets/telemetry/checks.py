"""The checks of telemetry with their limits, and the code that runs any check.

A check is a query in `sql/checks` that returns up to ten offending rows (`period_start`, `detail`)
and their `total`. A blocking check judges the table `staged` before it is published; a failure
publishes nothing. A warning judges `core` afterwards and reports odd data. A constraint of the
table is not repeated here: a check that cannot fail proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import Window, api_time
from grid_assets.warehouse.clocks import Clocks
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

FAR_GCO2_KWH: Final = 80
"""A value this far from both neighbours is odd: in the recording, 3 of 92,997 actuals and 47 of
93,571 forecasts are."""

TOO_OLD: Final = timedelta(hours=2)
"""Actuals appear about 10 minutes after their half-hour ends and are fetched twice an hour: one
missed cycle is normal (1 h 40 min at worst), a second is not."""

MOST_WITHDRAWN: Final = 6
"""How many half-hours may always lose their known value in one publication: three hours. The source
corrects single values; if most known values vanish at once, it is answering without its data."""

MAX_QUARANTINED: Final = 0.01
"""Share of records that may be rejected without a warning; one record of a two-day cycle exceeds
it."""


MOST_DRIFT_GCO2_KWH: Final = 5
"""How far a day's mean difference of published and recomputed carbon intensity may be from that of
the 28 days before. Of 246 days of 2025, half are within 0.4 and the furthest is 3.7."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an asset: `name` is unique within the asset, `query` is a file in `sql/checks`.

    `description` is the condition that holds if the check passes.
    """

    name: str
    query: str
    description: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check: `total` offending rows, the first of them as `examples`."""

    check: Check
    total: int
    examples: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.total == 0

    @property
    def sentence(self) -> str:
        if self.passed:
            return self.check.name
        return f"{self.check.name}: {self.total} ({'; '.join(self.examples[:3])})"

    @property
    def explanation(self) -> str:
        """What was checked and, if it failed, what was found instead."""
        if self.passed:
            return self.check.description
        examples = "; ".join(example.removeprefix("- ") for example in self.examples[:3])
        return f"Expected: {self.check.description} Found {self.total}: {examples}"


BLOCKING: Final[dict[str, tuple[Check, ...]]] = {
    "core.intensity": (
        Check(
            "actuals_kept",
            "intensity_actuals_kept",
            "Most half-hours with an actual keep one.",
        ),
    ),
    "core.generation_mix": (
        Check("sums_to_100", "sums_to_100", "The shares of each half-hour sum to exactly 100."),
        Check(
            "fuels_kept",
            "generation_mix_fuels_kept",
            "Most half-hours keep the fuels that they have.",
        ),
    ),
}

WARNING: Final[dict[str, tuple[Check, ...]]] = {
    "core.intensity": (
        Check(
            "half_hours_complete",
            "intensity_half_hours_complete",
            "Every past UTC day of the run has all 48 half-hours with an actual.",
        ),
        Check("is_recent", "intensity_is_recent", "The newest actual began at most 2 hours ago."),
        Check(
            "values_plausible",
            "intensity_values_plausible",
            "No forecast or actual is impossible, 0, or more than 80 g from both neighbours.",
        ),
    ),
    "core.generation_mix": (
        Check(
            "half_hours_complete",
            "generation_mix_half_hours_complete",
            "Every past UTC day of the run has all 48 half-hours.",
        ),
        Check("is_recent", "generation_mix_is_recent", "The newest mix began at most 2 hours ago."),
        Check(
            "published_total_near_100",
            "generation_mix_published_total_near_100",
            "Published shares sum to within 0.3 of 100.",
        ),
        Check(
            "fuels_known", "generation_mix_fuels_known", "The nine fuels were published, no others."
        ),
    ),
}

FEW_QUARANTINED: Final = Check(
    "few_quarantined", "", "At most 1 % of the records received were rejected, and no whole answer."
)

REACHES_48_HOURS: Final = Check(
    "reaches_48_hours", "", "The captured forecast has a value for each of its 96 half-hours."
)

CLOCKS_AGREE: Final = Check(
    "clocks_agree",
    "",
    "The clocks of this machine, the API and the database differ by at most 5 minutes.",
)


def judge(
    connection: Connection,
    checks: Iterable[Check],
    window: Window,
    now: datetime,
) -> list[Verdict]:
    """The verdicts of the checks, in order, on the data that `connection`'s transaction sees."""
    limits = {
        "start": window.start,
        "end": window.end,
        "now": now,
        "far": FAR_GCO2_KWH,
        "too_old": TOO_OLD,
        "withdrawn": MOST_WITHDRAWN,
        "drift": MOST_DRIFT_GCO2_KWH,
    }
    verdicts = []
    for check in checks:
        rows = connection.execute(statement(f"checks/{check.query}"), limits).fetchall()
        examples = [f"{api_time(start) if start else '-'} {detail}" for start, detail, _ in rows]
        verdicts.append(Verdict(check, rows[0][2] if rows else 0, examples))
    return verdicts


def judge_forecast(half_hours: int, expected: int) -> Verdict:
    """The verdict on the reach of a captured forecast."""
    missing = expected - half_hours
    examples = [f"{half_hours} of {expected} half-hours were published"] if missing else []
    return Verdict(REACHES_48_HOURS, missing, examples)


def judge_clocks(compared: Clocks | None) -> Verdict:
    """The verdict on the clocks; without an answer of the API there is nothing to compare."""
    differences = [] if compared is None else compared.differences
    examples = [f"this machine is {difference}" for difference in differences]
    return Verdict(CLOCKS_AGREE, len(examples), examples)


def judge_quarantined(received: int, reasons: list[str]) -> Verdict:
    """The verdict on the share of rejected records in one load; a whole answer is too many."""
    few = len(reasons) <= MAX_QUARANTINED * received
    few &= not any(reason.startswith("body:") for reason in reasons)
    return Verdict(FEW_QUARANTINED, 0 if few else len(reasons), sorted(set(reasons))[:10])
