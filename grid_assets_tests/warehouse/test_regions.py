"""The 18 regions in the database are those of the dictionary, which a migration cannot read."""

from __future__ import annotations

from grid_assets.regions import REGIONS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse
connection = shared_warehouse.connection


def test_the_table_of_regions_has_the_rows_of_the_dictionary(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT region_id, short_name, dno_name, nation, gsp_group "
        "FROM core.regions ORDER BY region_id"
    ).fetchall()
    assert rows == [(r.region_id, r.short_name, r.dno_name, r.nation, r.gsp_group) for r in REGIONS]
