"""The files that assets make, over HTTP on this machine: from the UI no browser opens file://.

Belongs here: serving one folder, read-only, to this machine. Does not belong here: making files.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

PORTS_TRIED: Final = 50


class FileServerError(Exception):
    """No port is free, or there is no folder to serve; the message says which."""


class _Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of files; no listing, no hidden file (one that is still being written)."""

    def send_head(self):  # type: ignore[no-untyped-def]  # as in the base class
        path = self.translate_path(self.path)
        if Path(path).name.startswith(".") or "\0" in path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: object) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass  # the terminal belongs to the product


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a browser that left in the middle; the base class prints a traceback


@contextmanager
def serving(folder: Path, first_port: int) -> Iterator[str]:
    """Serve `folder` on the first free port from `first_port` on; yields the address.

    It listens on the loopback interface alone. Raises `FileServerError` where no port is free or
    the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileServerError(
            f"The folder of the dashboard, {folder}, cannot be made: {error.strerror}."
        ) from error
    server = _bound(partial(_Handler, directory=str(folder)), first_port)
    threading.Thread(target=server.serve_forever, name="files", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _bound(handler: partial[_Handler], first_port: int) -> ThreadingHTTPServer:
    last = min(first_port + PORTS_TRIED, 65536) - 1
    for port in range(first_port, last + 1):
        try:
            return _Server(("127.0.0.1", port), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise FileServerError(
        f"No port from {first_port} to {last} is free for the dashboard. Set GRID_UI_PORT."
    )
