"""The client of the NESO Data Portal: CKAN's envelope, pages, SQL, and downloads.

What the datasets mean is not known here. Rates are limited (`limits`), and the answers are tables.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from grid_assets.halfhours import utc_text
from grid_assets.settings import DataKind, Settings
from grid_assets.sources.http.client import HttpClient, Response
from grid_assets.sources.http.errors import ApiError, ApiMalformedBody, reason
from grid_assets.sources.http.session import is_loopback
from grid_assets.sources.http.source import SourceClient, limits_of
from grid_assets.sources.neso_portal.download import SERVICE, Downloads
from grid_assets.sources.neso_portal.labels import utc, wall_time
from grid_assets.sources.neso_portal.limits import OF_PROCESS, Limits, Unlimited
from grid_assets.sources.neso_portal.tables import Table, table_of_csv, table_of_result
from grid_assets.sources.records import Unusable, as_json, shown

PAGE_ROWS: Final = 5_000
"""More rows than any resource of a cycle has (about 2,200), so that one page is the rule."""

SQL_ROWS: Final = 32_000
"""CKAN's own limit of one answer."""

MOST_PAGES: Final = 20
"""Ends the pages of a server that sends the same one for ever."""

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far two clocks that are right may differ."""


class PortalRefused(ApiError):
    """HTTP 200 with `success: false`; the message has the portal's reason."""


class PortalIncomplete(ApiError):
    """The datastore has fewer rows than it says, or none: it is being reloaded, or it is down."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of the portal; `last_modified` (UTC) is when it was last published."""

    resource_id: str
    name: str
    url: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """Rows; `received_at` (UTC) is when the last of them had arrived."""

    table: Table
    received_at: datetime
    simulated: bool


