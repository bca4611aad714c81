"""Attributes, check specs and metadata that all assets share.

Column types and descriptions come from the catalogue, which is generated from the comments in
`sql/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import dagster as dg
from psycopg import sql

from grid_assets.defs.partitions import CYCLES, DAYS, ONE_RUN, UNCHANGED, Days
from grid_assets.defs.resources import Services
from grid_assets.halfhours import DAY, api_time
from grid_assets.settings import PUBLIC_API_URL
from grid_assets.sources import elexon
from grid_assets.sources.neso_portal import datasets
from grid_assets.telemetry.checks import Check, Verdict
from grid_assets.warehouse import catalogue
from grid_assets.warehouse.stamp import Stamp

OWNERS: Final = ["team:grid-assets"]
FRESH: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=2), warn_window=timedelta(hours=1)
)
"""Two half-hourly cycles may fail before it warns, four before it fails."""

AFTER_TELEMETRY: Final = -1
"""Priority of the outlook, whose captures arrive while telemetry is loaded."""

AFTER_OUTLOOK: Final = -2
"""Priority of generation by fuel, which is requested after the outlook."""

LAST: Final = -3
"""Priority of the forecast, which may use everything before it but does not depend on all of it."""

AFTER_FORECAST: Final = -4
"""Priority of the regions: their large responses delay neither telemetry nor the forecast."""

FILES: Final = -5
"""Priority of files, which show what the rest of the run made but do not depend on all of it."""

AT_THE_END: Final = -6
"""Priority of alerts, which judge what the whole run has made, or that it has made nothing."""

POOLS: Final = {
    "raw.intensity": "carbon_intensity_api",
    "raw.generation": "carbon_intensity_api",
    "raw.neso_forecast": "carbon_intensity_api",
    "raw.regional": "carbon_intensity_api",
    "raw.regional_forecast": "carbon_intensity_api",
    "raw.outlook": "elexon_api",
    "raw.elexon_generation": "elexon_api",
    "raw.embedded_generation": "elexon_api",
    "forecast.predictions": "model",
}
"""The pool of each asset that uses something which many runs share. Dagster limits the runs that
use a pool at once, so that a backfill holds up no cycle (decision 0055). The NESO Data Portal has
no pool of its own: the assets of Elexon's pool ask it."""

DATA_VERSION: Final = "dagster/data_version"

CONTENTS: Final = "contents_md5"
"""Metadata label of a hash over the rows of a day."""


def asset_key(relation: str) -> dg.AssetKey:
    """The asset of a relation: `core.intensity` is `core/intensity`."""
    return dg.AssetKey(relation.split("."))


def origin(path: str, *, has_past: bool = True) -> str:
    """The end of an asset's description.

    As metadata, the source would stand among those of the newest materialisation, with a time that
    Dagster does not always know ("Invalid Date").
    """
    days = (
        "Days are listed since 2017, because each can be made; one that no run has made is missing."
    )
    source = f"Source: `{PUBLIC_API_URL}{path}`, NESO, CC BY 4.0."
    return f" {days} {source}" if has_past else f" {source}"


ELEXON_ORIGIN: Final = (
    " Contains BMRS data © Elexon Limited copyright and database right, of the year of the data "
    f"([licence]({elexon.LICENCE_URL}))."
)
PORTAL_ORIGIN: Final = f" {datasets.ATTRIBUTION} ([licence]({datasets.LICENCE_URL}))."
"""What the licences ask for wherever values are shown."""


def as_markdown(comment: str) -> str:
    """A comment for Dagster's pages, which render `<name>` as HTML, so that it vanishes."""
    return re.sub(
        r"(`[^`]*`)|([^\s`]*<\w+>[^\s`,.;]*)",
        lambda found: found[1] or f"`{found[2]}`",
        comment,
    )


