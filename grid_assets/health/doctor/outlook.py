"""Whether Elexon and the NESO Data Portal answer.

Nothing depends on them, so that a silent one is a note: without it, the outlook and generation by
fuel are missing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR, Window, age_text, floor, utc_text
from grid_assets.health.doctor.case import Case, Finding, note, ok
from grid_assets.outlook.sources import Source, why_off
from grid_assets.settings import Settings
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.http.errors import ApiError
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.client import NesoPortal

LOOK_BACK: Final = timedelta(hours=6)
"""Wind is published at most four hours apart."""


def elexon(case: Case) -> Finding:
    if finding := _not_used(case, "elexon"):
        return finding
    client = ElexonApi.from_settings(_once(case), kind=case.kind, utcnow=case.utcnow)
    assert client is not None
    end = floor(case.utcnow()) + HALF_HOUR
    with client as api:
        [(_, answer)] = api.wind_forecast(Window(end - LOOK_BACK, end))
    if isinstance(answer, ApiError):
        return _silent(
            answer,
            "wind and demand are known from the portal at most, and generation by fuel is missing",
        )
    newest = max((row.published_at for row in answer.parsed.rows), default=None)
    return _answers("Elexon", "wind forecast", newest, case.utcnow())


def portal(case: Case) -> Finding:
    if finding := _not_used(case, "neso_portal"):
        return finding
    client = NesoPortal.from_settings(_once(case), kind=case.kind, utcnow=case.utcnow)
    assert client is not None
    try:
        with client as api:
            newest = api.resource(datasets.EMBEDDED.resource).last_modified
    except ApiError as error:
        return _silent(error, "the outlook of embedded wind and solar is missing")
    return _answers("The portal", "embedded forecast", newest, case.utcnow())


def _not_used(case: Case, source: Source) -> Finding | None:
    if case.api_url is None:
        return note("The demo's API is not running. `grid demo` starts it.")
    reason = why_off(case.settings, case.kind or "live", source)
    return ok(reason) if reason else None


def _once(case: Case) -> Settings:
    return case.settings.model_copy(update={"api_retry_budget_s": 0})


def _silent(error: ApiError, missing: str) -> Finding:
    said = str(error).partition(" Gave up after ")[0]
    return note(f"{said} Until it answers, {missing}; telemetry and forecasts go on.")


def _answers(who: str, what: str, newest: datetime | None, now: datetime) -> Finding:
    if newest is None:
        return note(f"{who} answers, without a {what} of the last {age_text(LOOK_BACK)}: wait.")
    age = age_text(now - newest)
    return ok(f"{who} answers; its newest {what} was published {age} ago, at {utc_text(newest)}.")
