"""How much data and how many rounds the benchmarks use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from grid_assets.halfhours import DAY


@dataclass(frozen=True, slots=True)
class Sizes:
    """The defaults are the sizes of the recorded figures."""

    calibrations: int = 7
    calibration_s: float = 10
    load_rows: int = 1_000_000
    load_rounds: int = 11
    backfill_days: int = 10_000
    loaded_days: int = 30
    ticks: int = 20
    backtest_days: int = 30
    single_backtests: int = 3
    issues: int = 20
    forecast_ticks: int = 5
    releases: int = 20
    raw_writes: int = 5
    idle_s: float = 300
    imports: int = 5
    forecast_every: timedelta = timedelta(hours=1)
    short_history_days: int = 365
    long_history_days: int = 3653
    forecast_days: int = 365
    regional_vintages: int = 96  # captured forecasts, two days of them; a year repeats them
    by_cycles: timedelta = DAY  # the newest part of the history, which the writer adds
    growth_s: float = 25  # readers alone, on the short and on the long history
    alone_s: float = 45  # the writer alone
    together_s: float = 90  # both: some 400 answers to each of nine questions
    cycle_every_s: float = 3  # six hundred times as often as in operation
    naive_timeout_s: float = 60
    year_warm_up: timedelta = DAY  # fills what every later day rewrites
    year_sample: timedelta = 7 * DAY  # of cycles, from which a year is extrapolated
    cluster_days: int = 3653  # of telemetry, or all there is
    cluster_backtest_days: int = 60
    chaos_schedules: int = 300

    @property
    def first_backtest_days(self) -> int:
        """The days that a new warehouse back-tests: 14, the product's default, if not fewer."""
        return min(self.backtest_days, 14)


QUICK: Final = Sizes(
    calibrations=3,
    calibration_s=3,
    load_rounds=3,
    backfill_days=365,
    ticks=5,
    backtest_days=5,
    issues=5,
    forecast_ticks=2,
    releases=3,
    raw_writes=2,
    idle_s=60,
    forecast_every=timedelta(hours=6),
    short_history_days=60,
    long_history_days=600,
    forecast_days=30,
    growth_s=5,
    alone_s=10,
    together_s=20,
    cycle_every_s=1,
    year_sample=2 * DAY,
    chaos_schedules=20,
    cluster_days=200,
    cluster_backtest_days=20,
)
