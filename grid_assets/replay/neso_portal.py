"""The recorded NESO Data Portal: its CKAN actions and downloads, and what they refuse.

`neso_tables` has the rows. The whole CSV of an archive is not served.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from grid_assets.replay.neso_datastore import Datastore, Page, Table
from grid_assets.replay.neso_query import (
    MOST_ROWS,
    BadQuery,
    Condition,
    Query,
    Row,
    parse_sort,
    parse_sql,
)
from grid_assets.replay.outlook_recording import OutlookView
from grid_assets.replay.replies import Reply

LICENCE: Final = {"license_id": "ESO", "license_title": "NESO Open Data Licence"}

NOT_FOUND: Final = Reply(404, None, raw=b"Not found", content_type="text/html; charset=utf-8")

Parameters = Mapping[str, Sequence[str]]


class NesoPortalApi:
    """The portal over an `OutlookView`, at the address `base`, which has no trailing slash."""

    def __init__(self, view: OutlookView, base: str) -> None:
        self._base = base
        self._data = Datastore(view)

    def answer(self, path: str, query: Parameters, now: datetime) -> tuple[str, Reply]:
        """The action to count the request under, and the response: 200, 302, 400, 404 or 409.

        `path` is below the portal's address.
        """
        given = {name: values[-1] for name, values in query.items()}
        match path.strip("/").split("/"):
            case ["api", "3", "action", action]:
                return self._act(action, given, now)
            case ["dataset", _, "resource", identity, "download", name]:
                return "download", self._redirect(identity, name, now)
            case ["files", identity, name]:
                return "file", self._file(identity, name, given, now)
        return "other", NOT_FOUND

    def _act(self, action: str, given: Mapping[str, str], now: datetime) -> tuple[str, Reply]:
        actions = {
            "resource_show": self._resource_show,
            "package_show": self._package_show,
            "datapackage_show": self._package_show,
            "datastore_search": self._search,
            "datastore_search_sql": self._search_sql,
        }
        if action not in actions:
            return "other", Reply(400, f"Bad request - Action name not known: {action}")
        envelope = {"help": f"{self._base}/api/3/action/help_show?name={action}"}
        try:
            result, simulated = actions[action](given, now)
        except BadQuery as bad:
            fault = {"__type": "Validation Error", "query": [str(bad)]}
            return action, Reply(409, {**envelope, "success": False, "error": fault})
        except LookupError:
            fault = {"message": "Not found", "__type": "Not Found Error"}
            return action, Reply(404, {**envelope, "success": False, "error": fault})
        headers = {"X-Grid-Simulated": simulated} if simulated else {}
        return action, Reply(200, {**envelope, "success": True, "result": result}, headers=headers)

    def _resource_show(self, given: Mapping[str, str], now: datetime) -> tuple[Row, None]:
        return self._description(self._data.table(given.get("id", ""), now), position=0), None

    def _package_show(self, given: Mapping[str, str], now: datetime) -> tuple[Row, None]:
        wanted = given.get("id", "")
        tables = [
            self._data.table(resource.id, now)
            for resource in self._data.resources.values()
            if wanted in (resource.package, _package_id(resource.package))
        ]
        package = tables[0].resource.package
        described = [self._description(table, at) for at, table in enumerate(tables)]
        result = {
            "id": _package_id(package),
            "name": package,
            "title": package.replace("-", " ").title(),
            "type": "dataset",
            "state": "active",
            **LICENCE,
            "metadata_modified": max(d["last_modified"] or "" for d in described),
            "resources": described,
        }
        return result, None

    def _search(self, given: Mapping[str, str], now: datetime) -> tuple[Row, str | None]:
        if "resource_id" not in given:
            raise BadQuery("resource_id: Missing value")
        table = self._data.table(given["resource_id"], now)
        filters = _filters(given.get("filters", "{}"))
        query = Query(
            table.resource.id,
            conditions=tuple(
                Condition(name, "IN" if isinstance(value, list) else "=", value)
                for name, value in filters.items()
            ),
            order=parse_sort(given.get("sort", "")),
            limit=min(_count(given.get("limit", "100")), MOST_ROWS),
            offset=_count(given.get("offset", "0")),
        )
        page = self._data.select(table, query)
        address = "/api/3/action/datastore_search?"
        paging = {name: value for name, value in given.items() if name != "offset"}
        following = {**paging, "offset": str(query.offset + query.limit)}
        result = {
            "include_total": True,
            "resource_id": table.resource.id,
            "fields": _fields(table),
            "records_format": "objects",
            "records": page.records,
            "limit": query.limit,
            **({"offset": query.offset} if "offset" in given else {}),
            # The next page may lie past the end, as it does on the portal.
            "_links": {
                "start": address + urlencode(paging),
                "next": address + urlencode(following),
            },
            "total": page.total,
        }
        return result, page.simulated(table.resource)

    def _search_sql(self, given: Mapping[str, str], now: datetime) -> tuple[Row, str | None]:
        query = parse_sql(given.get("sql", ""))
        table = self._data.table(query.resource, now)
        page = self._data.select(table, query)
        records = page.records
        wanted = query.columns or (*table.types, "_full_text")
        fields = [{"type": table.types.get(name, "tsvector"), "id": name} for name in wanted]
        if query.columns is None:
            records = [{**record, "_full_text": _full_text(record)} for record in records]
        else:
            records = [{name: record[name] for name in query.columns} for record in records]
        result = {"records": records, "fields": fields, "sql": given["sql"]}
        return result, page.simulated(table.resource)

    def _description(self, table: Table, position: int) -> Row:
        resource, modified = table.resource, table.last_modified
        name = resource.file_of(table.issues[-1]) if table.issues else resource.name
        address = f"dataset/{resource.package}/resource/{resource.id}/download/{name}"
        url = f"{self._base}/{address}"
        return {
            "mimetype": "text/csv",
            "package_id": _package_id(resource.package),
            "url_type": "upload",
            "position": position,
            "url": url,
            "path": url,
            "datastore_active": True,
            "id": resource.id,
            "name": resource.name,
            "format": "CSV",
            "state": "active",
            "metadata_modified": modified,
            "last_modified": modified,
            "title": resource.name.replace("_", " ").title(),
        }

    def _redirect(self, identity: str, name: str, now: datetime) -> Reply:
        resource = self._data.resources.get(identity)
        if resource is None or resource.archive or not self._data.table(identity, now).issues:
            return NOT_FOUND
        signed = {"X-Amz-Expires": "604800", "X-Amz-Signature": _signature(identity, name)}
        location = f"{self._base}/files/{identity}/{name}?{urlencode(signed)}"
        return Reply(302, None, {"Location": location}, raw=b"", content_type="text/html")

    def _file(self, identity: str, name: str, given: Mapping[str, str], now: datetime) -> Reply:
        if self._redirect(identity, name, now) is NOT_FOUND:
            return NOT_FOUND
        if given.get("X-Amz-Signature") != _signature(identity, name):
            refused = b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
            return Reply(403, None, raw=refused, content_type="application/xml")
        table = self._data.table(identity, now)
        rows = self._data.rows_of_issue(identity, table.issues[-1])
        page = Page([{**row} for row in rows], len(rows))
        simulated = page.simulated(table.resource)
        return Reply(
            200,
            page.records,
            {"X-Grid-Simulated": simulated} if simulated else {},
            content_type="application/octet-stream",
            encode=csv_bytes,
        )


def csv_bytes(rows: Sequence[Any]) -> bytes:
    """Rows as the portal's CSV, lines ending in CRLF; what is no row is written as a line."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = list(next((row for row in rows if isinstance(row, dict)), {}))
    writer.writerow(columns)
    for row in rows:
        writer.writerow([row.get(name) for name in columns] if isinstance(row, dict) else [row])
    return text.getvalue().encode()


def _fields(table: Table) -> list[Row]:
    return [
        {**({} if name == "_id" else {"info": _info(name, kind)}), "type": kind, "id": name}
        for name, kind in table.types.items()
    ]


def _info(name: str, kind: str) -> Row:
    title = name.replace("_", " ").title()
    return {"comment": "", "description": title, "title": title, "type": kind, "unit": ""}


def _full_text(record: Row) -> str:
    words = {str(value).lower() for name, value in record.items() if name != "_id"}
    return " ".join(f"'{word}'" for word in sorted(words))


def _filters(text: str) -> dict[str, Any]:
    try:
        filters = json.loads(text)
    except ValueError:
        raise BadQuery("filters: Cannot parse JSON") from None
    if not isinstance(filters, dict):
        raise BadQuery("filters: Not a JSON object")
    return filters


def _count(text: str) -> int:
    if not text.isdecimal():
        raise BadQuery("limit: Invalid integer")
    return int(text)


def _package_id(package: str) -> str:
    return str(uuid5(NAMESPACE_URL, package))


def _signature(identity: str, name: str) -> str:
    return sha256(f"{identity}/{name}".encode()).hexdigest()
