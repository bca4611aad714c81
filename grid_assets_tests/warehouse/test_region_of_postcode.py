"""`reporting.region_of_postcode`: any spelling, every outward code, and why there is no region."""

from __future__ import annotations

import csv
from typing import NamedTuple

import pytest

from grid_assets.regions import REGIONS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.outward_codes import outward_codes
from grid_assets_tests import shared_warehouse

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection

NAMES = {region.region_id: region.short_name for region in REGIONS}


class Found(NamedTuple):
    """The row of the function."""

    region_id: int | None
    short_name: str | None
    outward_code: str | None
    share_pct: float | None
    second_region_id: int | None
    second_short_name: str | None
    reason: str | None
    explanation: str | None


def region_of(connection: Connection, postcode: str | None) -> Found:
    [row] = connection.execute(
        "SELECT * FROM reporting.region_of_postcode(%s)", [postcode]
    ).fetchall()
    found = Found(*row)
    assert (found.region_id is None) == (found.short_name is None) == (found.reason is not None)
    assert (found.reason is None) == (found.explanation is None)
    return found


@pytest.mark.parametrize(
    ("postcode", "outward", "region_id"),
    [
        ("RG10", "RG10", 12),
        ("rg10", "RG10", 12),
        (" Rg 10 ", "RG10", 12),
        ("RG10 9NY", "RG10", 12),
        ("RG109NY", "RG10", 12),
        ("rg10-9ny", "RG10", 12),
        ("R G 1 0 9 N Y", "RG10", 12),
        ("RG10 9", "RG10", 12),
        ("RG10 9N", "RG10", 12),
        ("RG1 9", "RG1", 12),
        ("RG19", "RG19", 12),
        ("RG1 9NY", "RG1", 12),
        ("RG19NY", "RG1", 12),
        ("RG19 9NY", "RG19", 12),
        (" sw1a1aa", "SW1A", 13),
        ("SW1A 1AA\n", "SW1A", 13),
        ("SW1 A1AA", "SW1A", 13),
        ("SW1A", "SW1A", 13),
        ("\tsw1a\u00a01aa", "SW1A", 13),
        ("SW1A\u20131AA.", "SW1A", 13),
        ("W1A", "W1A", 13),
        ("W1A 1AA", "W1A", 13),
        ("w11aa", None, None),
        ("E11AA", "E1", 13),
        ("E1W 1AA", "E1W", 13),
        ("E1W1AA", "E1W", 13),
        ("M1 1AE", "M1", 3),
        ("M11AE", "M1", 3),
        ("M11 1AE", "M11", 3),
    ],
    ids=lambda value: repr(value) if isinstance(value, str) else str(value),
)
def test_a_postcode_in_any_spelling_is_understood(
    connection: Connection, postcode: str, outward: str | None, region_id: int | None
) -> None:
    found = region_of(connection, postcode)
    assert found.region_id == region_id
    assert found.outward_code == (outward or "W1")


@pytest.mark.parametrize(
    ("outward", "region_id"),
    [
        # what the API has answered
        ("BN3", 14),
        ("EN2", 10),
        ("EC1V", 13),
        ("BS7", 11),
        ("BS16", 11),
        ("RG41", 12),
        ("OX1", 12),
        # the API answers 400
        ("W2", 13),
        ("W3", 12),
        ("W7", 12),
        # islands of Great Britain's grid
        ("KW17", 1),
        ("ZE1", 1),
        ("HS1", 1),
        ("HS9", 1),
        ("IV51", 1),
        ("PA65", 1),
        ("KA27", 1),
        ("TR21", 11),
        ("TR25", 11),
        ("PO30", 12),
        ("LL65", 6),
        # a city in each of the other areas
        ("AB10", 1),
        ("EH1", 2),
        ("G1", 2),
        ("M1", 3),
        ("NE1", 4),
        ("LS1", 5),
        ("L1", 6),
        ("LL30", 6),
        ("CF10", 7),
        ("B1", 8),
        ("NG1", 9),
        ("CB1", 10),
    ],
)
def test_known_places_have_their_region(
    connection: Connection, outward: str, region_id: int
) -> None:
    assert region_of(connection, outward).region_id == region_id


