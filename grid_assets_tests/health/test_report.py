"""What `grid status` says of failures."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import SecretStr

from grid_assets.health.report import LONGEST_MESSAGE, status
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.dashboard import made_up


def test_a_long_message_is_one_short_line_and_cannot_steer_the_terminal(
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    made_up.note_attempt(warehouse, "raw.intensity", now, error="one\n\x1b[31mtwo " + "x" * 5000)
    made_up.note_attempt(warehouse, "files.dashboard", now, error="three\nfour")
    seen = status(connection, "here", Settings(), now)
    [fault] = [fault for fault in seen.faults if fault.startswith("raw.intensity failed: ")]
    assert fault.startswith("raw.intensity failed: one [31mtwo xxx")
    assert len(fault) < LONGEST_MESSAGE + 50
    assert "    warning: three four" in seen.lines
