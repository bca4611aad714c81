"""Holds a trial: grows trees from what a warehouse has seen, measures them beside those in use, and
promotes them if they are better.

Everything is decided in one transaction at the end: what is killed before it promotes nothing.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import SecretStr

from grid_assets.forecasting.boosting.libraries import require_libraries
from grid_assets.forecasting.horizon import steps_to_forecast
from grid_assets.forecasting.learning import decisions, planning
from grid_assets.forecasting.learning.comparing import Comparison, compare
from grid_assets.forecasting.learning.decisions import TRIALS, Decision
from grid_assets.forecasting.learning.planning import NoTrial, Plan
from grid_assets.forecasting.learning.warehouse_record import read_history
from grid_assets.forecasting.models.beside import predict_trees
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.champion import TRAINING, find_promoted, read_champion
from grid_assets.forecasting.models.forecaster import (
    CONTEXT,
    MAX_MISSING,
    ModelUnusable,
    Problem,
    Values,
)
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.series import OUTLOOK, SERIES
from grid_assets.warehouse.connection import (
    Connection,
    WarehouseError,
    connect,
    write_transaction,
)
from grid_assets.warehouse.run_log import Attempt, attempt, mark_crashed
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.statements import statement

if TYPE_CHECKING:
    from grid_assets.forecasting.learning.challenger import Method

_log = logging.getLogger(__name__)


class TrialRunning(WarehouseError):
    """Another trial is running; two would decide about different trees."""


@dataclass(frozen=True)
class Incumbent:
    """The trees in use. `promoted` is the revision that the newest decision names, None for the
    bundled ones; if promoted trees cannot be used, the bundled ones are in use."""

    boosting: GradientBoosting
    trained_to: datetime
    promoted: str | None
    bundled: bool


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks for a trial, and with how many threads. `method` is for tests."""

    run_id: str
    trigger: str
    home: Path
    now: datetime
    threads: int
    method: Method | None = None


def hold(url: SecretStr, order: Order, say: Callable[[str], None] = _log.info) -> Decision:
    """Hold a trial and return what was decided, which is also a row.

    Raises `TrialRunning`, `LibrariesMissing` and `ModelUnusable`, if not even the bundled trees can
    be used.
    """
    with _only_one(url, order) as current:
        require_libraries()
        from grid_assets.forecasting.learning.challenger import Method

        method = order.method or Method()
        with connect(url) as connection:
            shift = _shift(connection)
            incumbent = _incumbent(connection, order.home, shift)
            window = _learnable(connection, shift, order.now)
            history = read_history(connection, window, order.now)
        current.rows_fetched = int(np.isfinite(history[0]).sum())
        decision = Decision(
            "refused", "", incumbent.boosting.trees.revision, order.run_id, half_hours=0
        )
        try:
            plan = planning.plan(history[0], window, incumbent.trained_to, incumbent.bundled, shift)
        except NoTrial as error:
            decision = replace(
                decision, reason=str(error), half_hours=int(np.isfinite(history[0]).sum())
            )
            with connect(url) as connection, write_transaction(connection, TRIALS):
                decisions.add(connection, decision)
        else:
            with tempfile.TemporaryDirectory(prefix="grid-training-") as folder:
                decision = _try(
                    url, order, method, plan, history, shift, incumbent, Path(folder) / "trees", say
                )
        current.rows_written = 1
        return decision


def revert(url: SecretStr) -> str | None:
    """Return to the bundled trees; the revision that was in use, None if they were in use."""
    with connect(url) as connection, write_transaction(connection, TRIALS):
        promoted = find_promoted(connection)
        if promoted is None:
            return None
        reason = "By hand: the bundled trees forecast from now on."
        decisions.add(connection, Decision("reverted", reason, promoted.revision))
        return promoted.revision


@contextmanager
def _only_one(url: SecretStr, order: Order) -> Iterator[Attempt]:
    """Record the block as an attempt, the only one of its kind that runs."""
    day = order.now.date()
    with ExitStack() as stack:
        with connect(url) as connection:
            mark_crashed(connection)
            with write_transaction(connection, TRIALS):  # until the attempt has its row
                running = connection.execute(
                    statement("forecast/find_running_trial"), {"asset": TRAINING}
                ).fetchone()
                if running is not None:
                    host, pid, since = running
                    raise TrialRunning(
                        f"A trial is running already, since {since:%Y-%m-%d %H:%M} UTC: process "
                        f"{pid} on {host}. Nothing was started. Wait until it has ended."
                    )
                current = stack.enter_context(
                    attempt(
                        url,
                        run_id=order.run_id,
                        asset=TRAINING,
                        trigger=order.trigger,
                        first_day=day,
                        last_day=day,
                    )
                )
        yield current


