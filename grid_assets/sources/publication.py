"""One publication about the future, the common result of every source of the outlook. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Publication:
    """One series of one publication, as published: nothing is filled in, moved or corrected.

    `source` is the dataset, such as `elexon_windfor`; `series` is one of `OUTLOOK`. `published_at`
    (UTC) is the source's own time of publication, or the time of receipt if it gives none.
    `values` holds MW by the label (UTC) that the source gave the step, None where it was empty, and
    `minutes` is the length of a step. What a label means (start or end of its step) depends on the
    source, and is settled in `core`.
    """

    source: str
    series: str
    published_at: datetime
    minutes: Literal[30, 60]
    values: Mapping[datetime, float | None]
