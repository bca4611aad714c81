"""Stands in for GitHub: takes a `repository_dispatch` as GitHub does, and refuses what it refuses.

What it was sent is checked field by field; a request that GitHub would not have understood fails
the test that made it, by `complaints`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from grid_assets_tests.http_stub import Asked, Reply, Stub, run

REPOSITORY: Final = "someone/grid-assets"
TOKEN: Final = f"github_pat_{secrets.token_hex(16)}"

ACCEPTED: Final = Reply(b"", 204)


def said(status: int, message: str, **headers: str) -> Reply:
    """An error as GitHub's API words it."""
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(body.encode(), status, {"Content-Type": "application/json", **names})


class GitHub(Stub):
    """Accepts dispatches to one repository with one token, unless a test scripts other answers."""

    def __init__(self) -> None:
        super().__init__()
        self.dispatches: list[dict[str, Any]] = []
        """The bodies of the accepted dispatches."""
        self.complaints: list[str] = []
        self.scripted: list[Reply | None] = []
        """The next answers, in order; None is what GitHub would answer."""
        self.on_dispatch: Callable[[dict[str, Any]], object] | None = None
        """Plays the workflow: called for each accepted dispatch, one at a time and in order."""
        self.runs: list[Future[object]] = []
        self._runner = ThreadPoolExecutor(1)

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a function that starts the model here."""
        return {
            "GRID_GITHUB_API_URL": self.url,
            "GRID_GITHUB_REPOSITORY": REPOSITORY,
            "GRID_GITHUB_TOKEN": TOKEN,
        }

    @property
    def tokens(self) -> list[str]:
        """The claims that the accepted dispatches carry."""
        return [dispatch["client_payload"]["token"] for dispatch in self.dispatches]

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            scripted = self.scripted.pop(0) if self.scripted else None
            reply = scripted or self._judge(asked)
            if reply.status == 204:
                dispatch = json.loads(asked.body)
                self.dispatches.append(dispatch)
                if self.on_dispatch is not None:
                    self.runs.append(self._runner.submit(self.on_dispatch, dispatch))
            return reply

    def wait_for_runs(self, within_s: float = 240) -> None:
        """Wait for the runs of `on_dispatch`; an exception of one is raised here."""
        for one in list(self.runs):
            one.result(within_s)

    def reset(self) -> None:
        self.scripted.clear()
        self.dispatches.clear()
        self.complaints.clear()
        self.runs.clear()
        self.on_dispatch = None

    def _judge(self, asked: Asked) -> Reply:
        expected = {
            "accept": "application/vnd.github+json",
            "content-type": "application/json",
            "x-github-api-version": "2022-11-28",
        }
        for name, value in expected.items():
            if asked.headers.get(name) != value:
                self.complaints.append(f"{name}: {asked.headers.get(name)}")
        if not asked.headers.get("User-Agent"):
            return said(403, "Request forbidden by administrative rules.")
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return said(401, "Bad credentials")
        if (asked.method, asked.path) != ("POST", f"/repos/{REPOSITORY}/dispatches"):
            return said(404, "Not Found")
        try:
            body = json.loads(asked.body)
        except ValueError:
            return said(400, "Problems parsing JSON")
        if set(body) != {"event_type", "client_payload"} or len(body["client_payload"]) > 10:
            return said(422, "Invalid request.")
        if body["event_type"] != "forecast" or set(body["client_payload"]) != {"token"}:
            self.complaints.append(f"no workflow listens to {body}")
        return ACCEPTED

    def close_runs(self) -> None:
        self._runner.shutdown(wait=True, cancel_futures=True)


@contextmanager
def github_stand_in() -> Iterator[GitHub]:
    """GitHub until the block ends."""
    with run(GitHub()) as github:
        try:
            yield github
        finally:
            github.close_runs()
