"""When a failed request is made again, and when no longer.

Belongs here: waits, the budget that an outage has, and the words of giving up.
Does not belong here: what counts as transient (`api_errors`) and any request (`api`).
"""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol, TypeVar

import tenacity

from grid_assets.api.errors import ApiError, TransientApiError

logger = logging.getLogger(__name__)

BACKOFF_BASE_S: Final = 1.0
BACKOFF_CAP_S: Final = 30.0
"""Half the default budget, so that the longest wait still leaves room for another try."""

RETRY_AFTER_JITTER_S: Final = 1.0
"""Spreads requests that were all told the same `Retry-After`."""

LEAST_WAIT_S: Final = 0.01
"""A budget with less than this left is spent; a shorter wait would not be one."""


class RetryBudget:
    """How long the requests of one client are retried; shared by its threads.

    The budget belongs to an outage, which lasts from the first failure to the next success, and not
    to each request: otherwise every asset of a run against a dead API would wait for its own. In an
    outage that has outlasted it each further request has a single try.
    """

    def __init__(
        self,
        budget_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Without a `sleep`, `close` ends waits early."""
        self.budget_s = budget_s
        self.closed = threading.Event()
        self._sleep = sleep or self.closed.wait
        self.uniform = uniform
        self._clock = clock
        self._lock = threading.Lock()
        self._outage_began: float | None = None

    def close(self) -> None:
        """Ends waits; what fails from now on is not tried again."""
        self.closed.set()

    def sleep(self, seconds: float) -> None:
        self._sleep(seconds)

    def failed(self) -> float:
        """Notes a failure and returns its time."""
        with self._lock:
            now = self._clock()
            if self._outage_began is None:
                self._outage_began = now
            return now

    def answered(self) -> None:
        with self._lock:
            self._outage_began = None

    def spent_s(self, own_first_failure: float | None) -> float:
        """Seconds since the outage began, or since a request's own first failure if that is longer.

        So a request that keeps failing while others succeed gives up as well.
        """
        with self._lock:
            began = [t for t in (self._outage_began, own_first_failure) if t is not None]
            return self._clock() - min(began) if began else 0.0


class HasRetryBudget(Protocol):
    @property
    def retries(self) -> RetryBudget: ...


Client = TypeVar("Client", bound=HasRetryBudget)
Result = TypeVar("Result")


def retry_transient(
    request: Callable[[Client, str], Result],
) -> Callable[[Client, str], Result]:
    """Repeats one request of a client while its errors are transient and its budget lasts.

    Waits are exponential with full jitter, because clients that failed together must not come back
    together; `Retry-After` is their lower limit. The last error is raised and says what was tried.
    """

    @functools.wraps(request)
    def retried(client: Client, path: str) -> Result:
        budget = client.retries
        first_failure: float | None = None

        def attempt() -> Result:
            nonlocal first_failure
            try:
                result = request(client, path)
            except TransientApiError:
                failed_at = budget.failed()
                first_failure = failed_at if first_failure is None else first_failure
                raise
            except ApiError:
                budget.answered()
                raise
            budget.answered()
            return result

        def left_s() -> float:
            return budget.budget_s - budget.spent_s(first_failure)

        def wait_s(state: tenacity.RetryCallState) -> float:
            # The exponent is limited because 2.0**1024 overflows; the cap rules long before.
            doubled_s = BACKOFF_BASE_S * 2.0 ** min(state.attempt_number - 1, 30)
            wanted_s = budget.uniform(0, min(BACKOFF_CAP_S, doubled_s))
            asked_s = _error(state).retry_after_s
            if asked_s is None:
                return min(wanted_s, left_s())
            return max(wanted_s, asked_s + budget.uniform(0, RETRY_AFTER_JITTER_S))

        def is_over(state: tenacity.RetryCallState) -> bool:
            asked_s = _error(state).retry_after_s or 0
            return budget.closed.is_set() or left_s() < max(asked_s, LEAST_WAIT_S)

        def log_wait(state: tenacity.RetryCallState) -> None:
            logger.warning("%s Next try in %.1f s.", _error(state), state.upcoming_sleep)

        def give_up(state: tenacity.RetryCallState) -> Result:
            error, tries = _error(state), state.attempt_number
            if not budget.closed.is_set():
                asked_s = error.retry_after_s
                too_long = asked_s is not None and asked_s > left_s()
                asks = f", and the API asks to wait {asked_s:.0f} s" if too_long else ""
                error.message += (
                    f" Given up after {tries} {'try' if tries == 1 else 'tries'} and "
                    f"{budget.spent_s(first_failure):.0f} s of failures{asks}; "
                    f"GRID_API_RETRY_BUDGET_S={budget.budget_s:g} sets the limit."
                )
            raise error

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientApiError),
            wait=wait_s,
            stop=is_over,
            sleep=budget.sleep,
            before_sleep=log_wait,
            retry_error_callback=give_up,
        )(attempt)

    return retried


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After`, in seconds or as a date, asks to wait; None if unreadable."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:  # how "-0000" is read
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _error(state: tenacity.RetryCallState) -> TransientApiError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientApiError)
    return error
