"""A response of the recorded API as a value that faults can change before the server sends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

JSON_TYPE: Final = "application/json; charset=utf-8"

DeliveryKind = Literal["whole", "cut", "slow", "padded", "hang", "reset"]


@dataclass(frozen=True)
class Delivery:
    """How the body is delivered: `whole`, or as a failing network would.

    `cut` closes halfway through; `slow` spreads the body over `seconds`; `padded` appends
    `padding_bytes` of blanks and announces no length; `hang` sends nothing for `seconds` (None:
    until the server stops) and closes; `reset` breaks the connection at once.
    """

    kind: DeliveryKind = "whole"
    seconds: float | None = None
    padding_bytes: int = 0


def json_bytes(document: Any) -> bytes:
    """JSON without blanks. `NaN`, which JSON does not have, is written as in Python."""
    return json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Reply:
    """`document` is sent as `encode` writes it, unless `raw` holds other bytes."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = JSON_TYPE
    delivery: Delivery = Delivery()
    encode: Callable[[Any], bytes] = json_bytes

    @property
    def body(self) -> bytes:
        """The bytes to send."""
        return self.encode(self.document) if self.raw is None else self.raw


def error(status: int, reason: str, message: str) -> Reply:
    """An error in the shape of the API's own."""
    return Reply(status, {"error": {"code": f"{status} {reason}", "message": message}})
