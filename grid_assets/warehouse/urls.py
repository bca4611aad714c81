"""Connection URLs: the session-mode form, a form without secrets for people, and redaction."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

TRANSACTION_POOLER_PORT: Final = 6543
SESSION_POOLER_PORT: Final = 5432
"""Supabase serves the same database on both; only the second keeps session state."""

MIN_SECRET: Final = 4
"""Shorter passwords are words of any text; striking them out would only spoil the message."""


def session_url(url: SecretStr) -> SecretStr:
    """The URL itself, or its session-mode twin when it names a transaction-mode pooler."""
    parts = urlsplit(url.get_secret_value())
    if parts.port != TRANSACTION_POOLER_PORT:
        return url
    netloc = re.sub(rf":{TRANSACTION_POOLER_PORT}$", f":{SESSION_POOLER_PORT}", parts.netloc)
    return SecretStr(urlunsplit(parts._replace(netloc=netloc)))


def location(url: SecretStr) -> str:
    """Host, port and database of a URL, for people; no user, no password."""
    parts = conninfo_to_dict(url.get_secret_value())
    host, port = parts.get("host", "localhost"), parts.get("port", 5432)
    return f"{host}:{port}/{parts.get('dbname', '')}"


def redact(text: str, *secrets: SecretStr) -> str:
    """The text without the passwords of connection URLs."""
    for secret in secrets:
        url = secret.get_secret_value()
        password = conninfo_to_dict(url).get("password")  # wherever in the URL it stands
        for form in (url, urlsplit(url).password, quote(str(password or ""), safe=""), password):
            if form and len(str(form)) >= MIN_SECRET:
                text = text.replace(str(form), "***")
    return text
