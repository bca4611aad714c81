"""How close loading into `raw` comes to the least that PostgreSQL can be asked to do for it.

Belongs here: the real loading path against a bare COPY of the same rows, in turns, on one server.
Does not belong here: fetching, parsing, Dagster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final

from psycopg import sql

from bench.place import Place
from bench.results import BenchError, Result, at_least, below
from grid_assets.api.payloads import Parsed, parse_generation, parse_intensity
from grid_assets.halfhours import Window
from grid_assets.replay.recording import RECORDED_UNTIL, Record, View, load_recording
from grid_assets.telemetry.load import (
    BATCH,
    RAW_GENERATION,
    RAW_INTENSITY,
    Capture,
    load_generation,
    load_intensity,
)
from grid_assets.warehouse.connection import Connection, connect, write_transaction
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

KEYS: Final = ("period_start", "captured_at")
CAPTURED: Final = datetime(2026, 2, 1, tzinfo=UTC)
LATER: Final = CAPTURED + timedelta(minutes=30)
LEAST_SHARE: Final = 0.8
"""Of a bare COPY's rows a second. What is lost is the comparison with the last capture."""


@dataclass(frozen=True, slots=True)
class _Path:
    """One loading path with its rows; `tuples` are the same rows as `COPY` takes them."""

    relation: str
    columns: tuple[str, ...]
    load: Callable[[Connection, Sequence[Capture[Any]]], int]
    rows: list[Any]
    tuples: list[tuple[Any, ...]]


def loading(place: Place, most_rows: int, rounds: int, say: Callable[[str], None]) -> list[Result]:
    """`load_vs_copy` and `reload_vs_load`, and the same for the mix, as a backfill loads."""
    migrate(place.warehouse, Stamp("replay", 0), lambda line: None)
    intensity, mix = _recorded_paths(place, most_rows)
    return [
        *_compare(place, intensity, rounds, "", say),
        *_compare(place, mix, rounds, "mix_", say),
    ]


def _recorded_paths(place: Place, most_rows: int) -> tuple[_Path, _Path]:
    """The newest recorded half-hours, as the parser makes them from the API's answers."""
    view = View(load_recording(), weeks=0)
    span = view.recorded
    ends = span.start, RECORDED_UNTIL, RECORDED_UNTIL + timedelta(days=1)
    return (
        _path(
            place,
            ("raw.intensity", RAW_INTENSITY, load_intensity),
            _parsed(parse_intensity, view.intensity(*ends), span)[-most_rows:],
        ),
        _path(
            place,
            ("raw.generation", RAW_GENERATION, load_generation),
            _parsed(parse_generation, view.generation(*ends), span)[-most_rows:],
        ),
    )


def _parsed(
    parse: Callable[[dict[str, Any], Window], Parsed[Any]], records: list[Record], span: Window
) -> list[Any]:
    parsed = parse({"data": records}, span)
    if parsed.rejected:
        raise BenchError(f"{len(parsed.rejected)} recorded half-hours are rejected")
    return parsed.rows


def _path(place: Place, what: tuple[str, tuple[str, ...], Any], rows: list[Any]) -> _Path:
    """Loads the rows once, untimed, and keeps what the real path had written as tuples."""
    relation, columns, load = what
    with write_transaction(place.warehouse, relation) as connection:
        written = load(connection, [Capture(rows, CAPTURED)])
    if written != len(rows):
        raise BenchError(f"{relation}: {written} of {len(rows)} rows were written")
    chosen = sql.SQL(", ").join(
        sql.SQL("unknown_pct::text") if name == "unknown_pct" else sql.Identifier(name)
        for name in columns
    )
    with connect(place.warehouse) as connection:
        tuples = connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY period_start").format(chosen, _named(relation))
        ).fetchall()
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS bench"))
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(
                _twin(relation), _named(relation)
            )
        )
    return _Path(relation, columns, load, rows, tuples)


