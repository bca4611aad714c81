"""A read-only HTTP server for the files that assets make, reachable from this machine only. The UI
links to it because browsers do not follow file:// links from an http:// page."""

from __future__ import annotations

import errno
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from grid_assets.local_http import is_host_known

PORTS_TRIED: Final = 50
FEEDS: Final = "v1"
"""The folder of the feeds."""

FEED_MAX_AGE_S: Final = 60
"""Seconds that a feed may be kept; the next one follows half an hour later."""


class FileServerError(Exception):
    """The files cannot be served: no port is free, or the folder cannot be made."""


class _Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of files in the folder: no listings, nothing hidden (it may be half-written),
    and nothing that a link leads to outside it.

    The feeds may be read by any web page and kept for a minute; everything else is asked for anew.
    """

    server: _Server
    is_feed = False
    extensions_map: Final = {  # type: ignore[misc]  # as in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".prom": "text/plain; version=0.0.4; charset=utf-8",
        ".json": "application/json",
    }

    def send_head(self):  # type: ignore[no-untyped-def]  # as in the base class
        if not is_host_known(self.headers, self.server.names):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Set GRID_FILES_URL to this name")
            return None
        path = Path(self.translate_path(self.path))
        if not self._is_public(path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        # not by the requested path: /v1/..%2fdashboard.html is the page
        self.is_feed = path.is_relative_to(Path(self.directory) / FEEDS)
        return super().send_head()

    def _is_public(self, path: Path) -> bool:
        folder = Path(self.directory)
        try:
            found = path.resolve()
            names = [path.relative_to(folder), found.relative_to(folder.resolve())]
            is_file = found.is_file()
        except (OSError, RuntimeError, ValueError):  # a loop of links; outside; a null byte
            return False
        return is_file and not any(part.startswith(".") for name in names for part in name.parts)

    def end_headers(self) -> None:
        if self.is_feed:
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Cache-Control", f"public, max-age={FEED_MAX_AGE_S}")
        else:
            self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass  # keeps the terminal for the product's messages


class _Server(ThreadingHTTPServer):
    names: Collection[str] = ()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a browser that closed the connection; the base class prints a traceback


@contextmanager
def serving(folder: Path, first_port: int, names: Collection[str] = ()) -> Iterator[str]:
    """Serve `folder` on the first free port from `first_port` on; yields the address.

    It listens on the loopback interface only, and answers to the names of this machine and to
    `names`. Raises `FileServerError` if no port is free or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileServerError(
            f"The folder of the dashboard, {folder}, cannot be made: {error.strerror}. "
            "Remove what is in the way, or change GRID_HOME."
        ) from error
    server = _bind(partial(_Handler, directory=str(folder)), first_port)
    server.names = names
    threading.Thread(target=server.serve_forever, name="files", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _bind(handler: partial[_Handler], first_port: int) -> _Server:
    last = min(first_port + PORTS_TRIED, 65536) - 1
    for port in range(first_port, last + 1):
        try:
            return _Server(("127.0.0.1", port), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise FileServerError(
        f"No port from {first_port} to {last} is free for the dashboard. Set GRID_UI_PORT to a "
        "free one."
    )
