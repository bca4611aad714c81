"""Helpers to read the outcome of a command: the error that it printed, and tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.connection import connect

DATA = ("raw.intensity", "raw.generation", "raw.neso_forecast", "core.intensity")


def days_ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def ask(url: SecretStr, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def counts(url: SecretStr) -> dict[str, int]:
    return {table: ask(url, f"SELECT count(*) FROM {table}")[0][0] for table in DATA}  # noqa: S608


def one_sentence(text: str) -> str:
    """The error of a command: its last line, and the only one that says so."""
    errors = [line for line in text.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in text
    return errors[0]


def tables_with(url: SecretStr, token: str) -> list[str]:
    """The tables of the database, Dagster's among them, with a row that holds `token`."""
    with connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return [
            ".".join(table)
            for table in tables
            if connection.execute(
                sql.SQL("SELECT FROM {} AS t WHERE strpos(t::text, %s) > 0 LIMIT 1").format(
                    sql.Identifier(*table)
                ),
                [token],
            ).fetchall()
        ]
