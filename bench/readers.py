"""The readers of the serving benchmark: pgbench runs the queries of dashboards at a fixed rate.

The load is an open loop: arrivals follow a schedule (Poisson, seeded) and do not wait for answers.
Latency runs from the moment a query was due until its whole answer has arrived, so waiting for a
free connection counts. A query that falls behind is still run and counted.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Final

from psycopg import sql
from pydantic import SecretStr

from bench.results import BenchError
from bench.sandbox import bench_sql, inherited_environment
from bench.years import MODEL
from grid_assets.runtime.postgres_programs import find_programs

Latencies = dict[str, list[float]]
"""Milliseconds of each query."""

SEED: Final = 4
CONNECTIONS: Final = 16
PER_SECOND: Final = 40
OVERTIME_S: Final = 300
"""Time for the last answers after the last arrival; a server further behind is an error."""


def questions(schema: str) -> dict[str, str]:
    """The text of each question to the views in `schema`; both schemas give the same answers."""
    text = bench_sql("questions").format(
        schema=sql.Identifier(schema), model=sql.Literal(MODEL.model)
    )
    blocks = re.split(r"^-- ((?:naive )?\w+)\n", text.as_string(None), flags=re.MULTILINE)[1:]
    found = dict(zip(blocks[::2], blocks[1::2], strict=True))
    names = [name for name in found if " " not in name]
    return {name: found.get(f"{schema} {name}", found[name]).strip() for name in names}


@contextmanager
def asking(
    url: SecretStr,
    texts: Mapping[str, str],
    seconds: float,
    connections: int = CONNECTIONS,
    per_second: int = PER_SECOND,
) -> Iterator[Callable[[], Latencies]]:
    """Run `texts` for `seconds` in a separate process; the yielded call waits for the latencies.

    Raises `BenchError` for a query that fails.
    """
    with tempfile.TemporaryDirectory(prefix="grid-bench-") as folder:
        command = [
            str(find_programs(Path(folder), None)[0] / "pgbench"),
            "--no-vacuum",
            "--log",
            "--protocol=simple",  # planned again each time, as for BI tools behind a pooler
            f"--random-seed={SEED}",
            f"--client={connections}",
            f"--rate={per_second}",
            # a count, not a duration, after which pgbench would drop late queries
            f"--transactions={ceil(seconds * per_second / connections)}",
        ]
        for name, text in texts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
            command.append(f"--file={name}")
        errors = Path(folder, "errors")
        with errors.open("wb") as output:
            process = subprocess.Popen(
                [*command, url.get_secret_value()],
                cwd=folder,
                env=inherited_environment(),
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

        def latencies() -> Latencies:
            try:
                code = process.wait(seconds + OVERTIME_S)
            except subprocess.TimeoutExpired:
                raise BenchError(f"Queries are over {OVERTIME_S} s late") from None
            if code != 0:
                raise BenchError(f"A reader failed: {errors.read_text()}")
            found: Latencies = {name: [] for name in texts}
            (log,) = Path(folder).glob("pgbench_log.*")
            for line in log.read_text().splitlines():
                _, _, latency_us, script, *_ = line.split()
                found[list(texts)[int(script)]].append(int(latency_us) / 1000)
            return found

        try:
            yield latencies
        finally:
            process.kill()
            process.wait()


def ask(url: SecretStr, texts: Mapping[str, str], seconds: float) -> Latencies:
    """The latencies over `seconds`, while this process does nothing else."""
    with asking(url, texts, seconds) as latencies:
        return latencies()


def quantile(values: list[float], level: float) -> float:
    """The smallest value that at least this share of the values do not exceed (nearest rank)."""
    return sorted(values)[ceil(level * len(values)) - 1]
