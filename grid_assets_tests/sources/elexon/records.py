"""Records as the API sends them, for tests to damage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from grid_assets.halfhours import HALF_HOUR, Window, parse_api_time, settlement
from grid_assets.sources.elexon.client import read_json

NEVER = datetime(2100, 1, 1, tzinfo=UTC)
"""A receipt so late that nothing is published after it."""


def at(text: str) -> datetime:
    return parse_api_time(text)


def window(start: str, end: str) -> Window:
    return Window(at(start), at(end))


def seconds(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def settled(start: str) -> dict[str, Any]:
    day, period = settlement(at(start))
    return {"startTime": start, "settlementDate": str(day), "settlementPeriod": period}


def wind(published: str, start: str, mw: Any = 6644, **more: Any) -> dict[str, Any]:
    times = {"publishTime": published, "startTime": start}
    return {"dataset": "WINDFOR", **times, "generation": mw, **more}


def demand(published: str, start: str, mw: Any = 22_700, **more: Any) -> dict[str, Any]:
    found = {"dataset": "NDF", "demand": mw, "publishTime": published, **settled(start)}
    return {**found, "boundary": "N", **more}


def fuel(start: str, name: str = "CCGT", mw: Any = 5147, **more: Any) -> dict[str, Any]:
    ended = {"publishTime": seconds(at(start) + HALF_HOUR), **settled(start)}
    return {"dataset": "FUELHH", **ended, "fuelType": name, "generation": mw, **more}


def outturn(start: str, mw: Any = 23_803, **more: Any) -> dict[str, Any]:
    ended = {"publishTime": seconds(at(start) + HALF_HOUR), **settled(start)}
    return {"dataset": "INDO", **ended, "demand": mw, **more}


def body(*records: Any) -> bytes:
    return json.dumps({"data": list(records)}).encode()


def as_received(*records: Any) -> Any:
    """The document after a trip through the client's own JSON reader."""
    return read_json("/test", body(*records).decode())
