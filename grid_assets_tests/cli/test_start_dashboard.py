"""`grid start dashboard`, and where other commands say that files go."""

from __future__ import annotations

import signal
from pathlib import Path

import requests

from grid_assets_tests.files import s3 as servers
from grid_assets_tests.files.s3 import S3
from grid_assets_tests.reading import one_sentence
from grid_assets_tests.running import GridCommand, free_port, taken_port

s3, s3_server = servers.s3, servers.s3_server


def test_it_serves_a_folder_under_every_name_until_a_signal(
    grid: GridCommand, tmp_path: Path
) -> None:
    (tmp_path / "dashboard.html").write_text("the page", encoding="utf-8")
    port = free_port()
    started = grid.start(
        "start", "dashboard", "--host", "0.0.0.0", "--port", str(port),
        GRID_FILES_STORE=tmp_path.as_uri(),
    )  # fmt: skip
    started.says("health")
    url = f"http://127.0.0.1:{port}"
    for path, status in (("dashboard.html", 200), ("healthz", 204), ("v1/now.json", 404)):
        answer = requests.get(f"{url}/{path}", headers={"Host": "grid.svc:80"}, timeout=30)
        assert answer.status_code == status
    assert started.ends(signal.SIGTERM) == 0


def test_it_serves_a_bucket_on_this_machine_alone_by_default(grid: GridCommand, s3: S3) -> None:
    s3.put("files/dashboard.html", b"the page")
    port = free_port()
    started = grid.start(
        "start", "dashboard", "--port", str(port), GRID_FILES_STORE="s3://grid/files"
    )
    started.says("health")
    url = f"http://127.0.0.1:{port}/dashboard.html"
    assert requests.get(url, timeout=30).text == "the page"
    assert requests.get(url, headers={"Host": "grid.svc:80"}, timeout=30).status_code == 421
    assert started.ends(signal.SIGTERM) == 0


def test_a_port_that_is_taken_and_a_store_that_cannot_be_used_end_it(
    grid: GridCommand, tmp_path: Path
) -> None:
    with taken_port() as port:
        ran = grid.run("start", "dashboard", "--port", str(port), code=1)
    said = one_sentence(ran.err)
    assert str(port) in said
    assert "--port" in said
    ran = grid.run("start", "dashboard", code=1, GRID_FILES_STORE="s4://grid")
    assert "GRID_FILES_STORE" in ran.err


def test_status_and_doctor_say_where_files_go(recorded: GridCommand, s3: S3) -> None:
    recorded.environment["GRID_FILES_STORE"] = "s3://grid/files"
    assert line_of_status(recorded).endswith(" s3://grid/files")
    assert line_of_doctor(recorded).startswith("ok")
    recorded.environment["GRID_FILES_STORE"] = "s3://no-such-bucket"
    assert line_of_doctor(recorded).startswith("MEND")


def test_an_address_with_a_typo_is_said_at_the_start_and_does_not_stop_telemetry(
    recorded: GridCommand,
) -> None:
    recorded.environment["GRID_FILES_STORE"] = "s4://grid"
    cause = "GRID_FILES_STORE cannot be used"
    assert cause in recorded.run("tick", "--telemetry-only").text
    assert cause in line_of_status(recorded)
    assert line_of_doctor(recorded).startswith("MEND")


def line_of_status(grid: GridCommand) -> str:
    lines = grid.run("status", code=None).out.splitlines()
    [line] = [line for line in lines if line.startswith("files  ")]
    return line


def line_of_doctor(grid: GridCommand) -> str:
    lines = grid.run("doctor", code=None).out.splitlines()
    [line] = [line for line in lines if line[6:].startswith("files ")]
    return line
