"""Telemetry without end: the recorded half-hours, repeated by whole weeks.

Belongs here: which recorded values stand for a half-hour of any year, as rows that the loading path
takes and as the truth that synthetic forecasts come from. Does not belong here: a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Final

from grid_assets import mix
from grid_assets.api.payloads import GenerationRow, IntensityRow
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.replay.recording import RECORDED_UNTIL, WEEK, load_recording
from grid_assets.series import FUELS
from grid_assets.telemetry.load import Capture

REPEATED: Final = 39 * WEEK
"""As many whole weeks as there is a recorded mix. Whole weeks keep weekday and time of day true."""

BEGAN: Final = timedelta(minutes=12)
"""A half-hour is first captured this long after it began, by the cycle at :12 and :42."""

ENDED: Final = HALF_HOUR + BEGAN
"""And captured again, now with its actual, by the next cycle."""

MADE_BEFORE: Final = HALF_HOUR - BEGAN
"""The same cycle makes a forecast, for the next half-hour."""


@lru_cache(maxsize=1)
def years() -> Years:
    return Years()


class Years:
    """A recorded half-hour for every half-hour there ever was; holes take the week beside."""

    def __init__(self) -> None:
        recording = load_recording()
        self._intensity = {
            at: row for at, row in recording.intensity.items() if row.actual is not None
        }
        self._mix = recording.mix

    def intensity_row(self, at: datetime, *, ended: bool = True) -> IntensityRow:
        row = self._intensity[self._recorded[self._index(at)]]
        return IntensityRow(
            at,
            None if row.forecast is None else Decimal(row.forecast),
            Decimal(row.actual) if ended and row.actual is not None else None,
            row.band,
        )

    def generation_row(self, at: datetime) -> GenerationRow:
        return GenerationRow(at, self._shares[self._index(at)], {})

    def tenths(self, at: datetime) -> tuple[int, ...]:
        """What happened, in the order of `SERIES`: tenths of a gram, then tenths of a percent."""
        return self._tenths[self._index(at)]

    def captures(self, window: Window, *, ended: bool) -> Iterator[Capture[IntensityRow]]:
        """Each half-hour as it was captured when it had begun, or once it had ended."""
        for at in half_hours(window):
            yield Capture([self.intensity_row(at, ended=ended)], at + (ENDED if ended else BEGAN))

    def mix_captures(self, window: Window) -> Iterator[Capture[GenerationRow]]:
        """The mix of each half-hour, which is published once it has ended."""
        for at in half_hours(window):
            yield Capture([self.generation_row(at)], at + ENDED)

    def _index(self, at: datetime) -> int:
        return (at - RECORDED_UNTIL) % REPEATED // HALF_HOUR

    @cached_property
    def _recorded(self) -> list[datetime]:
        """The recorded start that each place of the repetition takes its values from."""
        first = RECORDED_UNTIL - REPEATED
        return [self._beside(first + number * HALF_HOUR) for number in range(REPEATED // HALF_HOUR)]

    def _beside(self, wanted: datetime) -> datetime:
        for weeks in range(REPEATED // WEEK):
            for at in (wanted - weeks * WEEK, wanted + weeks * WEEK):
                if at in self._intensity and at in self._mix:
                    return at
        raise LookupError(f"Nothing is recorded at this time of the week: {wanted}")

    @cached_property
    def _shares(self) -> list[dict[str, Decimal | None]]:
        return [
            dict(zip(FUELS, (Decimal(str(share)) for share in self._mix[at]), strict=True))
            for at in self._recorded
        ]

    @cached_property
    def _tenths(self) -> list[tuple[int, ...]]:
        found = []
        for at, shares in zip(self._recorded, self._shares, strict=True):
            exact = mix.complete(shares, {})
            percent = (
                exact.other if fuel == "other" else exact.named[fuel] or Decimal(0)
                for fuel in FUELS
            )
            grams = self._intensity[at].actual
            assert grams is not None  # the others were left out
            found.append((grams * 10, *(int(share * 10) for share in percent)))
        return found


def half_hours(window: Window) -> Iterator[datetime]:
    for number in range(window.half_hours):
        yield window.start + number * HALF_HOUR
