"""Loads what was taken from the sources of the outlook or of the regions, and reports what failed.

A source that fails must not keep the others' rows from `core`, and so from the forecast. So an
attempt with an error is recorded as failed, but its step goes on if anything was answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    check_results_of,
    describe_partitions,
    kind_metadata,
    last_version,
)
from grid_assets.defs.capturing import looked_metadata
from grid_assets.defs.partitions import CYCLES, UNCHANGED, Days, days_of, today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.outlook.sources import Answer, Source, Taken
from grid_assets.sources.http.errors import ApiBodyTooLarge, ApiError, ApiMalformedBody
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.sources.records import Rejected
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.checks import (
    CLOCKS_AGREE,
    FEW_QUARANTINED,
    Check,
    Verdict,
    judge_clocks,
    judge_quarantined,
)
from grid_assets.warehouse import clocks, run_log

SOURCES_ANSWER: Final = Check(
    "sources_answer", "", "Everything that was asked of the sources was answered."
)

Result = dg.AssetCheckResult | dg.MaterializeResult[Any]

logger = logging.getLogger(__name__)


class Loading:
    """One attempt: what was answered, rejected and failed."""

    def __init__(self, services: Services, current: run_log.Attempt) -> None:
        self.services, self.current = services, current
        self.failures: list[ApiError] = []
        self.received_at: dict[str, datetime] = {}
        """By dataset, when its last answer was received."""
        self._received = 0
        self._reasons: list[str] = []
        self._compared: clocks.Clocks | None = None

    def accept(self, taken: Taken, values: int | None = None) -> Answer | None:
        """The answer, once its rejects are in quarantine; None if it is an error.

        `values` is how many records are in its rows, if each has several. Raises `WrongClock`.
        """
        found, services = taken.outcome, self.services
        if isinstance(found, ApiError):
            self.failures.append(found)
            if isinstance(found, ApiMalformedBody | ApiBodyTooLarge):
                self.keep(taken, [Rejected(f"body: {found}", found.body or "")])
            return None
        self.received_at[taken.dataset] = found.received_at
        if self._compared is None and found.clock_ahead is not None:
            now = services.now()
            ahead_of_database = now - clocks.database_clock(services.connection)
            self._compared = clocks.Clocks(found.clock_ahead, ahead_of_database)
            self._compared.refuse_if_wrong()
        rejected = sum(reject.records for reject in found.rejected)
        self._received += (len(found.rows) if values is None else values) + rejected
        self.current.rows_fetched += len(found.rows) + len(found.rejected)
        self.keep(taken, found.rejected)
        return found

    def keep(self, taken: Taken, rejected: Sequence[Rejected]) -> None:
        """Quarantine records of one response."""
        for reject in rejected:
            self._reasons += [reject.reason] * reject.records
        found = taken.outcome
        self.current.rows_quarantined += quarantine.keep(
            self.services.connection,
            self.current.asset,
            taken.endpoint,
            rejected,
            captured_at=self.services.now() if isinstance(found, ApiError) else found.received_at,
            run_id=self.current.run_id,
        )

    def verdicts(self) -> list[Verdict]:
        return [
            judge_quarantined(self._received, self._reasons),
            judge_clocks(self._compared),
        ]


@contextmanager
def loading(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    days: Days,
    *,
    goes_on: bool = False,
) -> Iterator[Loading]:
    """One attempt, recorded as failed if anything failed; raises only if nothing was answered.

    With `goes_on`, it does not raise then either.
    """
    loaded: Loading | None = None
    try:
        with attempt(context, services, relation, days) as current:
            loaded = Loading(services, current)
            yield loaded
            if loaded.failures:
                raise _summary(loaded.failures)
    except dg.Failure as failure:
        cause = failure.__cause__
        if loaded is None or not isinstance(cause, ApiError) or cause not in loaded.failures:
            raise
        if not (loaded.received_at or goes_on):
            raise
        context.log.warning(str(cause))


def results(
    services: Services,
    relation: str,
    loaded: Loading,
    *,
    checks: Sequence[Check],
    metadata: dict[str, Any],
    data_version: dg.DataVersion | None,
    more: Sequence[Verdict] = (),
) -> Iterator[Result]:
    """The materialisation of a `raw` asset with its checks; `more` are verdicts of its own."""
    current = loaded.current
    examples = [str(error) for error in loaded.failures[:10]]
    answered = Verdict(SOURCES_ANSWER, len(loaded.failures), examples)
    verdicts = [*(found for found in loaded.verdicts() if found.check in checks), *more]
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_rows_fetched": current.rows_fetched,
            "run_rows_changed": current.rows_written,
            "run_rows_quarantined": current.rows_quarantined,
            **metadata,
        },
        data_version=data_version,
        check_results=[
            *check_results_of(relation, verdicts, dg.AssetCheckSeverity.WARN),
            *check_results_of(relation, [answered], dg.AssetCheckSeverity.ERROR),
        ],
    )


def switched_off(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    sources: Sequence[Source],
    checks: Sequence[Check],
) -> dg.MaterializeResult[Any] | None:
    """The materialisation of an asset none of whose sources is used; None if one is."""
    reasons = [services.why_off(source) for source in sources]
    if None in reasons:
        return None
    why = " ".join(reason for reason in reasons if reason)
    return not_made(context, services, relation, why, checks)


def not_made(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    why: str,
    checks: Sequence[Check],
) -> dg.MaterializeResult[Any]:
    """The materialisation of an asset that a setting leaves out; its checks pass."""
    has_days = context.assets_def.partitions_def is not None
    days = days_of(context) if has_days else today_of(context, services.now())
    with attempt(context, services, relation, days):
        pass
    unchanged = {UNCHANGED: True} if days.trigger in CYCLES else {}
    if unchanged and has_days:
        for key in context.partition_keys:
            context.add_asset_metadata(unchanged, partition_key=key)
        unchanged = {}
    return dg.MaterializeResult(
        metadata={**kind_metadata(services.stamp), "switched_off": why, **unchanged},
        data_version=last_version(context),
        check_results=list(
            check_results_of(
                relation, [Verdict(check, 0) for check in checks], dg.AssetCheckSeverity.WARN
            )
        ),
    )


def load_taken(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    sources: Sequence[Source],
    load: Callable[[Loading, Days], None],
    *,
    checks: Sequence[Check],
    turns: Collection[Turn] = (),
    table: str | None = None,
    time_column: str = "period_start",
    goes_on: bool = False,
) -> Iterator[Result]:
    """The materialisation of a `raw` asset of the outlook's sources by `load`.

    `turns` are the datasets that take turns, whose last look is noted. `table` is the relation's
    own one if the relation is a view. With `goes_on`, its step succeeds though nothing was
    answered.
    """
    days = days_of(context)
    if off := switched_off(context, services, relation, sources, checks):
        yield off
        return
    with loading(context, services, relation, days, goes_on=goes_on) as loaded:
        load(loaded, days)
    described = describe_partitions(context, services, table or relation, time_column, days)
    looked = looked_metadata(context.instance, turns, loaded.received_at) if turns else {}
    yield from results(
        services,
        relation,
        loaded,
        checks=checks,
        metadata=looked,
        data_version=described.data_version,
    )


RAW_CHECKS: Final = (FEW_QUARANTINED, CLOCKS_AGREE, SOURCES_ANSWER)


def _summary(failures: Sequence[ApiError]) -> ApiError:
    """The first error, which says what to do, with the number of the others."""
    first = failures[0]
    if len(failures) > 1:
        first.message += f" ({len(failures)} requests failed; what was answered is loaded.)"
    return first
