"""A broker for tests of workers, if Redis is installed."""

from __future__ import annotations

import shutil
from typing import Final

import pytest

MISSING: Final = "no redis-server: no worker and no lost task was tested; install it to test them"

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason=MISSING)
