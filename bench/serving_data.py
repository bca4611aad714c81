"""A warehouse as it stands after years: telemetry, NESO's vintages, forecasts and their scores.

Belongs here: making those rows at bulk speed, the same every time, up to a day ago; and a command
that leaves the server running, for looking at plans:

    python -m bench.serving_data --home /tmp/years

Does not belong here: the newest day, which arrives through the writer (`cycles`), and measuring.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import click
from psycopg import sql
from pydantic import SecretStr

from bench.cycles import REVISION, cycles, model_info
from bench.results import BenchError
from bench.years import MADE_BEFORE, half_hours, years
from grid_assets.forecasting import scoring, store
from grid_assets.forecasting.horizon import HORIZON_TIME
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, floor
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.series import SERIES
from grid_assets.telemetry.load import BATCH, load_generation, load_intensity
from grid_assets.telemetry.publish import publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import connect, copy_rows, write_transaction
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

SEED: Final = 4
MONTH: Final = 30 * DAY
MODEL: Final = "chronos:gb-small-2025-10"
YEAR_DAYS: Final = 365
TEN_YEARS_DAYS: Final = 3653

TABLES: Final = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname IN ('raw', 'core', 'forecast') AND relkind IN ('r', 'p') AND NOT relispartition
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Span:
    """How many days of each kind of row there are, up to `end`.

    `vintage_days` of NESO's forecasts at every half-hour, `forecast_days` of the models'.
    """

    end: datetime
    history_days: int = TEN_YEARS_DAYS
    forecast_days: int = YEAR_DAYS
    vintage_days: int = YEAR_DAYS
    models: tuple[str, ...] = (MODEL,)

    def last_days(self, days: int) -> Window:
        """Whole UTC days, and the part of a day up to `end`."""
        return Window(day_start((self.end - days * DAY).date()), self.end)


def build(url: SecretStr, span: Span, say: Say) -> None:
    """All of `span` into an empty warehouse."""
    migrate(url, Stamp("replay", 0), lambda line: None)
    history = span.last_days(span.history_days)
    # the last half-hour has only begun at `end`: the next cycle brings it
    load_telemetry(url, Window(history.start, history.end - HALF_HOUR), say)
    load_forecasts(url, span, say)
    settle(url, say)


def load_telemetry(url: SecretStr, window: Window, say: Say) -> None:
    """Two captures of every intensity, one of every mix, and `core`, by the real loading path."""
    started = time.monotonic()
    for part in window.split(BATCH * HALF_HOUR):
        for ended in (False, True):
            with write_transaction(url, "raw.intensity") as connection:
                load_intensity(connection, years().captures(part, ended=ended))
        with write_transaction(url, "raw.generation") as connection:
            load_generation(connection, years().mix_captures(part))
        with write_transaction(url, "core.intensity") as connection:
            publish_intensity(connection, part, part.end, lambda _: None)
        with write_transaction(url, "core.generation_mix") as connection:
            publish_generation_mix(connection, part, part.end, lambda _: None)
    say(f"{window.half_hours:,} half-hours of telemetry in {time.monotonic() - started:.0f} s")


def load_forecasts(url: SecretStr, span: Span, say: Say) -> None:
    """Vintages and forecasts month by month, oldest first; each whole month is then scored."""
    forecasts, vintages = (span.last_days(d) for d in (span.forecast_days, span.vintage_days))
    _make_truth(url, Window(min(forecasts.start, vintages.start) - DAY, span.end + HORIZON_TIME))
    with connect(url) as connection:
        store.record_models(connection, map(model_info, span.models), forecasts.start)
    for month in Window(min(forecasts.start, vintages.start), span.end).split(MONTH):
        started = time.monotonic()
        captured = _vintages(url, _common(month, vintages))
        stored = sum(_forecasts(url, _common(month, forecasts), model) for model in span.models)
        with write_transaction(url, "forecast.predictions") as connection:
            stored += store.copy_neso_forecasts(connection, month, month.end)
        made = time.monotonic()
        with connect(url) as connection:
            connection.execute("ANALYZE forecast.predictions")
        days = Window(month.start, day_start((month.end - HALF_HOUR).date()) + DAY)
        with write_transaction(url, "forecast.accuracy") as connection:
            scored = scoring.score(connection, days, None)
        say(
            f"{month.start:%Y-%m-%d}: {captured:,} rows of vintages, {stored:,} predictions in "
            f"{made - started:.0f} s, {scored.written:,} scores in {time.monotonic() - made:.0f} s"
        )
    with connect(url) as connection:
        connection.execute("DROP SCHEMA bench CASCADE")


def catch_up(url: SecretStr, models: tuple[str, ...], until: datetime) -> int:
    """The cycles from the newest forecast to the one issued at `until`; returns how many."""
    first = next_issue(url)
    count = max(0, (until - first) // HALF_HOUR + 1)
    cycles(url, first, count, models)
    return count


def next_issue(url: SecretStr) -> datetime:
    """The half-hour after that of the newest forecast of our own models."""
    with connect(url) as connection:
        row = connection.execute(
            "SELECT max(issued_at) FROM forecast.issues WHERE model <> 'neso'"
        ).fetchone()
    if row is None or row[0] is None:
        raise BenchError("There is no forecast to go on from")
    newest: datetime = row[0]
    return newest.astimezone(UTC) + HALF_HOUR


def settle(url: SecretStr, say: Say) -> None:
    """What autovacuum has long done to rows that are this old."""
    started = time.monotonic()
    with connect(url) as connection:
        for table in connection.execute(TABLES).fetchall():
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(*table)))
        connection.execute("CHECKPOINT")
    say(f"Vacuumed in {time.monotonic() - started:.0f} s")


@cache
def bench_statement(name: str) -> sql.SQL:
    """The text of `bench/sql/<name>.sql`."""
    return sql.SQL((Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def _common(one: Window, other: Window) -> Window:
    """What two windows share; empty where they do not meet."""
    start = max(one.start, other.start)
    return Window(start, max(start, min(one.end, other.end)))


def _make_truth(url: SecretStr, window: Window) -> None:
    """`bench.truth`: what happened and will happen in each half-hour, in tenths."""
    with connect(url) as connection:
        connection.execute(
            "CREATE SCHEMA bench;"
            "CREATE UNLOGGED TABLE bench.truth (half_hour bigint, place integer, series text,"
            " tenths integer, most integer, PRIMARY KEY (half_hour, place))"
        )
        copy_rows(
            connection,
            "bench.truth",
            ("half_hour", "place", "series", "tenths", "most"),
            (
                (number_of(at), place, series, tenths, 10_000 if place == 1 else 1000)
                for at in half_hours(window)
                for place, (series, tenths) in enumerate(
                    zip(SERIES, years().tenths(at), strict=True), 1
                )
            ),
        )
        connection.execute("ANALYZE bench.truth")


def number_of(at: datetime) -> int:
    """Half-hours since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // HALF_HOUR


