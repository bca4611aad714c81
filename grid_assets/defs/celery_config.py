"""How Celery is used, by the daemon that gives out work and by the workers that take it."""

from typing import Any, Final

from grid_assets.settings import Settings, SettingsError

CELERY_CONFIG: Final[dict[str, Any]] = {
    # A worker takes one run for each of its processes, so that an idle one can take the next. The
    # multiplier counts only what is not acknowledged, and a run that has begun is.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # A run that was taken is never given out twice: Dagster closes it if its worker dies, and the
    # next plan starts what is missing.
    "task_acks_late": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # a worker waits for a broker as long as it takes
    "broker_connection_timeout": 4,
    "broker_transport_options": {
        "socket_connect_timeout": 4,
        "socket_timeout": 30,
        "health_check_interval": 10,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
    "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2},
    "redis_socket_connect_timeout": 4,
    "redis_socket_timeout": 30,
    "result_backend_transport_options": {"retry_policy": {"timeout": 4.0, "max_retries": 1}},
    "result_expires": 86_400,
    "worker_max_tasks_per_child": 100,  # memory that libraries keep is given back
    "task_default_queue": "dagster",
    "task_default_priority": 5,
    "worker_send_task_events": False,
}


def broker_url(settings: Settings) -> str:
    """The address of the broker. Raises `SettingsError` if it is not set."""
    if settings.celery_broker_url is None:
        raise SettingsError("A setting cannot be used. GRID_CELERY_BROKER_URL: it is not set.")
    return settings.celery_broker_url.get_secret_value()
