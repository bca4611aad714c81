"""Attributes, check specs and metadata that all assets share.

Column types and descriptions come from the catalogue, which is generated from the comments in
`sql/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import dagster as dg
from psycopg import sql

from grid_assets.defs.partitions import DAYS, ONE_RUN, Days
from grid_assets.defs.resources import Services
from grid_assets.halfhours import DAY, api_time
from grid_assets.settings import PUBLIC_API_URL
from grid_assets.telemetry.checks import Check, Verdict
from grid_assets.warehouse import catalogue
from grid_assets.warehouse.stamp import Stamp

OWNERS: Final = ["team:grid-assets"]
FRESH: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=2), warn_window=timedelta(hours=1)
)
"""Two half-hourly cycles may fail before it warns, four before it fails."""


def asset_key(relation: str) -> dg.AssetKey:
    """The asset of a relation: `core.intensity` is `core/intensity`."""
    return dg.AssetKey(relation.split("."))


def column_schema(relation: str) -> dg.TableSchema:
    """The columns of a relation, from the catalogue."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, type=column.type, description=column.comment)
            for column in catalogue.relation(relation).columns
        ]
    )


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


def raw_checks(relation: str, *checks: Check) -> list[dg.AssetCheckSpec]:
    return [_spec(relation, check, blocking=False) for check in checks]


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
            description=verdict.explanation,
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
