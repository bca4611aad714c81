"""The machines on which the proof with two workers runs (`python -m bench`)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.hosts import MISSING, Host, Lan, can_make_hosts, lan
from grid_assets_tests.running import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_make_hosts(), reason=MISSING),
]


@pytest.fixture
def network() -> Iterator[Lan]:
    with lan() as made:
        yield made


def _said(host: Host, script: str, folder: Path) -> str:
    file = folder / "said.txt"
    with file.open("w", encoding="utf-8") as output:
        assert host.popen(["sh", "-c", script], os.environ, output).wait(60) == 0
    return file.read_text(encoding="utf-8")


def _reaches(host: Host, other: Host, folder: Path) -> bool:
    """Whether a machine can open a connection to the server of another one."""
    probe = f"timeout 2 bash -c 'echo > /dev/tcp/{other.address}/8000' 2>&1 && echo yes || echo no"
    return _said(host, probe, folder).endswith("yes\n")


def test_a_machine_has_its_own_name_folder_and_process_ids(network: Lan, tmp_path: Path) -> None:
    one, other = network.host("one"), network.host("other")
    (one.folder / "mine").touch()
    (other.folder / "theirs").touch()
    said = _said(one, f"hostname; ls; ls {network.root}/machines; echo $$", tmp_path)
    assert said.split() == ["one", "mine", "1"]


def test_a_cut_loses_what_is_sent_and_a_kill_ends_all(network: Lan, tmp_path: Path) -> None:
    one, other = network.host("one"), network.host("other")
    serve = ["python3", "-m", "http.server", "8000", "--bind", other.address]
    started = other.start(["sh", "-c", f"{' '.join(serve)} & wait"], os.environ, "web")
    wait_until(lambda: _reaches(one, other, tmp_path), 60)
    one.cut_off(other)
    assert not _reaches(one, other, tmp_path)
    one.reconnect(other)
    wait_until(lambda: _reaches(one, other, tmp_path), 60)
    other.kill()
    assert started.poll() is not None
    assert not _reaches(one, other, tmp_path)


def test_nothing_is_left_of_the_machines() -> None:
    with lan() as made:
        made.host("one")
        assert f"{made.prefix}-one" in _namespaces()
    assert f"{made.prefix}-" not in _namespaces()
    assert not made.root.exists()


def _namespaces() -> str:
    return subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
