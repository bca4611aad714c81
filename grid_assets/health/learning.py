"""What `grid status` says of trees that were grown here: which are in use, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from grid_assets.forecasting.models.champion import MODEL, TRAINING, find_promoted
from grid_assets.halfhours import utc_text
from grid_assets.warehouse.connection import Connection


def report(connection: Connection) -> Iterator[str]:
    """Lines about promoted trees and a failed trial; none for a warehouse without either."""
    promoted = find_promoted(connection)
    if promoted is not None:
        yield (
            f"trees         {promoted.revision}, grown here, in use since "
            f"{utc_text(promoted.promoted_at)}"
        )
        row = connection.execute(
            "SELECT fallback_reason FROM forecast.issues WHERE model = %s AND issued_at >= %s "
            "ORDER BY issued_at DESC LIMIT 1",
            [MODEL, promoted.promoted_at],
        ).fetchone()
        if row is not None and row[0]:
            yield f"    warning: {row[0]}"
    last = connection.execute(
        "SELECT status, error_message FROM ops.etl_runs WHERE asset = %s AND started_at <= now() "
        "ORDER BY started_at DESC LIMIT 1",
        [TRAINING],
    ).fetchone()
    if last is not None and last[0] in ("failed", "crashed"):
        yield f"    warning: {TRAINING}, {last[0]}: {last[1]}"
