"""Settings: the environment variables `GRID_*` with their types, defaults and limits."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT: Final = Path(__file__).resolve().parent.parent
PROJECT_DIR: Final = _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
"""The checkout; for a package installed without one, the current folder."""

DataKind = Literal["live", "replay"]
"""The kind of data of an API or a warehouse; the two are never mixed."""

Executor = Literal["in_process", "multiprocess", "celery", "k8s"]
"""Where the steps of one run are executed."""

RunLauncher = Literal["local", "celery", "k8s"]
"""What starts runs: the code server, Celery workers, or the launcher of Dagster's Helm chart."""

DEFAULT_CRON: Final = "12,42 * * * *"
PUBLIC_API_URL: Final = "https://api.carbonintensity.org.uk"
PUBLIC_ELEXON_URL: Final = "https://data.elexon.co.uk/bmrs/api/v1"
PUBLIC_NESO_PORTAL_URL: Final = "https://api.neso.energy/api/3/action"
DEFAULT_HISTORY: Final = timedelta(days=30)
OFF_WHEN_EMPTY: Final = frozenset({"elexon_url", "neso_portal_url"})
"""Sources that an empty address switches off; elsewhere an empty value means the default."""
RETIRED: Final = ("GRID_FORECAST_KEEP_DAYS", "GRID_FORECAST_KEEP_LEADS_HOURS")
"""Settings of earlier versions that have no effect: every forecast is kept for ever."""


MIN_WAKE_SECRET: Final = 16

_UNREADABLE: Final = "it cannot be read; percent-encode special characters in the password"


class SettingsError(Exception):
    """A setting is invalid; the message names the variable and the remedy, but no secret."""


def retired_settings() -> list[str]:
    """A sentence for each variable of the environment that no longer has an effect."""
    return [
        f"Note: {name} has no effect any more. Every forecast is kept for ever, because a year of "
        "them takes little space. Remove the line."
        for name in RETIRED
        if os.environ.get(name, "").strip()
    ]


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be an http:// or https:// address")
    if parts.query or parts.fragment:
        raise ValueError("it must be a base address without ? or #")
    return url.rstrip("/")


def _postgres_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value().strip()  # a secret that was pasted often ends with a line break
    is_url = re.match(r"postgres(ql)?://", text) is not None
    if not is_url and not re.match(r"\w+\s*=", text):
        raise ValueError("it must start with postgresql://")
    try:
        parts = conninfo_to_dict(text)
    except Error as error:
        # Of the library's messages only these hold no part of the password.
        unknown = re.match(r'invalid (?:URI query parameter:|connection option) "(.*)"', str(error))
        if unknown:
            raise ValueError(
                f"PostgreSQL's client library has no parameter {unknown[1]}. Remove it: a pooler "
                "needs none, and the schemas have fixed names"
            ) from None
        raise ValueError(_UNREADABLE) from None
    # With a raw @ or / in the password, the rest of it would be read as host, port or database,
    # which messages show.
    authority, _, path = text.partition("://")[2].partition("?")[0].partition("/")
    ports = [port for port in str(parts.get("port") or "").split(",") if port]
    if is_url and (authority.count("@") > 1 or "@" in path):
        raise ValueError(_UNREADABLE)
    if not all(port.isdecimal() for port in ports):
        raise ValueError(_UNREADABLE)
    if not all(0 < int(port) < 65536 for port in ports):
        raise ValueError("a port must be a number from 1 to 65535")
    return SecretStr(text)


def _wake_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not re.fullmatch(rf"[!-~]{{{MIN_WAKE_SECRET},}}", text):
        raise ValueError(
            f"it must have at least {MIN_WAKE_SECRET} ASCII characters without spaces, such as "
            "those of `openssl rand -hex 32`"
        )
    return SecretStr(text)


def _cron(text: str) -> str:
    """Five fields that Dagster accepts. It decides, because it would refuse them at import."""
    text = " ".join(text.split())
    if text == DEFAULT_CRON:
        return text
    from dagster._utils import schedules  # late: it takes a second

    if len(text.split(" ")) != 5 or not schedules.is_valid_cron_schedule(text):
        raise ValueError(f"it must be a cron expression of five fields, such as {DEFAULT_CRON}")
    try:
        next(schedules.schedule_execution_time_iterator(0, text, "UTC"))
    except Exception:  # the daemon would look for the next time again and again
        raise ValueError(f"{text} never occurs") from None
    return text


def _host_and_port(text: str) -> str:
    parts = urlsplit(f"//{text.strip()}")
    try:
        if not (parts.hostname and parts.port and parts.netloc == text.strip()) or "@" in text:
            raise ValueError
    except ValueError:
        raise ValueError("it must be a host and a port, such as code-server:4000") from None
    return text.strip()


