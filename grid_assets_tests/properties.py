"""The settings of property tests: the same examples in every run, however slow the machine."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

PROPERTY: Final = settings(derandomize=True, deadline=None, database=None, max_examples=100)
