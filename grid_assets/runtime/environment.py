"""The environment of a command: a running warehouse, a folder for state, and shared variables.

It is built from the settings. The processes that a command starts inherit the variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.files.store import demo_address, fault_of
from grid_assets.output import write_whole
from grid_assets.replay.addresses import source_urls
from grid_assets.runtime.dagster_yaml import dagster_yaml
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import Settings, SettingsError, retired_settings
from grid_assets.sources.carbon_intensity.client import probe_replay
from grid_assets.sources.http.session import is_loopback
from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.dagster_schema import (
    DAGSTER_SCHEMA,
    find_dagster_schema,
)
from grid_assets.warehouse.migrate import ensure_database, is_current, migrate
from grid_assets.warehouse.stamp import Stamp, read_stamp, refuse_other_kind
from grid_assets.warehouse.urls import session_url, sqlalchemy_url

DEMO_DATABASE: Final = "grid_demo"

LIBRARIES: Final = {"celery": "dagster_celery", "k8s": "dagster_k8s"}
"""What an executor or a run launcher needs that is an extra of the same name."""

Say = Callable[[str], None]
"""Prints one line for the user."""


@dataclass(frozen=True)
class Environment:
    """A database that accepts connections, and a folder for state."""

    settings: Settings
    home: Path
    warehouse: SecretStr
    embedded: EmbeddedPostgres | None = None
    replayed: dict[str, str] = field(default_factory=dict)
    """The settings, by name, that point at a replay; empty for the live product."""

    def use_replay(self, url: str) -> None:
        """Read every API from the replay at `url` instead of the public ones."""
        self.replayed.update(source_urls(url))
        for name in self.replayed.keys() & type(self.settings).model_fields.keys():
            setattr(self.settings, name, self.replayed[name])

    def close(self) -> None:
        """Stop the embedded server, even if another process started it."""
        if self.embedded is not None:
            self.embedded.stop()

    def variables(self) -> dict[str, str]:
        """Variables for every process of this environment, including this one."""
        return {
            "GRID_HOME": str(self.home),
            "GRID_API_URL": self.settings.api_url,
            "GRID_RUN_LAUNCHER": self.settings.run_launcher,
            "GRID_EXECUTOR": self.settings.executor,
            **({"GRID_FILES_STORE": store} if (store := self.settings.files_store) else {}),
            **{f"GRID_{name.upper()}": url for name, url in self.replayed.items()},
            "GRID_DATABASE_URL": self.warehouse.get_secret_value(),
            "GRID_DAGSTER_STORAGE_URL": self._dagster_storage().get_secret_value(),
            "DAGSTER_HOME": str(self._dagster_home),
            # Each day of an asset is an event. In batches, nine years take minutes, not hours.
            "DAGSTER_EVENT_BATCH_SIZE": "2000",
        }

    def prepare_dagster(self) -> None:
        """Make Dagster's folder and schema, and set the variables of this process."""
        refuse_missing_libraries(self.settings)
        home = self._dagster_home
        if self.settings.run_launcher == "k8s" and not (home / "dagster.yaml").is_file():
            raise SettingsError(
                "GRID_RUN_LAUNCHER is k8s, but DAGSTER_HOME is not a folder with the dagster.yaml "
                "of Dagster's chart. Use a pod of the chart, or set GRID_RUN_LAUNCHER to local."
            )
        try:
            if self.settings.run_launcher != "k8s":
                write_whole(home / "dagster.yaml", dagster_yaml(self.settings))
        except OSError as error:
            raise SettingsError(
                f"The folder {home} cannot be written: {error.strerror}. Dagster needs it even if "
                "the database is elsewhere. Change GRID_HOME, or make room."
            ) from None
        os.environ.update(self.variables())

    @property
    def _dagster_home(self) -> Path:
        """The folder with `dagster.yaml`: our own, but on Kubernetes that of Dagster's chart."""
        charted = os.environ.get("DAGSTER_HOME")
        if self.settings.run_launcher == "k8s" and charted:
            return Path(charted)
        return self.home / "dagster"

    @cached_property
    def _dagster_options(self) -> str:
        """The options of Dagster's connections; recreates the schema if it was dropped."""
        found = find_dagster_schema(self.warehouse)
        if found.exists:
            return found.options
        try:
            with connect(session_url(self.warehouse)) as connection:
                connection.execute(
                    sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(DAGSTER_SCHEMA))
                )
        except psycopg.errors.InsufficientPrivilege:
            raise WarehouseError(
                f"The user of GRID_DATABASE_URL may not create the schema {DAGSTER_SCHEMA}. "
                "Run `grid migrate` as the owner of the database or as grid_owner."
            ) from None
        return found.options

    def _dagster_storage(self) -> SecretStr:
        """GRID_DAGSTER_DATABASE_URL, or by default a schema in the warehouse."""
        if self.settings.dagster_database_url is not None:
            return sqlalchemy_url(self.settings.dagster_database_url)
        return sqlalchemy_url(session_url(self.warehouse), self._dagster_options)


