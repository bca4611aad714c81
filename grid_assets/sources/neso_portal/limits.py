"""How fast the portal may be asked, for all threads of a process together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

ACTIONS_APART_S: Final = 1.0
DATASTORE_REQUESTS: Final = 2
DATASTORE_WINDOW_S: Final = 60.0
"""What NESO asks for: at most one request a second, and two a minute of the datastore. It may block
an address that asks more often."""


class Limits:
    """Gives each request its time, in the order in which they ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = float("-inf")
        self._datastore = deque([float("-inf")] * DATASTORE_REQUESTS, maxlen=DATASTORE_REQUESTS)

    def reserve(self, *, datastore: bool) -> float:
        """The seconds to wait before a request, which must then be sent at once."""
        with self._lock:
            now = self._clock()
            at = max(now, self._last + ACTIONS_APART_S)
            if datastore:
                at = max(at, self._datastore[0] + DATASTORE_WINDOW_S)
                self._datastore.append(at)
            self._last = at
            return at - now


class Unlimited(Limits):
    """For a server on this machine, which is not the portal."""

    def reserve(self, *, datastore: bool) -> float:
        return 0.0


OF_PROCESS: Final = Limits()
"""Shared by every client of the portal in this process."""
