"""A read-only HTTP server for the files that assets make, from a folder or a bucket.

The UI links to it because browsers do not follow file:// links from an http:// page. Unless it is
told otherwise, it can be reached from this machine only.
"""

from __future__ import annotations

import errno
import socket
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from grid_assets.dashboard.mirror import Mirror
from grid_assets.feeds.write import file_names
from grid_assets.files.headers import CONTENT_TYPES, FEEDS, caching
from grid_assets.files.store import Bucket, FilesError, Folder, Store
from grid_assets.local_http import is_host_known, is_loopback
from grid_assets.output import DASHBOARD

PORTS_TRIED: Final = 50

LOOPBACK: Final = "127.0.0.1"

HEALTH: Final = "/healthz"
"""Answered under every name while the server runs. It does not ask a bucket: one that is down is no
reason to start the server again."""


class FileServerError(Exception):
    """The files cannot be served: no port is free, or the folder cannot be made."""


class _Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of files in the folder: no listings, nothing hidden (it may be half-written),
    and nothing that a link leads to outside it.

    The feeds may be read by any web page and kept for a minute; everything else is revalidated on
    each request.
    """

    server: _Server
    is_feed = False
    is_health = False
    extensions_map: Final = {  # type: ignore[misc]  # as in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        **CONTENT_TYPES,
    }

    def send_head(self):  # type: ignore[no-untyped-def]  # as in the base class
        if self.path == HEALTH:
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
            return None
        names = self.server.names
        if names is not None and not is_host_known(self.headers, names):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Set GRID_FILES_URL to this name")
            return None
        path = Path(self.translate_path(self.path))
        try:
            self._renew(path)
        except FilesError:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "The store of the files is unavailable")
            return None
        if not self._is_public(path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        # not by the requested path: /v1/..%2fdashboard.html is the page
        self.is_feed = path.is_relative_to(Path(self.directory) / FEEDS)
        return super().send_head()

    def _renew(self, path: Path) -> None:
        folder = Path(self.directory)
        if self.server.mirror is not None and path.is_relative_to(folder):
            self.server.mirror.renew(path.relative_to(folder).as_posix())

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
        self.send_header("Cache-Control", caching(is_feed=self.is_feed))
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass  # keeps the terminal for the product's messages


class _Server(ThreadingHTTPServer):
    names: Collection[str] | None = ()
    mirror: Mirror | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a browser that closed the connection; the base class prints a traceback


class _ServerOfVersion6(_Server):
    address_family = socket.AF_INET6


@contextmanager
def serving(
    store: Store,
    first_port: int,
    names: Collection[str] = (),
    *,
    host: str = LOOPBACK,
    exactly: bool = False,
) -> Iterator[str]:
    """Serve a store on the first port that is free, or only on `first_port`; yields the address.

    On the loopback interface it answers to the names of this machine and to `names`. On another
    one it answers to every name: then the network decides who may ask. Raises `FileServerError` if
    no port is free or the folder cannot be made.
    """
    with ExitStack() as opened:
        mirror = None
        if isinstance(store, Bucket):
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="grid-files-")))
            mirror = Mirror(store.place, folder, [DASHBOARD, *file_names()])
            opened.callback(mirror.close)
        else:
            folder = _made(store)
        handler = partial(_Handler, directory=str(folder))
        server = _bind(handler, host, first_port, exactly)
        server.names = names if is_loopback(host) else None
        server.mirror = mirror
        threading.Thread(target=server.serve_forever, name="files", daemon=True).start()
        opened.callback(server.server_close)
        opened.callback(server.shutdown)
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}"


def _made(store: Folder) -> Path:
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileServerError(
            f"The folder of the dashboard, {store}, cannot be made: {error.strerror}. "
            "Remove what is in the way, or change GRID_HOME."
        ) from error
    return store.folder


def _bind(handler: partial[_Handler], host: str, first_port: int, exactly: bool) -> _Server:
    last = first_port if exactly else min(first_port + PORTS_TRIED, 65536) - 1
    kind = _ServerOfVersion6 if ":" in host else _Server
    for port in range(first_port, last + 1):
        try:
            return kind((host, port), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise FileServerError(
                    f"The dashboard cannot listen on {host}: {error.strerror}."
                ) from error
    if exactly:
        raise FileServerError(f"Port {first_port} is not free. Choose another one with --port.")
    raise FileServerError(
        f"No port from {first_port} to {last} is free for the dashboard. Set GRID_UI_PORT to a "
        "free one."
    )
