"""What dashboards ask all day, of our views and of the naive design's.

Belongs here: the queries; each has the same rows as its answer in both. Does not belong here: how
they are asked (`open_loop`), and how long they may take (`serving`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import sql


@dataclass(frozen=True, slots=True)
class Question:
    """One query, of our views and of the naive design's; both have the same rows as their answer.

    `{schema}` is where the views are, `{model}` whose forecasts are asked for, `{days}` how far
    back.
    """

    name: str
    ours: LiteralString
    naive: LiteralString
    days: int = 1

    def of_ours(self, model: str) -> str:
        return self._composed(self.ours, "reporting", model)

    def of_naive(self, model: str) -> str:
        return self._composed(self.naive, "naive", model)

    def _composed(self, text: LiteralString, schema: str, model: str) -> str:
        return (
            sql.SQL(text)
            .format(
                schema=sql.Identifier(schema), model=sql.Literal(model), days=sql.Literal(self.days)
            )
            .as_string(None)
        )


def _same(name: str, text: LiteralString) -> Question:
    return Question(name, text, text)


VIEWS_24H: Final = ("telemetry_24h", "generation_mix_24h", "actual_vs_predicted_24h")
LATEST: Final = ("latest_ahead", "latest_behind")

QUESTIONS: Final = (
    _same("telemetry_24h", "SELECT * FROM {schema}.telemetry_24h"),
    _same("generation_mix_24h", "SELECT * FROM {schema}.generation_mix_24h"),
    # columns by name, so that a further one in ours needs none in naive
    _same(
        "actual_vs_predicted_24h",
        "SELECT model, series, unit, issued_at, period_start, lead_minutes, lead_bucket, actual, "
        "p10, p50, p90, error, abs_error, inside_80, simulated "
        "FROM {schema}.actual_vs_predicted_24h",
    ),
    _same(
        "latest_ahead",
        "SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit "
        "FROM {schema}.forecast_latest WHERE model = {model} AND series = 'carbon_intensity' "
        "AND period_start >= now() AND period_start < now() + interval '48 hours'",
    ),
    _same(
        "latest_behind",
        "SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit "
        "FROM {schema}.forecast_latest WHERE model = {model} AND series = 'carbon_intensity' "
        "AND period_start >= now() - interval '24 hours' AND period_start < now()",
    ),
    _same(
        "day_ahead",
        "SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit "
        "FROM {schema}.forecast_day_ahead WHERE model = {model} AND series = 'carbon_intensity' "
        "AND period_start >= now() - interval '24 hours' AND period_start < now()",
    ),
    Question(
        "greenest_window",
        "SELECT period_start, gco2_kwh FROM {schema}.greenest_window("
        "interval '3 hours', now() + interval '24 hours', model => {model})",
        "WITH candidate AS (SELECT period_start, p50 FROM {schema}.forecast_latest "
        "WHERE model = {model} AND series = 'carbon_intensity' AND period_start >= now() "
        "AND period_start <= now() + interval '23 hours 30 minutes'), "
        "best AS (SELECT one.period_start FROM candidate AS one JOIN candidate AS other "
        "ON other.period_start >= one.period_start "
        "AND other.period_start < one.period_start + interval '3 hours' "
        "GROUP BY one.period_start HAVING count(*) = 6 "
        "ORDER BY sum(other.p50), one.period_start LIMIT 1) "
        "SELECT candidate.period_start, candidate.p50 FROM candidate JOIN best "
        "ON candidate.period_start >= best.period_start "
        "AND candidate.period_start < best.period_start + interval '3 hours'",
    ),
    *(
        Question(
            f"accuracy_{days}d",
            # the means of days, weighted by how many forecasts each is of
            "SELECT model, lead_bucket, sum(n) AS n, sum(mae * n) / sum(n) AS mae, "
            "sum(bias * n) / sum(n) AS bias FROM {schema}.forecast_accuracy "
            "WHERE series = 'carbon_intensity' "
            "AND target_date >= (now() AT TIME ZONE 'UTC')::date - {days} "
            "GROUP BY model, lead_bucket",
            "SELECT model, lead_bucket, count(*) AS n, avg(abs_error) AS mae, avg(error) AS bias "
            "FROM {schema}.actual_vs_predicted WHERE series = 'carbon_intensity' "
            "AND (period_start AT TIME ZONE 'UTC')::date "
            ">= (now() AT TIME ZONE 'UTC')::date - {days} "
            "GROUP BY model, lead_bucket",
            days,
        )
        for days in (30, 365)
    ),
)
