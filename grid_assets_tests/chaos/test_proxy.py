"""The proxy of the schedules harms real connections, and only at the message of a trap."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from bench.chaos.proxy import Proxy, Trap


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that answers each message with the same bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            while message := client.recv(1000):
                client.sendall(message)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            Thread(target=serve, args=(client,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
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
    ("action", "amount", "answers"),
    [
        ("cut", 0, (b"",)),
        ("reset", 0, (None,)),
        ("swallow", 0, (b"",)),
        ("truncate", 2, (b"tw", b"")),
        ("delay", 0.01, (b"two",)),
    ],
)
def test_a_trap_harms_its_message_and_no_other(
    echo: tuple[str, int], action: str, amount: float, answers: tuple[bytes | None, ...]
) -> None:
    with Proxy(lambda: echo) as proxy:
        proxy.arm([Trap(2, action, amount)])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"one") == b"one"
            assert ask(client, b"two") == answers[0]
            for rest in answers[1:]:
                assert client.recv(1000) == rest
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"three") == b"three"
        assert proxy.fired == [Trap(2, action, amount)]


def test_an_answer_is_held_until_it_is_let_go(echo: tuple[str, int]) -> None:
    with Proxy(lambda: echo) as proxy:
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
    echo: tuple[str, int],
) -> None:
    done: list[Trap] = []
    with Proxy(lambda: echo, done.append) as proxy:
        proxy.arm([Trap(1, "kill"), Trap(2, "after_kill")])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert ask(client, b"one") == b"one"
            assert ask(client, b"two") == b"two"
    assert done == [Trap(1, "kill"), Trap(2, "kill")]
