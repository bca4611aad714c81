"""Installs what wakes Supabase's edge function: a login for it, a database webhook, and a cron job.

Only `grid migrate` does this, where `GRID_WAKE_URL` is set. What the function may do is in
`sql/wakeups`; how it decides is in the SQL functions `ops.claim_forecast` and `forecast.due`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.connection import Connection, WarehouseError
from grid_assets.warehouse.statements import statement

HEADER: Final = "x-grid-secret"
"""The header that carries the secret; the function refuses requests without it."""

FROM_VAULT: Final = sql.SQL(
    "(SELECT decrypted_secret FROM vault.decrypted_secrets WHERE name = 'grid_wake_secret')"
)


def install(
    connection: Connection, url: str, secret: SecretStr, say: Callable[[str], None]
) -> None:
    """Install or renew whatever the database has the parts for; say what is missing.

    `url` is the address of the edge function. Raises `WarehouseError` if the user may not do it.
    """
    try:
        row = connection.execute(statement("wakeups/missing_parts")).fetchone()
        assert row is not None
        has_webhooks, has_cron, has_vault, has_role = row
        with connection.transaction():
            if not has_role:
                connection.execute("CREATE ROLE grid_waker LOGIN")
            connection.execute(statement("wakeups/grant"))
            if has_webhooks:
                connection.execute(_webhook(url, secret))
            if has_cron:
                _schedule(connection, url, secret, has_vault=has_vault)
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"The wake-ups of GRID_WAKE_URL could not be installed: {error.diag.message_primary}. "
            "Migrate as a user who may create roles, webhooks and cron jobs; on Supabase, postgres."
        ) from None
    if has_webhooks:
        say(f"Webhook: new telemetry wakes {url}.")
    else:
        say(
            "Webhook: none, because there is no schema supabase_functions. On Supabase, enable "
            "Database Webhooks, then migrate again."
        )
    if has_cron:
        say(f"Cron: every minute in which a forecast is due wakes {url}.")
    else:
        say(
            "Cron: none, because an extension is missing: pg_cron or pg_net. Without it, a lost "
            "webhook delays the forecast to the next telemetry. On Supabase, enable both, then "
            "migrate again."
        )
    if not has_role:
        say("Role grid_waker was created. Give it a password: ALTER ROLE grid_waker PASSWORD '…';")


def _webhook(url: str, secret: SecretStr) -> sql.Composed:
    headers = {"Content-Type": "application/json", HEADER: secret.get_secret_value()}
    return statement("wakeups/install_webhook").format(
        url=sql.Literal(f"{url}?source=webhook"), headers=sql.Literal(json.dumps(headers))
    )


def _schedule(connection: Connection, url: str, secret: SecretStr, *, has_vault: bool) -> None:
    if has_vault:
        connection.execute(statement("wakeups/keep_secret"), {"secret": secret.get_secret_value()})
    wake = statement("wakeups/wake").format(
        url=sql.Literal(f"{url}?source=cron"),
        secret=FROM_VAULT if has_vault else sql.Literal(secret.get_secret_value()),
    )
    connection.execute(statement("wakeups/unschedule"))
    connection.execute(statement("wakeups/schedule"), {"wake": wake.as_string(connection)})
