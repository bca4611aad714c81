"""Writes the feeds, each file whole: a reader sees the old or the new content, never a part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from grid_assets.feeds.metrics import metrics
from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document
from grid_assets.files.headers import FEEDS
from grid_assets.files.store import Store
from grid_assets.regions import REGIONS

SCHEMA: Final = "schema"
"""The folder of the JSON Schemas, below the version's."""

METRICS: Final = "metrics.prom"
OF_ALL: Final = ("now.json", "forecast.json", "greenest.json", "accuracy.json")
OF_REGIONS: Final = (
    "postcodes.json",
    *(f"regions/{region.region_id}.json" for region in REGIONS),
)


def file_names() -> list[str]:
    """Every file that there can be, below the store's folder."""
    names = [*OF_ALL, *OF_REGIONS, METRICS, *(f"{SCHEMA}/{name}" for name in schemas())]
    return [f"{FEEDS}/{name}" for name in names]


def write(store: Store, made: Mapping[str, Document]) -> int:
    """Replace the feeds in the store for files, with their schemas; returns their size in bytes.

    Without regions their files are removed, because nothing would renew them.
    """
    texts = {
        **{name: _text(document) for name, document in made.items()},
        METRICS: metrics(made),
        **{f"{SCHEMA}/{name}": _readable(schema) for name, schema in schemas().items()},
    }
    store.write(
        {f"{FEEDS}/{name}": text for name, text in texts.items()},
        [f"{FEEDS}/{name}" for name in OF_REGIONS if name not in made],
    )
    return sum(len(text.encode()) for text in texts.values())


def _text(document: Document) -> str:
    # NaN would make it unreadable; no column may hold it, and if one does, the old file stays
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _readable(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
