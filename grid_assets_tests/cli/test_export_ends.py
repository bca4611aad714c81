"""How `grid export` ends when it cannot go on: refusals, interruptions, a reader that stops."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from grid_assets.cli.commands import CommandError
from grid_assets.cli.export import export
from grid_assets_tests import shared_warehouse
from grid_assets_tests.cli import exported
from grid_assets_tests.cli.exported import DAYS, run
from grid_assets_tests.reading import one_sentence
from grid_assets_tests.running import GRID, GridCommand, wait_until

one_warehouse = shared_warehouse.one_warehouse
filled, at = exported.filled, exported.at


@pytest.fixture
def exporter(grid: GridCommand, filled: SecretStr) -> GridCommand:
    grid.environment["GRID_DATABASE_URL"] = filled.get_secret_value()
    return grid


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("telemtry",), "Did you mean telemetry"),
        (("core.telemetry",), "Did you mean telemetry"),
        (("greenest_window",), "is a function of duration, deadline"),
        (("timeless", *DAYS), "reporting.timeless has no time"),
        (("telemetry", "--output", "FOLDER/none/x.csv"), "x.csv cannot be written: No such file"),
        (("forever", "--output", "FOLDER/x.parquet"), "reporting.forever has a value that Parquet"),
        (("telemetry", "--output", "/dev/null"), "cannot be written: it is not a regular file"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_leaves_no_file(
    at: Path, arguments: tuple[str, ...], reason: str
) -> None:
    given = [argument.replace("FOLDER", str(at)) for argument in arguments]
    if "--output" not in given:
        given += ["--output", str(at / "x.csv")]
    with pytest.raises(CommandError) as refused:
        run(*given)
    assert reason in str(refused.value)
    assert [path.name for path in at.iterdir()] == ["home"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--from", "2026-01-06", "--to", "2026-01-05"), "is after --to 2026-01-05"),
        (("--from", "6 January"), "'6 January' is not a day"),
        (("--format", "parquet"), "--output"),
        (("--format", "parquet", "--output", "x.gz"), ".gz"),
        (("--format", "xlsx"), "'xlsx'"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments: tuple[str, ...], reason: str) -> None:
    refused = CliRunner().invoke(export, ["telemetry", *arguments])
    assert refused.exit_code == 2
    assert reason in refused.output


def test_without_pyarrow_the_cure_is_named(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CommandError, match="pip install"):
        run("telemetry", "--output", at / "x.parquet")


@pytest.mark.parametrize("name", ["part.csv.gz", "part.parquet"])
def test_an_interrupted_export_leaves_the_old_file(exporter: GridCommand, name: str) -> None:
    (exporter.folder / name).write_text("old")
    started = exporter.start("export", "endless", "--output", name)
    hidden = f".{name}.*"
    wait_until(lambda: [*exporter.folder.glob(hidden)] or started.process.poll() is not None, 120)
    assert started.ends(signal.SIGTERM) == 130, started.output()
    assert "Interrupted." in started.output()
    assert [*exporter.folder.glob(hidden)] == []
    assert (exporter.folder / name).read_text() == "old"


def test_a_killed_export_leaves_no_half_file_under_its_name(exporter: GridCommand) -> None:
    started = exporter.start("export", "endless", "--output", "part.csv")
    wait_until(lambda: [*exporter.folder.glob(".part.csv.*")], 120, started.output)
    started.process.kill()
    started.process.wait(60)
    assert not (exporter.folder / "part.csv").exists()


def test_a_refused_login_shows_no_password(exporter: GridCommand, filled: SecretStr) -> None:
    place = filled.get_secret_value().rpartition("@")[2]
    url = f"postgresql://nobody:hidden@{place}"
    refused = exporter.run("export", "odd", code=1, GRID_DATABASE_URL=url)
    assert refused.out == ""
    assert one_sentence(refused.err)
    assert "hidden" not in refused.err


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("export endless | head -n 2", 1, "n\n100000000000001\n", ""),
        ("export odd > /dev/full", 1, "", "Error: The standard output cannot be written: No space"),
    ],
    ids=["reader ends", "disk full"],
)
def test_the_output_is_data_alone_and_may_end_early(
    exporter: GridCommand, line: str, code: int, out: str, err: str
) -> None:
    piped = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "{GRID}" {line}'],
        env=exporter.variables(),
        cwd=exporter.folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (piped.returncode, piped.stdout) == (code, out)
    assert piped.stderr.startswith(err) if err else piped.stderr == ""
