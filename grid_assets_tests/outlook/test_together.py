"""Generation and demand as one row: what one response lacks stays as it was received before."""

from __future__ import annotations

from datetime import UTC, datetime

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook.generation import together
from grid_assets.outlook.load import load_elexon_generation
from grid_assets.sources.elexon.payloads import DemandRow, GenerationRow
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection, write_transaction

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = START + HALF_HOUR


def test_a_missing_half_is_completed_from_what_is_held(connection: Connection) -> None:
    fuels = [GenerationRow(at, LATER, {"WIND": 7000, "CCGT": None}) for at in (START, LATER)]
    demands = [DemandRow(START, LATER, 30_000)]
    first = together(connection, fuels, demands)
    assert [(row.generation_mw, row.demand_mw) for row in first] == [
        ({"WIND": 7000, "CCGT": None}, 30_000),
        ({"WIND": 7000, "CCGT": None}, None),
    ]
    with write_transaction(connection, "raw.elexon_generation"):
        assert load_elexon_generation(connection, [Capture(first, LATER)]) == 2

    connection.execute("DROP TABLE staged")  # a commit would drop it
    # demand is silent; then generation is
    assert together(connection, fuels, []) == first
    second = together(connection, [], [DemandRow(LATER, LATER, 31_000)])
    assert [(row.period_start, row.generation_mw, row.demand_mw) for row in second] == [
        (LATER, {"WIND": 7000, "CCGT": None}, 31_000)
    ]
    with write_transaction(connection, "raw.elexon_generation"):
        assert load_elexon_generation(connection, [Capture([*first[:1], *second], LATER)]) == 1


def test_fuels_of_rejected_records_stay_as_held_and_are_null_otherwise(
    connection: Connection,
) -> None:
    whole = [GenerationRow(START, LATER, {"WIND": 7000, "INTFR": 2000})]
    demands = [DemandRow(at, LATER, 30_000) for at in (START, LATER)]
    held = together(connection, whole, demands[:1])
    load_elexon_generation(connection, [Capture(held, LATER)])
    # one record cannot be told, COAL and INTFR can
    partial = [
        GenerationRow(START, LATER, {"WIND": 7100}, frozenset({"INTFR", "COAL"})),
        GenerationRow(LATER, LATER, {"WIND": 7200}, frozenset({"INTFR"})),
    ]
    assert [row.generation_mw for row in together(connection, partial, demands)] == [
        {"WIND": 7100, "INTFR": 2000, "COAL": None},
        {"WIND": 7200, "INTFR": None},
    ]
    unreadable = [GenerationRow(START, LATER, {"WIND": 7100}, frozenset())]
    [row] = together(connection, unreadable, demands[:1])
    assert row.generation_mw == {"WIND": 7100, "INTFR": 2000}
    # what a whole response lacks was withdrawn
    [row] = together(connection, [GenerationRow(START, LATER, {"WIND": 7100})], demands[:1])
    assert row.generation_mw == {"WIND": 7100}


def test_a_withdrawn_demand_is_none_and_nothing_is_made_up(connection: Connection) -> None:
    assert together(connection, [], []) == []
    [row] = together(connection, [], [DemandRow(START, LATER, None)])
    assert (row.generation_mw, row.demand_mw) == ({}, None)
