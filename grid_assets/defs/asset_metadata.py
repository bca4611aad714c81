"""What an asset says of itself, and what a materialisation leaves behind.

Belongs here: asset attributes, check specs and metadata that every relation shares.
Does not belong here: loading or judging. Columns and their units come from the comments in `sql/`,
the one place where they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

import dagster as dg
from psycopg import sql

from grid_assets.defs.partitions import DAYS, ONE_RUN, Days
from grid_assets.defs.resources import Services
from grid_assets.halfhours import DAY, api_time
from grid_assets.settings import PUBLIC_API_URL
from grid_assets.telemetry.checks import FEW_QUARANTINED, Check, Verdict
from grid_assets.warehouse.connection import sql_dir
from grid_assets.warehouse.stamp import Stamp

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


_TYPES: Final = {
    "unknown_pct": "jsonb",
    "settlement_date": "date",
    "target_date": "date",
    "settlement_period": "integer",
    "attempt": "integer",
    "lead_minutes": "integer",
    "n": "bigint",
    "n_band": "bigint",
    "n_inside_80": "bigint",
    "simulated": "boolean",
    "inside_80": "boolean",
    **dict.fromkeys(("raw_p10", "raw_p50", "raw_p90"), "real"),
    **dict.fromkeys(("pct", "p10", "p50", "p90", "actual", "error", "abs_error"), "numeric"),
    **dict.fromkeys(("mae", "bias", "wape", "pinball", "coverage_80"), "numeric"),
}
_TYPES_BY_ENDING: Final = {
    ("_pct", "_gco2_kwh", "_sum"): "numeric",
    ("_at", "period_start"): "timestamptz",
    ("partition_start", "partition_end"): "date",
    ("rows_fetched", "rows_written", "rows_quarantined", "_ms"): "bigint",
}


def _type_of(column: str) -> str:
    """Names carry the type, as a test against the live catalogue confirms."""
    if column in _TYPES:
        return _TYPES[column]
    for endings, type_ in _TYPES_BY_ENDING.items():
        if column.endswith(endings):
            return type_
    return "text"


def asset_kwargs(
    relation: str,
    *,
    source: str,
    checks: Sequence[dg.AssetCheckSpec] = (),
    kinds: Set[str] = frozenset({"python", "postgres"}),
) -> dict[str, Any]:
    """Arguments of `@dg.asset` that every partitioned relation shares."""
    layer, name = relation.split(".")
    return {
        "key_prefix": layer,
        "name": name,
        "group_name": layer,
        "owners": OWNERS,
        "kinds": set(kinds),
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


def judged_checks(
    relation: str, blocking: Iterable[Check], warning: Iterable[Check]
) -> list[dg.AssetCheckSpec]:
    return [_spec(relation, check, blocking=True) for check in blocking] + [
        _spec(relation, check, blocking=False) for check in warning
    ]


def _spec(relation: str, check: Check, *, blocking: bool) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name, asset=asset_key(relation), blocking=blocking, description=check.description
    )


def check_results_of(
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
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    time_column: str,
    days: Days,
) -> None:
    """Give each day's materialisation its own row count and its first and last half-hour."""
    column = sql.Identifier(time_column)
    is_date = time_column.endswith("_date")
    connection = services.connection
    counted = connection.execute(
        sql.SQL(
            "SELECT {day}, count(*), min({time}), max({time}) "
            "FROM {relation} WHERE {time} >= %(start)s AND {time} < %(end)s GROUP BY 1"
        ).format(
            day=column if is_date else sql.SQL("({} AT TIME ZONE 'UTC')::date").format(column),
            time=column,
            relation=sql.Identifier(*relation.split(".")),
        ),
        {
            "start": days.first if is_date else days.window.start,
            "end": days.last + DAY if is_date else days.window.end,
        },
    ).fetchall()
    by_day: dict[date, tuple[int, date | datetime | None, date | datetime | None]] = {
        day: (count, first, last) for day, count, first, last in counted
    }
    for key in context.partition_keys:
        count, first, last = by_day.get(date.fromisoformat(key), (0, None, None))
        metadata: dict[str, Any] = {
            "dagster/row_count": count,
            "dagster/partition_row_count": count,
        }
        if isinstance(first, datetime) and isinstance(last, datetime):
            metadata["first_period"] = api_time(first.astimezone(UTC))
            metadata["last_period"] = api_time(last.astimezone(UTC))
        context.add_asset_metadata(metadata, partition_key=key)


def kind_metadata(stamp: Stamp) -> dict[str, str]:
    """The banner on every materialisation of recorded data; nothing on live data."""
    return {} if stamp.kind == "live" else {"data": str(stamp)}
