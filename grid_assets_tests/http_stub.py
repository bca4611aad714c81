"""A real HTTP server on this machine whose responses and misbehaviour a test scripts.

It knows nothing of the Carbon Intensity API.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar


@dataclass(frozen=True)
class Reply:
    """One answer; by default HTTP 200 with an empty intensity document."""

    body: bytes = b'{"data":[]}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    """The Content-Length to announce, where it differs from the body's."""
    wait_s: float = 0
    """How long to wait before anything is sent."""
    drip_s: float | None = None
    """The pause after each byte of the body."""
    reset: bool = False
    """Break the connection after the body."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Message
    body: bytes


Script = Callable[[str], Reply]


class Stub(ThreadingHTTPServer):
    """Gives each path the reply of `script`, and records the requests."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: Script = lambda path: Reply()
        self.paths: list[str] = []
        self.headers: list[Message] = []
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.bytes_sent = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def replies(self, *replies: Reply) -> None:
        """Give these replies in order, then the last one for ever."""
        left = list(replies)

        def script(path: str) -> Reply:
            with self.lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.script = script

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request; a stand-in for a service overrides it."""
        return self.script(asked.path)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: tests hang up early on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Stub

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_GET(self) -> None:
        stub = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, self.headers, body)
        with stub.lock:
            stub.paths.append(self.path)
            stub.headers.append(self.headers)
            stub.in_flight += 1
            stub.most_in_flight = max(stub.most_in_flight, stub.in_flight)
        try:
            reply = stub.answer(asked)
            time.sleep(reply.wait_s)
        finally:
            with stub.lock:
                stub.in_flight -= 1
        self.send(reply)

    do_POST = do_PUT = do_GET

    def send(self, reply: Reply) -> None:
        if not (reply.reset and not reply.body):
            if "Date" in reply.headers:
                self.send_response_only(reply.status)
            else:
                self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            length = len(reply.body) if reply.announced is None else reply.announced
            if reply.status != 204:  # which has no body
                self.send_header("Content-Length", str(length))
            self.end_headers()
        pieces = [reply.body[i : i + 1024] for i in range(0, len(reply.body), 1024)]
        if reply.drip_s is not None:
            pieces = [bytes([byte]) for byte in reply.body]
        for piece in pieces:
            self.wfile.write(piece)
            self.server.bytes_sent += len(piece)
            time.sleep(reply.drip_s or 0)
        if reply.reset:
            # Linger 0 makes the close a reset (RST) instead of an orderly end.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())
            self.close_connection = True
        elif reply.announced is not None:
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; tests read what they need from the stub."""


@contextlib.contextmanager
def serving() -> Iterator[Stub]:
    """A stub that runs until the block ends."""
    with run(Stub()) as stub:
        yield stub


S = TypeVar("S", bound=Stub)


@contextlib.contextmanager
def run(stub: S) -> Iterator[S]:
    """Serve until the block ends."""
    thread = threading.Thread(target=stub.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        thread.join()
        stub.server_close()
