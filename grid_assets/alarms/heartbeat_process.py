"""Makes one request to the heartbeat's address; `heartbeat` starts it as a process.

It reads the address, the body and the time limit from its input, and writes one word from a fixed
list to its output, so that nothing of the address or of an answer comes back.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

MOST_REDIRECTS: Final = 3
KEEP_THE_METHOD: Final = (307, 308)


def outcome(url: str, body: str | None, limit_s: float) -> str:
    """`Taken`, or why not. A redirect may lead to another host, but never from https to http."""
    data = None if body is None else body.encode("utf-8", "replace")
    method = "GET" if data is None else "POST"
    session = requests.Session()
    session.headers["User-Agent"] = "grid-assets"
    for _ in range(MOST_REDIRECTS + 1):
        try:
            answer = session.request(
                method, url, data=data, timeout=limit_s, allow_redirects=False, stream=True
            )
            said = _read(answer) if answer.ok else b""
        except requests.Timeout:
            return "TimedOut"
        except (requests.RequestException, OSError, ValueError):
            return "Unreachable"
        if not (answer.is_redirect or answer.is_permanent_redirect):
            return _judge(answer.status_code, said)
        if answer.status_code not in KEEP_THE_METHOD:
            method, data = "GET", None
        before, url = url, urljoin(url, answer.headers["Location"])
        schemes = urlsplit(before).scheme, urlsplit(url).scheme
        if schemes[1] not in ("http", "https") or schemes == ("https", "http"):
            return "Moved"
    return "Moved"


def _read(answer: requests.Response) -> bytes:
    """The beginning of an answer; it was taken even if the rest of it is lost."""
    try:
        return answer.raw.read(200, decode_content=True)
    except HTTPError:
        return b""


def _judge(status: int, said: bytes) -> str:
    """healthchecks.io answers 200 to an address that it does not know, or that pings too often."""
    if not 200 <= status < 300:
        return f"HttpStatus:{status}"
    if said.startswith(b"OK (not found)"):
        return "Unknown"
    return "RateLimited" if said.startswith(b"OK (rate limited)") else "Taken"


def say(word: str) -> None:
    sys.stdout.write(f"\n{word}\n")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    """The limit holds in total: an answer that arrives byte by byte, or a name server, too."""
    asked = json.load(sys.stdin)
    timer = threading.Timer(asked["limit_s"], say, ["TimedOut"])
    timer.daemon = True
    timer.start()
    say(outcome(asked["url"], asked["body"], asked["limit_s"]))


if __name__ == "__main__":
    main()
