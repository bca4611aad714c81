"""Stands in for healthchecks.io: takes pings, and knows when one is late."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from grid_assets_tests.http_stub import Asked, Reply, Stub

CHECK = "/c3a1f0de-secret-uuid"


@dataclass(frozen=True)
class Ping:
    """One ping: whether it said that a cycle failed, and why."""

    is_failure: bool
    reason: str
    at: float


class Healthchecks(Stub):
    """One check. It is down from a `/fail` on, or `period_s` and `grace_s` after the last ping,
    until the next ping of a healthy cycle; a request for any other path fails the test."""

    def __init__(self) -> None:
        super().__init__()
        self.pings: list[Ping] = []
        self.strange: list[str] = []
        self.script = lambda path: Reply(b"OK")

    @property
    def address(self) -> SecretStr:
        return SecretStr(f"{self.url}{CHECK}?create=0")

    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        parts = urlsplit(asked.path)
        with self.lock:
            if parts.path not in (CHECK, f"{CHECK}/fail") or parts.query != "create=0":
                self.strange.append(asked.path)
            elif reply.status == 200 and not (reply.wait_s or reply.reset):
                said = asked.body.decode("utf-8")
                failed = parts.path.endswith("/fail")
                self.pings.append(Ping(failed, said, time.monotonic()))
        return reply

    @property
    def kinds(self) -> str:
        """The pings in order: `+` healthy, `-` failed."""
        return "".join("-" if ping.is_failure else "+" for ping in self.pings)

    def is_down(self, period_s: float, grace_s: float) -> bool:
        if not self.pings:
            return False
        last = self.pings[-1]
        return last.is_failure or time.monotonic() - last.at > period_s + grace_s
