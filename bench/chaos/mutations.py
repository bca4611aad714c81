"""Faults built into the product on purpose, with a schedule that must find each of them.

A check that cannot fail proves nothing. A mutation is applied in the forked process of a command;
the fault-free run that it is compared with has none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from bench.chaos.events import (
    REVISE,
    TAKE_BACK,
    TELEMETRY,
    Harm,
    Run,
    Schedule,
    Slot,
)
from bench.chaos.proxy import Trap

KILLED: Final = Slot(Run(TELEMETRY, (Harm("carbon_intensity", Trap(3, "kill")),)))
"""While it asks for telemetry, so in the middle of an attempt."""

CALM: Final = Slot(Run(TELEMETRY))
AHEAD: Final = Slot(Run(TELEMETRY, clock_minutes=40, database_minutes=40))


def _statement(name: str, old: str, new: str) -> Callable[[], None]:
    def apply() -> None:
        from grid_assets.warehouse import statements

        real = statements.render
        text = real(name)
        assert old in text, f"{name} has no {old!r}"

        def render(wanted: str) -> str:
            return text.replace(old, new) if wanted == name else real(wanted)

        vars(statements)["render"] = render

    return apply


def _no_crash_marks() -> None:
    from grid_assets.cli import commands
    from grid_assets.warehouse import run_log

    for module in (commands, run_log):
        vars(module)["mark_crashed"] = lambda connection: 0


def _no_end_of_dead_runs() -> None:
    from grid_assets.defs import dead_runs

    vars(dead_runs)["fail_dead_runs"] = lambda instance, connection: None


def _no_lock() -> None:
    from grid_assets.warehouse import connection

    vars(connection)["lock_relation"] = lambda *_, **__: None


def _session_left() -> None:
    """A process that lives on with a connection for a minute, as no command should."""
    from grid_assets.settings import Settings
    from grid_assets.warehouse.connection import connect

    if os.fork() == 0:
        url = Settings.from_environment().database_url
        assert url is not None
        with connect(url):
            time.sleep(60)
        os._exit(0)


SLOWLY: Final = tuple(Harm("database", Trap(at, "delay", 0.05)) for at in range(40, 300))
TWO: Final = Slot(Run(TELEMETRY, SLOWLY), Run(TELEMETRY, SLOWLY))
"""Statement by statement beside each other, so that their transactions overlap."""

MUTATIONS: Final[dict[str, tuple[Callable[[], None], Slot]]] = {
    "crashed attempts are not marked": (_no_crash_marks, KILLED),
    "runs of dead processes stay open": (_no_end_of_dead_runs, KILLED),
    "a session is left": (_session_left, Slot(None)),
    "raw takes what it has": (
        _statement("raw/load_intensity", "WHERE last.period_start IS NULL", "WHERE true"),
        CALM,
    ),
    "core keeps the first value": (
        _statement(
            "core/publish_intensity",
            "WHERE (published.forecast_gco2_kwh",
            "WHERE false AND (published.forecast_gco2_kwh",
        ),
        CALM,
    ),
    "the latest stamp wins": (
        _statement("core/stage_intensity", "published.arrival DESC, ", ""),
        AHEAD,
    ),
    "writers take no turns": (_no_lock, TWO),
}
"""What is broken, how, and the cycle that shows it between a revision and its withdrawal."""


def schedule_of(name: str) -> Schedule:
    _, slot = MUTATIONS[name]
    return Schedule(-1, "there and back", (REVISE, slot, TAKE_BACK), forecasts=False)
