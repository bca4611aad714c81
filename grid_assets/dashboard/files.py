"""Files that are whole or not there, whatever happens while they are written.

Belongs here: writing them. Does not belong here: what they hold.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
