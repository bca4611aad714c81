"""Sets up .venv for make: `python3 install.py base`, `chronos` or `dev`.

It says what it will download, shows that it goes on, and leaves a stamp for make when it is done.
It runs before anything is installed, so it needs only the standard library.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

VENV: Final = Path(".venv")
PYTHON: Final = VENV / "bin" / "python"
LOG: Final = VENV / "install.log"
DENO: Final = VENV / "bin" / "deno"
DENO_DIR: Final = VENV / "deno"
FUNCTION: Final = Path("supabase", "functions", "forecast-on-telemetry")
DOWNLOADS: Final = VENV / "downloads"
SUPPORTED: Final = ((3, 11), (3, 14))
REPORT_EVERY_S: Final = 5

SELDOM_IMPORTED: Final = (
    r"[/\\]tests[/\\]|[/\\]site-packages[/\\]"
    r"(transformers[/\\]models|sympy|mypy|networkx|debugpy)[/\\]"
)
"""Of libraries: their tests, and a quarter of what is left. Python compiles a file of them that is
imported after all."""


class Kind(NamedTuple):
    """What one installation is for, its size, and the stamps that it makes true."""

    words: str
    extra: str
    download_mb: int
    disk_mb: int
    minutes: str
    stamps: tuple[str, ...]


# Measured on Linux with Python 3.11; torch in its CPU build.
KINDS: Final = {
    "base": Kind("what Grid Assets runs on", "[parquet]", 235, 830, "1 to 3", (".ready",)),
    "chronos": Kind(
        "what Grid Assets runs on, and torch to train and to run other models",
        "[chronos,parquet]",
        465,
        1970,
        "2 to 5",
        (".ready", ".ready-chronos"),
    ),
    "dev": Kind(
        "what Grid Assets runs on, the tools for tests, and torch to train and compare models",
        "[dev]",
        720,
        2750,
        "2 to 6",
        (".ready", ".ready-chronos", ".ready-dev"),
    ),
}

CUDA_DOWNLOAD_MB: Final = 2700
CUDA_DISK_MB: Final = 7000


def main(kind: Kind) -> int:
    if not _fits(sys.executable):
        _say("Python 3.11, 3.12 or 3.13 is needed; choose one with: make PYTHON=...")
        return 1
    version = platform.python_version()
    _say(f"Setting up .venv with Python {version}: {kind.words}.")
    _say(
        f"It downloads up to {kind.download_mb} MB, less what pip has kept, takes up to "
        f"{kind.disk_mb} MB of disk, and {kind.minutes} minutes on a fast line."
    )
    disk_mb = kind.disk_mb
    if not _fits(str(PYTHON)) and not _make_environment():
        return 1
    if ".ready-chronos" in kind.stamps and _torch_comes_with_cuda():
        disk_mb += CUDA_DISK_MB
        _say(
            f"pip finds no CPU build of torch, so {CUDA_DOWNLOAD_MB} MB more are CUDA, which only "
            "a GPU needs. To leave it\nout, stop with Ctrl-C and set PIP_EXTRA_INDEX_URL to "
            "PyTorch's index of CPU builds (see README.md)."
        )
    if (free_mb := shutil.disk_usage(VENV).free // 1_000_000) < disk_mb - _size_mb(VENV):
        _say(f"Only {free_mb} MB are free here. Free some space, then run make again.")
        return 1
    return _install(kind)


def _fits(python: str) -> bool:
    """Whether this interpreter starts and has a version that we support."""
    code = f"import sys; sys.exit(not {SUPPORTED[0]} <= sys.version_info[:2] < {SUPPORTED[1]})"
    try:
        return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def _make_environment() -> bool:
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True
    )
    if made.returncode:
        _say((made.stdout + made.stderr).strip())
        _say("No virtual environment could be made. On Debian and Ubuntu, install python3-venv.")
    return made.returncode == 0


def _torch_comes_with_cuda() -> bool:
    """Whether pip would take torch from PyPI, where it needs CUDA's libraries on Linux."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    if next(VENV.glob("lib/python*/site-packages/torch/__init__.py"), None):
        return False
    pinned = re.search(r"^torch==(\S+)$", Path("constraints.txt").read_text(), re.MULTILINE)
    if pinned is None:
        return False
    command = [str(PYTHON), "-m", "pip", "index", "versions", "torch"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.returncode == 0 and f"{pinned[1]}+cpu" not in found.stdout


def _install(kind: Kind) -> int:
    """Run pip; returns its exit status, or 130 after Ctrl-C."""
    DOWNLOADS.mkdir(exist_ok=True)  # where their size can be seen while they arrive
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--no-compile"]
    command += ["-c", "constraints.txt", "-e", f".{kind.extra}"]
    environment = {**os.environ, "TMPDIR": str(DOWNLOADS.resolve())}
    started = reported = time.monotonic()
    try:
        with LOG.open("w") as log:
            pip = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            while pip.poll() is None:
                time.sleep(0.2)
                if time.monotonic() - reported >= REPORT_EVERY_S:
                    reported = time.monotonic()
                    _say(f"  {_clock(reported - started)}  {_progress()}")
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            pip.terminate()
            pip.wait()
            _say("Stopped. make starts again where it is, with what pip has kept.")
            return 130
    finally:
        shutil.rmtree(DOWNLOADS, ignore_errors=True)
    if pip.returncode:
        _say("".join(LOG.read_text().splitlines(keepends=True)[-15:]))
        _say(f"pip could not install it: the lines above say why, {LOG} all of it.")
        return pip.returncode
    _say(f"  {_clock(time.monotonic() - started)}  compiling")
    with _compiling():
        if kind.extra == "[dev]" and (code := _fetch_what_the_function_imports()):
            return code
    for stamp in kind.stamps:
        (VENV / stamp).touch()
    _say(f"Ready after {_clock(time.monotonic() - started)}: {_size_mb(VENV)} MB in .venv.")
    return 0


def _compiling() -> subprocess.Popen[bytes]:
    """Compiles, on all cores where pip uses one, what is installed but for `SELDOM_IMPORTED`.

    A file that does not compile is for another version of Python; pip ignores it too.
    """
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", "-x", SELDOM_IMPORTED]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, str(VENV / "lib")], stdout=quiet, stderr=quiet)


def _fetch_what_the_function_imports() -> int:
    """Let Deno download what its lock names, so that checks and tests need no network."""
    environment = {**os.environ, "DENO_DIR": str(DENO_DIR.resolve()), "DENO_NO_UPDATE_CHECK": "1"}
    command = [str(DENO.absolute()), "install", "--quiet", "--frozen"]
    fetched = subprocess.run(
        command, cwd=FUNCTION, env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    if fetched.returncode:
        _say(fetched.stderr.decode("utf-8", "replace").strip())
        _say(f"Deno could not download what {FUNCTION}/deno.lock names: the lines above say why.")
    return fetched.returncode


def _progress() -> str:
    """What pip is doing, from its log and its folders."""
    installing = re.search(r"^Installing collected packages: (.*)$", LOG.read_text(), re.MULTILINE)
    if installing:
        names = [re.sub(r"[-_.]+", "_", name) for name in installing[1].lower().split(", ")]
        here = {
            re.sub(r"[-_.]+", "_", folder.name.lower().split("-")[0])
            for folder in VENV.glob("lib/python*/site-packages/*.dist-info")
        }
        return f"{sum(name in here for name in names)} of {len(names)} packages installed"
    return f"{_size_mb(DOWNLOADS)} MB downloaded"


def _size_mb(folder: Path) -> int:
    size = 0
    for root, _, files in os.walk(folder):
        for file in files:
            try:
                size += os.lstat(os.path.join(root, file)).st_size
            except OSError:  # pip has moved it meanwhile
                continue
    return size // 1_000_000


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(KINDS[sys.argv[1]]))
    except KeyboardInterrupt:
        sys.exit(130)
