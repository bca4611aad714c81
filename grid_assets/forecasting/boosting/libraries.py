"""Whether trees can be grown on this machine. Forecasting with them needs neither library."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

NEEDED: Final = ("lightgbm", "onnxmltools")


class LibrariesMissing(Exception):
    """Trees cannot be grown here; the message says what to install."""


def require_libraries() -> None:
    """Raise `LibrariesMissing` unless all that grows trees is installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise LibrariesMissing(
            f"Nothing can be trained: {' and '.join(missing)} are not installed. Install them "
            "with `.venv/bin/pip install -e '.[trees]'` in a clone, otherwise with `pip install "
            "'grid-assets[trees]'`."
        )
