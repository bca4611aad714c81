"""The HTTP session of the API's client, and which addresses are on this machine."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from grid_assets import local_http


def is_loopback(base_url: str) -> bool:
    """Whether an address is surely on this machine; the only name that counts is `localhost`."""
    return local_http.is_loopback(urlsplit(base_url).hostname or "")


class _Session(requests.Session):
    """Takes redirects as they are: requests would parse their target and read all of their body."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def new_session(concurrency: int, loopback: bool) -> requests.Session:
    session = _Session()
    # One more than the pool has threads, for a caller that uses `get` at the same time.
    adapter = HTTPAdapter(pool_maxsize=concurrency + 1)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"grid-assets/{version('grid-assets')}"
    session.headers["Accept"] = "application/json"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy set in the environment cannot reach servers on this machine.
    session.trust_env = not loopback
    return session
