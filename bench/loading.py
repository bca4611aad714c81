"""How close does loading into `raw` come to a bare COPY of the same rows?

Both take turns on one server. Fetching, parsing and Dagster are not included.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final

from psycopg import sql

from bench.results import BenchError, Figure, Measured
from bench.sandbox import Sandbox, sandbox
from bench.sizes import Sizes
from grid_assets.halfhours import DAY
from grid_assets.replay.recording import RECORDED_UNTIL, View, load_recording
from grid_assets.sources.carbon_intensity.payloads import parse_generation, parse_intensity
from grid_assets.telemetry import load
from grid_assets.warehouse.connection import Connection, connect, copy_rows, write_transaction
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

FIGURES: Final = {
    "load_vs_copy": Figure("x", ">= 0.8"),  # the rest is the comparison with the last capture
    "reload_vs_load": Figure("x", "< 1"),
    "load_mix_vs_copy": Figure("x", ">= 0.8"),
    "reload_mix_vs_load": Figure("x", "< 1"),
}

LOG = logging.getLogger(__name__)
CAPTURED: Final = datetime(2026, 2, 1, tzinfo=UTC)
LATER: Final = CAPTURED + timedelta(minutes=30)

Load = Callable[[Connection, Sequence[load.Capture[Any]]], int]


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Load the newest recorded half-hours, as parsed from the API's responses."""
    view = View(load_recording(), weeks=0)
    span = view.recorded
    whole = span.start, RECORDED_UNTIL, RECORDED_UNTIL + DAY
    intensity = parse_intensity({"data": view.intensity(*whole)}, span).rows[-sizes.load_rows :]
    mix = parse_generation({"data": view.generation(*whole)}, span).rows[-sizes.load_rows :]
    with sandbox() as box:
        migrate(box.url, Stamp("replay", 0))
        with connect(box.url) as connection:
            connection.execute("CREATE SCHEMA bench")
        copied, again = _compare(
            box, "raw.intensity", load.RAW_INTENSITY, load.load_intensity, intensity, sizes
        )
        mix_copied, mix_again = _compare(
            box, "raw.generation", load.RAW_GENERATION, load.load_generation, mix, sizes
        )
    return {
        "load_vs_copy": copied,
        "reload_vs_load": again,
        "load_mix_vs_copy": mix_copied,
        "reload_mix_vs_load": mix_again,
    }


def _compare(
    box: Sandbox,
    relation: str,
    columns: tuple[str, ...],
    load_rows: Load,
    rows: Sequence[Any],
    sizes: Sizes,
) -> tuple[Measured, Measured]:
    """Compare loading with COPY, and loading again with loading."""
    table, twin = sql.Identifier(*relation.split(".")), sql.Identifier("bench", relation)

    def timed_load(captured_at: datetime, expected: int) -> float:
        """The real path: a connection, then for each batch lock, staging, comparison, commit."""
        started, written = time.perf_counter(), 0
        with connect(box.url) as connection:
            for at in range(0, len(rows), load.BATCH):
                batch = load.Capture(rows[at : at + load.BATCH], captured_at)
                with write_transaction(connection, relation):
                    written += load_rows(connection, [batch])
        seconds = time.perf_counter() - started
        if written != expected:
            raise BenchError(f"{relation}: {written} rows were written, not {expected}")
        return seconds

    def timed_copy() -> float:
        """The baseline: one COPY of ready tuples and one upsert into a twin of the table."""
        started = time.perf_counter()
        with connect(box.url) as connection, connection.transaction():
            connection.execute(bare)
            copy_rows(connection, "bare", columns, tuples)
            written = connection.execute(upsert).rowcount
        seconds = time.perf_counter() - started
        if written != len(tuples):
            raise BenchError(f"The baseline wrote {written} of {len(tuples)} rows")
        return seconds

    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    bare = sql.SQL(
        "CREATE TEMPORARY TABLE bare ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
    ).format(names, twin)
    upsert = sql.SQL(
        "INSERT INTO {twin} ({columns}) SELECT {columns} FROM bare "
        "ON CONFLICT (period_start, captured_at) DO UPDATE SET ({columns}) = ROW ({values})"
    ).format(
        twin=twin,
        columns=names,
        values=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in columns),
    )
    timed_load(CAPTURED, len(rows))
    with connect(box.url) as connection:
        casts = {"unknown_pct": sql.SQL("unknown_pct::text")}  # as COPY takes it
        chosen = sql.SQL(", ").join(casts.get(name, sql.Identifier(name)) for name in columns)
        tuples = connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY 1").format(chosen, table)
        ).fetchall()
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(twin, table))
    times = []
    for number in range(sizes.load_rounds):
        with connect(box.url) as connection:  # leave no earlier writes pending on the server
            connection.execute(sql.SQL("TRUNCATE {}, {}").format(table, twin))
            connection.execute("CHECKPOINT")
        if number % 2:  # whichever is second may find warm files, so they take turns
            loaded, copied = timed_load(CAPTURED, len(rows)), timed_copy()
        else:
            copied, loaded = timed_copy(), timed_load(CAPTURED, len(rows))
        times.append((copied, loaded, timed_load(LATER, 0)))
        LOG.info("%s: COPY %.2f s, load %.2f s, load again %.2f s", relation, *times[-1])
    copy_s, load_s, _ = map(median, zip(*times, strict=True))
    return (
        Measured(
            median(copied / loaded for copied, loaded, _ in times),
            f"COPY and upsert of {len(rows):,} rows: {len(rows) / copy_s:,.0f} rows/s",
        ),
        Measured(
            median(again / loaded for _, loaded, again in times),
            f"first load: {len(rows) / load_s:,.0f} rows/s",
        ),
    )
