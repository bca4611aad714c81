"""Runs the edge function as a process of its own: Deno, with the rights that it needs and no more.

Deno stands in for Supabase's edge runtime, which is built on it. The runtime's limits of time and
CPU, its JWT check and its worker life cycle are not there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import requests
from pydantic import SecretStr

from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.running import wait_until

DENO: Final = Path(sys.prefix) / "bin" / "deno"
FUNCTION: Final = PROJECT_DIR / "supabase" / "functions" / "forecast-on-telemetry"

SECRET: Final = secrets.token_urlsafe(24)
"""The GRID_WAKE_SECRET of every function that tests start."""

DENO_ENVIRONMENT: Final = {
    "DENO_DIR": str(Path(sys.prefix) / "deno"),  # filled by `install.py dev`
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
    "PATH": os.environ.get("PATH", ""),
}


@dataclass
class Edge:
    """The function as a process; a restarted one has the same address."""

    folder: Path
    variables: dict[str, str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    starts: int = field(default=0, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/forecast-on-telemetry"

    def start(self) -> None:
        self.starts += 1
        address = f"tcp:127.0.0.1:{self.port}"
        with self._file().open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(str(DENO), "run", "--no-prompt", "--cached-only", "--frozen"),
                    *("--allow-net=127.0.0.1", "--allow-env=GRID_*,PG*"),
                    str(FUNCTION / "index.ts"),
                ],
                env={**DENO_ENVIRONMENT, **self.variables, "DENO_SERVE_ADDRESS": address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        process = self.process
        wait_until(lambda: self._listens() or process.poll() is not None, 60, self.log)
        listens = self._listens()
        assert listens is not None, f"The function ended. Has `install.py dev` run? {self.log()}"
        self.port = int(listens[1])

    def kill(self) -> None:
        """End it at once, as a worker is ended with requests in flight."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def wake(
        self, source: str = "webhook", secret: str | None = SECRET, **options: Any
    ) -> requests.Response:
        """One wake-up, as a webhook or pg_cron sends it."""
        headers = {} if secret is None else {"x-grid-secret": secret}
        return requests.post(
            self.url, params={"source": source}, headers=headers, **{"timeout": 60, **options}
        )

    def memory_mb(self) -> float:
        """The resident memory of the process."""
        assert self.process is not None
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def log(self) -> str:
        """What all its processes have printed."""
        files = sorted(self.folder.glob("edge *.txt"))
        return "".join(file.read_text(encoding="utf-8") for file in files)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of JSON in the log that have this event."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def _file(self) -> Path:
        return self.folder / f"edge {self.starts:03}.txt"

    def _listens(self) -> re.Match[str] | None:
        return re.search(r"Listening on http://127\.0\.0\.1:(\d+)/", self._file().read_text())


@contextmanager
def edge_function(folder: Path, database: SecretStr | None, **variables: str) -> Iterator[Edge]:
    """The function, running until the block ends, with these variables and the tests' secret."""
    given = {"GRID_WAKE_SECRET": SECRET, **variables}
    if database is not None:
        given["GRID_DATABASE_URL"] = database.get_secret_value()
    edge = Edge(folder, given)
    try:
        edge.start()
        yield edge
    finally:
        edge.kill()