def _forecasts(url: SecretStr, window: Window, model: str) -> int:
    values = {**_issues_of(window), "model": model, "revision": REVISION}
    with write_transaction(url, "forecast.predictions") as connection:
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute(bench_statement("issues"), values)
        return connection.execute(bench_statement("predictions"), values).rowcount


def _vintages(url: SecretStr, window: Window) -> int:
    with write_transaction(url, "raw.neso_forecast") as connection:
        return connection.execute(bench_statement("vintages"), _issues_of(window)).rowcount


def _issues_of(window: Window) -> dict[str, Any]:
    return {
        "first": number_of(window.start),
        "last": number_of(window.end) - 1,
        "made_before": MADE_BEFORE,
        "seed": SEED,
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--history-days", default=TEN_YEARS_DAYS, show_default=True)
@click.option("--forecast-days", default=YEAR_DAYS, show_default=True)
@click.option("--vintage-days", default=YEAR_DAYS, show_default=True)
@click.option("--model", "models", multiple=True, default=(MODEL,), show_default=True)
@click.option("--stop", is_flag=True, help="Stop the server of that folder instead.")
def main(home: Path, stop: bool, models: tuple[str, ...], **days: int) -> None:
    """Build the benchmark's database in a folder and leave its server running."""
    started = time.monotonic()
    home.mkdir(exist_ok=True)
    home.chmod(0o755)  # as root, the server runs as another user, who has to get in
    embedded = EmbeddedPostgres(home / "postgres")
    if stop:
        embedded.stop()
        return
    url = SecretStr(embedded.start())
    click.echo(f"psql '{url.get_secret_value()}'")
    span = Span(floor(datetime.now(UTC)) - timedelta(days=1), models=models, **days)

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - started:4.0f} s] {line}")

    build(url, span, say)
    catch_up(url, models, floor(datetime.now(UTC)))


if __name__ == "__main__":
    main()
