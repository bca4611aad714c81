"""The line about the outlook in `grid status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.health import outlook
from grid_assets.settings import (
    PUBLIC_API_URL,
    PUBLIC_ELEXON_URL,
    PUBLIC_NESO_PORTAL_URL,
    DataKind,
    Settings,
)
from grid_assets.warehouse.connection import Connection

PUBLIC: dict[str, Any] = {
    "api_url": PUBLIC_API_URL,
    "elexon_url": PUBLIC_ELEXON_URL,
    "neso_portal_url": PUBLIC_NESO_PORTAL_URL,
}
LOCAL = "http://127.0.0.1:1"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OFF = "GRID_ELEXON_URL is not the address of a replay"


@pytest.fixture
def captured(connection: Connection) -> Connection:
    """Wind that was published seven hours ago."""
    published = NOW - timedelta(hours=7)
    connection.execute(
        "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, "
        "starts_at, value_mw) VALUES ('wind_mw', 'elexon_windfor', %s, %s, %s, %s, '{5000}')",
        [published] * 4,
    )
    return connection


@pytest.mark.parametrize(
    ("kind", "settings", "shown", "said"),
    [
        ("replay", {}, "wind 2026-01-01 05:00Z (7 h)", "    The demo's API is not running."),
        ("replay", {"api_url": LOCAL}, f"holds recorded data, and {OFF}", None),
        ("replay", {"elexon_url": ""}, "none", "    The demo's API is not running."),
        ("live", {}, "wind 2026-01-01 05:00Z (7 h)", "    warning: the outlook is late: "),
        ("live", {"elexon_url": "", "neso_portal_url": ""}, "GRID_ELEXON_URL is empty.", None),
    ],
)
def test_without_the_demos_api_the_newest_publications_are_named_and_not_judged(
    captured: Connection, kind: DataKind, settings: dict[str, Any], shown: str, said: str | None
) -> None:
    lines = list(outlook.report(captured, Settings(**PUBLIC | settings), kind, NOW))
    assert shown in lines[0]
    assert len(lines) == (1 if said is None else 2)
    assert said is None or lines[1].startswith(said)