def _shift(connection: Connection) -> timedelta:
    """By how much later than in truth things happen in this warehouse."""
    stamp = read_stamp(connection)
    return timedelta(weeks=(stamp.shift_weeks or 0) if stamp else 0)


def _incumbent(connection: Connection, home: Path, shift: timedelta) -> Incumbent:
    champion = read_champion(connection, home)
    promoted = champion.promoted.revision if champion else None
    if champion is not None and champion.folder is not None:
        boosting = GradientBoosting(champion.folder)
        try:
            return Incumbent(boosting, trained_to(boosting), promoted, False)
        except ModelUnusable as error:
            _log.warning("The promoted trees %s cannot be used: %s", promoted, error)
    boosting = GradientBoosting()
    return Incumbent(boosting, trained_to(boosting) + shift, promoted, True)


def trained_to(boosting: GradientBoosting) -> datetime:
    """The end of what trees were trained on. Raises `ModelUnusable` if they cannot forecast, with
    an outlook or without, as far as is ever asked."""
    steps = steps_to_forecast(MAX_MISSING)
    blind = Problem(
        np.full((len(SERIES), CONTEXT), 10, np.float32), datetime(2026, 1, 1, tzinfo=UTC)
    )
    seeing = replace(blind, outlook=np.full((len(OUTLOOK), CONTEXT + steps), 10_000, np.float32))
    found = predict_trees(boosting, [blind, seeing], steps).info.trained_to
    assert found is not None
    return found


def _learnable(connection: Connection, shift: timedelta, now: datetime) -> Window:
    row = connection.execute(statement("forecast/find_intensity_span"), {"now": now}).fetchone()
    assert row is not None
    first, last = row
    if first is None:
        first = last = planning.LEARNED_FROM + shift - HALF_HOUR
    return planning.learnable(first, last + HALF_HOUR, shift)


def _try(
    url: SecretStr,
    order: Order,
    method: Method,
    plan: Plan,
    history: Values,
    shift: timedelta,
    incumbent: Incumbent,
    folder: Path,
    say: Callable[[str], None],
) -> Decision:
    """Grow, measure, decide and store."""
    from grid_assets.forecasting.learning.challenger import grow, read_lessons

    say(
        f"Growing trees from the record that ships and {plan.half_hours:,} half-hours of this "
        f"warehouse, before {plan.learned.end:%Y-%m-%d}"
    )
    with connect(url) as connection:
        learned = history[:, : plan.learned.half_hours]
        lessons = read_lessons(connection, plan, learned, shift, method)
    grow(lessons, plan, method, folder, order.threads)
    challenger = GradientBoosting(folder)
    say(f"Measuring both on issues from {plan.held_back}")
    with connect(url) as connection:
        found = compare(connection, incumbent.boosting, challenger, plan.held_back, order.now)
    with connect(url) as connection, write_transaction(connection, TRIALS):
        now_promoted = find_promoted(connection)
        changed = (now_promoted.revision if now_promoted else None) != incumbent.promoted
        decision = _decide(order.run_id, plan, incumbent, challenger, found, changed=changed)
        if decision.outcome == "promoted":
            decisions.store(connection, challenger.trees)
        decisions.add(connection, decision)
    return decision


def _decide(
    run_id: str,
    plan: Plan,
    incumbent: Incumbent,
    challenger: GradientBoosting,
    found: Comparison | None,
    *,
    changed: bool,
) -> Decision:
    """`changed`: other trees are in use than those that were measured."""
    champion = incumbent.boosting.trees.revision
    if found is None:
        reason = "No forecast could be made in the days held back: too much telemetry is missing."
        return Decision("refused", reason, champion, run_id, half_hours=plan.half_hours)
    reason = found.reason
    if changed:
        reason = f"Other trees were put in use during the trial. {reason}"
    return Decision(
        "promoted" if found.is_better and not changed else "kept",
        reason,
        champion,
        run_id,
        challenger.trees.revision,
        plan.half_hours,
        plan.learned.end,
        found,
    )
