"""Retries a request while its errors are transient and the outage's time budget lasts.

The loop is our own because retry libraries offer a budget per call, not one that threads share.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from grid_assets.sources.http.errors import ApiError, TransientApiError

logger = logging.getLogger(__name__)

BACKOFF_BASE_S: Final = 1.0
BACKOFF_CAP_S: Final = 30.0
"""Half the default budget, so that the longest wait still leaves room for another try."""

RETRY_AFTER_JITTER_S: Final = 1.0
"""Spreads out requests that were all given the same `Retry-After`."""

LEAST_WAIT_S: Final = 0.01
"""A budget with less than this left counts as spent."""

Result = TypeVar("Result")


@dataclass
class RetryBudget:
    """How long the requests of one client are retried; shared by its threads.

    The budget covers an outage, which lasts from the first failure to the next success. If each
    request had its own budget, every asset of a run against a dead API would wait that long. Once
    an outage has outlasted the budget, each further request gets a single try.

    Setting `closed` ends the retries and, unless `sleep` is given, the waits as well.
    """

    budget_s: float
    clock: Callable[[], float]
    sleep: Callable[[float], object] | None
    uniform: Callable[[float, float], float]
    closed: threading.Event = field(default_factory=threading.Event)
    _outage_began: float | None = field(default=None, init=False)

    def retry(self, request: Callable[[], Result]) -> Result:
        """The result of `request`, retried while its errors are transient and the budget lasts.

        Raises the last error, with a message that says why there was no further try.
        """
        tries, own_began = 0, math.inf
        while True:
            tries += 1
            try:
                result = request()
            except TransientApiError as error:
                now = self.clock()
                # Read once, because another thread may end the outage in the meantime.
                outage_began = self._outage_began
                if outage_began is None:
                    outage_began = self._outage_began = now
                # A request that keeps failing while others succeed gives up as well.
                own_began = min(own_began, now)
                spent_s = now - min(own_began, outage_began)
                wait_s = self._wait_s(tries, error.retry_after_s, self.budget_s - spent_s)
                if wait_s is None:
                    if not self.closed.is_set():
                        error.message += self._give_up_text(tries, spent_s, error.retry_after_s)
                    raise
                logger.warning("%s Next try in %.1f s.", error, wait_s)
                (self.sleep or self.closed.wait)(wait_s)
            except ApiError:
                self._outage_began = None
                raise
            else:
                self._outage_began = None
                return result

    def _wait_s(self, tries: int, retry_after_s: float | None, left_s: float) -> float | None:
        """How long to wait before the next try; None if the budget allows no further try.

        Waits are exponential with full jitter, so that clients that failed together do not come
        back together. `Retry-After` sets the minimum.
        """
        if self.closed.is_set() or left_s < max(retry_after_s or 0, LEAST_WAIT_S):
            return None
        # The exponent is limited because 2.0**1024 overflows; the cap applies long before.
        longest_s = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0 ** min(tries - 1, 30))
        wait_s = self.uniform(0, longest_s)
        if retry_after_s is None:
            return min(wait_s, left_s)
        return max(wait_s, retry_after_s + self.uniform(0, RETRY_AFTER_JITTER_S))

    def _give_up_text(self, tries: int, spent_s: float, retry_after_s: float | None) -> str:
        asks = ""
        if retry_after_s and retry_after_s > self.budget_s - spent_s:
            asks = f", and the API asks to wait {retry_after_s:.0f} s"
        return (
            f" Gave up after {tries} {'try' if tries == 1 else 'tries'} and {spent_s:.0f} s of "
            f"failures{asks}; GRID_API_RETRY_BUDGET_S={self.budget_s:g} sets the limit."
        )


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds to wait according to `Retry-After`, a number or a date; None if unreadable."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:  # how "-0000" is read
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def sent_time(date: str | None, age: str | None) -> datetime | None:
    """When a response was sent, by `Date` and by the `Age` of a cached one; None if unreadable."""
    try:
        sent = parsedate_to_datetime(date or "")
        sent += timedelta(seconds=int(age) if age and age.isascii() and age.isdigit() else 0)
        return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
