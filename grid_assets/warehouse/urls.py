"""Connection URLs: read by libpq's own parser, changed by their parts, and kept out of messages.

psycopg, yoyo and Dagster all connect with what is read here, so a form that one of them takes works
for all: several hosts, sockets, any parameter of libpq, `key=value` strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

TRANSACTION_POOLER_PORT: Final = "6543"
SESSION_POOLER_PORT: Final = "5432"
SUPABASE: Final = (".supabase.com", ".supabase.co")
"""Supabase serves the same database on both ports; only the second keeps session state."""

MIN_SECRET: Final = 4
"""A shorter password occurs in ordinary words; redacting it would only garble the message."""

Parts = Mapping[str, Any]
"""A connection string as libpq reads it: host, port, user, password, dbname, and the rest."""


def read(url: SecretStr) -> dict[str, Any]:
    """The parts of a connection URL or `key=value` string."""
    return conninfo_to_dict(url.get_secret_value().strip())


def to_url(parts: Parts) -> SecretStr:
    """The URL of parts that libpq has read."""
    rest = {name: str(value) for name, value in parts.items()}
    login = ""
    if user := rest.pop("user", ""):
        password = rest.pop("password", "")
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "") + "@"
    hosts = ",".join(
        (f"[{host}]" if ":" in host else quote(host, safe="")) + (f":{port}" if port else "")
        for host, port in _hosts(rest)
    )
    name = quote(rest.pop("dbname", ""), safe="")
    for used in ("host", "port"):
        rest.pop(used, None)
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return SecretStr(f"postgresql://{login}{hosts}/{name}{query}")


def with_database(url: SecretStr, name: str) -> SecretStr:
    """The URL of another database on the same server."""
    return to_url(read(url) | {"dbname": name})


def session_url(url: SecretStr) -> SecretStr:
    """The URL itself, or that of Supabase's session mode if it names their transaction mode."""
    parts = read(url)
    host, port = str(parts.get("host", "")), str(parts.get("port", ""))
    if port == TRANSACTION_POOLER_PORT and host.endswith(SUPABASE):
        return to_url(parts | {"port": SESSION_POOLER_PORT})
    return url


def sqlalchemy_url(url: SecretStr, options: str = "") -> SecretStr:
    """The URL by which SQLAlchemy, and so Dagster, connects with the same parts through psycopg2.

    All but the login is passed on as one string that libpq reads: SQLAlchemy itself would not
    understand several hosts or a socket. `options` are added to those of the URL.
    """
    parts = read(url) | {"client_encoding": "UTF8"}
    if options:
        parts["options"] = f"{parts['options']} {options}" if "options" in parts else options
    login = {name: str(parts.pop(name)) for name in ("user", "password") if name in parts}
    query = urlencode(login | {"dsn": make_conninfo(**parts)}, quote_via=quote, safe="")
    return SecretStr(f"postgresql:///?{query}")


def location(url: SecretStr) -> str:
    """Host, port and database of a URL, without user and password."""
    parts = read(url)
    hosts = ",".join(f"{host or 'localhost'}:{port or 5432}" for host, port in _hosts(parts))
    return f"{hosts}/{parts.get('dbname', '')}"


def redact(text: str, *secrets: SecretStr) -> str:
    """The text without the passwords of connection URLs."""
    for secret in secrets:
        password = str(read(secret).get("password") or "")
        forms = (secret.get_secret_value(), quote(password, safe=""), password)
        for form in forms:
            if len(form) >= MIN_SECRET:
                text = text.replace(form, "***")
    return text


def _hosts(parts: Parts) -> list[tuple[str, str]]:
    """Each host with its port; one port serves all hosts, and both may be missing."""
    hosts = str(parts.get("host") or "").split(",")
    ports = str(parts.get("port") or "").split(",")
    return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False))
