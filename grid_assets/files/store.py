"""The store that `GRID_FILES_STORE` names, and how the page and the feeds get into it.

A reader sees each file whole, old or new. What is written together is not replaced together: two
files may be of two cycles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grid_assets.files.places import AddressError, BucketPlace, Place, parse
from grid_assets.output import files_folder, write_whole

SETTING: Final = "GRID_FILES_STORE"

DEMO: Final = "demo"
"""The folder of the demo's files in the store, so that recorded data never replace live ones."""


class FilesError(Exception):
    """The store cannot be used; the message names cause and cure, but no secret."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, or of a disk that machines share."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def file(self, name: str) -> str:
        """The address of a file."""
        return (self.folder / name).as_uri()

    def write(self, texts: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Replace each file by its text, and remove those that are gone."""
        for name, text in texts.items():
            write_whole(self.folder / name, text)
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder of a bucket."""

    place: BucketPlace

    def __str__(self) -> str:
        return str(self.place)

    def file(self, name: str) -> str:
        return str(self.place / name)

    def write(self, texts: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """As for a folder. Takes some seconds at most; raises `FilesError`."""
        from grid_assets.files import bucket

        bucket.write(self.place, texts, gone)

    def check(self) -> None:
        """Raise `FilesError` unless the bucket answers. Changes nothing."""
        from grid_assets.files import bucket

        bucket.check(self.place)


Store = Folder | Bucket


def open_store(address: str | None, home: Path) -> Store:
    """The store of an address; `GRID_HOME/files` for none. Raises `FilesError`. Asks nothing."""
    if address is None:
        return Folder(files_folder(home))
    place = _parse(address)
    if isinstance(place, Path):
        return Folder(place)
    if missing := place.missing_library():
        raise FilesError(f"{SETTING} cannot be used: {missing}.")
    return Bucket(place)


def _parse(address: str) -> Place:
    try:
        return parse(address)
    except AddressError as error:
        raise FilesError(f"{SETTING} cannot be used: {error}.") from None


def fault_of(address: str | None, home: Path) -> str | None:
    """Why the setting cannot be used, without asking the store; None if it can be."""
    try:
        open_store(address, home)
    except FilesError as error:
        return str(error)
    return None


def demo_address(address: str | None) -> str | None:
    """Where the demo's files go; an address that cannot be used stays, to be reported."""
    if address is None:
        return None
    try:
        return str(_parse(address) / DEMO)
    except FilesError:
        return address
