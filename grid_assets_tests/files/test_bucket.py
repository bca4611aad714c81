"""Files in a bucket, on a real S3 server, and servers that fail."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests

from grid_assets.dashboard import mirror, server
from grid_assets.files import bucket
from grid_assets.files.places import BucketPlace
from grid_assets.files.store import Bucket, FilesError
from grid_assets_tests.files import s3 as servers
from grid_assets_tests.files.s3 import S3
from grid_assets_tests.forked import PROCESSES
from grid_assets_tests.http_stub import Reply, serving
from grid_assets_tests.running import free_port, wait_until

pytestmark = pytest.mark.slow

PLACE = BucketPlace("s3", servers.BUCKET, "files")
STORE = Bucket(PLACE)
NAMES = [f"v1/{n}.json" for n in range(20)]


def texts(version: str) -> dict[str, str]:
    return {name: json.dumps({"version": version, "of": name}) for name in NAMES}


def test_each_file_is_there_with_what_a_reader_needs(s3: S3) -> None:
    STORE.write({"dashboard.html": "<p>é", "v1/now.json": "{}", "v1/metrics.prom": "a 1\n"})
    assert s3.names() == {
        "files/dashboard.html",
        "files/v1/now.json",
        "files/v1/metrics.prom",
    }
    assert s3.text("files/dashboard.html") == "<p>é"
    headers = {
        name: (s3.head(f"files/{name}")["ContentType"], s3.head(f"files/{name}")["CacheControl"])
        for name in ("dashboard.html", "v1/now.json", "v1/metrics.prom")
    }
    assert headers == {
        "dashboard.html": ("text/html; charset=utf-8", "no-cache"),
        "v1/now.json": ("application/json", "public, max-age=60"),
        "v1/metrics.prom": ("text/plain; version=0.0.4; charset=utf-8", "public, max-age=60"),
    }


def test_a_store_may_be_the_bucket_itself(s3: S3) -> None:
    Bucket(BucketPlace("s3", servers.BUCKET)).write({"v1/now.json": "{}"}, ["v1/old.json"])
    assert s3.names() == {"v1/now.json"}


def test_only_what_differs_is_sent_and_what_is_gone_is_removed(s3: S3) -> None:
    STORE.write({"v1/schema/now.json": "same", "v1/now.json": "old", "v1/regions/1.json": "1"})
    s3.put("files/v1/mine.json", b"mine")
    before = s3.head("files/v1/schema/now.json")["ETag"]
    with spied(s3) as asked:
        STORE.write(
            {"v1/schema/now.json": "same", "v1/now.json": "new"},
            ["v1/regions/1.json", "v1/regions/2.json"],
        )
    assert sorted(asked) == [
        "DELETE /grid/files/v1/regions/1.json",
        "GET /grid",
        "PUT /grid/files/v1/now.json",
    ]
    assert s3.head("files/v1/schema/now.json")["ETag"] == before
    assert s3.text("files/v1/now.json") == "new"
    assert s3.names() == {
        "files/v1/now.json",
        "files/v1/schema/now.json",
        "files/v1/mine.json",
    }


class spied:
    """The requests that pass on their way to the server."""

    def __init__(self, s3: S3) -> None:
        self.s3, self.asked = s3, list[str]()

    def __enter__(self) -> list[str]:
        from werkzeug.serving import WSGIRequestHandler

        self.kind, self.logged = WSGIRequestHandler, WSGIRequestHandler.log_request

        def log(handler: WSGIRequestHandler, *answer: object) -> None:
            self.asked.append(f"{handler.command} {handler.path.partition('?')[0]}")

        self.kind.log_request = log  # type: ignore[assignment,method-assign]
        return self.asked

    def __exit__(self, *error: object) -> None:
        self.kind.log_request = self.logged  # type: ignore[method-assign]


def test_two_writers_at_once_leave_whole_files_of_one_or_the_other(s3: S3) -> None:
    versions = {version: texts(version) for version in ("a" * 5000, "b" * 5000)}
    writers = [
        threading.Thread(target=STORE.write, args=(version,)) for version in versions.values()
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for name in NAMES:
        assert s3.text(f"files/{name}") in [version[name] for version in versions.values()]


def test_a_writer_that_is_killed_leaves_files_that_can_be_read(s3: S3) -> None:
    for _ in range(2):
        s3.clear()
        process = PROCESSES.Process(target=write_without_end, args=(s3.url,), daemon=True)
        process.start()
        assert process.pid is not None
        wait_until(lambda: len(s3.names()) > 3, 60)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        for name in s3.names():
            assert json.loads(s3.text(name))["of"] == name.removeprefix("files/")
    STORE.write(texts("last"))
    assert {json.loads(s3.text(f"files/{name}"))["version"] for name in NAMES} == {"last"}


def write_without_end(url: str) -> None:
    os.environ.update(servers.variables(url))
    for round in range(10_000):
        STORE.write(texts(str(round) * 1000))


def said(raised: pytest.ExceptionInfo[FilesError]) -> str:
    """The message, if neither it nor its traceback repeats what a library said."""
    assert raised.value.__suppress_context__
    assert raised.value.__cause__ is None
    text = str(raised.value)
    assert servers.SECRET not in text
    assert servers.KEY not in text
    return text


def test_a_bucket_that_refuses_is_said_to(s3: S3) -> None:
    with s3.refusing():
        for ask in (lambda: STORE.write(texts("x")), STORE.check):
            with pytest.raises(
                FilesError, match=r"refused access \(InvalidAccessKeyId|refused access \(403"
            ) as raised:
                ask()
            assert "AWS_ACCESS_KEY_ID" in said(raised)
    assert s3.names() == set()
    STORE.write(texts("x"))
    STORE.check()


def test_a_bucket_that_may_be_written_but_not_listed_is_enough() -> None:
    denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    with serving() as stub, pytest.MonkeyPatch.context() as monkeypatch:
        stub.script = lambda path: Reply(denied, 403) if "list-type" in path else Reply(b"")
        servers.use(monkeypatch, stub.url)
        STORE.write({"v1/now.json": "{}"})
        with pytest.raises(FilesError, match="AccessDenied"):
            STORE.check()
    assert any(path.startswith("/grid/files/v1/now.json") for path in stub.paths)


def test_a_bucket_that_does_not_exist_is_said_to_be_missing(s3: S3) -> None:
    missing = Bucket(BucketPlace("s3", "no-such-bucket", "files"))
    for ask in (lambda: missing.write(texts("x")), missing.check):
        with pytest.raises(FilesError, match="there is no bucket no-such-bucket") as raised:
            ask()
        said(raised)


def test_a_folder_that_is_empty_is_no_fault(s3: S3) -> None:
    STORE.check()


def test_without_credentials_it_says_which_to_set(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(FilesError, match=r"no credentials.*AWS_SECRET_ACCESS_KEY"):
        STORE.write(texts("x"))


@pytest.mark.parametrize(
    ("address", "cause"),
    [("http://127.0.0.1:{}", "cannot be reached"), ("nonsense", "not usable")],
    ids=["nobody-there", "no-address"],
)
def test_a_wrong_endpoint_is_named(
    monkeypatch: pytest.MonkeyPatch, address: str, cause: str
) -> None:
    servers.use(monkeypatch, address.format(free_port()))
    with pytest.raises(FilesError, match=f"{cause}.*AWS_ENDPOINT_URL") as raised:
        STORE.write(texts("x"))
    said(raised)


def test_a_server_that_hangs_takes_some_seconds_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bucket, "WRITE_S", 1.0)
    monkeypatch.setattr(bucket, "ANSWER_S", 600.0)  # the limit of a single request
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        servers.use(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(FilesError, match="did not answer within 1 s") as raised:
            STORE.write(texts("x"))
        said(raised)
    assert time.monotonic() - started < 60


def test_a_server_that_fails_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as stub:
        servers.use(monkeypatch, stub.url)
        stub.replies(Reply(b"", 503), Reply(b""))
        STORE.write({"dashboard.html": "x"})
        assert len(stub.paths) == 2


# reading


@pytest.fixture
def reader() -> Iterator[bucket.Reader]:
    made = bucket.Reader(PLACE)
    yield made
    made.close()


def test_a_file_is_read_once_for_each_version(s3: S3, reader: bucket.Reader) -> None:
    s3.put("files/v1/now.json", b"one")
    first = reader.read("v1/now.json")
    assert first is not None
    assert first.content == b"one"
    assert isinstance(first.modified, datetime)
    assert reader.read("v1/now.json", first.version) is None
    s3.put("files/v1/now.json", b"two")
    second = reader.read("v1/now.json", first.version)
    assert second is not None
    assert second.content == b"two"
    for name in ("v1/none.json", "v1"):
        with pytest.raises(FileNotFoundError):
            reader.read(name)


# serving


@pytest.fixture
def address(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(mirror, "CHECK_S", 0.0)
    s3.put("files/dashboard.html", b"the page")
    s3.put("files/v1/now.json", b"{}")
    s3.put("files/secret", b"a password")
    s3.put("files/v1/secret.json", b"a password")
    with server.serving(STORE, free_port()) as url:
        yield url


def test_a_bucket_is_served_as_a_folder_is(address: str, s3: S3) -> None:
    page = requests.get(f"{address}/dashboard.html", timeout=30)
    assert (page.status_code, page.text) == (200, "the page")
    assert page.headers["Cache-Control"] == "no-cache"
    feed = requests.get(f"{address}/v1/now.json", timeout=30)
    assert feed.headers["Access-Control-Allow-Origin"] == "*"
    assert feed.headers["Content-Type"] == "application/json"
    since = {"If-Modified-Since": feed.headers["Last-Modified"]}
    again = requests.get(f"{address}/v1/now.json", headers=since, timeout=30)
    assert again.status_code == 304
    s3.put("files/dashboard.html", b"the next page")
    assert requests.get(f"{address}/dashboard.html", timeout=30).text == "the next page"
    s3.remove("files/v1/now.json")
    assert requests.get(f"{address}/v1/now.json", timeout=30).status_code == 404


@pytest.mark.parametrize("path", ["/", "/secret", "/v1/secret.json", "/v1/", "/v1/..%2fsecret"])
def test_only_what_the_product_writes_is_served(address: str, path: str) -> None:
    answer = requests.get(f"{address}{path}", timeout=30)
    assert answer.status_code == 404
    assert "password" not in answer.text


def test_while_the_bucket_refuses_the_last_copy_is_served(address: str, s3: S3) -> None:
    assert requests.get(f"{address}/dashboard.html", timeout=30).text == "the page"
    with s3.refusing():
        assert requests.get(f"{address}/dashboard.html", timeout=30).text == "the page"
        assert requests.get(f"{address}/v1/now.json", timeout=30).status_code == 503
        assert requests.get(f"{address}{server.HEALTH}", timeout=30).status_code == 204
    assert requests.get(f"{address}/v1/now.json", timeout=30).status_code == 200


def test_however_many_readers_a_bucket_is_asked_once(
    s3: S3, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests.get(f"{address}/dashboard.html", timeout=30)
    monkeypatch.setattr(mirror, "CHECK_S", 3600.0)
    with spied(s3) as asked:
        for _ in range(3):
            assert requests.get(f"{address}/dashboard.html", timeout=30).status_code == 200
    assert asked == []


def test_digests_are_those_of_the_store(s3: S3) -> None:
    s3.put("files/v1/a.json", b"a")
    digest = hashlib.md5(b"a", usedforsecurity=False).hexdigest()
    assert bucket.list_folder(PLACE / "v1", 30) == {"a.json": (1, f'"{digest}"')}


def test_files_are_copied_to_a_folder(s3: S3, tmp_path: Path) -> None:
    s3.put("files/a.json", b"a")
    bucket.download(PLACE, ["a.json"], tmp_path, 30)
    assert (tmp_path / "a.json").read_bytes() == b"a"
