"""The folder of an embedded PostgreSQL: where it is, its private files, and its initial data.

A home holds `data`, `password`, `port`, `server.log` and two lock files. When `grid` runs as root,
the home may be outside GRID_HOME, because PostgreSQL then runs as a user who may not enter that
folder.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from grid_assets.runtime.postgres_programs import (
    OWN_SERVER,
    EmbeddedPostgresError,
    User,
    run,
    server_user,
)

USER: Final = "grid"
DATABASE: Final = "grid"

FALLBACK_ROOT: Final = Path("/var/lib/grid-assets")
"""For root's data and copied programs if the server's user cannot enter `GRID_HOME` or the venv."""

FULL_DISK_BYTES: Final = 64_000_000
"""A new data folder takes 47 MB; with less than this free, lack of space explains a failure."""

SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "256MB",  # the newest days of years of forecasts, and their index
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "jit": "off",  # compiling costs more than it saves on tables of this size
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a failed statement can hold a password
}
"""Written into postgresql.conf once; an operator may change them there."""

CURE: Final = f"Set GRID_HOME to a writable local folder, or {OWN_SERVER}."


def find_home(folder: Path, fallback_root: Path) -> Path:
    """The home of the server of `folder`: that folder, or its fallback if root's data is there."""
    fallback = _fallback(folder, fallback_root)
    if os.geteuid() == 0 and not (folder / "data").is_dir() and (fallback / "data").is_dir():
        return fallback
    return folder


def make_home(folder: Path, fallback_root: Path, warn: Callable[[str], None]) -> Path:
    """Like `find_home`, but for a new server makes `folder`, or the fallback with a warning."""
    folder.mkdir(parents=True, exist_ok=True)
    home = find_home(folder, fallback_root)
    if os.geteuid() != 0 or (home / "data").is_dir():
        return home
    if (mode := folder.stat().st_mode) & 0o111 != 0o111:  # a umask may have closed it
        folder.chmod(mode | 0o111)
    user = server_user(home)
    if user is None or run(user, "/bin/sh", "-c", 'cd -- "$0"', str(folder)).returncode == 0:
        return home
    home = _fallback(folder, fallback_root)
    for made in (fallback_root, home):
        if not made.is_dir():
            made.mkdir(parents=True, exist_ok=True)
            made.chmod(0o755)
    pointer = folder / "WHERE-IS-THE-DATA.txt"
    if not pointer.exists():
        reason = f"PostgreSQL refuses to run as root, and the user it runs as cannot enter {folder}"
        pointer.write_text(f"{reason}.\nIts data is in {home}\n", encoding="utf-8")
        warn(
            f"{reason}. Its data is kept in {home}. To keep it elsewhere, set GRID_HOME to a "
            f"folder that every user can enter, or {OWN_SERVER}."
        )
    return home


def _fallback(folder: Path, fallback_root: Path) -> Path:
    return fallback_root / hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]


@contextmanager
def open_private(home: Path, name: str, flags: int = 0) -> Iterator[int]:
    """Open a file that only the owner of `home` can read, even if root creates it."""
    file = os.open(home / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(file, home.stat().st_uid, home.stat().st_gid)
        yield file
    finally:
        os.close(file)


def initialise(home: Path, bin_folder: Path, user: User, lock: int) -> None:
    """Make the data folder under a temporary name, so that one called `data` is always complete."""
    new = home / "data.new"
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    with open_private(home, "password", os.O_TRUNC) as file:
        os.write(file, secrets.token_urlsafe(32).encode())
        if user:
            os.fchown(file, *user)
    if user:
        os.chown(new, *user)
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    made = run(
        user,
        *(str(bin_folder / "initdb"), "-D", str(new), "-U", USER, "-A", "scram-sha-256"),
        f"--pwfile={home / 'password'}",
        # PostgreSQL's own locale, which does not depend on the system's.
        *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", *settings),
        lock=lock,
    )
    if made.returncode == 0:
        made = run(
            user,
            *(str(bin_folder / "postgres"), "--single", "-c", "exit_on_error=on"),
            *("-D", str(new), "postgres"),
            lock=lock,
            text=f"CREATE DATABASE {DATABASE};\n",
        )
    if made.returncode != 0:
        raise failure(home, "could not make its data folder", made.stdout)
    new.rename(home / "data")


def failure(home: Path, what: str, output: str) -> EmbeddedPostgresError:
    """The error for a program that failed, with the last lines of its output."""
    full = shutil.disk_usage(home).free < FULL_DISK_BYTES
    cause = "The disk is full" if full else "Its last output is below"
    last = "\n".join(output.strip().splitlines()[-5:])
    return EmbeddedPostgresError(
        f"The embedded PostgreSQL in {home} {what}. {cause}. {CURE}\n{last}"
    )
