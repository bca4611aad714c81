"""UTC days as options of commands."""

from __future__ import annotations

from datetime import date
from typing import Any

import click


class Day(click.ParamType):
    """A UTC day as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2025-12-31", param, ctx)
