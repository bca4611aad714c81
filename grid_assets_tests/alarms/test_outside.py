"""What is told without the database: once, however often it is tried, and with its recovery."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.alarms import outside
from grid_assets.alarms.looking import after_command
from grid_assets.alarms.watching import DatabaseWatch
from grid_assets.alerts.sending import Fault
from grid_assets.settings import Settings, SettingsError
from grid_assets_tests import http_stub
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.running import free_port

T = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTINGS = Settings(alarm_urls=SecretStr("json://one json://two"))


class Addresses:
    """Two addresses; those in `deaf` take nothing."""

    def __init__(self) -> None:
        self.deaf: set[int] = set()
        self.taken: list[tuple[int, str]] = []

    def send(self, urls: Mapping[int, SecretStr], title: str, body: str) -> dict[int, Fault | None]:
        self.taken += [(n, title) for n in urls if n not in self.deaf]
        return {n: Fault("Refused", "no") if n in self.deaf else None for n in urls}

    def tell(self, home: Path, now: datetime = T) -> int:
        return len(outside.tell(SETTINGS, home, "database", "gone", now, send_to=self.send))

    def clear(self, home: Path, now: datetime = T) -> int:
        return len(outside.clear(SETTINGS, home, "database", now, send_to=self.send))


BEGAN, OVER = "Grid Assets: database", "Grid Assets: over: database"


def test_an_outage_is_told_once_to_each_address_and_so_is_its_end(tmp_path: Path) -> None:
    to = Addresses()
    to.deaf = {2}
    assert to.tell(tmp_path) == 1
    to.deaf = set()
    for _ in range(2):
        assert to.tell(tmp_path) == 0
    assert to.taken == [(1, BEGAN), (2, BEGAN)]
    to.deaf = {1}
    assert to.clear(tmp_path) == 1
    to.deaf = set()
    for _ in range(2):
        assert to.clear(tmp_path) == 0
    assert to.taken[2:] == [(2, OVER), (1, OVER)]


def test_nothing_is_over_that_was_not_told(tmp_path: Path) -> None:
    to = Addresses()
    outside.prepare(tmp_path)
    assert to.clear(tmp_path) == 0
    assert to.taken == []


def test_an_outage_that_comes_and_goes_sends_little(tmp_path: Path) -> None:
    to = Addresses()
    for number in range(20):
        to.tell(tmp_path, T + number * HOUR / 2)
        to.clear(tmp_path, T + number * HOUR / 2 + HOUR / 6)
    assert [title for place, title in to.taken if place == 1] == [BEGAN, OVER, BEGAN]
    to.clear(tmp_path, T + 20 * HOUR)
    assert to.taken[-1] == (2, OVER)


def test_while_another_process_tells_this_one_does_not(tmp_path: Path) -> None:
    to = Addresses()
    with (tmp_path / outside.FILE).open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert to.tell(tmp_path) == 0
    assert to.taken == []


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"database": {"who": 1}}',
        b"[]",
        b"\0" * 4096,
        b"\xff\xfe{}",
        b'{"database": {"began_at": "x", "what": "y", "ended_at": "yesterday"}}',
    ],
)
def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / outside.FILE).write_bytes(content)
    to = Addresses()
    to.tell(tmp_path)
    to.tell(tmp_path)
    assert to.taken == [(1, BEGAN), (2, BEGAN)]


def test_where_files_have_no_locks_it_is_told_once_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    to = Addresses()
    for _ in range(2):
        to.tell(tmp_path)
    assert to.taken == [(1, BEGAN), (2, BEGAN)]


def test_who_was_told_is_remembered_even_if_the_next_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BlockingIOError

    to = Addresses()
    with monkeypatch.context() as patch:
        patch.setattr(outside, "ping_failed", fail)
        with pytest.raises(BlockingIOError):
            to.tell(tmp_path)
    to.tell(tmp_path)
    assert to.taken == [(1, BEGAN), (2, BEGAN)]


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    to = Addresses()
    outside.prepare(tmp_path)
    file = tmp_path / outside.FILE
    os.utime(file, ns=(0, 0))
    to.clear(tmp_path)
    assert file.stat().st_mtime_ns == 0


def test_the_file_never_needs_another_block_of_a_full_disk(tmp_path: Path) -> None:
    outside.prepare(tmp_path)
    sizes = {(tmp_path / outside.FILE).stat().st_size}
    Addresses().tell(tmp_path)
    sizes.add((tmp_path / outside.FILE).stat().st_size)
    assert sizes == {outside.BLOCK_BYTES}


def test_without_a_folder_it_is_told_all_the_same(tmp_path: Path) -> None:
    to = Addresses()
    to.tell(tmp_path / "missing")
    assert len(to.taken) == 2


def test_a_database_that_is_away_for_a_moment_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(outside, "tell", lambda *rest: told.append("gone"))
    monkeypatch.setattr(outside, "clear", lambda *rest: told.append("back"))
    gone = SecretStr(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/x")
    patient = DatabaseWatch(SETTINGS, tmp_path, gone, every_s=0)
    patient.look()
    assert told == []
    hasty = DatabaseWatch(SETTINGS, tmp_path, gone, every_s=0, gone_s=0)
    hasty.look()
    assert told == ["gone"]
    DatabaseWatch(Settings(), tmp_path, gone, every_s=0, gone_s=0).look()
    assert told == ["gone"]


def test_the_watch_outlives_what_prevents_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(outside, "tell", fail)
    gone = SecretStr(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/x")
    DatabaseWatch(SETTINGS, tmp_path, gone, every_s=0, gone_s=0).look()


@pytest.mark.slow
def test_a_setting_that_stops_a_command_is_told_to_the_heartbeat_and_is_no_outage(
    tmp_path: Path,
) -> None:
    with http_stub.run(Healthchecks()) as healthchecks:
        settings = Settings(heartbeat_url=healthchecks.address)
        error = SettingsError("GRID_EXECUTOR cannot be used.")
        assert after_command(settings, tmp_path, None, "grid tick", error) == []
        assert healthchecks.kinds == "-"
        assert "GRID_EXECUTOR" in healthchecks.pings[0].reason
    assert not (tmp_path / outside.FILE).exists()
