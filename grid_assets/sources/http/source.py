"""What the clients of all sources share: made by the settings, used in a `with` block, closed.

What a source's requests mean is known in its own `client`.
"""

from __future__ import annotations

from typing import Any, Self

from grid_assets.settings import Settings
from grid_assets.sources.http.client import HttpClient


class SourceClient:
    """A client of one source for one run. It closes its `HttpClient`."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End waits and close the connections."""
        self._http.close()


def limits_of(settings: Settings) -> dict[str, Any]:
    """The arguments of `HttpClient` that settings give to every source."""
    return {
        "timeout_s": settings.api_timeout_s,
        "retry_budget_s": settings.api_retry_budget_s,
        "max_body_bytes": int(settings.api_max_body_mb * 1_000_000),
    }
