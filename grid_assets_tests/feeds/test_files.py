"""The files of the feeds are replaced whole: no reader sees a part, and none is left behind."""

from __future__ import annotations

import copy
import json
import threading
import time
from pathlib import Path
from typing import Final

import pytest

from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document
from grid_assets.feeds.write import write
from grid_assets.files.store import Folder
from grid_assets_tests.feeds.conftest import Filled
from grid_assets_tests.forked import PROCESSES
from grid_assets_tests.running import wait_until

ROUNDS: Final = 15


def files(folder: Path) -> set[str]:
    """The names below the version's folder, but not the hidden ones of what is being written."""
    found = folder.joinpath("v1").rglob("*")
    return {
        str(file.relative_to(folder / "v1"))
        for file in found
        if file.is_file() and not file.name.startswith(".")
    }


def test_all_of_them_are_there_as_made_with_schemas_and_metrics(
    filled: Filled, tmp_path: Path
) -> None:
    size = write(Folder(tmp_path), filled.made)
    schema = {f"schema/{name}": content for name, content in schemas().items()}
    assert files(tmp_path) == {*filled.made, *schema, "metrics.prom"}
    for name, content in {**filled.made, **schema}.items():
        text = (tmp_path / "v1" / name).read_text(encoding="utf-8")
        assert json.loads(text) == json.loads(json.dumps(content))
    assert size == sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())


def test_files_of_regions_are_removed_when_there_are_no_regions(
    filled: Filled, tmp_path: Path
) -> None:
    write(Folder(tmp_path), filled.made)
    kept = ("now.json", "forecast.json", "greenest.json", "accuracy.json")
    other = tmp_path / "v1" / "regions" / "mine.json"
    other.write_text("{}", encoding="utf-8")
    write(Folder(tmp_path), {name: filled.made[name] for name in kept})
    assert files(tmp_path) == {
        *(*kept, "metrics.prom", "regions/mine.json"),
        *(f"schema/{name}" for name in schemas()),
    }


def test_a_reader_never_sees_a_part(filled: Filled, tmp_path: Path) -> None:
    """Two versions take turns while another thread reads; what it reads is one of them."""
    versions = [filled.made, copy.deepcopy(filled.made)]
    for document in versions[1].values():
        document["generated_at"] = "2000-01-01T00:00:00Z"
    write(Folder(tmp_path), versions[0])
    known = {
        name: [json.loads(json.dumps(version[name])) for version in versions]
        for name in ("now.json", "regions/13.json", "forecast.json")
    }
    has_ended = threading.Event()
    seen: set[int] = set()
    faults: list[tuple[str, str]] = []

    def poll() -> None:
        while not has_ended.is_set():
            for name, either in known.items():
                text = (tmp_path / "v1" / name).read_text(encoding="utf-8")
                try:
                    seen.add(either.index(json.loads(text)))
                except ValueError:  # neither of them, or JSON that ends too early
                    faults.append((name, text[-40:]))

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        rounds, ends = 0, time.monotonic() + 60
        while (rounds < ROUNDS or len(seen) < 2) and not faults and time.monotonic() < ends:
            write(Folder(tmp_path), versions[rounds % 2])
            rounds += 1
    finally:
        has_ended.set()
        reader.join()
    assert faults == []
    assert seen == {0, 1}


def test_a_process_that_is_killed_leaves_whole_files(filled: Filled, tmp_path: Path) -> None:
    last = tmp_path / "v1" / "schema" / "region.json"
    for _ in range(2):
        process = PROCESSES.Process(
            target=_write_without_end, args=(tmp_path, filled.made), daemon=True
        )
        process.start()
        wait_until(last.exists, 60)
        process.kill()
        process.join()
        last.unlink(missing_ok=True)
        assert files(tmp_path) >= {*filled.made, "metrics.prom"}
        for name in files(tmp_path) - {"metrics.prom"}:
            json.loads((tmp_path / "v1" / name).read_text(encoding="utf-8"))


def _write_without_end(folder: Path, made: dict[str, Document]) -> None:
    while True:
        write(Folder(folder), made)


def test_a_number_that_json_does_not_have_leaves_the_old_files(
    filled: Filled, tmp_path: Path
) -> None:
    write(Folder(tmp_path), filled.made)
    before = (tmp_path / "v1" / "now.json").read_bytes()
    broken = copy.deepcopy(filled.made)
    broken["now.json"]["generated_at"] = "2000-01-01T00:00:00Z"
    broken["regions/18.json"]["now"]["value"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        write(Folder(tmp_path), broken)
    assert (tmp_path / "v1" / "now.json").read_bytes() == before
