"""Publishing telemetry from `raw` into `core`: read the newest captures, clean, judge, write.

Each `publish_*` runs in its caller's transaction. It fills the temporary table `staged`, calls
`judge`, and writes `core` only if `judge` does not raise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from grid_assets.halfhours import Window
from grid_assets.mix import MixRefused, complete_row
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import Rejected
from grid_assets.telemetry.load import BATCH, SHARES
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

STAGED_MIX: Final = (
    "period_start",
    "captured_at",
    *SHARES,
    "published_total_pct",
    "adjustment",
)

Judge = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of one publication; `read` and `written` count half-hours."""

    read: int
    written: int
    refused: list[Rejected]


def publish_intensity(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish the half-hours of `window` that have begun into `core.intensity`."""
    read = connection.execute(
        statement("core/stage_intensity"),
        {"start": window.start, "end": window.end, "now": now},
    ).rowcount
    judge(connection)
    written = connection.execute(statement("core/publish_intensity")).rowcount
    return Published(read, written + remove_unbegun(connection), [])


def publish_generation_mix(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish the mixes of `window`, made exact, into `core.generation_mix`, as `publish_mixes`."""
    found = publish_mixes(connection, "generation_mix", (), window, now, judge)
    return Published(found.read, found.written + remove_unbegun(connection), found.refused)


def publish_mixes(
    connection: Connection,
    table: str,
    before: Sequence[str],
    window: Window,
    now: datetime,
    judge: Judge,
) -> Published:
    """Publish mixes of `window` that have begun, made exact, into a table of `core`.

    Its statements are named after it; `before` are its columns before the half-hour. Returned in
    `refused` are mixes that cannot be made exact, and those that lack a fuel which `core` has;
    `core` keeps its values. The first were written to `raw` by another program, because such mixes
    of the API are refused before that.
    """
    refused: list[Rejected] = []
    connection.execute(statement(f"core/stage_{table}"))
    read = 0
    with connection.cursor(name="newest_mixes") as newest:
        newest.execute(
            statement(f"core/read_newest_{table}"),
            {"start": window.start, "end": window.end, "now": now},
        )
        while batch := newest.fetchmany(BATCH):
            read += len(batch)
            mixes = _complete_mixes(before, batch, refused)
            copy_rows(connection, "staged", (*before, *STAGED_MIX), mixes)
    judge(connection)
    for fuels, *mix in connection.execute(statement(f"core/refuse_emptier_{table}")).fetchall():
        fault = f"it lacks a fuel that the half-hour has in core ({fuels})"
        refused.append(_refused(fault, before, mix))
    written = connection.execute(statement(f"core/publish_{table}")).rowcount
    return Published(read, written, refused)


def remove_unbegun(connection: Connection) -> int:
    """Remove half-hours that have not begun, which a wrong clock has published; their number."""
    row = connection.execute("SELECT core.remove_unbegun()").fetchone()
    assert row is not None
    removed: int = row[0]
    return removed


def _complete_mixes(
    before: Sequence[str], batch: Iterable[tuple[Any, ...]], refused: list[Rejected]
) -> Iterator[tuple[Any, ...]]:
    for row in batch:
        key = row[: len(before)]
        period_start, captured_at, arrival, *shares, unknown = row[len(before) :]
        try:
            exact = complete_row(shares, unknown)
        except MixRefused as fault:
            mix = [*key, period_start, arrival, *shares, unknown]
            refused.append(_refused(fault, before, mix))
            continue
        yield (
            *key,
            period_start,
            captured_at,
            *exact.shares,
            exact.published_total,
            exact.adjustment,
        )


def _refused(fault: object, before: Sequence[str], mix: Sequence[Any]) -> Rejected:
    period_start, arrival, *shares, unknown = mix[len(before) :]
    record = {
        **dict(zip(before, mix, strict=False)),
        "period_start": period_start.isoformat(),
        "arrival": arrival,  # shows whether a newer mix has been received since
        **dict(zip(FUELS, shares, strict=True)),
        "unknown": unknown,
    }
    return Rejected(f"mix: {fault}", json.dumps(record, default=str))
