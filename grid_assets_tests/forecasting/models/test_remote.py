"""A checkpoint in a bucket: copied once, whole, and used while the bucket is away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grid_assets.files import bucket
from grid_assets.files.places import BucketPlace
from grid_assets.forecasting.models import registry, remote
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets_tests.files import s3 as servers
from grid_assets_tests.files.s3 import S3
from grid_assets_tests.running import free_port

s3, s3_server = servers.s3, servers.s3_server

pytestmark = pytest.mark.slow

PLACE = BucketPlace("s3", servers.BUCKET, "models/tiny")
SOURCE = str(PLACE)
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def uploaded(s3: S3) -> dict[str, bytes]:
    """Files of the form of a checkpoint, and others that are none of it."""
    files = {"config.json": b'{"a": 1}', "model.safetensors": b"weights" * 1000, "grid.json": b"{}"}
    for name, content in files.items():
        s3.put(f"models/tiny/{name}", content)
    s3.put("models/tiny/README.md", b"read me")
    s3.put("models/tiny/older/config.json", b"{}")
    return files


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def parts(home: Path) -> list[Path]:
    return list(home.rglob(".part-*"))


def test_a_checkpoint_in_a_bucket_forecasts_under_the_name_of_its_folder(
    s3: S3,
) -> None:
    for file in registry.SHIPPED.iterdir():
        s3.put(f"models/tiny/{file.name}", file.read_bytes())
    for source in (SOURCE, f"{SOURCE}/"):
        loaded = registry.load(source, LIMIT_S)
        assert loaded.reason is None
        assert loaded.info.model == registry.configured_name(source) == "chronos:tiny"
        assert loaded.info.source == source
    assert registry.load_exactly(SOURCE, LIMIT_S).info.model == "chronos:tiny"


def test_a_file_url_is_a_folder() -> None:
    source = registry.SHIPPED.as_uri()
    loaded = registry.load(source, LIMIT_S)
    assert loaded.reason is None
    assert loaded.info.model == registry.configured_name(source)


def test_it_is_copied_once(
    uploaded: dict[str, bytes], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = remote.fetch(PLACE, LIMIT_S)
    assert contents(folder) == uploaded
    assert folder.is_relative_to(home)
    monkeypatch.setattr(bucket, "download", None)
    assert remote.fetch(PLACE, LIMIT_S) == folder
    assert parts(home) == []


def test_a_new_version_is_copied_beside_and_the_oldest_goes(
    s3: S3, uploaded: dict[str, bytes]
) -> None:
    copies = [remote.fetch(PLACE, LIMIT_S)]
    for version in (b"two", b"three"):
        s3.put("models/tiny/model.safetensors", version)
        copies.append(remote.fetch(PLACE, LIMIT_S))
        assert contents(copies[-1])["model.safetensors"] == version
    assert [copy.is_dir() for copy in copies] == [False, True, True]


def test_while_the_bucket_is_away_the_last_copy_is_used(
    s3: S3, uploaded: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = remote.fetch(PLACE, LIMIT_S)
    with s3.refusing():
        assert remote.fetch(PLACE, LIMIT_S) == folder
    servers.use(monkeypatch, f"http://127.0.0.1:{free_port()}")
    assert remote.fetch(PLACE, LIMIT_S) == folder


def test_without_a_copy_the_bundled_checkpoint_forecasts_and_says_why(s3: S3) -> None:
    with s3.refusing():
        loaded = registry.load(SOURCE, LIMIT_S)
    assert loaded.info.source == registry.SHIPPED_SOURCE
    assert "refused access" in str(loaded.reason)
    assert servers.SECRET not in str(loaded.reason)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("s3://grid", "names no folder"),
        ("s3://grid/models/none", "has no files of a checkpoint"),
        ("s3://no-such-bucket/tiny", "there is no bucket"),
        ("ftp://grid/tiny", "it must be"),
        ("s3://key:hush@grid/tiny", "must not hold credentials"),
    ],
)
def test_what_cannot_be_fetched_is_said(s3: S3, source: str, cause: str) -> None:
    with pytest.raises(ModelUnusable, match=cause) as raised:
        registry.load_exactly(source, LIMIT_S)
    assert "hush" not in str(raised.value)


def test_a_checkpoint_that_changes_while_it_is_copied_is_not_used(
    s3: S3, uploaded: dict[str, bytes], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = bucket.download

    def changing(*arguments: object) -> None:
        download(*arguments)  # type: ignore[arg-type]
        s3.put("models/tiny/config.json", b'{"a": 2}')

    monkeypatch.setattr(bucket, "download", changing)
    with pytest.raises(ModelUnusable, match="was changed while it was copied"):
        remote.fetch(PLACE, LIMIT_S)
    monkeypatch.setattr(bucket, "download", download)
    assert contents(remote.fetch(PLACE, LIMIT_S))["config.json"] == b'{"a": 2}'
    assert parts(home) == []


def test_two_that_copy_at_once_do_not_disturb_each_other(
    uploaded: dict[str, bytes], home: Path
) -> None:
    found: list[Path] = []
    readers = [
        threading.Thread(target=lambda: found.append(remote.fetch(PLACE, LIMIT_S)))
        for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert contents(found[0]) == uploaded
    assert parts(home) == []


COPY_AND_STOP = f"""
import signal
from grid_assets.files import bucket
from grid_assets.forecasting.models import remote
download = bucket.download
def stopping(place, names, folder, seconds):
    download(place, names[:-1], folder, seconds)
    print("stopped", flush=True)
    signal.pause()
bucket.download = stopping
remote.fetch(remote.place_of("{SOURCE}"), {LIMIT_S})
"""


def test_a_copy_that_is_killed_leaves_nothing_that_counts(
    s3: S3, uploaded: dict[str, bytes], home: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", COPY_AND_STOP], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"stopped\n"
        process.kill()
    [part] = parts(home)
    assert len(contents(part)) == len(uploaded) - 1
    with s3.refusing(), pytest.raises(ModelUnusable):
        remote.fetch(PLACE, LIMIT_S)
    assert contents(remote.fetch(PLACE, LIMIT_S)) == uploaded
    assert part.exists()  # it could be that of a process that still runs
    os.utime(part, (0, 0))
    s3.put("models/tiny/grid.json", json.dumps({"name": "b"}).encode())
    remote.fetch(PLACE, LIMIT_S)
    assert parts(home) == []


def test_a_cache_that_cannot_be_written_is_said(uploaded: dict[str, bytes], home: Path) -> None:
    home.mkdir()
    (home / "cache").write_text("in the way")
    with pytest.raises(ModelUnusable, match=r"checkpoints.*cannot be written"):
        remote.fetch(PLACE, LIMIT_S)
    shutil.rmtree(home)
