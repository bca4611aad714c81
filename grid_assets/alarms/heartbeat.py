"""Pings GRID_HEARTBEAT_URL, by the protocol of healthchecks.io: the address itself after a healthy
cycle, and with `/fail` appended after any other, with a short reason as the body.

The request is made by a process of its own, `heartbeat_process`, because only a process can be
ended whatever hangs: a name server, too. The address is a secret: it goes to the process's input,
and nothing of it comes back.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from grid_assets.alerts.sending import Fault

PING_S: Final = 5.0
"""Seconds for one request, with its redirects. A service answers within a second."""

TRIES: Final = 2

PAUSE_S: Final = 1.0
"""Before the second try: what was lost to a restart or a full queue is over."""

CHILD: Final = "grid_assets.alarms.heartbeat_process"

LONGEST_REASON: Final = 2_000
"""Characters of a reason; healthchecks.io keeps 100 kB of it, people read the first lines."""

AGAIN: Final = "The next cycle pings again."


def ping(url: SecretStr, reason: str | None = None, *, limit_s: float = PING_S) -> Fault | None:
    """Tell the address of a healthy cycle, or with `reason` of a failed one; None if it took it."""
    address = url.get_secret_value().strip()
    asked = {
        "url": fail_address(address) if reason is not None else address,
        "body": reason[:LONGEST_REASON] if reason is not None else None,
        "limit_s": limit_s,
    }
    outcome = "TimedOut"
    for attempt in range(TRIES):
        if attempt:
            time.sleep(min(PAUSE_S, limit_s))
        if (outcome := _in_child(json.dumps(asked), limit_s)) == "Taken":
            return None
        if outcome.startswith(("HttpStatus:4", "Unknown", "Moved")):  # it would say so again
            break
    return _fault(outcome)


def fail_address(url: str) -> str:
    """The address with `/fail` at the end of its path; its query stays as it is."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))


def _in_child(asked: str, limit_s: float) -> str:
    child = subprocess.Popen(
        [sys.executable, "-m", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        # the process itself starts within a second, on a busy machine in a few
        said, _ = child.communicate(asked, timeout=limit_s + 3)
    except subprocess.TimeoutExpired:
        return "TimedOut"
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
    words = said.split()
    return words[-1] if words and child.returncode == 0 else "Crashed"


def _fault(outcome: str) -> Fault:
    kind, _, status = outcome.partition(":")
    check = "Check GRID_HEARTBEAT_URL with `grid alarm test`."
    messages = {
        "TimedOut": f"The heartbeat did not answer in time. {AGAIN}",
        "Unreachable": f"The heartbeat cannot be reached. {AGAIN}",
        "HttpStatus": f"The heartbeat answered with HTTP status {status}. {AGAIN} {check}",
        "Moved": "The heartbeat redirects to where a ping is not sent: more than three times, or "
        f"away from https. {check}",
        "Unknown": "The heartbeat's service does not know the address: the check was deleted, or "
        f"the address has a typo. {check}",
        "RateLimited": f"The heartbeat's service counted too many pings. {AGAIN}",
    }
    if kind in messages:
        return Fault(kind, messages[kind])
    return Fault("Crashed", f"The process that pings the heartbeat has died. {AGAIN}")
