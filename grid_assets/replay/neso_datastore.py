"""The recorded portal's resources as tables at an instant, and the pages that queries select."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from grid_assets.replay.neso_query import BadQuery, Query, Row
from grid_assets.replay.neso_tables import Resource, resources
from grid_assets.replay.outlook_recording import OutlookView

MOST_ISSUES: Final = 400
"""Issues of an archive, about two weeks, that one query may read. More is a timeout, as it would be
in a database without an index."""

TIMEOUT: Final = "canceling statement due to statement timeout"

IDS_OF_AN_ISSUE: Final = 1_000
"""More than any issue has rows, so that the `_id` of an archive's rows never change."""


@dataclass(frozen=True)
class Table:
    """A resource and the issues of it that are published at an instant, oldest first."""

    resource: Resource
    issues: tuple[datetime, ...]

    @property
    def types(self) -> dict[str, str]:
        """The type of each column."""
        return {"_id": "int", **dict(self.resource.columns)}

    @property
    def last_modified(self) -> str | None:
        if not self.issues:
            return None
        return f"{self.issues[-1] + self.resource.upload:%Y-%m-%dT%H:%M:%S.%f}"


@dataclass(frozen=True)
class Page:
    """Records of one answer; `total` is how many match, estimated if not all were read."""

    records: list[Row]
    total: int

    def simulated(self, resource: Resource) -> str | None:
        """The resource's name if any record is simulated."""
        return resource.name if any(map(resource.simulated, self.records)) else None


class Datastore:
    """Every resource over an `OutlookView`."""

    def __init__(self, view: OutlookView) -> None:
        self._view = view
        self.resources = resources(view)
        self.rows_of_issue = lru_cache(maxsize=32)(self._rows_of_issue)

    def table(self, identity: str, now: datetime) -> Table:
        """Raises `LookupError` for an unknown resource."""
        resource = self.resources[identity]
        issues = resource.issues(self._view, now)
        return Table(resource, tuple(issues if resource.archive else issues[-1:]))

    def select(self, table: Table, query: Query) -> Page:
        """The page of a query with all columns. Raises `BadQuery`."""
        query.check(table.types)
        stamp, issues = table.resource.stamp, list(enumerate(table.issues))
        wanted = query.matcher(table.types, lambda column: column == stamp)
        if stamp:
            issues = [
                (number, issue)
                for number, issue in issues
                if wanted({stamp: f"{issue:%Y-%m-%dT%H:%M:%S}"})
            ]
        # An archive is read in the order of its issues, and no further than the page needs.
        first, descending = query.order[0] if query.order else (stamp, False)
        in_order = first in (stamp, "_id")
        if in_order and descending:
            issues.reverse()
        enough = query.offset + query.limit if in_order else None
        matches = query.matcher(table.types, lambda column: column != stamp)
        if enough is None and len(issues) > MOST_ISSUES:
            raise BadQuery(TIMEOUT)
        found: list[Row] = []
        for read, (number, issue) in enumerate(issues):
            if read and enough is not None and len(found) >= enough:
                return Page(self._page(query, found), len(found) * len(issues) // read)
            if read >= MOST_ISSUES:
                raise BadQuery(TIMEOUT)
            found += filter(matches, self._numbered(table.resource, number, issue))
        return Page(self._page(query, found), len(found))

    @staticmethod
    def _page(query: Query, found: list[Row]) -> list[Row]:
        return query.sorted(found)[query.offset : query.offset + query.limit]

    def _numbered(self, resource: Resource, number: int, issue: datetime) -> Iterator[Row]:
        for at, row in enumerate(self.rows_of_issue(resource.id, issue), start=1):
            yield {"_id": number * IDS_OF_AN_ISSUE + at, **row}

    def _rows_of_issue(self, identity: str, issue: datetime) -> list[Row]:
        return list(self.resources[identity].rows(self._view, issue))
