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


@contextmanager
def pooler(url: SecretStr, ignored: str = "", mode: str = "transaction") -> Iterator[SecretStr]:
    """The URL of the same database through a pooler, by default in transaction mode."""
    assert PGBOUNCER is not None, MISSING
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
        log = folder / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [PGBOUNCER, str(folder / "config.ini")], stdout=output, stderr=output, user=user
            )
        pooled = to_url(given | {"host": "127.0.0.1", "port": str(listen)})
        try:
            wait_until(lambda: _answers(pooled), 60, log.read_text)
            yield pooled
        finally:
            process.terminate()
            process.wait(30)


def _answers(url: SecretStr) -> bool:
    try:
        psycopg.connect(url.get_secret_value(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
