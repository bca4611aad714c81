"""The two sources of the outlook: whether each is used, and one response of either.

Nothing depends on them: without a source, its assets stay empty and the forecast goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from grid_assets.settings import (
    PUBLIC_ELEXON_URL,
    PUBLIC_NESO_PORTAL_URL,
    DataKind,
    Settings,
)
from grid_assets.sources.elexon import client as elexon
from grid_assets.sources.elexon import payloads
from grid_assets.sources.http.errors import ApiError
from grid_assets.sources.neso_portal import captures, datasets
from grid_assets.sources.records import Rejected

Source = Literal["elexon", "neso_portal"]

SOURCES: Final[tuple[Source, ...]] = ("elexon", "neso_portal")

NAMES: Final[dict[Source, str]] = {"elexon": "Elexon", "neso_portal": "the NESO Data Portal"}

FUELHH: Final = "elexon_fuelhh"
INDO: Final = "elexon_indo"

ENDPOINTS: Final = {
    payloads.WINDFOR: "/datasets/WINDFOR",
    payloads.NDF: "/datasets/NDF",
    FUELHH: "/datasets/FUELHH",
    INDO: "/datasets/INDO",
    datasets.EMBEDDED.source: "embedded-wind-and-solar-forecasts",
    datasets.DAY_AHEAD_WIND.source: "day-ahead-wind-forecast",
    datasets.DEMAND_2_14_DAYS.source: "2-14-days-ahead-national-demand-forecast",
    datasets.DAY_AHEAD_DEMAND.source: "day-ahead-half-hourly-demand-forecast-performance",
    datasets.OUTTURN_SOURCE: "daily-demand-update",
}
"""By dataset: what `ops.quarantine.endpoint` calls it, a path of Elexon or a package of NESO."""

_TITLES: Final = {
    payloads.WINDFOR: "Elexon WINDFOR",
    payloads.NDF: "Elexon NDF",
    datasets.EMBEDDED.source: "NESO embedded forecast",
    datasets.DAY_AHEAD_WIND.source: "NESO day-ahead wind",
    datasets.DAY_AHEAD_DEMAND.source: "NESO day-ahead demand",
    datasets.DEMAND_2_14_DAYS.source: "NESO demand 2 to 14 days ahead",
}


def title(dataset: str) -> str:
    """A dataset of the outlook for people, such as `Elexon WINDFOR`."""
    return _TITLES.get(dataset, dataset)


def publisher(dataset: str) -> Source:
    """The source of a dataset such as `elexon_windfor`."""
    return "elexon" if dataset.startswith("elexon_") else "neso_portal"


def why_off(settings: Settings, kind: DataKind, source: Source) -> str | None:
    """Why a source is not used, as a sentence; None if it is used.

    A warehouse of recorded data never asks the public APIs: their answers would be refused.
    """
    url, public, setting = (
        (settings.elexon_url, PUBLIC_ELEXON_URL, "GRID_ELEXON_URL")
        if source == "elexon"
        else (settings.neso_portal_url, PUBLIC_NESO_PORTAL_URL, "GRID_NESO_PORTAL_URL")
    )
    if url is None:
        return f"Switched off: {setting} is empty."
    if kind == "replay" and url == public:
        return (
            f"Switched off: the warehouse holds recorded data, and {setting} is not the address of "
            "a replay."
        )
    return None


def off_sources(settings: Settings, kind: DataKind) -> dict[Source, str]:
    """The sources that are not used, each with the reason."""
    found = {source: why_off(settings, kind, source) for source in SOURCES}
    return {source: reason for source, reason in found.items() if reason is not None}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one response held; `received_at` (UTC) is when it was complete."""

    rows: Sequence[Any]
    rejected: Sequence[Rejected]
    received_at: datetime
    simulated: bool
    clock_ahead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One request of a dataset: its answer, or the error."""

    dataset: str
    outcome: Answer | ApiError = field(repr=False)

    @property
    def endpoint(self) -> str:
        """What `ops.quarantine.endpoint` calls it; a dataset without a name is the path itself."""
        return ENDPOINTS.get(self.dataset, self.dataset)


def of_elexon(dataset: str, outcome: elexon.Captured[Any] | ApiError) -> Taken:
    if isinstance(outcome, ApiError):
        return Taken(dataset, outcome)
    parsed = outcome.parsed
    return Taken(
        dataset,
        Answer(
            parsed.rows,
            parsed.rejected,
            outcome.received_at,
            outcome.simulated,
            outcome.clock_ahead,
        ),
    )


def of_portal(dataset: str, outcome: captures.Captured[Any] | ApiError) -> Taken:
    if isinstance(outcome, ApiError):
        return Taken(dataset, outcome)
    parsed = outcome.parsed
    return Taken(
        dataset, Answer(parsed.rows, parsed.rejected, outcome.received_at, outcome.simulated)
    )