def column_schema(relation: str) -> dg.TableSchema:
    """The columns of a relation, from the catalogue."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, type=column.type, description=as_markdown(column.comment))
            for column in catalogue.relation(relation).columns
        ]
    )


def asset_kwargs(
    relation: str,
    *,
    checks: Sequence[dg.AssetCheckSpec] = (),
    kinds: Set[str] = frozenset({"python", "postgres"}),
    has_past: bool = True,
    priority: int = 0,
) -> dict[str, Any]:
    """Arguments of `@dg.asset` that every relation shares.

    `has_past`: past days can be made, so that a partition is a day. Of the assets of a run that
    are ready, the one with the highest `priority` comes first.
    """
    layer, name = relation.split(".")
    return {
        "key_prefix": layer,
        "name": name,
        "group_name": layer,
        "owners": OWNERS,
        "kinds": set(kinds),
        "tags": {"domain": "electricity", "region": "gb"},
        "op_tags": {"dagster/priority": str(priority)},
        "pool": POOLS.get(relation),
        "metadata": {
            "dagster/column_schema": column_schema(relation),
            "dagster/table_name": relation,
        },
        "freshness_policy": FRESH,
        "check_specs": list(checks),
        **({"partitions_def": DAYS, "backfill_policy": ONE_RUN} if has_past else {}),
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


@dataclass(frozen=True, slots=True)
class Described:
    """The days of a run that changed; if none did, the version of the data, which stays."""

    changed: list[str]
    data_version: dg.DataVersion | None = None


def describe_partitions(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    time_column: str,
    days: Days,
    *,
    changed: Set[date] | None = None,
) -> Described:
    """Give each day's materialisation its row count and its first and last half-hour.

    A cycle reads the same days again and again. A day has changed if it is in `changed`, or else if
    its rows are not those of its newest materialisation; the materialisation of every other day is
    marked as `UNCHANGED`, so that the newest one with something to show stays the newest.
    """
    column = sql.Identifier(time_column)
    is_date = time_column.endswith("_date")
    compares = days.trigger in CYCLES and changed is None
    found = services.connection.execute(
        sql.SQL(
            "SELECT {day}, count(*), min({time}), max({time}), {contents} "
            "FROM {relation} AS found WHERE {time} >= %(start)s AND {time} < %(end)s GROUP BY 1"
        ).format(
            day=column if is_date else sql.SQL("({} AT TIME ZONE 'UTC')::date").format(column),
            time=column,
            contents=sql.SQL(
                "md5(string_agg(found::text, ' ' ORDER BY found::text))" if compares else "NULL"
            ),
            relation=sql.Identifier(*relation.split(".")),
        ),
        {
            "start": days.first if is_date else days.window.start,
            "end": days.last + DAY if is_date else days.window.end,
        },
    ).fetchall()
    by_day = {
        str(day): (count, first, last, contents) for day, count, first, last, contents in found
    }
    shown = _newest_contents(context) if compares else {}
    new = []
    for key in context.partition_keys:
        count, first, last, contents = by_day.get(key, (0, None, None, None))
        metadata: dict[str, Any] = {"dagster/partition_row_count": count}
        if isinstance(first, datetime) and isinstance(last, datetime):
            metadata["first_period"] = api_time(first.astimezone(UTC))
            metadata["last_period"] = api_time(last.astimezone(UTC))
        if compares:
            metadata[CONTENTS] = contents or "no rows"
            is_new = shown.get(key) != metadata[CONTENTS]
        else:
            is_new = changed is None or date.fromisoformat(key) in changed
        if is_new:
            new.append(key)
        elif days.trigger in CYCLES:
            metadata[UNCHANGED] = True
        context.add_asset_metadata(metadata, partition_key=key)
    if new or days.trigger not in CYCLES:
        return Described(new)
    return Described(new, last_version(context))


def last_version(context: dg.AssetExecutionContext) -> dg.DataVersion | None:
    """The version of the newest materialisation, for one that repeats it."""
    last = context.instance.get_latest_materialization_event(context.asset_key)
    version = last.tags.get(DATA_VERSION) if last and last.tags else None
    return dg.DataVersion(version) if version else None


def _newest_contents(context: dg.AssetExecutionContext) -> dict[str, object]:
    """`CONTENTS` of the newest materialisation of each day of the run."""
    newest = context.instance.event_log_storage.get_latest_storage_id_by_partition(
        context.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION, set(context.partition_keys)
    )
    if not newest:
        return {}
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(context.asset_key, storage_ids=list(newest.values())),
        limit=len(newest),
    ).records
    return {
        record.partition_key: made.metadata[CONTENTS].value
        for record in records
        if record.partition_key
        and (made := record.asset_materialization)
        and CONTENTS in made.metadata
    }


def kind_metadata(stamp: Stamp) -> dict[str, str]:
    """The banner on every materialisation of recorded data; nothing on live data."""
    return {} if stamp.kind == "live" else {"data": str(stamp)}
