"""Sends a message to addresses of apprise, each in a process of its own, within a time limit.

A process can be ended whatever the service does, gives its memory back (25 MB), and keeps what
apprise logs, which may show parts of an address, out of ours. What is returned has no address in
it: an address is called by its place in GRID_ALARM_URLS and its scheme.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

SEND_S: Final = 20.0
"""Seconds for one message. Services answer within a second; apprise itself gives most of them 4 s
to connect and 4 s to answer, and mail servers 15 s."""

CHILD: Final = "grid_assets.alerts.apprise_process"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an address did not take a message, without the address."""

    kind: str
    message: str


def send(
    urls: Mapping[int, SecretStr], title: str, body: str, *, limit_s: float = SEND_S
) -> dict[int, Fault | None]:
    """Send to each address, all at once; its fault by its place, None if it took the message."""
    return _in_children(urls, {"title": title, "body": body, "only_check": False}, limit_s)


def unusable(urls: Sequence[SecretStr]) -> list[str]:
    """A sentence for each address that apprise does not know; nothing is sent."""
    asked = {"title": "", "body": "", "only_check": True}
    found = _in_children(dict(enumerate(urls, 1)), asked, SEND_S)
    return [
        fault.message
        for fault in found.values()
        if fault is not None and fault.kind in ("UnusableUrl", "NotInstalled")
    ]


def _in_children(
    urls: Mapping[int, SecretStr], asked: Mapping[str, object], limit_s: float
) -> dict[int, Fault | None]:
    deadline = time.monotonic() + limit_s
    children: dict[int, subprocess.Popen[str]] = {}
    faults: dict[int, Fault | None] = {}
    try:
        for number in urls:
            children[number] = subprocess.Popen(
                [sys.executable, "-m", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        for number, url in urls.items():  # not in the arguments, which every user can see
            _hand_over(children[number], json.dumps({"url": url.get_secret_value(), **asked}))
        for number, url in urls.items():
            faults[number] = _fault(name(number, url), _outcome(children[number], deadline))
    finally:
        for child in children.values():
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
    return faults


def name(number: int, url: SecretStr) -> str:
    """What an address is called where others read: its place and scheme, `URL 2 (ntfy)`."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+-]{0,19})://", url.get_secret_value())
    return f"URL {number} ({scheme[1].lower()})" if scheme else f"URL {number}"


def _hand_over(child: subprocess.Popen[str], message: str) -> None:
    assert child.stdin is not None
    with suppress(OSError):  # it has ended; its outcome says so
        child.stdin.write(message)
        child.stdin.close()


def _outcome(child: subprocess.Popen[str], deadline: float) -> str:
    try:
        child.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return "TimedOut"
    assert child.stdout is not None
    said = child.stdout.read().split()
    return said[-1] if said and child.returncode == 0 else "Crashed"


def _fault(who: str, outcome: str) -> Fault | None:
    """The child's outcome as a sentence: what happened, and what to do."""
    kind, _, status = outcome.partition(":")
    advice = "It is tried again in the next cycle."
    check = "Check it with `apprise -vv -b test <URL>`."
    if kind == "Delivered":
        return None
    messages = {
        "TimedOut": f"{who} did not answer in time. {advice}",
        "Unreachable": f"{who} cannot be reached. {advice}",
        "HttpStatus": f"{who} answered with HTTP status {status}. {advice} {check}",
        "Refused": f"{who} did not take the message. {advice} {check}",
        "UnusableUrl": f"{who} of GRID_ALARM_URLS is not an address of apprise. {check}",
        "NotInstalled": "apprise is not installed, so nothing can be sent. Run `pip install "
        "apprise` in the environment of `grid`.",
    }
    if kind in messages:
        return Fault(kind, messages[kind])
    return Fault("Crashed", f"The process that sends to {who} has died. {advice} {check}")
