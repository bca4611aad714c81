"""What a trial learns from and what it measures on, or why there can be none. Pure.

Times are the warehouse's. In one that holds recorded data, the recording is moved by whole weeks,
`shift`: what the bundled trees have learned, and what no model may learn, is named by when it
happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from grid_assets.forecasting.boosting.places import SHORTEST
from grid_assets.forecasting.horizon import HORIZON_TIME
from grid_assets.forecasting.models.forecaster import MAX_MISSING, Values
from grid_assets.forecasting.training_record import SET_ASIDE
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, utc_text

BLOCK: Final = timedelta(days=3)
"""Issues of two days reach into the same half-hours and weather, so days are no independent cases.
A forecast reaches 48 hours: issues in every other block share none."""

BLOCKS: Final = 10
FEWEST_BLOCKS: Final = 8
"""With fewer, a standard error is too uncertain to decide by."""

STRIDE: Final = timedelta(hours=3)

NEEDED: Final = 60 * 48
"""Half-hours to learn from: two months. With fewer, new trees would hardly differ from the old."""

LEARNED_FROM: Final = SET_ASIDE.end
"""When, in true time, learning from a warehouse begins. Before, published values belong to other
half-hours than today (`training_record` moves them), and the span set aside ends here."""


class NoTrial(Exception):
    """No trial can be held; the message says why, and from when on or how one can be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is learned from lies in `learned`, in `spans` of it that are long enough, of which
    `half_hours` are known. Nothing is learned from the start of `held_back` on, whose issues
    measure."""

    learned: Window
    held_back: Window
    half_hours: int
    spans: Sequence[Window]


def learnable(first: datetime, end: datetime, shift: timedelta) -> Window:
    """The half-hours of a warehouse that may be learned from at all."""
    start = max(first, LEARNED_FROM + shift)
    return Window(start, max(start, end))


def plan(
    intensity: Values, window: Window, champion_to: datetime, bundled: bool, shift: timedelta
) -> Plan:
    """The plan of a trial, from the carbon intensity of a window. Raises `NoTrial`.

    `champion_to` is where the training of the trees in use ends, in the warehouse's time.
    """
    known = np.flatnonzero(~np.isnan(intensity))
    if not known.size:
        raise NoTrial(
            f"This warehouse holds no carbon intensity from {LEARNED_FROM + shift:%Y-%m-%d} on, "
            "where learning begins. Load days with `grid backfill`, or wait."
        )
    newest = window.start + (int(known[-1]) + 1) * HALF_HOUR
    end = day_start((newest - HORIZON_TIME).date())
    # the midnight after the end of its training, unless that is a midnight
    champion_ends = day_start((champion_to + DAY - timedelta(microseconds=1)).date())
    blocks = min(BLOCKS, (end - champion_ends) // BLOCK)
    if blocks < FEWEST_BLOCKS:
        which = "bundled trees" if bundled else "trees in use"
        possible = champion_ends + FEWEST_BLOCKS * BLOCK + HORIZON_TIME
        raise NoTrial(
            f"The {which} have learned what happened before {utc_text(champion_to)}, so only what "
            f"came later can measure them, and that is too little. Wait until {possible:%Y-%m-%d}."
        )
    start = end - blocks * BLOCK
    before = intensity[: max(0, (start - window.start) // HALF_HOUR)]
    spans = known_spans(before, window.start, MAX_MISSING, SHORTEST)
    held, count = _known(before), sum(_known(_part(before, window, span)) for span in spans)
    if count < NEEDED:
        reason = (
            f"This warehouse holds {held:,} half-hours of carbon intensity from before "
            f"{start:%Y-%m-%d}, and {NEEDED:,} (60 days) are needed to learn from. What came later "
            "is held back for the trial. "
        )
        if count < held:
            reason += (
                f"Only {count:,} of them can be learned from: the others lie in spans of less than "
                f"{SHORTEST // 2} hours between gaps of more than {MAX_MISSING // 2} hours. Fill "
                f"the gaps with `grid backfill --from {window.start:%Y-%m-%d} --to "
                f"{start:%Y-%m-%d}`, or load"
            )
        else:
            reason += "Load"
        raise NoTrial(
            f"{reason} earlier days with `grid backfill --from DATE --to "
            f"{window.start:%Y-%m-%d}`, or wait."
        )
    return Plan(Window(window.start, start), Window(start, end), count, spans)


def known_spans(
    intensity: Values, start: datetime, longest_gap: int, shortest: int
) -> list[Window]:
    """The spans of an array of half-hours without a gap longer than `longest_gap`."""
    known = np.flatnonzero(~np.isnan(intensity))
    if not known.size:
        return []
    breaks = np.flatnonzero(np.diff(known) > longest_gap + 1)
    firsts, lasts = known[[0, *(breaks + 1)]], known[[*breaks, -1]]
    return [
        Window(start + int(first) * HALF_HOUR, start + (int(last) + 1) * HALF_HOUR)
        for first, last in zip(firsts, lasts, strict=True)
        if last + 1 - first >= shortest
    ]


def _known(intensity: Values) -> int:
    return int((~np.isnan(intensity)).sum())


def _part(intensity: Values, window: Window, span: Window) -> Values:
    """The values of a span, from those of a window."""
    first, end = ((at - window.start) // HALF_HOUR for at in (span.start, span.end))
    return intensity[first:end]
