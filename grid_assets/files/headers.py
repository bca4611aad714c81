"""What a file is, and how long it may be kept: the headers of HTTP and the metadata of a bucket."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

FEEDS: Final = "v1"
"""The folder of the feeds."""

FEED_MAX_AGE_S: Final = 60
"""Seconds that a feed may be kept; the next one follows half an hour later."""

CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".prom": "text/plain; version=0.0.4; charset=utf-8",
}


def content_type(name: str) -> str:
    return CONTENT_TYPES[PurePosixPath(name).suffix]


def caching(*, is_feed: bool) -> str:
    """Feeds may be kept for a minute; everything else is revalidated on each request."""
    return f"public, max-age={FEED_MAX_AGE_S}" if is_feed else "no-cache"


def is_feed(name: str) -> bool:
    return name.startswith(f"{FEEDS}/")
