"""Connection URLs: their session-mode form, a form without secrets for messages, and redaction."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

TRANSACTION_POOLER_PORT: Final = 6543
SESSION_POOLER_PORT: Final = 5432
"""Supabase serves the same database on both ports; only the second keeps session state."""

MIN_SECRET: Final = 4
"""A shorter password occurs in ordinary words; redacting it would only garble the message."""


def session_url(url: SecretStr) -> SecretStr:
    """The URL itself, or the session-mode URL if it names a pooler in transaction mode."""
    parts = urlsplit(url.get_secret_value())
    if parts.port != TRANSACTION_POOLER_PORT:
        return url
    netloc = re.sub(rf":{TRANSACTION_POOLER_PORT}$", f":{SESSION_POOLER_PORT}", parts.netloc)
    return SecretStr(urlunsplit(parts._replace(netloc=netloc)))


def location(url: SecretStr) -> str:
    """Host, port and database of a URL, without user and password."""
    parts = conninfo_to_dict(url.get_secret_value())
    host, port = parts.get("host", "localhost"), parts.get("port", 5432)
    return f"{host}:{port}/{parts.get('dbname', '')}"


def redact(text: str, *secrets: SecretStr) -> str:
    """The text without the passwords of connection URLs."""
    for secret in secrets:
        url = secret.get_secret_value()
        password = conninfo_to_dict(url).get("password")  # also as a parameter
        for form in (url, urlsplit(url).password, quote(str(password or ""), safe=""), password):
            if form and len(str(form)) >= MIN_SECRET:
                text = text.replace(str(form), "***")
    return text
