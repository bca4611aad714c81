"""The dashboard without Looker: one HTML page from the views of `reporting`.

Belongs here: reading, wording and drawing that page. Does not belong here: when it is made
(`defs.files`), or serving it (`file_server`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

DASHBOARD: Final = "dashboard.html"


def files_folder(home: Path) -> Path:
    """Where a workplace keeps the files that its assets make."""
    return home / "files"
