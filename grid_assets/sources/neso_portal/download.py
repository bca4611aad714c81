"""Downloads a file of the portal, which redirects to the store that holds it.

This is the one place where a redirect is followed: once, to https only, or on this machine from a
server on this machine. Neither the login of the base address nor any other header of our requests
goes with it, and messages do not show the address, which is signed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from grid_assets.sources.http.body import BodyReader, connection_fault
from grid_assets.sources.http.errors import (
    ApiUnexpectedStatus,
    ApiUnreachable,
    Service,
    status_error,
)
from grid_assets.sources.http.retry import RetryBudget, retry_after_s
from grid_assets.sources.http.session import is_loopback, new_session

SERVICE: Final = Service(
    "The NESO Data Portal",
    "GRID_NESO_PORTAL_URL",
    "It asks for few requests: check whether something else asks from this address.",
)

REDIRECTS: Final = (301, 302, 303, 307, 308)


class Downloads:
    """Files as text, within the limits of size and time."""

    def __init__(
        self,
        *,
        loopback: bool,
        turn_s: Callable[[], float],
        timeout_s: float,
        retry_budget_s: float,
        max_body_bytes: int,
        clock: Callable[[], float],
        sleep: Callable[[float], object] | None,
        uniform: Callable[[float, float], float],
        utcnow: Callable[[], datetime],
    ) -> None:
        self._loopback = loopback
        self._turn_s = turn_s
        self._bodies = BodyReader(max_body_bytes, timeout_s, clock)
        self._retries = RetryBudget(retry_budget_s, clock, sleep, uniform)
        self._sleep = sleep or self._retries.closed.wait
        self._utcnow = utcnow
        self._session = new_session(1, loopback)
        del self._session.headers["Accept"]
        self._session.auth = _nothing  # otherwise requests looks for a login in ~/.netrc

    def close(self) -> None:
        self._retries.closed.set()
        self._session.close()

    def text(self, path: str, url: str) -> tuple[str, datetime, bool]:
        """The text, when it had arrived, and whether it is simulated. Raises `ApiError`.

        Messages call it `path`.
        """
        return self._retries.retry(lambda: self._once(path, url, redirects=1))

    def _once(self, path: str, url: str, redirects: int) -> tuple[str, datetime, bool]:
        if wait_s := self._turn_s() if redirects else 0:
            self._sleep(wait_s)
        if self._retries.closed.is_set():
            raise ApiUnreachable(f"{path} was not requested: the client is closed.", path=path)
        self._check(path, url)
        try:
            response = self._get(url)
        # A location may be no address at all, which requests reports as a ValueError.
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            fault = connection_fault(error, self._bodies.timeout_s)
            raise ApiUnreachable(f"{path} cannot be reached: {fault}.", path=path) from error
        with response:
            location = response.headers.get("Location")
            if response.status_code in REDIRECTS and location and redirects:
                return self._once(path, _target(url, location), redirects - 1)
            if response.status_code != 200:
                raise status_error(
                    response.status_code,
                    service=SERVICE,
                    path=path,
                    body=self._bodies.excerpt(response),
                    retry_after_s=retry_after_s(
                        response.headers.get("Retry-After"), self._utcnow()
                    ),
                )
            text = self._bodies.text(path, response)
            return text, self._utcnow(), "X-Grid-Simulated" in response.headers

    def _get(self, url: str) -> requests.Response:
        """The response to exactly this address: requests would rewrite what was signed."""
        prepared = self._session.prepare_request(requests.Request("GET", url))
        prepared.url = url
        options = self._session.merge_environment_settings(url, {}, True, None, None)
        return self._session.send(
            prepared, timeout=self._bodies.timeout_s, allow_redirects=False, **options
        )

    def _check(self, path: str, url: str) -> None:
        try:
            scheme = urlsplit(url).scheme
        except ValueError:
            scheme = ""
        if scheme != "https" and not (scheme == "http" and self._loopback and is_loopback(url)):
            raise ApiUnexpectedStatus(
                f"{SERVICE.name} sends {path} from an address that is not https; it was not "
                "requested.",
                path=path,
            )


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""  # no address at all


def _nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
