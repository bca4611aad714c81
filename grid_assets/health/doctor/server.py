"""The server: its version, encryption, encoding, pooler, connections, extensions, time and size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import psycopg

from grid_assets.health.doctor.case import Case, Finding, mend, note, ok
from grid_assets.health.report import size_text
from grid_assets.local_http import is_loopback
from grid_assets.warehouse.clocks import Clocks, database_clock
from grid_assets.warehouse.connection import DEFAULTS, WarehouseError, connect, encoding_fault
from grid_assets.warehouse.dagster_schema import find_dagster_schema
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import location, read, session_url

FREE_PLAN_BYTES: Final = 500_000_000
"""Supabase's free plan holds this much; then the database is read-only."""

BYTES_A_DAY: Final = 1_900_000
"""What a day of operation adds: `year_mb` of docs/benchmarks.md, 680 MB, by 365 days."""

FEW_DAYS: Final = 14
"""Less space than for this many days is to be mended: time enough to notice and to decide."""

BUSY: Final = 10
"""The running product keeps about seven connections open, and a run adds up to three."""

FULL: Final = 3
"""With fewer connections than a run needs, runs fail."""


def server(case: Case) -> Finding:
    """Connecting is the check: it fails if the server is down, refuses, or is too old."""
    try:
        with case.reading():
            pass
    except psycopg.OperationalError as error:
        if "statement pooling" not in str(error):
            raise
        return mend(
            f"A pooler at {location(case.url)} is in statement mode, in which there are no "
            "transactions. Set it to transaction or session mode, or connect to the server itself."
        )
    major, minor = divmod(case.connection.info.server_version, 10_000)
    return ok(f"PostgreSQL {major}.{minor} at {location(case.url)}")


def encryption(case: Case) -> Finding:
    return judge_encryption(case.connection.info.host, bool(case.connection.pgconn.ssl_in_use))


def judge_encryption(host: str, is_encrypted: bool) -> Finding:
    if is_encrypted:
        return ok("The connection is encrypted (TLS).")
    if not host or host.startswith("/") or is_loopback(host):
        return ok("Not needed: the server is on this machine.")
    return note(
        "The connection is not encrypted, so others on the network can read data. If the server "
        "can, add sslmode=require to GRID_DATABASE_URL."
    )


def encoding(case: Case) -> Finding:
    fault = encoding_fault(case.connection, case.url)
    return mend(fault) if fault else ok("UTF8")


def pooler(case: Case) -> Finding:
    """Measured, not guessed from the port: which server process answers each transaction.

    Two connections take turns. Two that share a process, or one that changes it, are pooled by
    transaction. The process that a server announced at the login is another one with any pooler.
    """
    with connect(case.url) as other:
        ours = case.connection
        seen = [
            connection.execute("SELECT pg_backend_pid()").fetchall()[0][0]
            # twice in a row, so that a pooler that takes turns too is noticed
            for connection in (ours, other, ours, ours, other)
        ]
    found = judge_pooler(seen, ours.info.backend_pid)
    port = read(case.url).get("port") or "5432"
    if session_url(case.url) != case.url:
        return ok(f"{found} Dagster uses the session mode of the same host, on port 5432.")
    return ok(found if found == DIRECT else f"{found} (port {port})")


DIRECT: Final = "None: the server answers directly."


def judge_pooler(seen: Sequence[int], announced: int) -> str:
    """`seen` are the processes that answered ours, the other, ours, ours and the other."""
    ours, others = {seen[0], seen[2], seen[3]}, {seen[1], seen[4]}
    if len(ours) > 1 or len(others) > 1 or ours & others:
        return "In transaction mode, which data and migrations bear."
    return DIRECT if ours == {announced} else "In session mode, which everything bears."


