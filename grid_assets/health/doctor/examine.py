"""The list of checks, and how they are run and printed.

A check that fails itself is a finding too, and the others go on. To add one, write a function of a
`Case` that returns a `Finding`, and name it here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import psycopg

from grid_assets.health.doctor import (
    outlook,
    rights,
    server,
    surroundings,
    trees,
    wakeups,
    workers,
)
from grid_assets.health.doctor.case import Case, Finding, Verdict, mend, note
from grid_assets.warehouse.connection import WarehouseError
from grid_assets.warehouse.urls import redact

Check = Callable[[Case], Finding]

DATABASE: Final[Mapping[str, Check]] = {
    "encryption": server.encryption,
    "encoding": server.encoding,
    "rights": rights.rights,
    "roles": rights.roles,
    "read-only": rights.writable,
    "schema": rights.schema,
    "trees": trees.trees,
    "exposed": rights.exposed,
    "pooler": server.pooler,
    "connections": server.connections,
    "extensions": server.extensions,
    "wake-ups": wakeups.wakeups,
    "clock": server.clock,
    "time zone": server.time_zone,
    "size": server.size,
}
"""Checks that need a connection to the warehouse."""

SURROUNDINGS: Final[Mapping[str, Check]] = {
    "Dagster": server.dagster,
    "source": surroundings.source,
    "Elexon": outlook.elexon,
    "NESO portal": outlook.portal,
    "disk": surroundings.disk,
    "files": surroundings.files,
    "settings": surroundings.settings,
    "alarms": surroundings.alarms,
    "workers": workers.workers,
}
"""Checks that say something even if the warehouse cannot be reached."""

WIDTH: Final = 110
"""Characters of a line; a longer finding goes on in the next one."""

LABEL: Final = "{:<5} {:<13}"


def examine(case: Case) -> Iterator[tuple[str, Finding]]:
    """The name of each check with its finding, as it is made."""
    yield "server", (reached := _try(case, server.server))
    checks = dict(SURROUNDINGS)
    if reached.verdict is not Verdict.MEND:
        checks = {**DATABASE, **SURROUNDINGS}
    elif case.settings.dagster_database_url is None:
        del checks["Dagster"]  # its tables are in the warehouse
    for name, check in checks.items():
        yield name, _try(case, check)


def _try(case: Case, check: Check) -> Finding:
    try:
        return check(case)
    except WarehouseError as error:  # has the cause and the cure
        return mend(str(error))
    except psycopg.errors.InsufficientPrivilege as error:
        return note(f"Could not be checked: {_reason(case, error)}.")
    except Exception as error:
        return mend(
            f"Could not be checked: {type(error).__name__}: {_reason(case, error)}. Run "
            "`grid doctor` again; if it stays, report it."
        )


def _reason(case: Case, error: Exception) -> str:
    own = case.settings.dagster_database_url
    urls = [url for url in (case.settings.database_url, own, case.__dict__.get("url")) if url]
    return redact(" ".join(str(error).split())[:300].rstrip("."), *urls)


def format_finding(name: str, finding: Finding) -> str:
    """The line of a check. A long one is wrapped, and nothing in it is cut."""
    label = LABEL.format(finding.verdict, name)
    text = "".join(sign for sign in finding.text if sign.isprintable())
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: Mapping[str, Finding]) -> str:
    """The last line: what must be mended."""
    bad = [name for name, finding in findings.items() if finding.verdict is Verdict.MEND]
    if "server" in bad:
        return f"To mend: {', '.join(bad)}. The database was not checked any further."
    if bad:
        return f"To mend: {', '.join(bad)} ({len(bad)} of {len(findings)} checks)."
    notes = sum(finding.verdict is Verdict.NOTE for finding in findings.values())
    return f"Nothing must be mended ({len(findings)} checks, {notes} with a note)."
