"""A real pooler, PgBouncer in transaction mode, in front of the test's server.

Without the program `pgbouncer` its tests are skipped, and the last line of the run says so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.running import free_port, wait_until

PGBOUNCER: Final = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

MISSING: Final = "no pgbouncer: nothing was tested through a pooler; install it to test that"

needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)

CONFIG: Final = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = 8
ignore_startup_parameters = {ignored}
"""


@dataclass
class Pooler:
    """A pooler that can be killed, and started again at the same address."""

    url: SecretStr
    """The same database through the pooler."""
    folder: Path
    user: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PGBOUNCER is not None, MISSING
        log = self.folder / "log.txt"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [PGBOUNCER, str(self.folder / "config.ini")],
                stdout=output,
                stderr=output,
                user=self.user,
            )
        wait_until(lambda: _answers(self.url), 60, log.read_text)

    def kill(self) -> None:
        """End it at once. The connections of its clients break."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None


@contextmanager
def new_pooler(url: SecretStr, ignored: str = "", mode: str = "transaction") -> Iterator[Pooler]:
    """A running pooler, by default in transaction mode, in front of the server of `url`."""
    given = read(url)
    # PgBouncer does not run as root
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="grid pooler ", dir="/tmp") as name:
        folder, listen = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "users.txt").write_text(f'"{given["user"]}" "{given.get("password", "")}"\n')
        (folder / "config.ini").write_text(
            CONFIG.format(
                host=given["host"],
                port=given.get("port", 5432),
                listen=listen,
                folder=folder,
                ignored=ignored,
                mode=mode,
            )
        )
        pooled = to_url(given | {"host": "127.0.0.1", "port": str(listen)})
        running = Pooler(pooled, folder, user)
        try:
            running.start()
            yield running
        finally:
            running.kill()


@contextmanager
def pooler(url: SecretStr, ignored: str = "", mode: str = "transaction") -> Iterator[SecretStr]:
    """The URL of the same database through a pooler, by default in transaction mode."""
    with new_pooler(url, ignored, mode) as running:
        yield running.url


def _answers(url: SecretStr) -> bool:
    try:
        psycopg.connect(url.get_secret_value(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
