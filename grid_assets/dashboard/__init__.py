"""The dashboard for people without a BI tool: one HTML page of current conditions, read from
`reporting`, and a small server for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DASHBOARD: Final = "dashboard.html"


def files_folder(home: Path) -> Path:
    """The folder of the files that assets make."""
    return home / "files"
