"""`grid backfill` and `grid backtest` where other machines run things: many runs, in Dagster's
queue, instead of a few in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import dagster as dg

from grid_assets.cli.commands import CommandError, OutlookFailed, open_dagster
from grid_assets.cli.runs import Outcome
from grid_assets.cli.spreading import Piece, follow, launching
from grid_assets.defs import planning
from grid_assets.defs.assets import forecast
from grid_assets.defs.dead_runs import why_failed
from grid_assets.defs.partitions import BACKTEST
from grid_assets.defs.planning import PlannedRun
from grid_assets.halfhours import DAY
from grid_assets.health import run_summary
from grid_assets.progress import Progress, doing
from grid_assets.regional.due import with_regions
from grid_assets.runtime.environment import Environment, Say, set_up
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import connect

HISTORY_DAYS: Final = 92
"""Days of a run that loads: under a minute of work, which is what a dead worker loses."""

BACKTEST_DAYS: Final = 31

WHY: Final = "a command"


def split(days: Range, size: int) -> list[Range]:
    """`days` in parts of up to `size` days, oldest first."""
    starts = range(0, (days.last - days.first).days + 1, size)
    return [
        Range(days.first + n * DAY, min(days.first + (n + size - 1) * DAY, days.last))
        for n in starts
    ]


def backfill_pieces(days: Range, *, outlook: bool, regions: Range | None) -> list[Piece]:
    """The runs of a backfill.

    Telemetry and regions may run side by side. Publications of the outlook are asked for one run
    after the other, because the NESO Data Portal limits requests.
    """
    pieces = [_piece(some, planning.HISTORY) for some in split(days, HISTORY_DAYS)]
    published: list[Piece] = []
    for some in split(days, HISTORY_DAYS) if outlook else []:
        published.append(_piece(some, planning.OUTLOOK, follows=published[-1:]))
    of_regions = split(regions, HISTORY_DAYS) if regions is not None else []
    return pieces + published + [_piece(some, planning.REGIONS) for some in of_regions]


def backtest_pieces(days: Range, loading: Sequence[Piece] = ()) -> list[Piece]:
    """The runs of a back-test, each after the one before it: bands and the weights of the blend are
    learned from the errors of earlier forecasts.

    Each waits for those of `loading` that load its days and the days before.
    """
    pieces: list[Piece] = []
    for some in split(days, BACKTEST_DAYS):
        before = [piece for piece in loading if piece.planned.days.first <= some.last]
        needed = [piece for piece in before if planning.HISTORY[0].key in piece.planned.assets]
        useful = [piece for piece in before if planning.OUTLOOK[0].key in piece.planned.assets]
        pieces.append(
            Piece(
                PlannedRun(some, [a.key for a in planning.FORECASTS[:2]], BACKTEST, WHY),
                needs=needed,
                follows=[*useful, *pieces[-1:]],
            )
        )
    return pieces


def backfill(
    environment: Environment,
    days: Range,
    say: Say,
    *,
    outlook: bool = True,
    regions: bool = True,
    backtests: bool = False,
) -> None:
    """As `commands.backfill`, on the workers. Raises `CommandError` if anything failed."""
    known = with_regions(days) if regions and environment.settings.regions else None
    say(f"Loading {days}: {(days.last - days.first).days + 1} days, in many runs")
    pieces = backfill_pieces(days, outlook=outlook, regions=known)
    if backtests:
        pieces += backtest_pieces(days, pieces)
    _run(environment, pieces, say)


def backtest(environment: Environment, days: Range, say: Say) -> None:
    """As `commands.backtest`, on the workers. Raises `CommandError` if anything failed."""
    say(f"Back-testing {days} on the workers, one run after the other")
    _run(environment, backtest_pieces(days), say)


def _run(environment: Environment, pieces: Sequence[Piece], say: Say) -> None:
    set_up(environment, say)
    settings = environment.settings
    say(
        f"{len(pieces)} runs in Dagster's queue, {settings.backfill_runs} at a time "
        "(GRID_BACKFILL_RUNS). Ctrl-C leaves to the workers what is queued."
    )
    started = time.monotonic()
    with open_dagster(environment) as instance, launching(instance, settings) as launcher:
        at_once = settings.backfill_runs + 2  # so that no worker waits for this command
        progress = Progress("Runs", len(pieces), "runs", time.monotonic, lambda _: None)
        with doing("The workers are busy"):
            for piece, outcome in follow(
                instance, environment.warehouse, launcher, pieces, at_once, say
            ):
                progress.step(f"{piece.planned.days} ended")
                if not outcome.success:
                    _say_failure(instance, environment, outcome, say)
    _raise_for(pieces)
    say(f"Done in {time.monotonic() - started:.0f} s")


def _say_failure(
    instance: dg.DagsterInstance, environment: Environment, outcome: Outcome, say: Say
) -> None:
    with connect(environment.warehouse) as connection:
        lines = list(run_summary.run_lines(connection, outcome.run_id))
    for line in lines or [f"  {outcome.days}: {why_failed(instance, outcome.run_id)}"]:
        say(line)


def _raise_for(pieces: Sequence[Piece]) -> None:
    bad = [piece.planned for piece in pieces if not piece.success]
    if not bad:
        return
    some = ", ".join(str(planned.days) for planned in bad[:5]) + (", …" if len(bad) > 5 else "")
    said = f"{len(bad)} of {len(pieces)} runs failed or could not start: {some}. The lines above "
    said += "say why. Run the same command again."
    critical = {*(asset.key for asset in planning.HISTORY), forecast.predictions.key}
    if any(critical & set(planned.assets) for planned in bad):
        raise CommandError(said)
    raise OutlookFailed(said)


def _piece(
    days: Range, assets: Sequence[dg.AssetsDefinition], follows: Sequence[Piece] = ()
) -> Piece:
    planned = PlannedRun(days, [asset.key for asset in assets], "backfill", WHY)
    return Piece(planned, follows=follows)
