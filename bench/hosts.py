"""Machines to test a cluster with, on one Linux machine: each has a network, a name, process ids
and a folder of its own. Needs root, for the namespaces."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

NETWORK: Final = "10.203.0"
STOP_S: Final = 30

MISSING: Final = "network namespaces need Linux, root and `ip` (Debian: iproute2)"

ENTER: Final = """\
hostname "$1" && mount --bind "$2" "$3" && mount -t tmpfs none "$4" && cd "$3" || exit
shift 4 && exec "$@"
"""
"""Names the machine, puts its folder where every machine has its own, and hides all the others."""


def can_make_hosts() -> bool:
    """Whether this process may make namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "true"]
    return subprocess.run(probe, capture_output=True).returncode == 0


class Host:
    """One machine."""

    def __init__(self, lan: Lan, name: str, number: int) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self.folder = lan.root / "machines" / name
        """Its folder, as this process sees it; on the machine itself it is `Lan.seen`."""
        self.folder.mkdir(parents=True)
        self._lan = lan
        self._namespace = f"{lan.prefix}-{name}"
        self._running: list[subprocess.Popen[bytes]] = []
        _ip("netns", "add", self._namespace)
        link = f"{lan.prefix}{number}"
        _ip("link", "add", link, "netns", lan.switch, "type", "veth", "peer", "name", "eth0",
            "netns", self._namespace)  # fmt: skip
        _ip("-n", lan.switch, "link", "set", link, "master", "lan", "up")
        _ip("-n", self._namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        _ip("-n", self._namespace, "link", "set", "eth0", "up")
        _ip("-n", self._namespace, "link", "set", "lo", "up")

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: str
    ) -> subprocess.Popen[bytes]:
        """Start a program on this machine. It is process 1 of its own process ids, so that all that
        it has started ends with it."""
        with self.log(log).open("ab") as output:
            process = subprocess.Popen(
                [*self._inside(), *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def log(self, name: str) -> Path:
        """What a program has said."""
        return self.folder / f"{name}.log"

    def popen(
        self, command: Sequence[str], environment: Mapping[str, str], output: IO[str]
    ) -> subprocess.Popen[bytes]:
        """Start a command that ends by itself, with its output in a file."""
        return subprocess.Popen(
            [*self._inside(), *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def _inside(self) -> list[str]:
        namespaces = ["--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        places = [str(self.folder), str(self._lan.seen), str(self.folder.parent)]
        enter = ["sh", "-c", ENTER, "sh", self.name, *places]
        return ["ip", "netns", "exec", self._namespace, "unshare", *namespaces, *enter]

    def cut_off(self, other: Host) -> None:
        """Drop whatever this machine sends to another one; the sender is not told."""
        nobody = ("lladdr", "02:00:00:00:00:01", "nud", "permanent")
        _ip("-n", self._namespace, "neigh", "replace", other.address, *nobody, "dev", "eth0")

    def reconnect(self, other: Host) -> None:
        """End `cut_off`."""
        _ip("-n", self._namespace, "neigh", "del", other.address, "dev", "eth0")

    def kill(self) -> None:
        """Pull the plug: SIGKILL for every program of this machine, at once."""
        for process in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._running:
            process.wait(STOP_S)
        self._running.clear()

    def close(self) -> None:
        """End its programs, and the machine."""
        for process in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in reversed(self._running):
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
        self.kill()
        _ip("netns", "del", self._namespace)


class Lan:
    """Machines that reach each other, in a folder `root` that holds those of all of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.prefix = root, f"g{os.getpid()}"
        self.seen = root / "machine"
        """Where each machine sees its own folder."""
        self.seen.mkdir()
        self.switch = f"{self.prefix}-lan"
        self.hosts: list[Host] = []
        _ip("netns", "add", self.switch)
        _ip("-n", self.switch, "link", "add", "lan", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "lan", "up")

    def host(self, name: str) -> Host:
        """A new machine."""
        host = Host(self, name, len(self.hosts) + 2)
        self.hosts.append(host)
        return host

    def close(self) -> None:
        """End every machine."""
        for host in reversed(self.hosts):
            host.close()
        _ip("netns", "del", self.switch)


@contextmanager
def lan() -> Iterator[Lan]:
    """A network without machines, in a new folder; all is removed at the end."""
    root = Path(tempfile.mkdtemp(prefix="grid-lan-"))
    root.chmod(0o755)
    try:
        made = Lan(root)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
