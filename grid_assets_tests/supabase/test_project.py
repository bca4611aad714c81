"""The files that the Supabase CLI and the edge runtime read."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Final

import yaml

from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.supabase.edge import FUNCTION

SUPABASE: Final = PROJECT_DIR / "supabase"


def config() -> dict[str, Any]:
    return tomllib.loads((SUPABASE / "config.toml").read_text(encoding="utf-8"))


def test_the_cli_finds_the_function_and_asks_for_no_jwt() -> None:
    function = config()["functions"][FUNCTION.name]
    assert function["verify_jwt"] is False
    for key in ("entrypoint", "import_map"):
        assert (SUPABASE / function[key]).is_file()


def test_no_schema_of_ours_is_exposed() -> None:
    assert set(config()["api"]["schemas"]) == {"public", "graphql_public"}


def test_each_import_is_pinned_exactly_and_locked_for_every_edge_runtime() -> None:
    """Runtimes before Deno 2.3 refuse a lock of version 5; Deno keeps the version of this one."""
    imports = json.loads((FUNCTION / "deno.json").read_text("utf-8"))["imports"]
    lock = json.loads((FUNCTION / "deno.lock").read_text("utf-8"))
    assert lock["version"] == "4"
    for target in imports.values():
        assert re.fullmatch(r"npm:[\w/@-]+@\d+\.\d+\.\d+", target)
        assert lock["specifiers"][target] == target.rpartition("@")[2]
        assert lock["npm"][target.removeprefix("npm:")]["integrity"].startswith("sha512-")
    assert "://" not in (FUNCTION / "deno.lock").read_text("utf-8")


def test_the_event_is_the_one_that_the_workflow_listens_to() -> None:
    workflow = PROJECT_DIR / ".github" / "workflows" / "forecast.yml"
    [event] = re.findall(r'EVENT_TYPE = "(\w+)"', (FUNCTION / "github.ts").read_text("utf-8"))
    # YAML 1.1 reads the key `on` as true
    assert yaml.safe_load(workflow.read_text("utf-8"))[True]["repository_dispatch"] == {
        "types": [event]
    }


def test_each_variable_is_documented() -> None:
    source = "".join(path.read_text("utf-8") for path in FUNCTION.glob("*.ts"))
    variables = set(re.findall(r'"(GRID_[A-Z_]+)"', source))
    documented = re.findall(r"^\| `(GRID_\w+)`", (SUPABASE / "README.md").read_text("utf-8"), re.M)
    assert len(variables) == 10
    assert set(documented) == variables


def test_modules_are_small_and_open_with_a_paragraph() -> None:
    for path in FUNCTION.glob("*.ts"):
        lines = path.read_text("utf-8").splitlines()
        assert lines[0].startswith("/**"), path.name
        assert len(lines) <= 300, path.name
