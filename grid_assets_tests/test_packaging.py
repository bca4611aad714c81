"""The package installed without a checkout: complete, and working in any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.settings import PROJECT_DIR, Settings
from grid_assets.warehouse.connection import connect

BUILDS_HERE = int(version("setuptools").split(".")[0]) >= 77
"""With an older setuptools, pip fetches one for the build."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the working tree, uncommitted files included."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("grid_assets", "sql", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-R", str(PROJECT_DIR / name), str(source)], check=True)
    isolation = ["--no-build-isolation"] if BUILDS_HERE else []
    pip("wheel", "--no-deps", *isolation, "--wheel-dir", str(made), str(source))
    [built] = made.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    return target


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def files_of(folder: str) -> set[str]:
    root = PROJECT_DIR / folder
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_statement_and_the_recording(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    statements = {name for name in files_of("sql") if name.endswith(".sql")}
    assert len(statements) > 20
    assert {f"grid_assets/sql/{name}" for name in statements} <= names
    assert {f"grid_assets/{name}" for name in files_of("grid_assets")} <= names
    assert any(name.startswith("grid_assets/replay/data/") for name in names)


def test_the_wheel_holds_the_checkpoint_and_it_is_small(wheel: Path) -> None:
    folder = "grid_assets/forecasting/checkpoint"
    files = [info for info in zipfile.ZipFile(wheel).infolist() if info.filename.startswith(folder)]
    names = {info.filename.removeprefix(f"{folder}/") for info in files}
    assert names >= {"config.json", "grid.json", "model.onnx", "model.safetensors"}
    assert names == files_of(folder)
    assert sum(info.file_size for info in files) < 10_000_000


def test_the_wheel_holds_nothing_that_belongs_to_the_checkout_alone(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"grid_assets"}


def test_an_installed_package_migrates_and_serves_from_another_folder(
    installed: Path, new_database: Callable[[str | None], SecretStr], tmp_path: Path
) -> None:
    url = new_database(None)
    unset = {f"GRID_{name.upper()}": "" for name in Settings.model_fields}
    environment = {
        **os.environ,
        **unset,
        "PYTHONPATH": str(installed),
        "GRID_DATABASE_URL": url.get_secret_value(),
    }

    def python(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    assert python("-c", "import grid_assets; print(grid_assets.__file__)").startswith(
        str(installed)
    )
    # Live: no replay is asked, and a migration asks the API for nothing.
    assert "LIVE data" in python("-m", "grid_assets.cli.__main__", "migrate")
    assert (tmp_path / ".grid").is_dir()
    with connect(url) as connection:
        connection.execute("SELECT * FROM reporting.telemetry_24h")
    recorded = "from grid_assets.replay.recording import *; print(len(load_recording().intensity))"
    assert int(python("-c", recorded)) > 90_000
    shipped = (
        "from grid_assets.forecasting.models.registry import *; print(load(None, 0).info.source)"
    )
    assert python("-c", shipped) == "shipped\n"
