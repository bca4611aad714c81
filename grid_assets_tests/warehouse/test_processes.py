"""A process that another one recognises, alive or dead."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grid_assets.warehouse.processes import is_gone, this_process

NAMED = (
    "from grid_assets.warehouse.processes import this_process\n"
    "print(this_process(), flush=True)\n"
    "input()"
)


@pytest.mark.slow
def test_a_process_is_alive_until_it_is_killed_and_dead_before_its_parent_has_noticed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert is_gone(name) is False
        process.kill()
        assert process.stdout.read() == ""  # closed, but its exit code is not read yet
        while is_gone(name) is False:  # the kernel takes a moment to make a zombie of it
            pass
        assert is_gone(name) is True
    assert is_gone(name) is True


def test_an_id_that_another_process_has_now_is_dead_and_another_machine_is_unknown() -> None:
    pid, created, host = this_process().split("@", 2)
    assert is_gone(this_process()) is False
    assert is_gone(f"{pid}@{float(created) + 1}@{host}") is True
    assert is_gone(f"{pid}@{created}@{host}elsewhere") is None
