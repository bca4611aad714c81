"""Stands in for the parts of Supabase that cannot run here: database webhooks and pg_net.

`install` creates them in a database, and `PgNet` plays pg_net's background worker, with its faults:
it never repeats a request that failed, and it can be told to lose or to double some.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
import requests
from pydantic import SecretStr

PARTS: Final = Path(__file__).with_name("supabase_parts.sql")

BATCH: Final = 200
"""As many requests as pg_net takes in one transaction."""

EVERY_S: Final = 0.05
"""pg_net is woken by a signal; the stand-in looks twenty times a second."""

TAKE: Final = """
WITH batch AS (SELECT id FROM net.http_request_queue ORDER BY id LIMIT %s)
DELETE FROM net.http_request_queue AS q USING batch WHERE q.id = batch.id
RETURNING q.id, q.url, q.headers, q.body, q.timeout_milliseconds
"""

STORE: Final = """
INSERT INTO net._http_response (id, status_code, content_type, headers, content, timed_out,
                                error_msg)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def install(url: SecretStr) -> None:
    """Give the database the schemas `net` and `supabase_functions`."""
    with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
        connection.execute(PARTS.read_text(encoding="utf-8").encode())


@dataclass(frozen=True)
class Request:
    """One request of the queue."""

    id: int
    url: str
    headers: dict[str, str]
    body: bytes
    timeout_s: float


@dataclass
class PgNet:
    """pg_net's worker; every `lose_every`-th request is lost, every `double_every`-th sent twice.

    Zero means never. A lost one is one that a crash of the server would have taken from the queue.
    """

    url: SecretStr
    lose_every: int = 0
    double_every: int = 0
    sent: list[Request] = field(default_factory=list)
    lost: list[Request] = field(default_factory=list)
    error: BaseException | None = None
    _taken: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Send batch after batch until it is stopped."""
        try:
            with (
                psycopg.connect(self.url.get_secret_value(), autocommit=True) as connection,
                ThreadPoolExecutor(BATCH) as pool,
            ):
                while not self._stop.wait(EVERY_S):
                    self._batch(connection, pool)
        except BaseException as error:
            self.error = error

    def _batch(self, connection: psycopg.Connection, pool: ThreadPoolExecutor) -> None:
        """One transaction, as in pg_net: killed in it, the worker would send all of it again."""
        with connection.transaction():
            rows = connection.execute(TAKE, [BATCH]).fetchall()
            taken = [
                Request(number, url, headers, bytes(body), timeout_ms / 1000)
                for number, url, headers, body, timeout_ms in sorted(rows)
            ]
            for response in pool.map(_post, self._with_faults(taken)):
                connection.execute(STORE, response)

    def _with_faults(self, taken: list[Request]) -> list[Request]:
        to_send = []
        for request in taken:
            self._taken += 1
            if self.lose_every and self._taken % self.lose_every == 0:
                self.lost.append(request)
                continue
            doubled = self.double_every and self._taken % self.double_every == 0
            to_send += [request, request] if doubled else [request]
        self.sent += to_send
        return to_send


def _post(request: Request) -> tuple[object, ...]:
    """The row of `net._http_response` for a request, which is made once."""
    try:
        answer = requests.post(
            request.url, data=request.body, headers=request.headers, timeout=request.timeout_s
        )
    except requests.RequestException as error:
        is_late = isinstance(error, requests.Timeout)
        return (request.id, None, None, None, None, is_late, None if is_late else str(error))
    kind = answer.headers.get("Content-Type")
    headers = json.dumps(dict(answer.headers))
    return (request.id, answer.status_code, kind, headers, answer.text, False, None)


@contextmanager
def pg_net(url: SecretStr, *, lose_every: int = 0, double_every: int = 0) -> Iterator[PgNet]:
    """pg_net's worker until the block ends; an error of its own fails the test."""
    worker = PgNet(url, lose_every, double_every)
    thread = threading.Thread(target=worker.work, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker._stop.set()
        thread.join(60)
    if worker.error is not None:
        raise worker.error
