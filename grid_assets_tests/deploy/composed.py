"""What `compose.yaml` says, for tests without Docker: merged, interpolated, and as commands that
run here."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.running import GRID

PASSWORD: Final = "secret-of-compose"
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class NotSet(Exception):
    """A variable that a file needs is not set."""


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """As Compose does with `${NAME}`, `${NAME:-default}` and `${NAME:?message}`."""

    def one(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise NotSet(f"{name}: {rest}")
        return rest or ""

    if isinstance(value, str):
        return VARIABLE.sub(one, value)
    if isinstance(value, dict):
        return {key: interpolate(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolate(inner, variables) for inner in value]
    return value


def merged(*names: str, **variables: str) -> dict[str, Any]:
    """Files merged as Compose merges them: maps by key, and other values by the last one."""
    whole: dict[str, Any] = {}
    for name in names:
        text = (PROJECT_DIR / name).read_text(encoding="utf-8")
        whole = _merge(whole, interpolate(yaml.safe_load(text), variables))
    return whole


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        known = both.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = _merge(known, value)
        both[key] = value
    return both


@dataclass(frozen=True)
class Here:
    """How names, addresses and programs of the containers are called on this machine."""

    replaced: Mapping[str, str]

    def text(self, value: str) -> str:
        for theirs, ours in self.replaced.items():
            value = value.replace(theirs, ours)
        return value

    def command(self, words: list[str]) -> list[str]:
        programs = {"grid": str(GRID), "python": sys.executable}
        first, *rest = words
        return [programs[first], *map(self.text, rest)]

    def environment(self, service: dict[str, Any]) -> dict[str, str]:
        """As a container gets it: a variable without a value in the file is one that is not set."""
        return {
            name: self.text(str(value))
            for name, value in service.get("environment", {}).items()
            if value is not None
        }
