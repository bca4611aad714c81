"""Tables and bodies of the portal for tests: recorded ones, and ones made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grid_assets.halfhours import HALF_HOUR, LONDON
from grid_assets.halfhours import settlement as settlement_of
from grid_assets.sources.http.body import json_object
from grid_assets.sources.neso_portal.tables import Table, table_of_csv, table_of_result
from grid_assets_tests.http_stub import Reply

FIXTURES = Path(__file__).parents[2] / "fixtures" / "neso_portal"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def recorded(name: str) -> Table:
    """A recorded body as the client reads it."""
    text = (FIXTURES / name).read_text(encoding="utf-8")
    return table_of_csv(text) if name.endswith(".csv") else table_of_result(result_of(text))


def result_of(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json_object("/test", text)["result"]
    return document


def table(*records: Any) -> Table:
    """Records after a trip through the client's own JSON reader."""
    return table_of_result(result_of(answer(records).body.decode()))


def answer(records: Sequence[Any], total: int | None = None, **result: Any) -> Reply:
    """The datastore's answer with these records."""
    columns = list(records[0]) if records and isinstance(records[0], dict) else []
    body = {
        "help": "https://api.neso.energy/api/3/action/help_show?name=datastore_search",
        "success": True,
        "result": {
            "fields": [{"id": name, "type": "text"} for name in columns],
            "records": list(records),
            "total": len(records) if total is None else total,
            "_links": {"start": "/api/3/action/datastore_search", "next": "/past?offset=9999"},
            **result,
        },
    }
    return Reply(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def starts(first: str, count: int) -> list[datetime]:
    return [at(first) + step * HALF_HOUR for step in range(count)]


def settlement(start: datetime) -> dict[str, Any]:
    """The settlement date and period of a half-hour."""
    day, period = settlement_of(start)
    return {"SETTLEMENT_DATE": f"{day}T00:00:00", "SETTLEMENT_PERIOD": period}


def embedded(start: datetime, wind: Any = 2000, solar: Any = 3000, **other: Any) -> dict[str, Any]:
    end = start + HALF_HOUR
    return {
        "DATE_GMT": f"{end:%Y-%m-%d}T00:00:00",
        "TIME_GMT": f"{end:%H:%M}",
        **settlement(start),
        "EMBEDDED_WIND_FORECAST": wind,
        "EMBEDDED_WIND_CAPACITY": 6417,
        "EMBEDDED_SOLAR_FORECAST": solar,
        "EMBEDDED_SOLAR_CAPACITY": 23301,
        **other,
    }


def wind(start: datetime, value: Any = 9000, **other: Any) -> dict[str, Any]:
    where = settlement(start)
    return {
        "Datetime_GMT": f"{start:%Y-%m-%dT%H:%M:%S}",
        "Date": where["SETTLEMENT_DATE"][:10],
        "Settlement_period": where["SETTLEMENT_PERIOD"],
        "Capacity": 25366,
        "Incentive_forecast": value,
        **other,
    }


def demand(start: datetime, value: Any = 30000, **other: Any) -> dict[str, Any]:
    """A row of 2-14 days ahead demand: its times are the end of the half-hour."""
    end = start + HALF_HOUR
    local = end.astimezone(LONDON)
    last = (local.hour, local.minute) == (0, 0)
    day = local - timedelta(days=1) if last else local
    return {
        "DATE": f"{day:%Y-%m-%d}",
        "CTIME": 2400 if last else local.hour * 100 + local.minute,
        "GDATETIME": f"{end:%Y-%m-%dT%H:%M:%S}",
        "NATIONALDEMAND": value,
        **other,
    }


def outturn(start: datetime, **other: Any) -> dict[str, Any]:
    return {
        **settlement(start),
        "ND": 25000,
        "FORECAST_ACTUAL_INDICATOR": "A",
        "TSD": 27000,
        "EMBEDDED_WIND_GENERATION": 1500,
        "EMBEDDED_WIND_CAPACITY": 6417,
        "EMBEDDED_SOLAR_GENERATION": 2500,
        "EMBEDDED_SOLAR_CAPACITY": 23963,
        **other,
    }


def performance(start: datetime, value: Any = 30000, **other: Any) -> dict[str, Any]:
    """A row of day-ahead demand: London's clocks, and the end of the half-hour."""
    where = settlement(start)
    day = datetime.fromisoformat(where["SETTLEMENT_DATE"])
    return {
        "Date": f"{day:%Y-%m-%d}",
        "Datetime": f"{(start + HALF_HOUR).astimezone(LONDON):%Y-%m-%dT%H:%M:%S}",
        "Settlement_Period": where["SETTLEMENT_PERIOD"],
        "Demand_Forecast": value,
        "Publish_Datetime": f"{day - timedelta(days=1):%Y-%m-%d}T08:45:00",
        **other,
    }


def csv_of(records: Sequence[dict[str, Any]], line_end: str = "\r\n") -> bytes:
    lines = [",".join(records[0])]
    lines += [
        ",".join("" if value is None else str(value) for value in record.values())
        for record in records
    ]
    return (line_end.join(lines) + line_end).encode()
