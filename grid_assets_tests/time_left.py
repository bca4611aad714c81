"""A line every few seconds about how far the tests are, and the time left."""

from __future__ import annotations

import time
from typing import Final

import pytest

EVERY_S: Final = 20


class TimeLeft:
    """A plugin of the process that reports; with pytest-xdist, the one that runs no tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started = self._said = time.monotonic()
        self._done = 0

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def pytest_runtest_logfinish(self) -> None:
        self._done += 1
        now = time.monotonic()
        left = self._session.testscollected - self._done
        if now - self._said < EVERY_S or left <= 0:
            return
        self._said = now
        seconds = (now - self._started) / self._done * left
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(
                f"\n{self._done} of {self._done + left} tests, about {seconds:.0f} s left"
            )
