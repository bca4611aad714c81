"""The places that an address names: a folder of this machine, or a bucket. Pure.

Only stores that replace a file at once are taken: by SFTP or SMB, a reader would see half a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

FORMS: Final = "an absolute folder, file:///folder, s3://bucket/folder or gs://bucket/folder"


@dataclass(frozen=True, slots=True)
class _Store:
    """A kind of object store, with the words for its errors."""

    library: str
    extra: str
    credentials: str
    endpoint: str


STORES: Final = {
    "s3": _Store(
        library="s3fs",
        extra="s3",
        credentials="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        endpoint="AWS_ENDPOINT_URL",
    ),
    "gs": _Store(
        library="gcsfs",
        extra="gcs",
        credentials="GOOGLE_APPLICATION_CREDENTIALS",
        endpoint="STORAGE_EMULATOR_HOST",
    ),
}
_OTHER_NAMES: Final = {"s3a": "s3", "gcs": "gs"}

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")


class AddressError(ValueError):
    """An address names no place; the message says why, and repeats no secret."""


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A folder of a bucket; the folder is empty for the bucket itself."""

    protocol: str
    bucket: str
    folder: str = ""

    @property
    def path(self) -> str:
        """Bucket and folder, as fsspec names them."""
        return f"{self.bucket}/{self.folder}" if self.folder else self.bucket

    @property
    def name(self) -> str:
        """The last part, for people."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.protocol}://{self.path}"

    def __truediv__(self, name: str) -> BucketPlace:
        folder = f"{self.folder}/{name}" if self.folder else name
        return BucketPlace(self.protocol, self.bucket, folder)

    @property
    def store(self) -> _Store:
        return STORES[self.protocol]

    def missing_library(self) -> str | None:
        """What to install before the place can be used; None if nothing."""
        store = self.store
        if find_spec(store.library) is not None:
            return None
        return f"{self.protocol}:// needs {store.library}: pip install 'grid-assets[{store.extra}]'"


Place = Path | BucketPlace


def parse(address: str) -> Place:
    """The place that an address names. Raises `AddressError`."""
    address = address.strip()
    scheme = _SCHEME.match(address)
    if scheme is None:
        return _folder(address)
    name = scheme[1].lower()
    protocol = _OTHER_NAMES.get(name, name)
    if not address[len(scheme[0]) :].startswith("/") or (
        protocol not in STORES and protocol != "file"
    ):
        raise AddressError(f"{scheme[1]}: is not supported; it must be {FORMS}")
    return _local(address) if protocol == "file" else _bucket(protocol, address)


def _folder(text: str) -> Path:
    try:
        folder = Path(text).expanduser()
    except RuntimeError as error:
        raise AddressError(f"it cannot be read: {error}") from None
    if not folder.is_absolute() or "\0" in text:
        raise AddressError(f"it must be {FORMS}")
    return folder


def _local(address: str) -> Path:
    parts = urlsplit(address)
    if parts.netloc not in ("", "localhost"):
        raise AddressError("a folder needs three slashes: file:///folder")
    return _folder(unquote(parts.path))


def _bucket(protocol: str, address: str) -> BucketPlace:
    rest = address.partition("://")[2]
    if "@" in rest.partition("/")[0]:  # its end would be taken for the bucket, and be shown
        raise AddressError(
            "it must not hold credentials; they come from the environment "
            f"({STORES[protocol].credentials})"
        )
    bucket, _, folder = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise AddressError(f"after {protocol}:// there must be the name of a bucket")
    parts = [part for part in folder.split("/") if part]
    if {".", ".."} & set(parts) or re.search(r"[?#\s\0]|::", folder):
        raise AddressError("the folder must be without . and .. parts, spaces, ?, # and ::")
    return BucketPlace(protocol, bucket, "/".join(parts))
