"""PostgreSQL with pg_cron, from the system's packages: the server that a Supabase project has.

Supabase's oldest, version 15, is taken where it is installed.

Without them its tests are skipped, and the last line of the run says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from grid_assets_tests.running import free_port

MISSING: Final = (
    "no PostgreSQL with pg_cron: nothing was tested with them; install postgresql-15-cron"
)


def _find_programs() -> Path | None:
    """The programs of Debian's oldest PostgreSQL, from version 15 on, that has pg_cron."""
    found = Path("/usr/share/postgresql").glob("*/extension/pg_cron.control")
    versions = (int(path.parts[-3]) for path in found if path.parts[-3].isdecimal())
    for version in sorted(version for version in versions if version >= 15):
        programs = Path(f"/usr/lib/postgresql/{version}/bin")
        if (programs / "initdb").exists():
            return programs
    return None


PROGRAMS: Final = _find_programs()

needs_postgres_cron = pytest.mark.skipif(PROGRAMS is None, reason=MISSING)

SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_cron",
    "cron.database_name": "postgres",
    "cron.host": "127.0.0.1",
    "fsync": "off",
}


@contextmanager
def postgres_cron() -> Iterator[SecretStr]:
    """The URL of its database `postgres`, where pg_cron can be created, until the block ends."""
    assert PROGRAMS is not None, MISSING
    programs = PROGRAMS
    # PostgreSQL does not run as root; Debian's package brings this user
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="grid postgres ", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        if user:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(programs / program), "-D", str(folder / "data"), *arguments],
                user=user,
                cwd=folder,
                stdout=subprocess.DEVNULL,  # pg_ctl's server would keep a pipe open
                stderr=subprocess.DEVNULL,
                timeout=120,
            )
            log = folder / "log.txt"
            said = log.read_text() if log.exists() else ""
            assert done.returncode == 0, f"{program} {arguments}: {said}"

        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        settings = "".join(f"{key} = '{value}'\n" for key, value in SETTINGS.items())
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(f"{settings}port = {port}\n")
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log.txt"))
        try:
            yield SecretStr(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
