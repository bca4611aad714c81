"""What an asset says of itself, and what a materialisation leaves behind.

Belongs here: asset attributes, check specs and metadata that every relation shares.
Does not belong here: loading or judging. Columns and their units come from the comments in `sql/`,
the one place where they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

import dagster as dg
from psycopg import sql

from grid_assets.defs.partitions import DAYS, ONE_RUN, Days
from grid_assets.defs.resources import Grid
from grid_assets.halfhours import api_time
from grid_assets.migrate import Stamp
from grid_assets.quality import BLOCKING, FEW_QUARANTINED, WARNING, Check, Verdict
from grid_assets.settings import PUBLIC_API_URL
from grid_assets.warehouse import connect, sql_dir

OWNERS: Final = ["team:grid-assets"]
FRESH: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=2), warn_window=timedelta(hours=1)
)
"""Two half-hourly cycles may fail before it warns, four before it fails."""

_COMMENT: Final = re.compile(
    r"COMMENT ON COLUMN (\w+\.\w+)\.(\w+) IS\s+'((?:[^']|'')*)';", re.MULTILINE
)


def asset_key(relation: str) -> dg.AssetKey:
    """The asset of a relation: `core.intensity` is `core/intensity`."""
    return dg.AssetKey(relation.split("."))


@cache
def _comments() -> dict[str, dict[str, str]]:
    columns: dict[str, dict[str, str]] = {}
    for path in sorted(sql_dir().glob("*/*.sql")):
        for relation, column, text in _COMMENT.findall(path.read_text(encoding="utf-8")):
            columns.setdefault(relation, {})[column] = text.replace("''", "'")
    return columns


def column_schema(relation: str) -> dg.TableSchema:
    """Column names, types and descriptions with units, in the order of their comments."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, type=_type_of(name), description=text)
            for name, text in _comments()[relation].items()
        ]
    )


def _type_of(column: str) -> str:
    """Names carry the type, as a test against the live catalogue confirms."""
    if column == "unknown_pct":
        return "jsonb"
    if column.endswith(("_pct", "_gco2_kwh")) or column == "pct":
        return "numeric"
    if column.endswith("_at") or column == "period_start":
        return "timestamptz"
    if column == "settlement_date" or column.startswith("partition_"):
        return "date"
    if column in ("settlement_period", "attempt"):
        return "integer"
    if column.startswith("rows_") or column.endswith("_ms"):
        return "bigint"
    return "boolean" if column == "simulated" else "text"


def described(
    relation: str, *, source: str, checks: Sequence[dg.AssetCheckSpec] = ()
) -> dict[str, Any]:
    """Arguments of `@dg.asset` that every partitioned relation shares."""
    layer, name = relation.split(".")
    return {
        "key_prefix": layer,
        "name": name,
        "group_name": layer,
        "owners": OWNERS,
        "kinds": {"python", "postgres"},
        "tags": {"domain": "electricity", "region": "gb"},
        "metadata": {
            "dagster/column_schema": column_schema(relation),
            "dagster/table_name": relation,
            "source": dg.MetadataValue.url(f"{PUBLIC_API_URL}{source}"),
            "licence": "NESO Carbon Intensity API, CC BY 4.0",
        },
        "freshness_policy": FRESH,
        "partitions_def": DAYS,
        "backfill_policy": ONE_RUN,
        "check_specs": list(checks),
    }


def raw_checks(relation: str, check: Check = FEW_QUARANTINED) -> list[dg.AssetCheckSpec]:
    return [_spec(relation, check, blocking=False)]


def core_checks(relation: str) -> list[dg.AssetCheckSpec]:
    return [_spec(relation, check, blocking=True) for check in BLOCKING[relation]] + [
        _spec(relation, check, blocking=False) for check in WARNING[relation]
    ]


def _spec(relation: str, check: Check, *, blocking: bool) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name, asset=asset_key(relation), blocking=blocking, description=check.asks
    )


def reported(
    relation: str, verdicts: Iterable[Verdict], severity: dg.AssetCheckSeverity
) -> Iterator[dg.AssetCheckResult]:
    """Verdicts as Dagster's check results, with up to ten examples each."""
    for verdict in verdicts:
        yield dg.AssetCheckResult(
            asset_key=asset_key(relation),
            check_name=verdict.check.name,
            passed=verdict.passed,
            severity=severity,
            metadata=(
                {}
                if verdict.passed
                else {"found": verdict.total, "examples": dg.MetadataValue.json(verdict.examples)}
            ),
        )


def describe_partitions(
    context: dg.AssetExecutionContext, grid: Grid, relation: str, time_column: str, days: Days
) -> None:
    """Give each day's materialisation its own row count and its first and last half-hour."""
    with connect(grid.warehouse) as connection:
        counted = connection.execute(
            sql.SQL(
                "SELECT ({time} AT TIME ZONE 'UTC')::date, count(*), min({time}), max({time}) "
                "FROM {relation} WHERE {time} >= %(start)s AND {time} < %(end)s GROUP BY 1"
            ).format(
                time=sql.Identifier(time_column), relation=sql.Identifier(*relation.split("."))
            ),
            {"start": days.window.start, "end": days.window.end},
        ).fetchall()
    by_day: dict[date, tuple[int, datetime | None, datetime | None]] = {
        day: (count, first, last) for day, count, first, last in counted
    }
    for key in context.partition_keys:
        count, first, last = by_day.get(date.fromisoformat(key), (0, None, None))
        metadata: dict[str, Any] = {
            "dagster/row_count": count,
            "dagster/partition_row_count": count,
        }
        if first and last:
            metadata["first_period"] = api_time(first.astimezone(UTC))
            metadata["last_period"] = api_time(last.astimezone(UTC))
        context.add_asset_metadata(metadata, partition_key=key)


def data_kind(stamp: Stamp) -> dict[str, str]:
    """The banner on every materialisation of recorded data; nothing on live data."""
    return {} if stamp.kind == "live" else {"data": str(stamp)}
