"""SQL from the files of `sql/`, with the dictionary of series filled in.

Every file but the migrations is a Jinja template; `_templates` defines the names that it may use.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from grid_assets.series import (
    CARBON_INTENSITY,
    COMBINED_SHARES,
    FUEL_GROUP_LABELS,
    FUEL_GROUPS,
    MIX,
    MODELS,
    NAMED_FUELS,
)

if TYPE_CHECKING:
    from jinja2 import Environment


def sql_dir() -> Path:
    """The folder `sql/`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent.parent
    beside = package.parent / "sql"
    return beside if beside.is_dir() else package / "sql"


def statement(name: str) -> sql.SQL:
    """The statement of `sql/<name>.sql`, such as `core/publish_intensity`."""
    return sql.SQL(render(name))  # our own file and dictionary, no input in it


@cache
def render(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return _templates().get_template(f"{name}.sql").render()


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # a tenth of a second

    templates = Environment(
        loader=FileSystemLoader(sql_dir()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    templates.globals |= {
        "carbon_intensity": CARBON_INTENSITY,
        "combined_shares": COMBINED_SHARES,
        "fuels": MIX,
        "fuel_group_labels": FUEL_GROUP_LABELS,
        "fuel_groups": FUEL_GROUPS,
        "models": MODELS,
        "named_fuels": NAMED_FUELS,
    }
    return templates
