"""What `grid status` and `grid doctor` say of trees: which are in use, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from grid_assets.forecasting.models.champion import GONE, MODEL, TRAINING, Promoted, find_promoted
from grid_assets.halfhours import utc_text
from grid_assets.warehouse.connection import Connection


def state(connection: Connection) -> tuple[Promoted | None, str | None]:
    """The promoted trees, and why those in use did not make the newest forecast, if so."""
    promoted = find_promoted(connection)
    if promoted is not None and promoted.digests is None:
        return promoted, promoted.cannot_be_used(GONE)
    row = connection.execute(
        "SELECT fallback_reason, refused_reason FROM forecast.issues WHERE model = %s "
        "AND issued_at >= coalesce(%s, '-infinity'::timestamptz) ORDER BY issued_at DESC LIMIT 1",
        [MODEL, promoted and promoted.promoted_at],
    ).fetchone()
    fallback, refused = row or (None, None)
    if promoted is None:  # a stand-in is of before they were reverted
        fallback = None
    return promoted, refused or fallback


def report(connection: Connection) -> Iterator[str]:
    """Lines about promoted trees and a failed trial; none for a warehouse without either."""
    promoted, fault = state(connection)
    if promoted is not None:
        yield (
            f"trees         {promoted.revision}, grown here, "
            f"{'promoted' if fault else 'in use since'} {utc_text(promoted.promoted_at)}"
        )
        if fault:
            yield f"    warning: {fault}"
    last = connection.execute(
        "SELECT status, error_message FROM ops.etl_runs WHERE asset = %s AND started_at <= now() "
        "ORDER BY started_at DESC LIMIT 1",
        [TRAINING],
    ).fetchone()
    if last is not None and last[0] in ("failed", "crashed"):
        yield f"    warning: {TRAINING}, {last[0]}: {last[1]}"
