"""The recorded APIs as an HTTP server on this machine, with `/replay` endpoints to control it."""

from __future__ import annotations

import json
import select
import socket
import socketserver
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from grid_assets.halfhours import api_time
from grid_assets.local_http import is_from_a_page, is_host_known
from grid_assets.replay import recording
from grid_assets.replay.control import Control
from grid_assets.replay.endpoints import Endpoints
from grid_assets.replay.faults import BadControl
from grid_assets.replay.replies import Delivery, Reply, error
from grid_assets.replay.routes import Routes

MOST_CONTROL_BYTES: Final = 65_536
FOREIGN: Final = (
    "Only programs on this machine control the replay, with a body of Content-Type "
    "application/json. Web pages cannot."
)
PADDING_PIECE: Final = b" " * 65_536
DRIPS: Final = 20
"""Pieces of a slow body: enough that a client never waits long for the next one."""


class ReplayServer:
    """The recorded APIs, listening on the loopback interface as soon as it is created.

    `port` 0 picks a free port; `shift_weeks` None means the shift that fits `now()`. Raises
    `OSError` for a port in use. Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        port: int = 0,
        shift_weeks: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.now = now
        self.shift_weeks = recording.shift_weeks(now()) if shift_weeks is None else shift_weeks
        self.view = recording.View(recording.load_recording(), self.shift_weeks)
        self.endpoints = Endpoints(self.view)
        self.control = Control()
        self.stopping = Event()
        self._thread: Thread | None = None
        self._http = _HTTPServer(("127.0.0.1", port), _Handler, self)
        self.routes = Routes(self.endpoints, self.shift_weeks, self.url)

    @property
    def url(self) -> str:
        """The base address without a trailing slash, such as `http://127.0.0.1:8100`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> ReplayServer:
        """Serve in a background thread."""
        serve = self._http.serve_forever
        self._thread = Thread(target=serve, args=(0.05,), name="replay", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, break open connections and free the port. May be called repeatedly."""
        self.stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.close()

    def status(self) -> dict[str, Any]:
        """The document of `/replay/status`; `recorded_to` is the end of the last half-hour."""
        recorded = self.view.recorded
        return {
            "kind": "replay",
            "shift_weeks": self.shift_weeks,
            "recorded_from": api_time(recorded.start),
            "recorded_to": api_time(recorded.end),
            **self.control.status(),
        }

    def __enter__(self) -> ReplayServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _HTTPServer(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type[_Handler], replay: ReplayServer
    ) -> None:
        self.replay = replay
        self._open: set[Any] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # The library looks the host's full name up here, which can take seconds offline.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        self.server_close()
        # Otherwise a thread would keep answering on a kept-alive connection.
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that went away; print anything else, because it is a bug."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "grid-replay"
    sys_version = ""
    disable_nagle_algorithm = True

    @property
    def replay(self) -> ReplayServer:
        return cast(_HTTPServer, self.server).replay

    def do_GET(self) -> None:
        replay, address = self.replay, urlsplit(self.path)
        path = unquote(address.path)
        if path == "/replay/status":
            self._send(Reply(200, replay.status()))
        elif path.startswith("/replay/"):
            self._send(_no_control(path))
        else:
            source, kind, answer = replay.routes.answer(
                path, address.query, replay.now(), replay.control.withheld_from
            )
            leave = replay.control.enter(kind, source)
            try:
                self._send(replay.control.apply_faults(answer, path, source), leave)
            finally:
                leave()

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        try:
            if not is_host_known(self.headers) or is_from_a_page(self.headers):
                answer = error(403, "Forbidden", FOREIGN)
                self.close_connection = True
            else:
                answer = self._control(path, self._control_document())
        except BadControl as reason:
            answer = error(400, "Bad Request", str(reason))
            # An unread body would be mistaken for the next request.
            self.close_connection = True
        self._send(answer)

    def _control(self, path: str, document: dict[str, Any]) -> Reply:
        control, now = self.replay.control, self.replay.now()
        match path:
            case "/replay/withhold":
                _only(document, "half_hours")
                control.withhold(document.get("half_hours"), now)
            case "/replay/release":
                _only(document, "half_hours")
                control.release(document.get("half_hours"), now)
            case "/replay/fault":
                control.fault(document)
            case "/replay/heal":
                _only(document)
                control.heal()
            case _:
                return _no_control(path)
        return Reply(200, self.replay.status())

    def _control_document(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_CONTROL_BYTES:
            raise BadControl(f"The body must be at most {MOST_CONTROL_BYTES} bytes of JSON.")
        try:
            document = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise BadControl("The body must be JSON.") from None
        if not isinstance(document, dict):
            raise BadControl("The body must be a JSON object.")
        return document

    def _send(self, answer: Reply, leave: Callable[[], None] = lambda: None) -> None:
        """Send a response. `leave` is called before the last piece, so that no client with the
        whole response finds its request still counted."""
        body, delivery = answer.body, answer.delivery
        if delivery.kind in ("hang", "reset"):
            self._abandon(delivery)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if delivery.kind != "padded":
            self.send_header("Content-Length", str(len(body)))
        if delivery.kind == "padded" or self.close_connection:
            self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if delivery.kind in ("cut", "padded"):
            self.close_connection = True
        *pieces, last = self._pieces(body, delivery)
        for piece in pieces:
            self.wfile.write(piece)
            if delivery.kind == "slow":
                self.replay.stopping.wait((delivery.seconds or 0) / len(pieces))
        leave()
        self.wfile.write(last)

    @staticmethod
    def _pieces(body: bytes, delivery: Delivery) -> list[bytes]:
        if delivery.kind == "cut":
            return [body[: len(body) // 2]]
        if delivery.kind == "padded":
            whole, rest = divmod(delivery.padding_bytes, len(PADDING_PIECE))
            return [body, *[PADDING_PIECE] * whole, PADDING_PIECE[:rest]]
        if delivery.kind == "slow":
            size = -(-len(body) // (DRIPS + 1))
            return list(_sliced(body, size))
        return [body]

    def _abandon(self, delivery: Delivery) -> None:
        self.close_connection = True
        if delivery.kind == "reset":
            # Closing with a linger time of 0 sends a reset (RST) instead of an orderly end.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            return
        waited, step = 0.0, 0.05
        while delivery.seconds is None or waited < delivery.seconds:
            if self.replay.stopping.wait(step) or self._client_left():
                return
            waited += step

    def _client_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the clock of the replay."""
        return super().date_time_string(timestamp or self.replay.now().timestamp())

    def end_headers(self) -> None:
        self.send_header("X-Grid-Replay", f"shift_weeks={self.replay.shift_weeks}")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; `/replay/status` counts the requests."""


def _sliced(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def _no_control(path: str) -> Reply:
    return error(404, "Not Found", f"{path} does not exist for this HTTP method.")


def _only(document: dict[str, Any], *known: str) -> None:
    unknown = [name for name in document if name not in known]
    if unknown:
        raise BadControl(f"{unknown[0]!r} is unknown; known: {', '.join(known) or 'none'}.")
