"""Sends one message to one address of apprise; `sending` starts it as a process.

It reads the address, title and text from its input, and writes one word from a fixed list to its
output, so that nothing of an address or of a service's answer comes back.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import Final

STATUS: Final = re.compile(r"error[ =:]+([1-5]\d\d)\b")
UNREACHABLE: Final = re.compile(r"connection error", re.IGNORECASE)


class Said(logging.Handler):
    """What apprise logs while it sends: the only place where it says why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def outcome(url: str, title: str, body: str, *, only_check: bool) -> str:
    """`Delivered`, or why not; with `only_check`, whether it is an address, and nothing is sent."""
    try:
        import apprise
    except ImportError:
        return "NotInstalled"
    said = Said()
    logging.getLogger("apprise").addHandler(said)
    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Grid Assets"))
    if not service.add(url):
        return "UnusableUrl"
    if only_check:
        return "Delivered"
    if service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
        return "Delivered"
    text = "\n".join(said.lines)
    if status := STATUS.search(text):
        return f"HttpStatus:{status[1]}"
    return "Unreachable" if UNREACHABLE.search(text) else "Refused"


def main() -> None:
    """Never wait for a thread of apprise once the outcome is known."""
    asked = json.load(sys.stdin)
    said = outcome(asked["url"], asked["title"], asked["body"], only_check=asked["only_check"])
    sys.stdout.write(f"\n{said}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