def dagster(case: Case) -> Finding:
    own = case.settings.dagster_database_url
    if own is None:
        try:
            exists = find_dagster_schema(case.url).exists
        except WarehouseError as error:  # has the cure
            if case.settings.wake_url is None:
                raise
            return note(f"{error} The workflows need neither: they keep it on their own machine.")
        if not exists and case.user.is_set_up and not case.user.may_create:
            return mend(
                f"The schema dagster is gone, and {case.user.name} may not create it. Run "
                "`grid migrate` as the owner of the database or as grid_owner."
            )
        return ok(f"Its tables go to the schema dagster of {location(session_url(case.url))}.")
    where = location(own)
    try:
        with psycopg.connect(**{**DEFAULTS, **read(own)}, autocommit=True) as connection:
            may = connection.execute(
                "SELECT has_schema_privilege(current_schema(), 'CREATE') "
                "OR to_regclass('runs') IS NOT NULL, current_schema()"
            ).fetchall()[0]
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        return mend(
            f"{where} cannot be used: {reason}. Correct GRID_DAGSTER_DATABASE_URL, or unset it to "
            "keep Dagster's tables in the warehouse."
        )
    if may[0]:
        return ok(f"Its tables go to {where}, schema {may[1]}.")
    return mend(
        f"Its tables belong in {where}, and the user may not create any there. Grant it CREATE on "
        "a schema of its search_path, or name another user in GRID_DAGSTER_DATABASE_URL."
    )


def extensions(case: Case) -> Finding:
    with case.reading() as connection:
        parts = connection.execute(statement("health/wake_up_parts")).fetchall()
    there = ", ".join(name for name, exists in parts if exists)
    lacking = ", ".join(name for name, exists in parts if not exists)
    text = "None is needed. "
    if there:
        text += f"Found: {there}. "
    if not lacking:
        return ok(f"{text}Wake-ups (docs/supabase.md) can use them.")
    text += f"Only wake-ups (docs/supabase.md) use {lacking}, which this database lacks."
    return note(text) if case.is_on_supabase else ok(text)


def clock(case: Case) -> Finding:
    with case.reading() as connection:
        ahead_of_database = case.utcnow() - database_clock(connection)
    clocks = Clocks(case.answer.clock_ahead if case.answer else None, ahead_of_database)
    if clocks.differences:
        return mend(
            f"The clock of this machine is {' and '.join(clocks.differences)}. Set the one that is "
            "wrong (on Linux: `timedatectl set-ntp true`)."
        )
    if clocks.ahead_of_api is None:
        return ok("This machine and the database agree; the API gave no time.")
    return ok("This machine, the database and the API agree.")


def time_zone(case: Case) -> Finding:
    """What a program gets that names no zone; ours always name UTC, by PGTZ."""
    ours = os.environ.pop("PGTZ", None)
    try:
        with psycopg.connect(**{**DEFAULTS, **read(case.url)}) as connection:
            zone = connection.info.parameter_status("TimeZone")
    finally:
        if ours is not None:
            os.environ["PGTZ"] = ours
    if zone in ("UTC", "Etc/UTC"):
        return ok("UTC")
    return note(f"Other programs get {zone} by default. Ours use UTC; nothing depends on it.")


def size(case: Case) -> Finding:
    with case.reading() as connection:
        text = size_text(connection)
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return judge_size(text, row[0]) if case.is_on_supabase else ok(text)


def judge_size(text: str, used: int) -> Finding:
    """What is left of the free plan. The database does not say which plan it has."""
    left = FREE_PLAN_BYTES - used
    if left <= 0:
        return note(f"{text}, more than Supabase's free plan holds: this must be a paid one.")
    days = left // BYTES_A_DAY
    said = f"{text}. Supabase's free plan has {left // 1_000_000} MB left, about {days} days."
    if days >= FEW_DAYS:
        return ok(said)
    return mend(
        f"{said} Then the database is read-only. Lower GRID_DAGSTER_KEEP_DAYS, move Dagster's "
        "tables (GRID_DAGSTER_DATABASE_URL), or take a paid plan. If you have one, ignore this."
    )


def connections(case: Case) -> Finding:
    with case.reading() as connection:
        limits = connection.execute(statement("health/connections_left")).fetchall()
    return judge_connections(limits)


def judge_connections(limits: Sequence[tuple[str, int, int]]) -> Finding:
    """Each limit is what it limits, how many are open and how many may be; -1 is no limit."""
    left, whose, used, most = min(
        (most - used, whose, used, most) for whose, used, most in limits if most >= 0
    )
    text = f"{used} of {most} of {whose} are taken."
    if left < FULL:
        return mend(f"{text} Close some, or raise the limit: a run needs {FULL}.")
    if left < BUSY:
        return note(f"{text} `grid up` keeps seven open, and a run adds up to three.")
    return ok(text)
