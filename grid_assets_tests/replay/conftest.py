"""A running recorded API whose clock the tests set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from grid_assets.replay.control import Control
from grid_assets.replay.server import ReplayServer


@dataclass
class Clock:
    """A clock that only the test moves."""

    instant: datetime = datetime(2026, 11, 22, 13, 17, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant


class Caller:
    """One session against one server; answers are asserted by the tests."""

    def __init__(self, server: ReplayServer, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.session = requests.Session()

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        # A pool that a response still refers to is only forgotten by the session, not closed.
        for adapter in self.session.adapters.values():
            pools = adapter.poolmanager.pools  # type: ignore[attr-defined]
            for key in pools.keys():  # noqa: SIM118
                pools[key].close()
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.server.url + path, timeout=5, **options)

    def data(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def control(self, action: str, **document: Any) -> dict[str, Any]:
        answer = self.session.post(f"{self.server.url}/replay/{action}", json=document, timeout=5)
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status


@pytest.fixture(scope="session")
def running() -> Iterator[ReplayServer]:
    with ReplayServer(now=Clock()) as server:
        yield server


@pytest.fixture
def replay(running: ReplayServer) -> Iterator[Caller]:
    """A recorded API without faults, with nothing withheld and no request counted."""
    running.now = clock = Clock()
    running.control = Control()
    with Caller(running, clock) as caller:
        yield caller


@pytest.fixture
def own_replay() -> Iterator[Caller]:
    """A recorded API that the test may stop."""
    clock = Clock()
    with ReplayServer(now=clock) as server, Caller(server, clock) as caller:
        yield caller
