"""Files in a bucket, by fsspec's file systems: all code that needs s3fs or gcsfs.

An object store shows a file only when all of it has arrived, so each is whole. Every call has a
time limit: it runs in fsspec's thread, and what is not done in time is cancelled.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from fsspec.asyn import AsyncFileSystem, get_loop

from grid_assets.files.headers import caching, content_type, is_feed
from grid_assets.files.places import BucketPlace
from grid_assets.files.refusals import explain
from grid_assets.files.store import FilesError

WRITE_S: Final = 15.0
"""Seconds for all feeds, or for the page: 0.5 MB. Only a bucket that hangs needs them."""

READ_S: Final = 8.0
"""Seconds for one file: less than a browser waits."""

CONNECT_S: Final = 4.0
ANSWER_S: Final = 6.0
TRIES: Final = 3
"""For one request; two that get no answer fit into WRITE_S."""

AT_ONCE: Final = 8
"""Requests at a time: a bucket answers in some 50 ms, and there are thirty files."""

T = TypeVar("T")
Info = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a bucket. The version changes with the content."""

    content: bytes
    modified: datetime
    version: str


def write(place: BucketPlace, texts: Mapping[str, str], gone: Collection[str]) -> None:
    """Replace each file whose content differs, and remove those that are gone. Raises
    `FilesError`; then some files may be new, and each is whole."""
    contents = {name: text.encode() for name, text in texts.items()}

    async def work() -> None:
        async with _opened(place) as files:
            held = await _held(files, place, {*contents, *gone})
            removed = [name for name in gone if held is None or name in held]
            limit = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for name, content in contents.items():
                    if not _is_same((held or {}).get(name), content):
                        group.create_task(_put(files, place, name, content, limit))
                for name in removed:
                    group.create_task(_remove(files, place, name, limit))

    within(WRITE_S, place, work)


def check(place: BucketPlace) -> None:
    """Raise `FilesError` unless the bucket lists its folder."""

    async def work() -> None:
        async with _opened(place) as files:
            await _entries(files, place)

    within(READ_S, place, work)


def list_folder(place: BucketPlace, seconds: float) -> dict[str, tuple[int, str]]:
    """Size and version of each file of a folder, not of those below it. Raises `FilesError`."""

    async def work() -> dict[str, tuple[int, str]]:
        async with _opened(place) as files:
            found = await _entries(files, place)
        return {
            info["name"].rpartition("/")[2]: (info["size"], _version(info))
            for info in found
            if info["type"] == "file"
        }

    return within(seconds, place, work)


def download(place: BucketPlace, names: Collection[str], folder: Path, seconds: float) -> None:
    """Copy some files of a folder. Raises `FilesError`."""

    async def work() -> None:
        async with _opened(place) as files, asyncio.TaskGroup() as group:
            for name in names:
                path, file = (place / name).path, str(folder / name)
                group.create_task(files._get_file(path, file))

    within(seconds, place, work)


class Reader:
    """Reads files of a bucket over a connection that is kept; for any number of threads."""

    def __init__(self, place: BucketPlace) -> None:
        self._place = place
        self._opened = AsyncExitStack()
        self._files: AsyncFileSystem | None = None
        self._lock = asyncio.Lock()

    def read(self, name: str, known: str | None = None) -> Found | None:
        """A file; None if it has the version that is known. Raises FileNotFoundError, and
        `FilesError` if the bucket does not answer."""

        async def work() -> Found | FileNotFoundError | None:
            files = await self._connected()
            path = (self._place / name).path
            try:
                info = await files._info(path)
                if info["type"] != "file":
                    return FileNotFoundError(name)
                version = _version(info)
                if version == known:
                    return None
                # It may be replaced in between: then a reader asks once more than it need.
                content = await files._cat_file(path)
                modified = info.get("LastModified") or info["mtime"]
                return Found(content, modified, version)
            except FileNotFoundError as error:
                return error

        found = within(READ_S, self._place, work)
        if isinstance(found, FileNotFoundError):
            raise FileNotFoundError(name)
        return found

    async def _connected(self) -> AsyncFileSystem:
        async with self._lock:
            if self._files is None:
                self._files = await self._opened.enter_async_context(_opened(self._place))
            return self._files

    def close(self) -> None:
        within(READ_S, self._place, self._opened.aclose)


