"""The targets of make: thin calls of `grid` and the tools, and a set-up that says what it does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.running import wait_until

pytestmark = pytest.mark.slow  # it starts make

ENVIRONMENT: Final = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("MAKE", "MFLAGS", "PIP_", "PYTHON"))
}

BACKEND: Final = """
import pathlib, time, zipfile

METADATA = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\nProvides-Extra: chronos\\n"
METADATA += "Provides-Extra: dev\\nProvides-Extra: parquet\\n"

def build_editable(folder, config_settings=None, metadata_directory=None):
    pathlib.Path("building").touch()
    while (mood := pathlib.Path("mood").read_text()) == "waits":
        time.sleep(0.05)
    if mood == "fails":
        raise SystemExit("there is no such package")
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("tiny-1.dist-info/METADATA", METADATA)
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
"""
"""Builds a package that needs no others, so that pip needs no network: at once, late or never."""

SETS_UP_WITHIN_S: Final = 240


def make(*target: str, folder: Path = PROJECT_DIR, **environment: str) -> tuple[int, str]:
    made = subprocess.run(
        ["make", "--no-print-directory", *target],
        cwd=folder,
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SETS_UP_WITHIN_S,
    )
    return made.returncode, made.stdout


@pytest.mark.parametrize(
    ("target", "calls"),
    [
        (("demo", "ONCE=1"), ".venv/bin/grid demo --once"),
        (("demo",), ".venv/bin/grid demo"),
        (("up",), ".venv/bin/grid up"),
        (("down",), ".venv/bin/grid down"),
        (
            ("test",),
            ".venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder",
        ),
        (("bench",), ".venv/bin/python -m bench"),
    ],
)
def test_make_only_calls_the_command(target: tuple[str, ...], calls: str) -> None:
    _, said = make("-n", *target)
    command = said.splitlines()[-1].strip()
    assert command.removeprefix("i=; trap i=1 INT; ").split(" ||")[0] == calls


def test_help_lists_every_target() -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    [targets] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    code, said = make()
    assert code == 0
    assert re.findall(r"^  make (\w+) ", said, re.MULTILINE) == targets.split()


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A project whose set-up is done, with a `grid` that each test writes."""
    for name in ("Makefile", "install.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT_DIR / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


def write_grid(project: Path, script: str) -> None:
    grid = project / ".venv" / "bin" / "grid"
    grid.write_text(f"#!/usr/bin/env python3\nimport pathlib, sys, time\n{script}\n")
    grid.chmod(0o755)


def start(project: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    """In a process group of its own, as a terminal starts a command."""
    return subprocess.Popen(
        command,
        cwd=project,
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ctrl_c(started: subprocess.Popen[str], once_there_is: Path) -> str:
    """Signal the whole group, as a terminal does; returns what was said."""
    wait_until(once_there_is.exists, SETS_UP_WITHIN_S)
    os.killpg(started.pid, signal.SIGINT)
    said, _ = started.communicate(timeout=SETS_UP_WITHIN_S)
    return said


@pytest.mark.parametrize("target", ["demo", "up"])
def test_ctrl_c_ends_make_without_an_error_of_its_own(ready: Path, target: str) -> None:
    write_grid(
        ready,
        "try:\n    pathlib.Path('running').touch()\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    print('Stopped.')\n    sys.exit(130)",
    )
    started = start(ready, "make", target)
    assert ctrl_c(started, ready / "running") == "Stopped.\n"
    assert started.returncode == -signal.SIGINT


def test_a_failure_of_the_command_is_one_of_make(ready: Path) -> None:
    write_grid(ready, "sys.exit('It failed.')")
    code, said = make("demo", "ONCE=1", folder=ready)
    assert code == 2
    assert "It failed." in said
    assert "Error 1" in said


def test_a_command_that_is_interrupted_alone_is_named(ready: Path) -> None:
    write_grid(ready, "time.sleep(0.3)\nsys.exit(130)")
    code, said = make("demo", folder=ready)
    assert code == 2
    assert said.splitlines()[-1].endswith("demo] Error 130")


def test_clean_stops_what_runs_and_keeps_the_data(ready: Path) -> None:
    write_grid(ready, "pathlib.Path('said').write_text(' '.join(sys.argv[1:]))")
    for kept in (".grid/demo", "build"):
        (ready / kept).mkdir(parents=True)
    assert make("clean", folder=ready)[0] == 0
    assert (ready / "said").read_text() == "down"
    assert not (ready / ".venv").exists()
    assert not (ready / "build").exists()
    assert (ready / ".grid" / "demo").is_dir()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that sets up a tiny package; its environment is made once."""
    project = tmp_path_factory.mktemp("project")
    for name in ("Makefile", "install.py"):
        shutil.copy(PROJECT_DIR / name, project)
    (project / "backend.py").write_text(BACKEND)
    (project / "constraints.txt").write_text("torch==2.13.0\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny"\nversion = "1"\n[project.optional-dependencies]\nchronos = []\n'
        "dev = []\n"
    )
    return project


@pytest.fixture
def project(prepared: Path) -> Iterator[Path]:
    yield prepared
    for stamp in (prepared / ".venv").glob(".ready*"):
        stamp.unlink()
    (prepared / "building").unlink(missing_ok=True)


def test_a_set_up_says_what_it_takes_goes_on_visibly_and_is_done_once(project: Path) -> None:
    (project / "mood").write_text("waits")
    lines = []
    with start(project, "make", ".venv/.ready") as started:
        assert started.stdout is not None
        for line in started.stdout:
            lines.append(line)
            if re.match(r"  \d+:\d\d  0 MB downloaded$", line):
                (project / "mood").write_text("builds")
    assert started.returncode == 0
    said = "".join(lines)
    assert re.search(r"Setting up \.venv with Python 3\.\d+\.\d+: what Grid Assets runs on", said)
    assert "It downloads up to 235 MB" in said
    assert lines[-1].startswith("Ready after ")
    assert {path.name for path in (project / ".venv").glob(".ready*")} == {".ready"}
    assert make(".venv/.ready", folder=project) == (0, "make: '.venv/.ready' is up to date.\n")


def test_an_interrupted_set_up_leaves_no_process_and_no_stamp(project: Path) -> None:
    (project / "mood").write_text("waits")
    started = start(project, "make", ".venv/.ready")
    said = ctrl_c(started, project / "building")
    assert said.endswith("Stopped. make starts again where it is, with what pip has kept.\n")
    assert started.returncode == -signal.SIGINT
    assert not list((project / ".venv").glob(".ready*"))
    wait_until(lambda: processes_in(project) == [], 30, lambda: str(processes_in(project)))


def processes_in(folder: Path) -> list[psutil.Process]:
    """Those that run there; a container's init may leave zombies."""
    return [
        one
        for one in psutil.process_iter(["cwd", "status"])
        if one.info["cwd"] == str(folder) and one.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_a_set_up_that_fails_shows_why(project: Path) -> None:
    (project / "mood").write_text("fails")
    code, said = make(".venv/.ready", folder=project)
    assert code == 2
    assert "there is no such package" in said
    assert "pip could not install it" in said
    assert not list((project / ".venv").glob(".ready*"))


@pytest.mark.parametrize(
    ("versions", "warns"), [(("2.13.0",), True), (("2.13.0", "2.13.0+cpu"), False)]
)
def test_a_set_up_with_torch_warns_where_pip_finds_no_cpu_build(
    project: Path, tmp_path: Path, versions: tuple[str, ...], warns: bool
) -> None:
    for version in versions:
        with zipfile.ZipFile(tmp_path / f"torch-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"torch-{version}.dist-info/METADATA", "")
    (project / "mood").write_text("builds")
    code, said = make(
        "chronos",
        folder=project,
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path),
    )
    assert code == 0
    expected = warns and os.uname().sysname == "Linux" and os.uname().machine == "x86_64"
    assert ("pip finds no CPU build of torch" in said) == expected
    stamps = {path.name for path in (project / ".venv").glob(".ready*")}
    assert stamps == {".ready", ".ready-chronos"}


DENO: Final = """\
#!/bin/sh
echo "$PWD $DENO_DIR $*" >> "$LOG"
[ -z "$FAILS" ] || { echo "no such package" >&2; exit 3; }
"""


@pytest.mark.parametrize("fails", ["", "yes"])
def test_the_tools_are_ready_when_deno_has_what_the_function_imports(
    project: Path, tmp_path: Path, fails: str
) -> None:
    function = project / "supabase" / "functions" / "forecast-on-telemetry"
    function.mkdir(parents=True, exist_ok=True)
    (function / "deno.lock").touch()
    (project / "mood").write_text("builds")
    if not (project / ".venv").exists():
        make(".venv/.ready", folder=project)
    deno = project / ".venv" / "bin" / "deno"
    deno.write_text(DENO)
    deno.chmod(0o755)
    log = tmp_path / "log"
    code, said = make(".venv/.ready-dev", folder=project, LOG=str(log), FAILS=fails)
    assert log.read_text() == f"{function} {project}/.venv/deno install --quiet --frozen\n"
    assert (project / ".venv" / ".ready-dev").exists() == (not fails)
    assert code == (2 if fails else 0)
    assert ("no such package\nDeno could not download what" in said) == bool(fails)
