"""Whether the addresses that messages and pings go to can be used, said before anything is sent."""

from __future__ import annotations

from grid_assets.alerts.sending import unusable
from grid_assets.settings import Settings


def faults(settings: Settings) -> list[str]:
    """A sentence for each address of GRID_ALARM_URLS and GRID_HEARTBEAT_URL with a fault. Takes
    about a second of processor time for each address, and sends nothing."""
    found = unusable(settings.alarm_url_list)
    if settings.heartbeat_fault is not None:
        found.append(settings.heartbeat_fault)
    return found