def _compare(
    place: Place, path: _Path, rounds: int, which: str, say: Callable[[str], None]
) -> list[Result]:
    ratios, copy_times, load_times, reload_shares = [], [], [], []
    for number in range(1, rounds + 1):
        _empty(place, path.relation)
        pair: list[Callable[[], float]] = [
            lambda: _timed_copy(place, path),
            lambda: _timed_load(place, path, CAPTURED, len(path.rows)),
        ]
        if number % 2:  # whoever goes second may find warm files, so they take turns
            copied, loaded = (measure() for measure in pair)
        else:
            loaded, copied = (measure() for measure in reversed(pair))
        reloaded = _timed_load(place, path, LATER, 0)
        ratios.append(copied / loaded)
        copy_times.append(copied)
        load_times.append(loaded)
        reload_shares.append(reloaded / loaded)
        say(
            f"{path.relation}, round {number} of {rounds}: COPY {copied:.2f} s, "
            f"load {loaded:.2f} s, load again {reloaded:.2f} s"
        )
    count = len(path.rows)
    copy_speed, load_speed = (count / median(times) for times in (copy_times, load_times))
    return [
        at_least(
            f"load_{which}vs_copy",
            median(ratios),
            "x",
            LEAST_SHARE,
            f"COPY and upsert of {count:,} rows: {copy_speed:,.0f} rows/s",
        ),
        below(
            f"reload_{which}vs_load",
            median(reload_shares),
            "x",
            1,
            f"first load: {load_speed:,.0f} rows/s",
        ),
    ]


def _timed_load(place: Place, path: _Path, captured_at: datetime, expected: int) -> float:
    """The real path, batch by batch: connection, lock, staging, comparison, commit."""
    started = time.perf_counter()
    written = 0
    for at in range(0, len(path.rows), BATCH):
        batch = path.rows[at : at + BATCH]
        with write_transaction(place.warehouse, path.relation) as connection:
            written += path.load(connection, [Capture(batch, captured_at)])
    seconds = time.perf_counter() - started
    if written != expected:
        raise BenchError(f"{path.relation}: {written} rows were written, not {expected}")
    return seconds


def _timed_copy(place: Place, path: _Path) -> float:
    """The baseline: ready tuples, one COPY and one upsert into a table of the same make."""
    others = [name for name in path.columns if name not in KEYS]
    upsert = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM bare "
        "ON CONFLICT ({keys}) DO UPDATE SET ({others}) = ROW ({values})"
    ).format(
        table=_twin(path.relation),
        columns=sql.SQL(", ").join(map(sql.Identifier, path.columns)),
        keys=sql.SQL(", ").join(map(sql.Identifier, KEYS)),
        others=sql.SQL(", ").join(map(sql.Identifier, others)),
        values=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in others),
    )
    copy = sql.SQL("COPY bare ({}) FROM STDIN").format(
        sql.SQL(", ").join(map(sql.Identifier, path.columns))
    )
    started = time.perf_counter()
    with connect(place.warehouse) as connection, connection.transaction():
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE bare (LIKE {}) ON COMMIT DROP").format(
                _twin(path.relation)
            )
        )
        with connection.cursor() as cursor, cursor.copy(copy) as stream:
            for row in path.tuples:
                stream.write_row(row)
        written = connection.execute(upsert).rowcount
    seconds = time.perf_counter() - started
    if written != len(path.tuples):
        raise BenchError(f"The baseline wrote {written} of {len(path.tuples)} rows")
    return seconds


def _empty(place: Place, relation: str) -> None:
    """Both tables as new, and nothing left to write for the server from the round before."""
    with connect(place.warehouse) as connection:
        connection.execute(sql.SQL("TRUNCATE {}, {}").format(_named(relation), _twin(relation)))
        connection.execute("CHECKPOINT")


def _named(relation: str) -> sql.Identifier:
    return sql.Identifier(*relation.split("."))


def _twin(relation: str) -> sql.Identifier:
    return sql.Identifier("bench", relation.partition(".")[2])
