"""The APIs that the replay serves, each under its own path."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from urllib.parse import parse_qs

from grid_assets.replay.addresses import ELEXON_PATH, NESO_PORTAL_PATH
from grid_assets.replay.elexon import ElexonApi
from grid_assets.replay.endpoints import Endpoints
from grid_assets.replay.neso_portal import NesoPortalApi
from grid_assets.replay.outlook_recording import OutlookView, load_outlook_recording
from grid_assets.replay.replies import Reply

Source = Literal["carbon_intensity", "elexon", "neso_portal"]


class Routes:
    """All three APIs, from recordings that are moved by the same whole weeks."""

    def __init__(self, carbon_intensity: Endpoints, weeks: int, base: str) -> None:
        outlook = OutlookView(load_outlook_recording(), weeks)
        self._carbon_intensity = carbon_intensity
        self._elexon = ElexonApi(outlook)
        self._neso_portal = NesoPortalApi(outlook, base + NESO_PORTAL_PATH)

    def answer(
        self, path: str, query: str, now: datetime, withheld_from: datetime | None
    ) -> tuple[Source, str, Reply]:
        """The API, what to count the request under, and the response."""
        parameters = parse_qs(query)
        if path.startswith(f"{ELEXON_PATH}/"):
            kind, reply = self._elexon.answer(path.removeprefix(ELEXON_PATH), parameters, now)
            return "elexon", f"elexon {kind}", reply
        if path.startswith(f"{NESO_PORTAL_PATH}/"):
            below = path.removeprefix(NESO_PORTAL_PATH)
            kind, reply = self._neso_portal.answer(below, parameters, now)
            return "neso_portal", f"neso_portal {kind}", reply
        endpoint, reply = self._carbon_intensity.answer(path, now, withheld_from)
        return "carbon_intensity", endpoint, reply
