"""Writes the feeds, each file whole: a reader sees the old or the new content, never a part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grid_assets.feeds.documents import VERSION
from grid_assets.feeds.metrics import metrics
from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document
from grid_assets.output import write_whole
from grid_assets.regions import REGIONS

SCHEMA: Final = "schema"
"""The folder of the JSON Schemas, below the version's."""


def write(folder: Path, made: Mapping[str, Document]) -> int:
    """Replace the feeds in a folder for files, with their schemas; returns the bytes written.

    Without regions their files are removed, because nothing would renew them.
    """
    version = folder / VERSION
    texts = {
        **{name: _text(document) for name, document in made.items()},
        "metrics.prom": metrics(made),
        **{f"{SCHEMA}/{name}": _readable(schema) for name, schema in schemas().items()},
    }
    for name, text in texts.items():
        write_whole(version / name, text)
    for name in ("postcodes.json", *(f"regions/{region.region_id}.json" for region in REGIONS)):
        if name not in made:
            (version / name).unlink(missing_ok=True)
    return sum(len(text.encode()) for text in texts.values())


def _text(document: Document) -> str:
    # NaN would make it unreadable; no column may hold it, and if one does, the old file stays
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _readable(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
