"""The folder for the files that assets make, and a helper that replaces a file atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

DASHBOARD: Final = "dashboard.html"


def files_folder(home: Path) -> Path:
    """The folder under `GRID_HOME` that holds the files for readers."""
    return home / "files"


def write_whole(file: Path, text: str) -> None:
    """Write `file` so that a reader sees the old or the new content, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as written:
            written.write(text)
        os.chmod(name, 0o644)  # mkstemp lets only the owner read; web servers read this file
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
