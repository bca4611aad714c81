"""Readers that ask when it is time, whether or not the last answer has come: an open loop.

Belongs here: arrivals fixed in advance, many connections in a process of their own, and latencies
from the moment a query was due. A query that waits for a free connection so counts its waiting,
which a loop of ask and answer would leave out. Does not belong here: what is asked (`questions`).

A latency ends when the whole answer lies in the client's memory; turning it into Python values,
which a dashboard does in its own way, is left out.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import Connection
from typing import Any, Final

import psycopg

from bench.results import BenchError

Latencies = dict[str, list[float]]
"""Milliseconds of each query, in the order in which they were due."""

LEAD_IN_S: Final = 0.2
"""Between connecting and the first arrival."""

AWAKE_S: Final = 0.0015
"""Before an arrival the loop no longer sleeps: its timer is up to a millisecond late, as much as a
fast query takes. It goes on with answers meanwhile, and costs a twentieth of a core."""

OVERTIME_S: Final = 20
"""For the last answers after the last arrival. A query that is still open then counts with what it
has waited by then, so that a server far behind is measured as slow and not waited for."""

START_S: Final = 60
"""For a new Python process with its connections; it takes a second."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked: `per_second` queries in all, at random moments, over `connections`."""

    connections: int = 16
    per_second: float = 40
    seed: int = 4


def arrivals(load: Load, names: Sequence[str], seconds: float) -> Iterator[tuple[float, str]]:
    """When which query is due, in seconds from the start: independent of any answer (Poisson).

    Queries take turns in a new order each time, so that each is asked equally often.
    """
    chosen = random.Random(load.seed)
    turn: list[str] = []
    due = chosen.expovariate(load.per_second)
    while due < seconds:
        turn = turn or chosen.sample(names, len(names))
        yield due, turn.pop()
        due += chosen.expovariate(load.per_second)


def quantile(values: list[float], level: float) -> float:
    """The smallest value that at least this share of the values do not pass (nearest rank)."""
    return sorted(values)[ceil(level * len(values)) - 1]


@contextmanager
def asking(
    url: str, texts: Mapping[str, str], load: Load, seconds: float
) -> Iterator[Callable[[], Latencies]]:
    """Ask `texts` for so long in another process, from now on; the yielded call waits for its end.

    Another process, so that the writer's Python and the readers' do not wait for each other. Raises
    `BenchError` for a query that fails or has no rows.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(
        target=_in_process, args=(there, url, dict(texts), load, seconds), daemon=True
    )
    process.start()
    there.close()

    def received(within: float) -> Any:
        try:
            if not here.poll(within):
                raise BenchError(f"The readers said nothing for {within:.0f} s")
            answer = here.recv()
        except EOFError:
            raise BenchError("The readers ended without a word") from None
        if isinstance(answer, BenchError):
            raise answer
        return answer

    try:
        received(START_S)  # connected
        yield lambda: received(seconds + OVERTIME_S + START_S)
    finally:
        process.terminate()
        process.join()
        here.close()


def ask(url: str, texts: Mapping[str, str], load: Load, seconds: float) -> Latencies:
    """The latencies of so many seconds, while nothing else is done here."""
    with asking(url, texts, load, seconds) as finalise:
        return finalise()


def _in_process(
    tell: Connection, url: str, texts: dict[str, str], load: Load, seconds: float
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends this
    try:
        tell.send(asyncio.run(_asked(tell, url, texts, load, seconds)))
    except (psycopg.Error, BenchError) as error:
        tell.send(BenchError(f"A reader failed: {error}"))


async def _asked(
    tell: Connection, url: str, texts: dict[str, str], load: Load, seconds: float
) -> Latencies:
    connections = [
        # planned anew each time, as BI tools behind a pooler do
        await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None)
        for _ in range(load.connections)
    ]
    try:
        tell.send("connected")
        return await served(connections, texts, list(arrivals(load, list(texts), seconds)))
    finally:
        for connection in connections:
            await connection.close()


async def served(
    connections: list[psycopg.AsyncConnection[tuple[Any, ...]]],
    texts: dict[str, str],
    planned: list[tuple[float, str]],
) -> Latencies:
    """Ask what is planned (seconds from now, query), each on the first connection that is free."""
    loop = asyncio.get_running_loop()
    start = loop.time() + LEAD_IN_S
    queue: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    waiting = set(planned)  # two never are due at the same instant
    latencies: Latencies = {name: [] for name in texts}

    def note(due: float, name: str) -> None:
        latencies[name].append((loop.time() - start - due) * 1000)
        waiting.discard((due, name))

    async def serve(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        while True:
            due, name = await queue.get()
            cursor = await connection.execute(texts[name].encode())
            note(due, name)
            if cursor.rowcount < 1:
                raise BenchError(f"{name} has no rows")
            queue.task_done()

    async def arrive() -> None:
        for due, name in planned:
            await asyncio.sleep(max(0.0, start + due - AWAKE_S - loop.time()))
            while loop.time() < start + due:
                await asyncio.sleep(0)
            queue.put_nowait((due, name))
        await queue.join()

    servers = [asyncio.create_task(serve(connection)) for connection in connections]
    tasks = [asyncio.create_task(arrive()), *servers]
    done, _ = await asyncio.wait(
        tasks,
        timeout=LEAD_IN_S + planned[-1][0] + OVERTIME_S,
        return_when=asyncio.FIRST_COMPLETED,
    )
    for due, name in sorted(waiting):
        note(due, name)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()  # a server only ever ends by an error
    return latencies
