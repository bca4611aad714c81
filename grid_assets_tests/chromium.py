"""The browser of the page tests.

Without one the tests are skipped, and the last line of the run says so; if the variable
GRID_TESTS_NEED_CHROMIUM is set, as in CI, they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from grid_assets_tests import screenshots

CHROMIUM: Final = screenshots.browser_path()

NEEDED: Final = "GRID_TESTS_NEED_CHROMIUM"
"""Set by `.ci/run`: without a Chromium the page tests then fail instead of being skipped."""

MISSING: Final = "no Chromium: the page tests could not run; install it to run them"

IS_NEEDED: Final = bool(os.environ.get(NEEDED, "").strip())

needs_chromium = pytest.mark.skipif(CHROMIUM is None and not IS_NEEDED, reason=MISSING)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail(f"{MISSING} ({NEEDED} is set)")
    with screenshots.browser(CHROMIUM) as opened:
        yield opened
