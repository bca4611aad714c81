"""The folder of files for readers, and a way to write one that a reader never sees half done."""

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
    """Write `file` so that a reader sees the old one or the new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as written:
            written.write(text)
        os.chmod(name, 0o644)  # mkstemp's file is for its owner alone, and this one is to be read
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
