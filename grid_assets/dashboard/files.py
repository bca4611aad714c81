"""Writing files so that an interrupted write never leaves part of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Write `file` so that a reader sees the old content or the new, never a part of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            handle.write(text)
        os.chmod(name, 0o644)  # mkstemp lets only the owner read; web servers read this file
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
