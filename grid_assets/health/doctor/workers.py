"""Whether the broker and its workers answer."""

from __future__ import annotations

from typing import Final

from grid_assets.health.doctor.case import Case, Finding, mend, ok

WORKERS_S: Final = 3
"""A worker answers within milliseconds."""


def workers(case: Case) -> Finding:
    """Pings the workers through the broker; a busy one answers, too."""
    broker = case.settings.celery_broker_url
    if broker is None or not case.settings.uses_celery:
        return ok("None are needed: every run starts on this machine.")
    try:
        from celery import Celery  # an extra
        from kombu.exceptions import OperationalError
        from redis.exceptions import RedisError
    except ImportError:
        return mend("celery is not installed here. Run `pip install 'grid-assets[celery]'`.")
    is_for_steps = case.settings.executor == "celery"
    app = Celery(broker=broker.get_secret_value())
    app.conf.broker_transport_options = {
        "socket_connect_timeout": WORKERS_S,
        "socket_timeout": WORKERS_S,
        "max_retries": 0,
    }
    try:
        answers = app.control.ping(timeout=WORKERS_S)
    except (OperationalError, RedisError, OSError) as error:
        return mend(
            "The broker (GRID_CELERY_BROKER_URL) does not answer "
            f"({type(error.__cause__ or error).__name__}), so "
            + ("no step starts" if is_for_steps else "runs over past days start on the code server")
            + ". Start it, or correct the address."
        )
    if not answers:
        return mend(
            "The broker answers, but no worker. "
            + (
                "No step starts. "
                if is_for_steps
                else "Runs over past days wait for five minutes and fail. "
            )
            + "Start one: `grid start worker`."
        )
    return ok(f"{len(answers)} worker{'s' * (len(answers) != 1)} answered.")