def within(seconds: float, place: BucketPlace, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do some work with a bucket in fsspec's thread, and cancel it if it takes too long.

    Raises `FilesError` for what goes wrong. Its traceback ends here: those of libraries, and their
    messages, can hold an address with a password.
    """
    future = asyncio.run_coroutine_threadsafe(work(), get_loop())
    try:
        return future.result(seconds)
    except Exception as error:
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise FilesError(explain(first, place, seconds)) from None
    finally:
        future.cancel()


async def _entries(files: AsyncFileSystem, place: BucketPlace) -> list[Info]:
    """What is in a folder; nothing if there is none. Raises FileNotFoundError without a bucket."""
    try:
        return list(await files._ls(f"{place.path}/", detail=True))
    except FileNotFoundError:
        if not await files._exists(place.bucket):
            raise
        return []


async def _put(
    files: AsyncFileSystem, place: BucketPlace, name: str, content: bytes, limit: asyncio.Semaphore
) -> None:
    kind, kept = content_type(name), caching(is_feed=is_feed(name))
    metadata: dict[str, Any] = {"ContentType": kind, "CacheControl": kept}
    if place.protocol == "gs":
        metadata = {"content_type": kind, "fixed_key_metadata": {"cache_control": kept}}
    async with limit:
        await files._pipe_file((place / name).path, content, **metadata)


async def _remove(
    files: AsyncFileSystem, place: BucketPlace, name: str, limit: asyncio.Semaphore
) -> None:
    async with limit:
        with suppress(FileNotFoundError):
            await files._rm_file((place / name).path)


async def _held(
    files: AsyncFileSystem, place: BucketPlace, names: Collection[str]
) -> dict[str, Info] | None:
    """What the bucket says of the files in the folders of some names; None if it may not be listed.

    Files of the place itself are not looked at: it may be a bucket with a million others.
    """
    held: dict[str, Info] = {}
    try:
        for folder in {name.partition("/")[0] for name in names if "/" in name}:
            found = await files._find((place / folder).path, detail=True)
            held |= {path.removeprefix(f"{place.path}/"): info for path, info in found.items()}
    except PermissionError:
        return None
    except FileNotFoundError:
        pass
    return held


def _version(info: Info) -> str:
    return str(info.get("ETag") or info.get("etag"))


def _is_same(info: Info | None, content: bytes) -> bool:
    """Whether a file has this content, by its digest. Where a bucket keeps no MD5, as with keys of
    KMS, every file counts as changed."""
    if info is None:
        return False
    digest = hashlib.md5(content, usedforsecurity=False)
    return (
        str(info.get("ETag", "")).strip('"') == digest.hexdigest()
        or info.get("md5Hash") == base64.b64encode(digest.digest()).decode()
    )


@asynccontextmanager
async def _opened(place: BucketPlace) -> AsyncIterator[AsyncFileSystem]:
    """The file system of a bucket, with the credentials that the environment gives now."""
    options = {"asynchronous": True, "skip_instance_cache": True, "use_listings_cache": False}
    if place.protocol == "gs":
        from gcsfs.core import GCSFileSystem  # not the one that asks for the type of the bucket

        files = GCSFileSystem(**options, requests_timeout=ANSWER_S)
        session = await files._set_session()
    else:
        from s3fs import S3FileSystem

        files = S3FileSystem(
            **options,
            config_kwargs={
                "connect_timeout": CONNECT_S,
                "read_timeout": ANSWER_S,
                "retries": {"mode": "standard", "total_max_attempts": TRIES},
            },
        )
        files.retries = 1  # botocore has tried again already
        session = await files.set_session()
    try:
        yield files
    finally:
        await session.close()
