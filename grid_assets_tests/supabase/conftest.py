"""A warehouse with telemetry that no forecast has used, and a login that may only wake."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests import shared_warehouse
from grid_assets_tests.reading import ask
from grid_assets_tests.supabase.edge import SECRET, Edge, edge_function
from grid_assets_tests.supabase.github import GitHub, github_stand_in

one_warehouse, shared = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Login = Callable[[SecretStr], SecretStr]
NewDatabase = Callable[[str | None], SecretStr]


@pytest.fixture
def warehouse(shared: SecretStr) -> SecretStr:
    """The module's warehouse: no forecast, no wake-ups, and one half-hour of telemetry."""
    with connect(shared) as connection:
        connection.execute("DELETE FROM ops.wakeups")
    add_telemetry(shared)
    return shared


def add_telemetry(url: SecretStr) -> None:
    """The half-hour that has ended last, as a cycle publishes it: a forecast becomes due."""
    ended = floor(datetime.now(UTC)) - HALF_HOUR
    with connect(url) as connection, connection.transaction():
        connection.execute(
            "INSERT INTO core.intensity (period_start, forecast_gco2_kwh, actual_gco2_kwh) "
            "VALUES (%s, 200, 210) ON CONFLICT DO NOTHING",
            [ended],
        )
        connection.execute(
            "INSERT INTO core.generation_mix (period_start, wind_pct, gas_pct, "
            "published_total_pct) VALUES (%s, 60, 40, 100) ON CONFLICT DO NOTHING",
            [ended],
        )


@pytest.fixture(scope="module")
def login(server: SecretStr) -> Iterator[Login]:
    """Installs what wakes, and turns a database's URL into that of a member of grid_waker."""
    name, password = f"grid_test_{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    made = False

    def log_in(url: SecretStr) -> SecretStr:
        nonlocal made
        with connect(url) as connection:
            wakeups.install(connection, "https://edge.example", SecretStr(SECRET), lambda _: None)
            if not made:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE grid_waker").format(
                        sql.Identifier(name), password
                    )
                )
                made = True
        return to_url(read(url) | {"user": name, "password": password})

    yield log_in
    with connect(server) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def waker(one_warehouse: SecretStr, login: Login) -> SecretStr:
    """The module's warehouse, for the function."""
    return login(one_warehouse)


@dataclass(frozen=True)
class Spied:
    """A warehouse of the test's own that notes what the function asks."""

    url: SecretStr
    waker: SecretStr

    def tokens(self) -> list[Any]:
        """The token of each question for a claim, in order."""
        query = "SELECT token FROM public.calls WHERE name = 'claim_forecast' ORDER BY number"
        return [token for (token,) in ask(self.url, query)]

    def writes_of_refusals(self) -> int:
        query = "SELECT count(*) FROM public.calls WHERE name = 'refuse_wakeups'"
        return int(ask(self.url, query)[0][0])

    def will_decide(self, *decisions: tuple[str, int | None]) -> None:
        """Script the next answers to claims: a decision, and after how many seconds to ask."""
        with connect(self.url) as connection:
            connection.cursor().executemany(
                "INSERT INTO public.decisions (decision, retry_after_s) VALUES (%s, %s)", decisions
            )


@pytest.fixture
def spied(
    new_database: NewDatabase,
    template: str,
    login: Login,
) -> Spied:
    url = new_database(template)
    add_telemetry(url)
    with connect(url) as connection:
        connection.execute(Path(__file__).with_name("spied.sql").read_text("utf-8").encode())
    return Spied(url, login(url))


@pytest.fixture(scope="module")
def one_github() -> Iterator[GitHub]:
    with github_stand_in() as github:
        yield github


@pytest.fixture
def github(one_github: GitHub) -> Iterator[GitHub]:
    """GitHub, which has seen nothing yet; a request that it would not understand fails the test."""
    one_github.reset()
    yield one_github
    assert one_github.complaints == []


@pytest.fixture(scope="module")
def one_edge(
    waker: SecretStr, one_github: GitHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    with edge_function(folder, waker, **one_github.variables) as edge:
        yield edge


@pytest.fixture
def edge(one_edge: Edge, warehouse: SecretStr, github: GitHub) -> Edge:
    """The module's function, which starts the model at GitHub; a forecast is due."""
    return one_edge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a function of the test's own writes its log."""
    return tmp_path
