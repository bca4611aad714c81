"""A stub of the portal, and clients of it on a clock that only waits move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.sources.neso_portal.limits import Unlimited
from grid_assets_tests.http_stub import Stub, serving
from grid_assets_tests.sources.neso_portal.bodies import at

MakePortal = Callable[..., NesoPortal]


@dataclass
class FakeTime:
    """Sleeping takes no time, and random draws give their upper bound."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def uniform(self, low: float, high: float) -> float:
        return high

    def utcnow(self) -> datetime:
        return at("2026-08-16T18:40")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def fake() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make_portal(stub: Stub, fake: FakeTime) -> Iterator[MakePortal]:
    """Clients of the stub on faked time; a test may override any argument."""
    with ExitStack() as clients:

        def make(base_url: str = f"{stub.url}/api/3/action", **given: Any) -> NesoPortal:
            faked = {"sleep": fake.sleep, "uniform": fake.uniform, "utcnow": fake.utcnow}
            defaults = {"retry_budget_s": 0, "timeout_s": 5, "clock": fake.clock, **faked}
            arguments = {"limits": Unlimited(), **defaults, **given}
            return clients.enter_context(NesoPortal(base_url, **arguments))

        yield make


@pytest.fixture
def portal(make_portal: MakePortal) -> NesoPortal:
    return make_portal()
