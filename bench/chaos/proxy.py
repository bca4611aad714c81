"""A TCP proxy that harms what passes through it, at the n-th message that a client sends.

It reads no protocol: a message is what one `recv` returns, which for PostgreSQL and HTTP is about a
statement or a request. Traps are set for one command and taken away after it.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import Final

from bench.results import BenchError

CHUNK: Final = 65_536
HELD_MOST_S: Final = 60
"""An answer is held until another command has ended, which takes seconds."""

ENDS_S: Final = 120
"""A restart of a server takes a second or two, on a busy machine more."""


@dataclass(frozen=True)
class Trap:
    """What happens at a client's `at`-th message. `amount` is in seconds, or bytes for `truncate`.

    `cut` and `reset` end the connection before the message is passed on. `swallow` and `truncate`
    end it afterwards, with none or only the first bytes of the answer. `delay` lets it wait.
    `hold` keeps the answer until `Proxy.let_go`. Any other name is left to the proxy's owner, with
    `after_` before it once the server has answered.
    """

    at: int
    action: str
    amount: float = 0


@dataclass(eq=False)
class _Link:
    """One connection: the client's socket and the one to the server."""

    client: socket.socket
    server: socket.socket
    limit: int | None = None
    """How many more bytes the client gets; None for no limit."""
    answered: Event = field(default_factory=Event)
    holding: bool = False

    def close(self, *, reset: bool = False) -> None:
        if reset:  # closing with a linger time of 0 sends a reset, unless an end was sent before
            with suppress(OSError):
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.close()
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Listens on a free port and passes everything on to `target`; use it in a `with` block."""

    def __init__(
        self, target: Callable[[], tuple[str, int]], act: Callable[[Trap], None] = lambda _: None
    ) -> None:
        self._target, self._act = target, act
        self._lock, self._traps = Condition(), list[Trap]()
        self._firing = 0
        self._links: set[_Link] = set()
        self._gate = Event()
        self.messages = 0
        self.held = Event()
        self.fired: list[Trap] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # a thread in accept() is woken by shutdown, not by close
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.disarm()

    def arm(self, traps: Sequence[Trap] = ()) -> None:
        """Count from 0 again, and harm as `traps` say."""
        with self._lock:
            self._traps, self.messages, self.fired = list(traps), 0, []
            self.held.clear()
            self._gate.clear()

    def disarm(self) -> None:
        """Take all traps away, break every connection that is left, and wait until what a trap has
        begun, such as a restart of the server, has ended."""
        self.arm()
        self.let_go()
        for link in list(self._links):
            link.close()
        with self._lock:
            if not self._lock.wait_for(lambda: self._firing == 0, ENDS_S):
                raise BenchError(f"What a trap has begun did not end within {ENDS_S:.0f} s")

    def let_go(self) -> None:
        """Pass on the answer that is held."""
        self._gate.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target(), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            self._links.add(link)
            for work in (self._up, self._down):
                Thread(target=work, args=(link,), daemon=True).start()

    def _due(self) -> list[Trap]:
        with self._lock:
            self.messages += 1
            due = [trap for trap in self._traps if trap.at == self.messages]
            self.fired += due
            self._firing += bool(due)
        return due

    def _up(self, link: _Link) -> None:
        with suppress(OSError):
            while message := link.client.recv(CHUNK):
                due = self._due()
                try:
                    if not self._pass_on(link, message, due):
                        break
                finally:
                    with self._lock:
                        self._firing -= bool(due)
                        self._lock.notify_all()
        self._drop(link)

    def _pass_on(self, link: _Link, message: bytes, due: list[Trap]) -> bool:
        """Whether the connection goes on."""
        later = []
        for trap in due:
            if trap.action in ("cut", "reset"):
                link.close(reset=trap.action == "reset")
                return False
            if trap.action == "delay":
                time.sleep(trap.amount)
            elif trap.action in ("swallow", "truncate"):
                link.limit = int(trap.amount) if trap.action == "truncate" else 0
                link.answered.clear()
            elif trap.action == "hold":
                link.holding = True
            elif trap.action.startswith("after_"):
                later.append(trap)
                link.answered.clear()
                link.holding = True  # the process must not see the answer before it dies
            else:
                self._act(trap)
        link.server.sendall(message)
        if later:
            link.answered.wait(10)
            for trap in later:
                self._act(Trap(trap.at, trap.action.removeprefix("after_"), trap.amount))
            self.let_go()
        return True

    def _down(self, link: _Link) -> None:
        with suppress(OSError):
            while answer := link.server.recv(CHUNK):
                link.answered.set()
                if link.holding:
                    self.held.set()
                    self._gate.wait(HELD_MOST_S)
                    link.holding = False
                if link.limit is not None:
                    link.client.sendall(answer[: link.limit])
                    link.limit -= len(answer)
                    if link.limit <= 0:
                        break
                    continue
                link.client.sendall(answer)
        link.answered.set()
        self._drop(link)

    def _drop(self, link: _Link) -> None:
        link.close()
        self._links.discard(link)
