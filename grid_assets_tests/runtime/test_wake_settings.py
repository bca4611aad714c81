"""GRID_WAKE_URL and GRID_WAKE_SECRET belong together."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.runtime.environment import Environment, install_wakeups
from grid_assets.settings import Settings, SettingsError

URL, SECRET = "https://edge.example", SecretStr("a-secret-of-20-signs")
NO_DATABASE = SecretStr("postgresql://127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (Settings(wake_url=URL), "GRID_WAKE_SECRET"),
        (Settings(wake_secret=SECRET), "GRID_WAKE_URL"),
    ],
)
def test_one_without_the_other_installs_nothing_and_names_the_missing_one(
    settings: Settings, missing: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=f"No webhook was installed, because {missing} is not"):
        install_wakeups(Environment(settings, tmp_path, NO_DATABASE), pytest.fail)


def test_without_both_nothing_is_installed(tmp_path: Path) -> None:
    install_wakeups(Environment(Settings(), tmp_path, NO_DATABASE), pytest.fail)
