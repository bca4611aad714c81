"""Where the code server listens."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from grid_assets.runtime.supervisor import ProductError, socket_path


def test_the_socket_is_in_the_home_if_the_system_allows_such_a_long_path() -> None:
    assert socket_path(Path("/g")) == Path("/g/dagster/code.sock")


def test_the_socket_of_a_long_home_is_in_a_folder_that_only_the_user_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = Path("/home") / ("folder " * 20)
    path = socket_path(long)
    assert path == socket_path(long)
    assert path != socket_path(long / "other")
    assert path.parent.parent == tmp_path
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    other = path.parent.name.replace(f"-{os.getuid()}-", "-4711-")
    path.parent.rename(tmp_path / other)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(ProductError, match="belongs to another user"):
        socket_path(long)
