"""The 18 regions, the table of outward codes, and how it gets into the database."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import errors
from pydantic import SecretStr

from grid_assets.regions import REGIONS
from grid_assets.warehouse import outward_codes as module
from grid_assets.warehouse.connection import Connection, connect
from grid_assets.warehouse.migrate import is_current, migrate
from grid_assets.warehouse.outward_codes import FILE, outward_codes
from grid_assets.warehouse.roles import create_roles
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import statement
from grid_assets_tests import shared_warehouse
from grid_assets_tests.warehouse.old_database import migrate_before

NewDatabase = Callable[..., SecretStr]
LIVE = Stamp("live")

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection


def stored(connection: Connection) -> list[list[str]]:
    """The table as the file has it."""
    return [
        [str(value) if value is not None else "" for value in row]
        for row in connection.execute(
            "SELECT outward_code, region_id, share_pct, second_region_id FROM core.outward_codes "
            'ORDER BY outward_code COLLATE "C"'
        ).fetchall()
    ]


def shipped() -> list[list[str]]:
    return list(csv.reader(outward_codes().splitlines()))[1:]


def test_the_table_of_regions_has_the_rows_of_the_dictionary(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT region_id, short_name, dno_name, nation, gsp_group "
        "FROM core.regions ORDER BY region_id"
    ).fetchall()
    assert rows == [(r.region_id, r.short_name, r.dno_name, r.nation, r.gsp_group) for r in REGIONS]


def test_the_database_holds_the_table_of_outward_codes_that_ships(connection: Connection) -> None:
    assert stored(connection) == shipped()


def test_the_file_is_small_sorted_and_plausible() -> None:
    codes = [row[0] for row in shipped()]
    assert codes == sorted(set(codes))
    assert 2_800 < len(codes) < 3_100
    assert FILE.stat().st_size < 100_000
    assert {int(row[1]) for row in shipped()} == set(range(1, 15))
    # of all codes, not one in twelve is shared by two areas
    assert sum(row[3] != "" for row in shipped()) < len(codes) / 10


def test_a_database_of_the_version_before_gets_both_tables(new_database: NewDatabase) -> None:
    url = new_database()
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA ops")
        create_roles(connection)
        connection.execute(statement("locks"))
        migrate_before(url, "0022")
        assert connection.execute("SELECT to_regclass('core.regions')").fetchone() == (None,)
        migrate(url, LIVE)
        assert stored(connection) == shipped()
        assert is_current(connection)
        # no autovacuum looks at 18 rows, and plans would expect hundreds
        counted = "SELECT reltuples FROM pg_class WHERE oid = 'core.regions'::regclass"
        assert connection.execute(counted).fetchone() == (18,)


def test_a_newer_table_is_loaded_without_a_migration_and_touches_only_what_differs(
    new_database: NewDatabase, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(template)
    newer = tmp_path / "newer.csv"
    text = FILE.read_text(encoding="utf-8")
    assert "\nRG10,12,100.0,\n" in text
    assert "\nRG12,12,100.0,\n" in text
    text = text.replace("\nRG10,12,100.0,\n", "\nRG10,12,75.5,13\n")
    newer.write_text(text.replace("\nRG12,12,100.0,\n", "\nRG11,12,100.0,\n"), encoding="utf-8")
    with connect(url) as connection:
        [(kind, weeks)] = connection.execute(
            "SELECT kind, shift_weeks FROM ops.warehouse"
        ).fetchall()
        writers = "SELECT outward_code, xmin::text FROM core.outward_codes"
        before: dict[str, str] = dict(connection.execute(writers).fetchall())
        assert is_current(connection)
        monkeypatch.setattr(module, "FILE", newer)
        assert not is_current(connection)
        migrate(url, Stamp(kind, weeks))
        assert is_current(connection)
        assert stored(connection) == shipped()
        after: dict[str, str] = dict(connection.execute(writers).fetchall())
        assert {code for code in before if after.get(code) != before[code]} == {"RG10", "RG12"}
        assert set(after) - set(before) == {"RG11"}
        monkeypatch.undo()
        migrate(url, Stamp(kind, weeks))
        assert stored(connection) == shipped()


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (("AA1", 0, 100, None), "outward_codes_region"),
        (("AA1", 15, 100, None), "outward_codes_in_areas"),
        (("AA1", 1, 100, 15), "outward_codes_in_areas"),
        (("aa1", 1, 100, None), "outward_codes_shape"),
        (("AA1 1", 1, 100, None), "outward_codes_shape"),
        (("AA1", 1, 0, 2), "outward_codes_share"),
        (("AA1", 1, 60, None), "outward_codes_whole_or_shared"),
        (("AA1", 1, 100, 2), "outward_codes_whole_or_shared"),
        (("AA1", 1, 60, 1), "outward_codes_two_regions"),
    ],
)
def test_the_database_refuses_a_row_that_cannot_be(
    connection: Connection, row: tuple[object, ...], constraint: str
) -> None:
    insert = "INSERT INTO core.outward_codes VALUES (%s, %s, %s, %s)"
    with pytest.raises(errors.IntegrityError) as refused, connection.transaction():
        connection.execute(insert, row)
    assert refused.value.diag.constraint_name == constraint


@pytest.mark.parametrize("table", ["regions", "outward_codes"])
def test_only_a_migration_may_write_what_ships(connection: Connection, table: str) -> None:
    found = connection.execute(
        "SELECT has_any_column_privilege('grid_writer', c.oid, 'SELECT'), "
        "has_any_column_privilege('grid_writer', c.oid, 'INSERT, UPDATE'), "
        "has_any_column_privilege('grid_reader', c.oid, 'SELECT') "
        "FROM pg_class AS c WHERE c.oid = to_regclass(%s)",
        [f"core.{table}"],
    ).fetchone()
    assert found == (True, False, False)
