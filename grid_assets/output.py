"""The folder for the files that assets make, and a helper that replaces a file atomically."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

DASHBOARD: Final = "dashboard.html"


def files_folder(home: Path) -> Path:
    """The folder under `GRID_HOME` that holds the files for readers."""
    return home / "files"


def write_whole(file: Path, text: str) -> None:
    """Write `file` so that a reader sees the old or the new content, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_whole(file) as written:
        written.write(text)


def write_bytes_whole(file: Path, content: bytes) -> None:
    """As `write_whole`, for bytes that are written as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(file) as written:
        written.write(content)


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a document in the same way, for people to read."""
    write_whole(file, json.dumps(content, indent=2) + "\n")


@contextmanager
def open_whole(file: Path) -> Iterator[TextIO]:
    """A text that becomes `file`, gzipped if its name ends in .gz, once the block has ended. If the
    block fails, `file` is as it was and nothing else is left."""
    with _replacing(file) as content, ExitStack() as closing:
        if file.suffix == ".gz":  # without a time, so that the same content is the same file
            zipped = gzip.GzipFile("", "wb", fileobj=content, mtime=0, compresslevel=6)
            content = closing.enter_context(cast(IO[bytes], zipped))
        yield closing.enter_context(io.TextIOWrapper(content, encoding="utf-8", newline=""))


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    if file.exists() and not file.is_file():  # a device, which would be replaced
        raise FileExistsError(errno.EEXIST, "it is not a regular file", str(file))
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as content:
            yield content
        os.chmod(name, 0o644)  # mkstemp lets only the owner read; web servers read this file
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
