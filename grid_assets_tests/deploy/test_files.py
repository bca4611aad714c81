"""`Dockerfile`, `compose.yaml` and what is beside them: valid, closed to the outside, without
secrets. Nothing here builds an image."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from grid_assets.settings import PROJECT_DIR, Settings
from grid_assets_tests.deploy import chart
from grid_assets_tests.deploy.composed import PASSWORD, NotSet, merged

HADOLINT = Path(sys.executable).parent / "hadolint"
DOCKERFILE = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = merged("compose.yaml", POSTGRES_PASSWORD=PASSWORD)
DEMO = merged("compose.yaml", "compose.demo.yaml", POSTGRES_PASSWORD=PASSWORD)


@pytest.mark.slow
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    linted = subprocess.run(
        [str(HADOLINT), "Dockerfile"], cwd=PROJECT_DIR, capture_output=True, text=True
    )
    assert linted.stdout + linted.stderr == ""


def test_every_stage_that_is_used_ends_without_root() -> None:
    users = [line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("USER ")]
    assert users[-1] == "10001:10001"
    assert users.index("10001:10001") == 0
    assert DOCKERFILE.rstrip().splitlines()[-1].startswith("COPY --from=build-full")


def test_the_build_context_has_what_the_wheel_is_built_from_and_nothing_else() -> None:
    lines = (PROJECT_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        name
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    assert let_in == copied
    with (PROJECT_DIR / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    needed = {*project["tool"]["setuptools"]["package-dir"].values(), project["project"]["readme"]}
    assert needed <= let_in
    assert not any(fnmatch.fnmatch(".env", pattern) for pattern in let_in)


def test_the_extras_of_the_image_exist() -> None:
    [extras] = [line for line in DOCKERFILE.splitlines() if line.startswith("ARG EXTRAS=")]
    with (PROJECT_DIR / "pyproject.toml").open("rb") as file:
        known = tomllib.load(file)["project"]["optional-dependencies"]
    assert set(extras.partition("=")[2].split(",")) <= known.keys()


def test_compose_accepts_the_files() -> None:
    for document in (COMPOSE, DEMO):
        read = compose_spec.PyCompose.from_yaml(yaml.safe_dump(document))
        assert set(read.service_names()) == document["services"].keys()


def test_without_a_password_compose_starts_nothing() -> None:
    with pytest.raises(NotSet, match="POSTGRES_PASSWORD"):
        merged("compose.yaml")


@pytest.mark.parametrize("composed", [COMPOSE, DEMO], ids=["live", "demo"])
def test_ports_are_published_to_this_machine_only(composed: dict[str, Any]) -> None:
    published = [port for s in composed["services"].values() for port in s.get("ports", [])]
    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_service_restarts_keeps_small_logs_and_is_watched(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert ("healthcheck" in service) is (name not in ("migrate", "worker"))
    tag = service["image"].partition(":")[2]
    assert tag not in ("", "latest")
    for needed, condition in service.get("depends_on", {}).items():
        one_shot = needed == "migrate"
        expected = "service_completed_successfully" if one_shot else "service_healthy"
        assert condition == {"condition": expected}
        assert one_shot or "healthcheck" in COMPOSE["services"][needed]


def test_compose_names_only_settings_that_exist() -> None:
    known = {f"GRID_{name.upper()}" for name in Settings.model_fields}
    for composed in (COMPOSE, DEMO):
        for service in composed["services"].values():
            names = {n for n in service.get("environment", {}) if n.startswith("GRID_")}
            assert names <= known


@pytest.mark.parametrize("name", ["code-server", "worker", "dashboard"])
def test_what_writes_and_what_serves_the_files_gets_the_credentials_of_a_bucket(name: str) -> None:
    composed = merged("compose.yaml", POSTGRES_PASSWORD=PASSWORD, GRID_FILES_STORE="s3://a/b")
    environment = composed["services"][name]["environment"]
    assert environment["GRID_FILES_STORE"] == "s3://a/b"
    credentials = {name: value for name, value in environment.items() if name.startswith("AWS_")}
    # None: from .env if it is there; an empty region would be an error
    assert credentials == dict.fromkeys(
        (
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            *("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"),
        )
    )


def test_helm_uses_the_version_of_dagster_that_is_installed_here() -> None:
    [pin] = [
        line.partition("==")[2]
        for line in (PROJECT_DIR / "constraints.txt").read_text("utf-8").splitlines()
        if line.startswith("dagster==")
    ]
    for file in (chart.HELM / "values.yaml", chart.HELM / "README.md"):
        assert pin in file.read_text(encoding="utf-8"), file


def test_no_file_of_the_cluster_holds_a_password() -> None:
    for file in chart.HELM.glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            assert document.get("kind") != "Secret"
    assert "postgresqlPassword" not in chart.values()["postgresql"]
