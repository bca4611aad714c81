"""`grid export`: values and types of both formats, and which days."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from pyarrow import parquet

from grid_assets.warehouse.catalogue import Column
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.exports import View, copied, find_view
from grid_assets_tests import shared_warehouse
from grid_assets_tests.cli import exported
from grid_assets_tests.cli.exported import DAYS, VIEWS, run

one_warehouse = shared_warehouse.one_warehouse
filled, connection, at = exported.filled, exported.connection, exported.at


def rows_of(*arguments: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run(*arguments).stdout)))


def test_days_are_utc_days_both_included_and_values_are_the_databases(at: Path) -> None:
    found = run("reporting.telemetry", *DAYS)
    header, first, last = found.stdout.splitlines()
    assert header.startswith("period_start,settlement_date,settlement_period,forecast_gco2_kwh,")
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert (row["period_start"], row["actual_gco2_kwh"]) == ("2026-01-05T00:00:00Z", "80")
    assert (row["forecast_gco2_kwh"], row["wind_pct"], row["solar_pct"]) == ("", "62.5", "")
    assert (row["other_pct"], row["total_pct"]) == ("7.5", "100.0")
    assert last.startswith("2026-01-06T23:30:00Z,2026-01-06,48,,80,")
    assert found.stderr == "2 rows of reporting.telemetry from 2026-01-05 to 2026-01-06\n"


def test_a_day_may_be_left_out_at_either_end(at: Path) -> None:
    starts = [
        [row["period_start"][:10] for row in rows_of("telemetry", *days)]
        for days in ((), ("--from", "2026-01-06"), ("--to", "2026-01-04"))
    ]
    assert starts == [
        ["2026-01-04", "2026-01-05", "2026-01-06", "2026-01-07"],
        ["2026-01-06", "2026-01-07"],
        ["2026-01-04"],
    ]


def test_days_of_a_london_day_are_its_own_and_months_are_those_that_a_day_is_in(at: Path) -> None:
    dates = [row["settlement_date"] for row in rows_of("london", *days("2026-03-28", "2026-03-29"))]
    assert dates == ["2026-03-28", "2026-03-29"]
    months = [row["month"] for row in rows_of("months", *days("2026-02-28", "2026-04-01"))]
    assert months == ["2026-02-01", "2026-03-01", "2026-04-01"]


def days(first: str, last: str) -> tuple[str, ...]:
    return "--from", first, "--to", last


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        (("issued_at timestamptz", "period_start timestamptz"), "period_start"),
        (("settlement_date date", "period_start timestamptz"), "period_start"),
        (("model text", "target_date date"), "target_date"),
        (("finished_at timestamptz", "started_at timestamptz"), "started_at"),
        (("month text", "published_at timestamptz"), "published_at"),
        (("region_id integer",), None),
    ],
)
def test_the_column_of_days_is_the_first_known_one(columns: tuple[str], time: str | None) -> None:
    view = View("v", tuple(Column(*f"{column} .".split()) for column in columns))
    assert (view.time and view.time.name) == time


def test_csv_has_every_kind_of_value(at: Path) -> None:
    written = run("odd", "--output", at / "odd.csv")
    assert (written.stdout, written.stderr.count("\n")) == ("", 1)
    assert (at / "odd.csv").read_text() == (
        "period_start,local,note,small,large,share,ratio,is_true,document,list\n"
        "2026-01-05T09:30:00Z,,,2,5,100.0,1e-07,false,null,{}\n"
        '2026-01-05T10:00:00Z,,"",,,,,,,\n'
        '2026-01-05T10:30:00.25Z,2026-01-05T10:30:00,"a,""b""\nc",1,9007199254740993,0.1,0.1,true,'
        '"{""a"": 1}","{1,2}"\n'
    )


def test_parquet_has_the_same_values_with_the_types_of_the_database(at: Path) -> None:
    run("odd", "--output", at / "odd.parquet")
    table = parquet.read_table(at / "odd.parquet")
    texts = dict.fromkeys(("note", "document", "list"), pa.string())
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == texts | {
        "period_start": pa.timestamp("us", "UTC"),
        "local": pa.timestamp("us"),
        "small": pa.int16(),
        "large": pa.int64(),
        "share": pa.float64(),
        "ratio": pa.float32(),
        "is_true": pa.bool_(),
    }
    assert table.schema.field("share").metadata == {b"comment": b"A share, %."}
    assert table["period_start"].to_pylist()[2] == datetime(2026, 1, 5, 10, 30, 0, 250000, UTC)
    assert table["note"].to_pylist() == [None, "", 'a,"b"\nc']
    assert table["large"].to_pylist() == [5, None, 9007199254740993]
    assert table["share"].to_pylist() == [100.0, None, 0.1]
    assert table["is_true"].to_pylist() == [False, None, True]
    assert json.loads(table["document"].to_pylist()[2]) == {"a": 1}


def test_a_dash_is_the_standard_output(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(at)
    assert run("london", "--output", "-").stdout == run("london").stdout
    assert not (at / "-").exists()


def test_the_ending_of_the_name_decides_on_the_format_in_any_case(at: Path) -> None:
    run("london", "--output", at / "LONDON.PARQUET")
    assert parquet.read_table(at / "LONDON.PARQUET").num_rows == 5


def test_many_lines_with_breaks_are_one_row_each(at: Path) -> None:
    """More than pyarrow reads in one block, and than one batch has."""
    run("long", "--output", at / "long.parquet")
    notes = parquet.read_table(at / "long.parquet")["note"].to_pylist()
    assert sorted(notes) == sorted(f"{'x' * 30}\n{n}" for n in range(1, 60001))


def test_a_gzipped_csv_is_the_same_csv(at: Path) -> None:
    run("odd", "--output", at / "odd.csv")
    run("odd", "--output", at / "odd.csv.gz")
    plain = subprocess.run(["gzip", "-dc", at / "odd.csv.gz"], capture_output=True, check=True)
    assert plain.stdout == (at / "odd.csv").read_bytes()


def test_every_view_can_be_exported_in_both_formats_by_a_reader(
    connection: Connection, tmp_path: Path
) -> None:
    from grid_assets.warehouse.parquet_file import write_parquet

    names = connection.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = 'reporting' AND viewname <> ALL(%s)",
        [[*VIEWS]],
    ).fetchall()
    connection.execute("SET ROLE grid_reader")
    assert len(names) >= 13
    for (name,) in names:
        view = find_view(connection, name)
        dated = view.time is not None and date(2026, 1, 5)
        with copied(connection, view, dated or None, dated or None) as rows:
            header = bytes(next(rows)).decode().strip()
            with (tmp_path / "file.parquet").open("wb") as file:
                count = write_parquet(view, rows, file)
        assert header.split(",") == [column.name for column in view.columns]
        table = parquet.read_table(tmp_path / "file.parquet")
        assert (table.num_rows, table.schema.names) == (count, header.split(","))


def test_doubles_of_parquet_are_the_decimals_of_the_database(
    connection: Connection, at: Path
) -> None:
    connection.execute(
        "CREATE OR REPLACE VIEW reporting.decimals AS "
        "SELECT n / 10.0 AS pct, round(n / 997.0, 4) AS wape FROM generate_series(0, 10000) AS n"
    )
    try:
        run("decimals", "--output", at / "d.parquet")
        stored = connection.execute("SELECT * FROM reporting.decimals").fetchall()
    finally:
        connection.execute("DROP VIEW reporting.decimals")
    table = parquet.read_table(at / "d.parquet")
    for place, column in enumerate(table.columns):
        read = sorted(Decimal(repr(value)) for value in column.to_pylist())
        assert read == sorted(row[place] for row in stored)


def test_no_rows_are_a_file_without_rows_and_no_failure(at: Path) -> None:
    future = ("--from", "2999-01-01", "--to", "9999-12-31")
    ran = run("telemetry", *future)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("period_start,")
    assert ran.stdout.count("\n") == 1
    assert ran.stderr.startswith("0 rows ")
    run("telemetry", *future, "--output", at / "none.parquet")
    table = parquet.read_table(at / "none.parquet")
    assert (table.num_rows, str(table.schema.field("wind_pct").type)) == (0, "double")


def test_rows_are_streamed_and_an_early_end_cancels_the_statement(connection: Connection) -> None:
    view = find_view(connection, "endless")
    lines: list[bytes] = []
    with suppress(BrokenPipeError), copied(connection, view, None, None) as rows:
        lines += [bytes(next(rows)) for _ in range(3)]
        raise BrokenPipeError
    assert lines == [b"n\n", b"100000000000001\n", b"100000000000002\n"]
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_nothing_can_be_written_by_an_export(connection: Connection) -> None:
    view = find_view(connection, "writes")
    with (
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        copied(connection, view, None, None) as rows,
    ):
        list(rows)
