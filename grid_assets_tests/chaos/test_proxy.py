"""The proxy of the schedules harms real connections, and only at the message of a trap."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from bench.chaos.proxy import Proxy, Trap


@dataclass(frozen=True)
class Echo:
    """A server that answers each message with the same bytes, and what it has received."""

    address: tuple[str, int]
    received: list[bytes] = field(default_factory=list)


@pytest.fixture
def echo() -> Iterator[Echo]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Echo(listener.getsockname())

    def serve(client: socket.socket) -> None:
        with client:
            while message := client.recv(1000):
                made.received.append(message)
                client.sendall(message)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            Thread(target=serve, args=(client,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(client: socket.socket, message: bytes) -> bytes | None:
    """The answer; None if the connection was reset."""
    try:
        client.sendall(message)
        return client.recv(1000)
    except ConnectionError:
        return None


@pytest.mark.parametrize(
    ("action", "amount", "answers", "received"),
    [
        ("cut", 0, (b"",), [b"one", b"three"]),
        ("reset", 0, (None,), [b"one", b"three"]),
        ("swallow", 0, (b"",), [b"one", b"two", b"three"]),
        ("truncate", 2, (b"tw", b""), [b"one", b"two", b"three"]),
        ("delay", 0.2, (b"two",), [b"one", b"two", b"three"]),
    ],
    ids=["cut", "reset", "swallow", "truncate", "delay"],
)
def test_a_trap_harms_its_message_and_no_other(
    echo: Echo,
    action: str,
    amount: float,
    answers: tuple[bytes | None, ...],
    received: list[bytes],
) -> None:
    with Proxy(lambda: echo.address) as proxy:
        proxy.arm([Trap(2, action, amount)])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"one") == b"one"
            asked_at = time.monotonic()
            assert ask(client, b"two") == answers[0]
            if action == "delay":
                assert time.monotonic() - asked_at >= amount
            for rest in answers[1:]:
                assert client.recv(1000) == rest
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"three") == b"three"
        assert proxy.fired == [Trap(2, action, amount)]
        assert echo.received == received


def test_an_answer_is_held_until_it_is_let_go(echo: Echo) -> None:
    with Proxy(lambda: echo.address) as proxy:
        proxy.arm([Trap(1, "hold")])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(b"one")
            assert proxy.held.wait(30)
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1000)
            client.settimeout(30)
            proxy.let_go()
            assert client.recv(1000) == b"one"


def test_other_actions_are_left_to_the_owner_before_or_after_the_server_has_answered(
    echo: Echo,
) -> None:
    done: list[tuple[Trap, list[bytes]]] = []

    def act(trap: Trap) -> None:
        done.append((trap, [*echo.received]))

    with Proxy(lambda: echo.address, act) as proxy:
        proxy.arm([Trap(1, "kill"), Trap(2, "after_kill")])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"one") == b"one"
            assert ask(client, b"two") == b"two"
    assert done == [(Trap(1, "kill"), []), (Trap(2, "kill"), [b"one", b"two"])]


def test_disarming_waits_until_what_a_trap_has_begun_has_ended(echo: Echo) -> None:
    """A schedule goes on with a whole world, not with a server that is just starting again."""
    begun, may_end, is_over = Event(), Event(), Event()

    def act(trap: Trap) -> None:
        begun.set()
        may_end.wait(60)

    def disarm(proxy: Proxy) -> None:
        proxy.disarm()
        is_over.set()

    with Proxy(lambda: echo.address, act) as proxy:
        proxy.arm([Trap(1, "restart")])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(b"one")
            assert begun.wait(30)
            disarming = Thread(target=disarm, args=(proxy,))
            disarming.start()
            assert not is_over.wait(0.3)
            may_end.set()
            assert is_over.wait(60)
            disarming.join(60)