def refuse_missing_libraries(settings: Settings) -> None:
    """Raise `SettingsError` if the executor or the run launcher needs an extra that is missing."""
    chosen = {"GRID_EXECUTOR": settings.executor, "GRID_RUN_LAUNCHER": settings.run_launcher}
    for name, value in chosen.items():
        library = LIBRARIES.get(value)
        if library is not None and find_spec(library) is None:
            raise SettingsError(
                f"{name} is {value}, but {library} is not installed here. Run "
                f"`pip install 'grid-assets[{value}]'`, or unset {name}."
            )


def demo_settings(settings: Settings) -> Settings:
    """The settings of the demo: it shares nothing with the live product, workers neither. They
    would look for its runs in the live database."""
    return settings.model_copy(
        update={
            "dagster_database_url": None,
            "files_store": demo_address(settings.files_store),
            "run_launcher": "local",
            "executor": "in_process",
        }
    )


def open_environment(
    settings: Settings, *, demo: bool = False, say: Say = lambda _: None
) -> Environment:
    """Open the database and folder of the live product, or those of the demo."""
    home = settings.demo_home if demo else settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {home} cannot be created: {error.strerror}. Change GRID_HOME."
        ) from None
    if demo:
        settings = demo_settings(settings)
    if settings.database_url is not None:
        url = settings.database_url
        warehouse = ensure_database(url, DEMO_DATABASE) if demo else url
        return Environment(settings, home, warehouse)
    if settings.run_launcher != "local" or settings.executor in ("celery", "k8s"):
        raise SettingsError(
            "GRID_DATABASE_URL is not set, and GRID_RUN_LAUNCHER or GRID_EXECUTOR sends work to "
            "other machines, which cannot reach the embedded PostgreSQL. Set it to a server that "
            "they reach."
        )
    embedded = EmbeddedPostgres(home / "postgres", warn=say)
    if not embedded.is_running():
        say(f"Starting the embedded PostgreSQL in {home / 'postgres'}")
    return Environment(settings, home, SecretStr(embedded.start()), embedded)


def set_up(environment: Environment, say: Say) -> Stamp:
    """Migrate if anything is missing; return the kind of data that the warehouse holds."""
    settings = environment.settings
    for note in retired_settings():
        say(note)
    if fault := fault_of(settings.files_store, environment.home):
        say(f"Warning: {fault} Until then, the page and the feeds are not renewed.")
    with connect(environment.warehouse) as connection:
        stamp = read_stamp(connection)
        if stamp is None:
            return migrate(environment.warehouse, stamp_of(settings), say).stamp
        # An API on this machine that does not answer may be a replay that is not up yet. The client
        # checks each response later.
        served = stamp_of(settings)
        if served.kind == "replay" or not is_loopback(settings.api_url):
            refuse_other_kind(stamp, served, environment.warehouse)
        if is_current(connection):
            return stamp
    return migrate(environment.warehouse, stamp, say).stamp


def install_wakeups(environment: Environment, say: Say) -> None:
    """Install what wakes the edge function at GRID_WAKE_URL, if that is set. Only `grid migrate`
    does this: a mistake in it must not stop telemetry."""
    settings = environment.settings
    if missing := settings.missing_for_wakeups:
        raise SettingsError(
            f"No webhook was installed, because {missing} is not set. Migrations are applied. Set "
            "both, then migrate again."
        )
    if settings.wake_url is not None and settings.wake_secret is not None:
        with connect(environment.warehouse) as connection:
            wakeups.install(connection, settings.wake_url, settings.wake_secret, say)


def stamp_of(settings: Settings) -> Stamp:
    """The kind of data that GRID_API_URL serves: recorded if it is our own replay, else live."""
    replay = probe_replay(settings.api_url)
    return Stamp("replay", replay.shift_weeks) if replay else Stamp("live")
