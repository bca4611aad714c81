"""Which benchmarks there are, in which size, and running them.

Belongs here: names, sizes and order. Does not belong here: the command line (`__main__`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.history import history
from bench.loading import loading
from bench.place import Place, temporary_place
from bench.results import Result
from bench.ticking import ticking


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; the defaults are all that is recorded."""

    load_rows: int = 1_000_000
    load_rounds: int = 11
    history_days: int = 10_000
    loaded_days: int = 30
    ticks: int = 20


QUICK: Final = Sizes(load_rounds=3, history_days=365, ticks=5)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Group:
    """Results that one piece of work gives; each group has a server of its own."""

    names: tuple[str, ...]
    measure: Callable[[Place, Sizes, Say], list[Result]]


GROUPS: Final = (
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
)

NAMES: Final = tuple(name for group in GROUPS for name in group.names)


def measured(sizes: Sizes, wanted: set[str], say: Say) -> tuple[list[Result], str | None]:
    """The wanted results (all, if none is named), and the version of the server they ran on."""
    results: list[Result] = []
    version = None
    for group in GROUPS:
        if wanted and wanted.isdisjoint(group.names):
            continue
        with temporary_place() as place:
            version = place.version()
            results += group.measure(place, sizes, say)
    return [result for result in results if not wanted or result.name in wanted], version
