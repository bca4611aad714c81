"""The state of the running recorded APIs: withheld half-hours, active faults and request counts.

One lock guards all of it, so every thread of the server may use it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final

from grid_assets.halfhours import HALF_HOUR, api_time, floor
from grid_assets.replay.faults import BadControl, Fault
from grid_assets.replay.outlook_faults import FAULTS_OF
from grid_assets.replay.replies import Reply
from grid_assets.replay.routes import Source

MOST_HALF_HOURS: Final = 17_520
"""A year: longer than any outage worth simulating, and far from the ends of the calendar."""

DEFAULT_SOURCE: Final = "carbon_intensity"
"""The API that a fault concerns if the request names none."""


@dataclass
class _Active:
    name: str
    fault: Fault
    options: Mapping[str, Any]
    times_left: int | None
    path: str | None
    source: str

    @property
    def document(self) -> dict[str, Any]:
        shown = {"name": self.name, "times": self.times_left, "path": self.path, **self.options}
        return shown if self.source == DEFAULT_SOURCE else {"source": self.source, **shown}

    def concerns(self, path: str, source: str) -> bool:
        return source == self.source and path.startswith(self.path or "/")


class Control:
    """The state of one server; any thread may call any method."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._withheld_from: datetime | None = None
        self._faults: list[_Active] = []
        self._requests: Counter[str] = Counter()
        self._in_flight: Counter[Source] = Counter()
        self._max_in_flight: Counter[Source] = Counter()

    @property
    def withheld_from(self) -> datetime | None:
        """The first half-hour that is withheld, None if nothing is."""
        return self._withheld_from

    def withhold(self, half_hours: Any, now: datetime) -> None:
        """Withhold the last `half_hours` half-hours that have begun, and all after them."""
        count = _half_hours(half_hours)
        with self._lock:
            self._withheld_from = floor(now) - (count - 1) * HALF_HOUR

    def release(self, half_hours: Any, now: datetime) -> None:
        """Release the next `half_hours` of those withheld, or all of them if None.

        Once every half-hour that has begun is released, nothing is withheld any more.
        """
        count = MOST_HALF_HOURS if half_hours is None else _half_hours(half_hours)
        with self._lock:
            if self._withheld_from is not None:
                first = self._withheld_from + count * HALF_HOUR
                done = half_hours is None or first > floor(now)
                self._withheld_from = None if done else first

    def fault(self, request: Mapping[str, Any]) -> None:
        """Inject the fault `name` of `source` into `times` responses (None: all) under `path`."""
        options = dict(request)
        name, times = options.pop("name", None), options.pop("times", None)
        path, source = options.pop("path", None), options.pop("source", DEFAULT_SOURCE)
        if source not in list(FAULTS_OF):
            raise BadControl(f"'source' must be one of: {', '.join(FAULTS_OF)}.")
        faults = FAULTS_OF[source]
        if not isinstance(name, str) or name not in faults:
            raise BadControl(f"'name' must be one of: {', '.join(faults)}.")
        if times is not None and not _is_count(times):
            raise BadControl("'times' must be a whole number above 0, or null for no limit.")
        if path is not None and not (isinstance(path, str) and path.startswith("/")):
            raise BadControl("'path' must be the beginning of a path, such as /intensity, or null.")
        faults[name].check(options)
        with self._lock:
            self._faults.append(_Active(name, faults[name], options, times, path, source))

    def heal(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._faults.clear()

    def apply_faults(self, answer: Reply, path: str, source: Source) -> Reply:
        """The response with the active faults applied to it; counts one use of each."""
        with self._lock:
            concerned = [active for active in self._faults if active.concerns(path, source)]
            whole = [active for active in concerned if not active.fault.of_record]
            for active in [a for a in concerned if a.fault.of_record] + whole[:1]:
                changed = active.fault.apply(answer, active.options)
                if changed is not answer and active.times_left is not None:
                    active.times_left -= 1
                answer = changed
            self._faults = [active for active in self._faults if active.times_left != 0]
        return answer

    def enter(self, kind: str, source: Source) -> Callable[[], None]:
        """Count a request of `kind` as in flight until the returned function is first called."""
        with self._lock:
            self._requests[kind] += 1
            self._in_flight[source] += 1
            most = max(self._max_in_flight[source], self._in_flight[source])
            self._max_in_flight[source] = most
        left = False

        def leave() -> None:
            nonlocal left
            with self._lock:
                self._in_flight[source] -= 0 if left else 1
                left = True

        return leave

    def status(self) -> dict[str, Any]:
        """All of this as a JSON document; times in the API's format."""
        with self._lock:
            return {
                "withheld_from": self._withheld_from and api_time(self._withheld_from),
                "faults": [active.document for active in self._faults],
                "requests": dict(self._requests),
                "max_in_flight": self._max_in_flight[DEFAULT_SOURCE],
                **{
                    f"max_in_flight_{source}": most
                    for source, most in sorted(self._max_in_flight.items())
                    if source != DEFAULT_SOURCE
                },
            }


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _half_hours(value: Any) -> int:
    if not _is_count(value) or value > MOST_HALF_HOURS:
        raise BadControl(f"'half_hours' must be a whole number from 1 to {MOST_HALF_HOURS}.")
    return int(value)
