"""The small server for the files that assets make."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from grid_assets.dashboard import server
from grid_assets.files.store import Folder
from grid_assets_tests.running import free_port, taken_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "home" / "files"
    made.mkdir(parents=True)
    (made / "dashboard.html").write_text("the page", encoding="utf-8")
    (made / ".dashboard.html.part").write_text("half a page", encoding="utf-8")
    (made / "more").mkdir()
    (made.parent / "secret").write_text("a password", encoding="utf-8")
    (made / ".hidden").mkdir()
    (made / ".hidden" / "secret").write_text("a password", encoding="utf-8")
    (made / "out").symlink_to(made.parent / "secret")
    (made / "folder").symlink_to(made.parent)
    (made / "in").symlink_to(made / ".hidden" / "secret")
    (made / "loop").symlink_to(made / "loop")
    (made / "more" / "index.html").symlink_to(made.parent / "secret")
    return made


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with server.serving(Folder(folder), free_port()) as url:
        yield url


def test_a_file_is_served_and_revalidated_each_time(address: str, folder: Path) -> None:
    answer = requests.get(f"{address}/dashboard.html", timeout=5)
    assert (answer.status_code, answer.text) == (200, "the page")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-cache"
    (folder / "dashboard.html").write_text("the next page", encoding="utf-8")
    assert requests.get(f"{address}/dashboard.html", timeout=5).text == "the next page"


@pytest.fixture
def feeds(folder: Path) -> Path:
    made = folder / "v1"
    (made / "regions").mkdir(parents=True)
    for name in ("now.json", "regions/13.json", "metrics.prom"):
        (made / name).write_text('{"a": 1}\n', encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("now.json", "application/json"),
        ("regions/13.json", "application/json"),
        ("metrics.prom", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_feed_may_be_read_by_any_page_and_kept_for_a_minute(
    address: str, feeds: Path, name: str, kind: str, method: str
) -> None:
    answer = requests.request(method, f"{address}/v1/{name}", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Length"] == "9"
    assert answer.text == ('{"a": 1}\n' if method == "GET" else "")
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    again = requests.request(method, f"{address}/v1/{name}", headers=since, timeout=5)
    assert (again.status_code, again.text) == (304, "")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    later = feeds.joinpath(name).stat().st_mtime + 2
    os.utime(feeds / name, (later, later))
    changed = requests.request(method, f"{address}/v1/{name}", headers=since, timeout=5)
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard.html",
        "/v1/../dashboard.html",
        "/v1/..%2fdashboard.html",
        "/v1/%2e%2e/dashboard.html",
        "/v1/regions/../../dashboard.html",
        "/v1.html",
        "/v1/absent.json",
        "/v1/",
        "/v1",
    ],
)
def test_nothing_but_a_feed_may_be_read_by_any_page_or_kept(
    address: str, folder: Path, feeds: Path, path: str
) -> None:
    (folder / "v1.html").write_text("the page", encoding="utf-8")
    status, headers, body = asked_as_it_stands(address, path)
    assert status == (200 if path.endswith(".html") else 404)
    assert b"access-control" not in headers.lower()
    assert b"cache-control: no-cache" in headers.lower()
    assert (b"the page" in body) == (status == 200)


def asked_as_it_stands(address: str, path: str) -> tuple[int, bytes, bytes]:
    """Status, headers and body of a path that no client has mended."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    headers, _, body = answer.partition(b"\r\n\r\n")
    return int(answer.split()[1]), headers, body


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/more/",
        "/.dashboard.html.part",
        "/../secret",
        "/%2e%2e/secret",
        "//../../secret",
        "/x",
        "/dashboard.html%00",
        "/dashboard.html/",
        "/.hidden/secret",
        "/more/../.hidden/secret",
        "/%2ehidden/secret",
        "/out",
        "/folder/secret",
        "/in",
        "/loop",
        "/more",
    ],
)
def test_nothing_else_is_served_and_nothing_is_listed(address: str, path: str) -> None:
    status, _, body = asked_as_it_stands(address, path)
    assert status == 404
    for text in (b"half a page", b"password", b"dashboard.html"):
        assert text not in body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:3001", 200),
        ("127.0.0.2", 200),
        ("[::1]:3001", 200),
        ("grid.example.org", 200),  # the name in GRID_FILES_URL
        ("evil.example.org", 421),
        ("127.0.0.1.evil.example.org", 421),
        ("10.0.0.1:3001", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_a_name_that_somebody_points_at_this_machine_is_not_answered(
    folder: Path, host: str, status: int
) -> None:
    with server.serving(Folder(folder), free_port(), ["grid.example.org"]) as url:
        answer = requests.get(f"{url}/dashboard.html", headers={"Host": host}, timeout=5)
        assert (answer.status_code, "the page" in answer.text) == (status, status == 200)


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    with server.serving(Folder(folder.parent / "link"), free_port()) as url:
        assert requests.get(f"{url}/dashboard.html", timeout=5).text == "the page"


def test_a_browser_that_leaves_in_the_middle_is_not_reported_on_the_terminal(
    address: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "dashboard.html").write_text("x" * 20_000_000, encoding="utf-8")
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(b"GET /dashboard.html HTTP/1.0\r\n\r\n")
        line.recv(10)
    assert requests.get(f"{address}/x", timeout=5).status_code == 404
    time.sleep(0.3)
    assert capfd.readouterr().err == ""


def test_nothing_can_be_written(address: str, folder: Path) -> None:
    for method in ("PUT", "POST", "DELETE"):
        answer = requests.request(method, f"{address}/dashboard.html", data="x", timeout=5)
        assert answer.status_code == 501
    assert (folder / "dashboard.html").read_text(encoding="utf-8") == "the page"


def test_it_takes_the_next_free_port_listens_on_this_machine_alone_and_ends(
    folder: Path,
) -> None:
    with taken_port() as port:
        with server.serving(Folder(folder), port) as url:
            assert url.startswith("http://127.0.0.1:")
            found = int(url.rpartition(":")[2])
            assert port < found < port + server.PORTS_TRIED
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.2", found), timeout=5)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", found), timeout=5)


def test_without_a_free_port_it_says_which_setting_helps(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PORTS_TRIED", 1)
    with (
        taken_port() as port,
        pytest.raises(server.FileServerError, match=f"{port} .*GRID_UI_PORT"),
        server.serving(Folder(folder), port),
    ):
        pass


def test_where_its_folder_cannot_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way", encoding="utf-8")
    with (
        pytest.raises(server.FileServerError, match="files, cannot be made: File exists"),
        server.serving(Folder(tmp_path / "files"), free_port()),
    ):
        pass
