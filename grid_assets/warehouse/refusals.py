"""Why PostgreSQL refused a login or a statement, in words: what it means and what to do.

A refused statement has a code (SQLSTATE). A refused login has none that libpq passes on, so it is
recognised by the server's message; an unknown one, perhaps in another language, gets plain advice.
"""

from __future__ import annotations

import re
from typing import Final

from grid_assets.warehouse.urls import Parts

_EMBEDDED: Final = "or unset GRID_DATABASE_URL to use the embedded PostgreSQL."

_LOGINS: Final = (
    (
        r"password authentication failed|no password supplied|SASL authentication failed"
        r"|wrong password|password is required",
        "Correct the user or the password in GRID_DATABASE_URL; percent-encode special characters "
        "in a URL (@ is %40).",
    ),
    (
        r"permission denied for database",
        "The user may not connect to this database. Have its owner run: "
        'GRANT CONNECT, TEMPORARY ON DATABASE "{dbname}" TO "{user}";',
    ),
    (
        r'database ".*" does not exist|no such database',
        "Create the database, or correct its name in GRID_DATABASE_URL.",
    ),
    (
        r"no encryption|SSL connection is required|requires SSL",
        "The server wants encryption: add ?sslmode=require to GRID_DATABASE_URL.",
    ),
    (
        r'role ".*" does not exist|no pg_hba.conf entry|pg_hba.conf rejects'
        r"|Peer authentication failed|Ident authentication failed|not permitted to log in",
        "The server does not let this user in from here. Correct the user in GRID_DATABASE_URL, or "
        "have an administrator allow the login.",
    ),
    (
        r"too many connections|too many clients|connection slots are reserved|client connections",
        "All connections of the server are taken. Close some, or raise the limit.",
    ),
    (
        r"starting up|shutting down|not yet accepting connections|recovery mode",
        "The server is starting or stopping. Wait a moment and try again.",
    ),
    (
        r"unsupported startup parameter",
        "A pooler in between refuses a parameter of GRID_DATABASE_URL. Remove it, or connect to "
        "the server directly.",
    ),
    (
        r"could not translate host name|Name or service not known|failed to resolve",
        f"Correct the host in GRID_DATABASE_URL, {_EMBEDDED}",
    ),
    (
        r"certificate|does not support SSL",
        "Correct sslmode and the certificates in GRID_DATABASE_URL.",
    ),
    (
        r"read-only|hot standby|not in hot standby",
        "Name a server that accepts writes in GRID_DATABASE_URL, or change target_session_attrs.",
    ),
    (
        r"refused|timeout|timed out|unreachable|No such file|No route|closed the connection",
        f"Start the server, or correct its address in GRID_DATABASE_URL, {_EMBEDDED}",
    ),
)

DISK_FULL: Final = "53100"
READ_ONLY: Final = "25006"

_STATEMENTS: Final = {
    DISK_FULL: "The disk of the database is full. Free space there, or enlarge it.",
    READ_ONLY: (
        "The database is read-only. Some hosts make it so when its disk is full; "
        "`grid status` names the setting."
    ),
    "42501": "The user of the connection URL lacks a right. Run `grid migrate` as the owner.",
    "55P03": "Another program holds a lock on a table. End it.",
    "25P03": "This process was suspended in a transaction, which the server therefore ended.",
}
_OTHERWISE: Final = (
    "Check the server and the rights of the user in GRID_DATABASE_URL (and in "
    "GRID_DAGSTER_DATABASE_URL, if set)."
)


def login_advice(message: str, parts: Parts) -> str:
    """What to do about a refused connection, by the message of the server or of libpq."""
    for pattern, advice in _LOGINS:
        if re.search(pattern, message, re.IGNORECASE):
            user = parts.get("user", "…")
            return advice.replace("{user}", str(user)).replace(
                "{dbname}", str(parts.get("dbname", user))
            )
    return "Check the address, the user and the password in GRID_DATABASE_URL."


def statement_advice(error: BaseException) -> str:
    """What to do about a refused statement, by its code."""
    return _STATEMENTS.get(sqlstate(error) or "", _OTHERWISE)


def sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code for an error of psycopg, psycopg2, or SQLAlchemy and Dagster above it."""
    while error is not None:
        for source in (error, getattr(error, "orig", None)):
            code = getattr(source, "sqlstate", None) or getattr(source, "pgcode", None)
            if isinstance(code, str):
                return code
        error = error.__cause__ or error.__context__
    return None
