"""Keeps requests a minimum time apart, for APIs that ask for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Pace:
    """Turns that start at least `interval_s` apart, shared by threads."""

    interval_s: float
    clock: Callable[[], float]
    wait: Callable[[float], object]
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _next: float | None = field(default=None, init=False)

    def wait_for_turn(self) -> None:
        """Return when this thread may send its request."""
        if not self.interval_s:
            return
        with self._lock:
            now = self.clock()
            turn = now if self._next is None else max(now, self._next)
            self._next = turn + self.interval_s
        if turn > now:
            self.wait(turn - now)