def test_every_outward_code_that_ships_has_its_region_also_in_a_whole_postcode(
    connection: Connection,
) -> None:
    _, *rows = csv.reader(outward_codes().splitlines())
    found = connection.execute(
        "SELECT code, r.outward_code, r.region_id, r.short_name, r.share_pct, r.second_region_id, "
        "r.second_short_name, r.reason, w.region_id FROM unnest(%s::text[]) AS code "
        "CROSS JOIN LATERAL reporting.region_of_postcode(code) AS r "
        "CROSS JOIN LATERAL reporting.region_of_postcode(lower(code) || '1aa') AS w",
        [[code for code, *_ in rows]],
    ).fetchall()
    assert len(found) == len(rows) > 2_800
    for (code, region, share, second), row in zip(rows, found, strict=True):
        number, other = int(region), int(second) if second else None
        name = NAMES[other] if other else None
        assert row[:4] == (code, code, number, NAMES[number])
        assert [str(row[4]), *row[5:]] == [share, other, name, None, number], code


def test_a_code_that_two_areas_share_says_so(connection: Connection) -> None:
    found = region_of(connection, "N4")
    assert (found.region_id, found.second_region_id) == (13, 10)
    assert found.second_short_name == NAMES[10]
    assert found.share_pct is not None
    assert 50 < found.share_pct < 80


@pytest.mark.parametrize(
    ("postcode", "outward", "reason"),
    [
        (None, None, "empty"),
        ("", None, "empty"),
        (" \n", None, "empty"),
        ("-", None, "empty"),
        ("RG", None, "not_a_postcode"),
        ("10", None, "not_a_postcode"),
        ("London", None, "not_a_postcode"),
        ("RG100 9NY", None, "not_a_postcode"),
        ("RG10 99NY", None, "not_a_postcode"),
        ("RG10 9NYX", None, "not_a_postcode"),
        ("KY1-1001", None, "not_a_postcode"),  # Cayman Islands, not Kirkcaldy
        ("90210", None, "not_a_postcode"),
        ("RG10'; DROP TABLE core.regions; --", None, "not_a_postcode"),
        ("%", None, "not_a_postcode"),
        ("É1 1AA", None, "not_a_postcode"),
        ("R" * 1_000_000, None, "not_a_postcode"),
        ("ZZ9", "ZZ9", "unknown"),
        ("RG99", "RG99", "unknown"),
        ("W99 1AA", "W99", "unknown"),
        ("W1", "W1", "incomplete"),
        ("W1 1AA", "W1", "incomplete"),
        ("sw1", "SW1", "incomplete"),
        ("EC1", "EC1", "incomplete"),
        ("WC2", "WC2", "incomplete"),
        ("BT1", "BT1", "northern_ireland"),
        ("bt93 8aa", "BT93", "northern_ireland"),
        ("JE2 3AB", "JE2", "crown_dependency"),
        ("GY1", "GY1", "crown_dependency"),
        ("IM1 1AA", "IM1", "crown_dependency"),
        ("BX1 1LT", "BX1", "not_geographic"),
        ("BF1", "BF1", "not_geographic"),
        ("XX1", "XX1", "not_geographic"),
        ("GIR 0AA", "GIR", "not_geographic"),
        ("gir0aa", "GIR", "not_geographic"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, str) else str(value),
)
def test_a_code_without_a_region_says_why(
    connection: Connection, postcode: str | None, outward: str | None, reason: str
) -> None:
    found = region_of(connection, postcode)
    assert (found.region_id, found.outward_code, found.reason) == (None, outward, reason)
    assert (found.share_pct, found.second_region_id) == (None, None)


def test_the_beginning_of_outward_codes_names_them(connection: Connection) -> None:
    explanation = region_of(connection, "SW1").explanation
    assert explanation is not None
    for code in ("SW1A", "SW1E", "SW1H", "SW1P", "SW1V", "SW1W", "SW1X", "SW1Y"):
        assert code in explanation


def test_the_code_is_found_by_the_index_of_the_key(connection: Connection) -> None:
    connection.execute("SET LOCAL enable_seqscan = off")  # the function's own plan cannot be seen
    plan = "\n".join(
        line
        for (line,) in connection.execute(
            "EXPLAIN SELECT * FROM core.outward_codes WHERE outward_code = 'RG10'"
        )
    )
    assert "outward_codes_pk" in plan, plan
