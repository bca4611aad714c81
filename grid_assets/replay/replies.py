"""One answer of the recorded API as a value, and how it is to be delivered.

Belongs here: the frozen types that endpoints make, faults transform and the server sends.
Does not belong here: sockets, or what an endpoint answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

JSON_TYPE: Final = "application/json; charset=utf-8"

Endpoint = Literal["intensity", "forecast", "generation", "factors", "unknown"]


@dataclass(frozen=True)
class Delivery:
    """How the body travels: `whole`, or one of the ways in which a network fails.

    `cut` closes half way; `slow` spreads the body over `seconds`; `padded` appends
    `padding_bytes` of blanks and announces no length; `hang` sends nothing for `seconds` (None:
    until the server stops) and closes; `reset` breaks the connection at once.
    """

    kind: Literal["whole", "cut", "slow", "padded", "hang", "reset"] = "whole"
    seconds: float | None = None
    padding_bytes: int = 0


@dataclass(frozen=True)
class Reply:
    """`document` is what goes out as JSON, unless `raw` holds other bytes."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = JSON_TYPE
    delivery: Delivery = Delivery()

    @property
    def body(self) -> bytes:
        """The bytes to send. Python's `NaN`, which JSON does not know, is let through."""
        if self.raw is not None:
            return self.raw
        return json.dumps(self.document, separators=(",", ":")).encode()


def error(status: int, reason: str, message: str) -> Reply:
    """An error in the shape in which the API words its own."""
    return Reply(status, {"error": {"code": f"{status} {reason}", "message": message}})
