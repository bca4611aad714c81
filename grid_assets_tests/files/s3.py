"""A real HTTP server that speaks S3 (moto), in this process, and what tests ask it directly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3  # type: ignore[import-untyped]
import pytest
import requests
from moto.server import ThreadedMotoServer

BUCKET: Final = "grid"
KEY: Final = "AKIAEXAMPLE"
SECRET: Final = "not/shown+anywhere"

OPEN: Final = "1000000000"
"""Requests that are let in before keys are looked at."""


@dataclass(frozen=True)
class S3:
    """The server, with a bucket."""

    url: str

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def names(self) -> set[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {one["Key"] for one in found}

    def text(self, name: str) -> str:
        content = self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return str(content.decode())

    def head(self, name: str) -> dict[str, Any]:
        return dict(self.client.head_object(Bucket=BUCKET, Key=name))

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=name)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse every request: no key is known."""
        self._let_in("0")
        try:
            yield
        finally:
            self._let_in(OPEN)

    def _let_in(self, count: str) -> None:
        requests.post(f"{self.url}/moto-api/reset-auth", data=count, timeout=10).raise_for_status()

    def clear(self) -> None:
        """Begin with an empty bucket."""
        requests.post(f"{self.url}/moto-api/reset", timeout=10).raise_for_status()
        self.client.create_bucket(Bucket=BUCKET)


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Point this process at a server, with keys, whatever the user who runs it has."""
    for name, value in variables(url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def variables(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def running() -> Iterator[S3]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with running() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The server with an empty bucket, for this process too."""
    s3_server.clear()
    use(monkeypatch, s3_server.url)
    return s3_server
