"""Which places an address can name."""

from __future__ import annotations

from pathlib import Path

import pytest

from grid_assets.files.places import STORES, AddressError, BucketPlace, parse
from grid_assets.files.store import Bucket, FilesError, Folder, demo_address, fault_of, open_store

HOME = Path("/srv/home")


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("/srv/files", "/srv/files"),
        (" /srv/files\n", "/srv/files"),
        ("file:///srv/files", "/srv/files"),
        ("FILE:///srv/my%20files", "/srv/my files"),
        ("file://localhost/srv", "/srv"),
    ],
)
def test_a_folder_has_two_forms(address: str, folder: str) -> None:
    assert parse(address) == Path(folder)


def test_a_home_folder_is_found() -> None:
    assert parse("~/files") == Path.home() / "files"


@pytest.mark.parametrize(
    ("address", "place", "shown"),
    [
        ("s3://grid", BucketPlace("s3", "grid"), "s3://grid"),
        ("s3://grid/", BucketPlace("s3", "grid"), "s3://grid"),
        ("S3://grid//a/b/", BucketPlace("s3", "grid", "a/b"), "s3://grid/a/b"),
        ("s3a://grid/a", BucketPlace("s3", "grid", "a"), "s3://grid/a"),
        ("gs://grid.example.org/a", BucketPlace("gs", "grid.example.org", "a"), None),
        ("gcs://grid/a", BucketPlace("gs", "grid", "a"), "gs://grid/a"),
    ],
)
def test_a_bucket_has_a_name_and_perhaps_a_folder(
    address: str, place: BucketPlace, shown: str | None
) -> None:
    assert parse(address) == place
    assert str(place) == (shown or address)
    assert parse(str(place / "v1")) == place / "v1"


@pytest.mark.parametrize(
    "address",
    [
        "files",
        "./files",
        "s3:/grid/a",
        "s3:grid",
        "s4://grid/a",
        "http://s3.example.org/grid",
        "sftp://host/files",
        "memory://grid",
        "simplecache::s3://grid/a",
        "s3://",
        "s3:///a",
        "s3://a",
        "s3://grid/../other",
        "s3://grid/a?versionId=1",
        "s3://grid/a b",
        "s3://gr!d/a",
        "file://srv/files",
        "~nobody-of-this-name/files",
        "/srv/\0",
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        parse(address)
    assert "GRID_FILES_STORE" in str(fault_of(address, HOME))


@pytest.mark.parametrize("address", ["s3://key:hush@grid/a", "gs://hush@grid", "s4://me:hush@grid"])
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    fault = fault_of(address, HOME)
    assert fault is not None
    assert "hush" not in fault


def test_without_an_address_files_are_in_the_home() -> None:
    assert open_store(None, HOME) == Folder(HOME / "files")
    assert open_store("/srv/files", HOME) == Folder(Path("/srv/files"))
    assert open_store("s3://grid/a", HOME) == Bucket(BucketPlace("s3", "grid", "a"))


@pytest.mark.parametrize("protocol", STORES)
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = STORES[protocol]
    monkeypatch.setattr("grid_assets.files.places.find_spec", lambda name: None)
    with pytest.raises(FilesError, match=rf"{store.library}.*grid-assets\[{store.extra}\]"):
        open_store(f"{protocol}://grid", HOME)


def test_recorded_files_have_a_folder_of_their_own() -> None:
    assert demo_address(None) is None
    assert demo_address("/srv/files") == "/srv/files/demo"
    assert demo_address("s3://grid/a") == "s3://grid/a/demo"
    assert demo_address("s4://grid") == "s4://grid"  # it is reported as it was set