def _broker(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    # Redis only: it also keeps what became of each task, which RabbitMQ cannot.
    if not re.match(r"rediss?://.", text):
        raise ValueError("it must start with redis:// or rediss://")
    try:
        has_host = urlsplit(text).hostname is not None
        _ = urlsplit(text).port  # raises if it is no number
    except ValueError:  # whose message could hold a part of the password
        has_host = False
    if not has_host:
        raise ValueError(
            "it must be like redis://:password@host:6379/0; percent-encode special characters in "
            "the password (# is %23, / is %2F)"
        )
    return SecretStr(text)


def _blank_is_unset(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


WebAddress = Annotated[str, AfterValidator(_web_address)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
BrokerUrl = Annotated[SecretStr, AfterValidator(_broker)]
WakeSecret = Annotated[SecretStr, AfterValidator(_wake_secret)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


class Settings(BaseSettings):
    """Every setting of the project; `.env.example` has one line for each."""

    model_config = SettingsConfigDict(env_prefix="GRID_", extra="ignore")

    api_url: WebAddress = PUBLIC_API_URL
    api_timeout_s: float = Field(default=20, gt=0, le=600)
    api_retry_budget_s: float = Field(default=60, ge=0, le=3600)
    api_concurrency: int = Field(default=4, ge=1, le=16)
    api_max_body_mb: float = Field(default=16, gt=0, le=512)
    elexon_url: Annotated[WebAddress | None, BeforeValidator(_blank_is_unset)] = PUBLIC_ELEXON_URL
    neso_portal_url: Annotated[WebAddress | None, BeforeValidator(_blank_is_unset)] = (
        PUBLIC_NESO_PORTAL_URL
    )
    database_url: Annotated[PostgresUrl | None, BeforeValidator(_blank_is_unset)] = None
    dagster_database_url: Annotated[PostgresUrl | None, BeforeValidator(_blank_is_unset)] = None
    home: Path = PROJECT_DIR / ".grid"
    history_start: date | None = None
    telemetry_cron: Annotated[str, AfterValidator(_cron)] = DEFAULT_CRON
    ui_port: int = Field(default=3000, ge=1, le=65535)
    files_url: Annotated[WebAddress | None, BeforeValidator(_blank_is_unset)] = None
    # An unusable one is found when files are written: it must not stop telemetry.
    files_store: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    chronos_model: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    chronos_timeout_s: float = Field(default=120, gt=0, le=3600)
    backtest_days: int = Field(default=14, ge=0, le=366)
    backtest_stride_hours: float = Field(default=3, ge=0.5, le=24, multiple_of=0.5)
    use_neso_forecast: bool = False
    regions: bool = True
    train_weekly: bool = False
    # what new telemetry wakes, if there is no daemon (docs/supabase.md)
    wake_url: Annotated[WebAddress | None, BeforeValidator(_blank_is_unset)] = None
    wake_secret: Annotated[WakeSecret | None, BeforeValidator(_blank_is_unset)] = None
    alarm_urls: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None
    # several processes or machines (docs/cluster.md)
    executor: Executor = "in_process"
    run_launcher: RunLauncher = "local"
    celery_broker_url: Annotated[BrokerUrl | None, BeforeValidator(_blank_is_unset)] = None
    backfill_runs: int = Field(default=2, ge=1, le=64)
    code_server: HostAndPort = "127.0.0.1:4000"
    heartbeat_url: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None
    dagster_keep_days: int = Field(default=14, ge=0, le=36500)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_the_default(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value for name, value in values.items() if value != "" or name in OFF_WHEN_EMPTY
        }

    @property
    def code_server_address(self) -> tuple[str, int]:
        """Host and port of GRID_CODE_SERVER; an IPv6 address keeps its brackets."""
        host, _, port = self.code_server.rpartition(":")
        return host, int(port)

    @property
    def uses_celery(self) -> bool:
        """Whether Celery workers do a part of the work."""
        return "celery" in (self.executor, self.run_launcher)

    @model_validator(mode="after")
    def _celery_needs_a_broker(self) -> Settings:
        if self.uses_celery and self.celery_broker_url is None:
            raise ValueError(
                "GRID_CELERY_BROKER_URL is not set, which GRID_EXECUTOR or GRID_RUN_LAUNCHER needs"
            )
        return self

    @property
    def missing_for_wakeups(self) -> str | None:
        """The one of GRID_WAKE_URL and GRID_WAKE_SECRET that is not set, if the other one is."""
        if (self.wake_url is None) == (self.wake_secret is None):
            return None
        return "GRID_WAKE_URL" if self.wake_url is None else "GRID_WAKE_SECRET"

    @property
    def alarm_url_list(self) -> list[SecretStr]:
        """The addresses that messages go to. An unusable one is found when a message is sent: it
        must not stop telemetry."""
        text = self.alarm_urls.get_secret_value() if self.alarm_urls else ""
        return [SecretStr(url) for url in text.split()]

    @property
    def heartbeat_fault(self) -> str | None:
        """Why GRID_HEARTBEAT_URL cannot be pinged, without it; None if it can, or is not set. It is
        no error of the settings: it must not stop telemetry."""
        if self.heartbeat_url is None:
            return None
        text = self.heartbeat_url.get_secret_value().strip()
        try:
            parts = urlsplit(text)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
            _ = parts.port  # raises if it is no number
        except ValueError:
            is_address = False
        if not is_address or not text.isascii() or re.search(r"\s", text):
            return "GRID_HEARTBEAT_URL is not an http:// or https:// address, so it is not pinged."
        if parts.fragment:
            return "GRID_HEARTBEAT_URL has a part after #, so it is not pinged. Remove that part."
        return None

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings. Raises `SettingsError`, which names each invalid variable."""
        try:
            settings = cls()
        except ValidationError as error:
            faults = "; ".join(
                # a fault of several settings has no place, and its message names them
                "".join(f"GRID_{str(name).upper()}: " for name in fault["loc"][:1])
                + fault["msg"].removeprefix("Value error, ")
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise SettingsError(f"A setting cannot be used. {faults}.") from None
        try:
            # Resolved, so that a home has one name: processes are found by it.
            settings.home = settings.home.expanduser().resolve()
        except (OSError, RuntimeError) as error:
            raise SettingsError(f"A setting cannot be used. GRID_HOME: {error}.") from None
        return settings

    @property
    def demo_home(self) -> Path:
        """The folder of the demo's state."""
        return (self.home / "demo").resolve()

    def first_history_day(self, now: datetime) -> date:
        """The first UTC day whose gaps are filled."""
        return self.history_start or (now.astimezone(UTC) - DEFAULT_HISTORY).date()
