"""Where the replay serves each API, and the settings that point at them.

It imports nothing, because every command needs it and few need a replay.
"""

from __future__ import annotations

from typing import Final

ELEXON_PATH: Final = "/elexon/bmrs/api/v1"
NESO_PORTAL_PATH: Final = "/neso-portal"
NESO_ACTIONS: Final = f"{NESO_PORTAL_PATH}/api/3/action"


def source_urls(base: str) -> dict[str, str]:
    """The settings, by their names, for a product that reads all three APIs from a replay."""
    return {
        "api_url": base,
        "elexon_url": base + ELEXON_PATH,
        "neso_portal_url": base + NESO_ACTIONS,
    }