class NesoPortal(SourceClient):
    """A client of the portal for one run, for use in a `with` block by any number of threads."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 20,
        retry_budget_s: float = 60,
        max_body_bytes: int = 16_000_000,
        kind: DataKind | None = None,
        shift_weeks: int | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
        utcnow: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`limits` are those of the process, or none if the server is on this machine."""
        loopback = is_loopback(base_url)
        self._limits = limits or (Unlimited() if loopback else OF_PROCESS)
        common: dict[str, Any] = {
            "timeout_s": timeout_s,
            "retry_budget_s": retry_budget_s,
            "max_body_bytes": max_body_bytes,
            "clock": clock,
            "sleep": sleep,
            "uniform": uniform,
            "utcnow": utcnow,
        }
        http = HttpClient(
            base_url,
            SERVICE,
            kind=kind,
            shift_weeks=shift_weeks,
            turn_s=lambda path: self._limits.reserve(datastore=path.startswith("/datastore_")),
            **common,
        )
        super().__init__(http)
        self._downloads = Downloads(
            loopback=loopback, turn_s=lambda: self._limits.reserve(datastore=False), **common
        )
        self._columns: dict[str, Received] = {}

    @classmethod
    def from_settings(cls, settings: Settings, **options: Any) -> NesoPortal | None:
        """None if `GRID_NESO_PORTAL_URL` is empty: the portal is not used."""
        if settings.neso_portal_url is None:
            return None
        return cls(settings.neso_portal_url, **limits_of(settings), **options)

    def close(self) -> None:
        """End waits and close the connections."""
        super().close()
        self._downloads.close()

    def resource(self, resource_id: str) -> Resource:
        """When a resource was last published, and where its file is. Raises `ApiError`."""
        response, result = self._result("resource_show", {"id": resource_id})
        resource = _resource(response, result)
        if resource.last_modified > response.received_at + CLOCK_TOLERANCE:
            # Kept, it would make every later publication look older until its time has come.
            raise _malformed(
                response,
                f"it was last modified at {utc_text(resource.last_modified)}, later than its "
                f"receipt at {utc_text(response.received_at)}: a clock is wrong",
            )
        return resource

    def resource_named(self, package: str, name: str) -> Resource:
        """The resource of a package with exactly this name. Raises `ApiError`."""
        response, result = self._result("package_show", {"id": package})
        resources = result.get("resources")
        listed = [each for each in resources if isinstance(each, dict)] if resources else []
        for each in listed:
            if each.get("name") == name:
                return _resource(response, each)
        names = ", ".join(str(each.get("name")) for each in listed)[:300]
        raise PortalRefused(
            f"The package {package} of the NESO Data Portal has no resource {name}; it has "
            f"{names or 'none'}.",
            path=response.path,
            status=200,
        )

    def search(self, resource_id: str) -> Received:
        """All rows of a resource in the datastore. Raises `ApiError`.

        A cycle waits for them, so that a request that fails is not made again: the second try would
        take another dataset's turn of the minute, and a third would wait for the next minute.
        Pages end at `total` or with an empty one: the link to the next page may lead past the end.
        """
        records: list[Any] = []
        for _ in range(MOST_PAGES):
            params = {"resource_id": resource_id, "limit": str(PAGE_ROWS)}
            if records:
                params["offset"] = str(len(records))
            response, result = self._result("datastore_search", params, retry=False)
            page = _table(response, result)
            records += page.records
            total = result.get("total")
            if not page.records or (isinstance(total, int) and len(records) >= total):
                break
            if not isinstance(total, int) and len(page.records) < PAGE_ROWS:
                break
        if not records or (isinstance(total, int) and len(records) < total):
            raise PortalIncomplete(
                f"The datastore of the NESO Data Portal sent {len(records)} rows of {resource_id} "
                f"and says that it has {shown(total)}.",
                path=response.path,
                status=200,
                body=as_json(result)[:1000],
            )
        return Received(Table(page.columns, records), response.received_at, response.simulated)

    def columns(self, resource_id: str) -> Received:
        """A resource's columns as the portal writes them now, no rows. Raises `ApiError`."""
        if resource_id not in self._columns:
            params = {"resource_id": resource_id, "limit": "0"}
            response, result = self._result("datastore_search", params)
            table = Table(_table(response, result).columns, [])
            self._columns[resource_id] = Received(table, response.received_at, response.simulated)
        return self._columns[resource_id]

    def select(self, resource_id: str, columns: Sequence[str], where: str) -> Received:
        """The rows of a resource that fulfil a condition in SQL, by page. Raises `ApiError`."""
        names = ", ".join(map(identifier, columns))
        records: list[Any] = []
        for _ in range(MOST_PAGES):
            sql = (
                f"SELECT {names} FROM {identifier(resource_id)} WHERE {where} "  # noqa: S608
                f'ORDER BY "_id" LIMIT {SQL_ROWS} OFFSET {len(records)}'
            )
            response, result = self._result("datastore_search_sql", {"sql": sql})
            page = _table(response, result)
            records += page.records
            if len(page.records) < SQL_ROWS and result.get("records_truncated") is not True:
                break
            if not page.records:
                break
        return Received(Table(tuple(columns), records), response.received_at, response.simulated)

    def download(self, resource: Resource) -> Received:
        """The rows of a resource's CSV file. Raises `ApiError`."""
        path = f"the file of {resource.resource_id}"
        text, received_at, simulated = self._downloads.text(path, resource.url)
        try:
            return Received(table_of_csv(text), received_at, simulated)
        except Unusable as fault:
            raise ApiMalformedBody(
                f"{SERVICE.name} sent {path} in another form: {fault}.",
                path=path,
                status=200,
                body=text,
            ) from None

    def _result(
        self, action: str, params: Mapping[str, str], *, retry: bool = True
    ) -> tuple[Response, Mapping[str, Any]]:
        response = self._http.get(f"/{action}", params, retry=retry)
        document = response.document
        result = document.get("result")
        if document.get("success") is True and isinstance(result, dict):
            return response, result
        body = as_json(document)
        raise PortalRefused(
            f"{SERVICE.name} refused {action} with HTTP 200{reason(body)}.",
            path=response.path,
            status=200,
            body=body,
        )


def identifier(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _table(response: Response, result: Mapping[str, Any]) -> Table:
    try:
        return table_of_result(result)
    except Unusable as fault:
        raise _malformed(response, str(fault)) from None


def _resource(response: Response, result: Mapping[str, Any]) -> Resource:
    # `path` is what `datapackage_show` calls it
    names = [result.get("id"), result.get("name"), result.get("url") or result.get("path")]
    resource_id, name, url = (text if isinstance(text, str) else "" for text in names)
    if not (resource_id and url):
        raise _malformed(response, "a resource has no id or no url")
    try:
        modified = utc(wall_time("last_modified", result.get("last_modified")))
    except Unusable as fault:
        raise _malformed(response, str(fault)) from None
    return Resource(resource_id, name, url, modified)


def _malformed(response: Response, fault: str) -> ApiMalformedBody:
    return ApiMalformedBody(
        f"The answer of {SERVICE.name} to {response.path} cannot be used: {fault}.",
        path=response.path,
        status=200,
        body=as_json(response.document),
    )
