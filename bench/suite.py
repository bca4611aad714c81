"""Which benchmarks there are, in which size, and running them.

Belongs here: names, sizes and order. Does not belong here: the command line (`__main__`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bench import arriving, forecasting, reference
from bench.history import history
from bench.importing import importing
from bench.loading import loading
from bench.place import Place, temporary_place
from bench.results import Result
from bench.serving import NAMES as SERVING_NAMES
from bench.serving import Scale, serving
from bench.ticking import ticking


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; the defaults are all that is recorded."""

    load_rows: int = 1_000_000
    load_rounds: int = 11
    history_days: int = 10_000
    loaded_days: int = 30
    ticks: int = 20
    backtest_days: int = 30
    single_backtests: int = 3
    issues: int = 20
    forecast_ticks: int = 5
    releases: int = 20
    raw_writes: int = 5
    imports: int = 5
    forecast_every: timedelta = timedelta(hours=1)
    learn_every: timedelta = timedelta(hours=5.5)  # of 11 half-hours, so every time of day is met
    serving: Scale = field(default_factory=Scale)


QUICK: Final = Sizes(
    load_rounds=3,
    history_days=365,
    ticks=5,
    backtest_days=5,
    issues=5,
    forecast_ticks=2,
    releases=3,
    raw_writes=2,
    forecast_every=timedelta(hours=6),
    learn_every=timedelta(hours=23.5),
    serving=Scale(
        young_days=60,
        history_days=600,
        forecast_days=30,
        vintage_days=30,
        growth_s=5,
        alone_s=10,
        together_s=20,
        cycle_every_s=1,
    ),
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Group:
    """Results that one piece of work gives; each group has a server of its own."""

    names: tuple[str, ...]
    measure: Callable[[Place, Sizes, Say], list[Result]]


@dataclass(frozen=True, slots=True)
class Serverless:
    """Results of a piece of work that needs no server."""

    names: tuple[str, ...]
    measure: Callable[[Sizes, Say], list[Result]]


GROUPS: Final[tuple[Group | Serverless, ...]] = (
    Group(
        ("load_vs_copy", "reload_vs_load", "load_mix_vs_copy", "reload_mix_vs_load"),
        lambda place, sizes, say: loading(place, sizes.load_rows, sizes.load_rounds, say),
    ),
    Group(
        ("history_s", "history_mb", "history_dagster_share"),
        lambda place, sizes, say: history(place, sizes.history_days, say),
    ),
    Group(
        ("tick_s", "tick_mb", "tick_event_kb", "tick_storage_kb"),
        lambda place, sizes, say: ticking(place, sizes.loaded_days, sizes.ticks, say),
    ),
    Group(
        forecasting.NAMES,
        lambda place, sizes, say: forecasting.forecasting(
            place,
            sizes.backtest_days,
            sizes.single_backtests,
            sizes.issues,
            sizes.forecast_ticks,
            say,
        ),
    ),
    Group(
        arriving.NAMES,
        lambda place, sizes, say: arriving.arriving(
            place, sizes.backtest_days, sizes.releases, sizes.raw_writes, say
        ),
    ),
    Group(SERVING_NAMES, lambda place, sizes, say: serving(place, sizes.serving, say)),
    Serverless(("definitions_import_s",), lambda sizes, say: importing(sizes.imports, say)),
    Serverless(
        reference.NAMES,
        lambda sizes, say: reference.model_errors(sizes.forecast_every, sizes.learn_every, say),
    ),
)

NAMES: Final = tuple(name for group in GROUPS for name in group.names)


def measured(sizes: Sizes, wanted: set[str], say: Say) -> tuple[list[Result], str | None]:
    """The wanted results (all, if none is named), and the version of the server they ran on."""
    results: list[Result] = []
    version = None
    for group in GROUPS:
        if wanted and wanted.isdisjoint(group.names):
            continue
        if isinstance(group, Serverless):
            results += group.measure(sizes, say)
            continue
        with temporary_place() as place:
            version = place.version()
            results += group.measure(place, sizes, say)
    return [result for result in results if not wanted or result.name in wanted], version
