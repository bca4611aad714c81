"""What every source's parser needs to judge one record: numbers, texts, and why it is rejected.

Pure: no I/O and no clock. What a record of a source holds is known in that source's `payloads`.
"""

from __future__ import annotations

import json
import reprlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MAX_DIGITS: Final = 30
"""Digits before or after the decimal point; published numbers have at most eight and 18. Neither
PostgreSQL nor Python's decimal arithmetic can hold `1e-20000` or `1e1000000`."""

MAX_TEXT: Final = 100
"""Characters in a name; the longest documented one has nine."""

TWICE: Final = "record: the half-hour appears twice with different values"
"""The payload lists all versions, so that a quarantine replay cannot accept just one of them."""


class Unusable(ValueError):
    """This record cannot be used; the message becomes its reason in the quarantine."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record, or a whole body, that cannot be used; `payload` is its JSON or text.

    `records` is how many records it stands for, where several with one fault are kept together.
    """

    reason: str
    payload: str
    records: int = 1


def number(name: str, value: object) -> Decimal | None:
    """The value of a field as published; None for null. Raises `Unusable`."""
    if value is None:
        return None
    # bool is an int in Python; NaN and Infinity arrive as float, everything else as int or Decimal
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unusable(f"{name}: {shown(value)} is not a number")
    found = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not found.is_finite():
        raise Unusable(f"{name}: {value} is not a finite number")
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or max(-exponent, found.adjusted()) > MAX_DIGITS:
        raise Unusable(f"{name}: {str(value)[:MAX_TEXT]} is too large or too long for a number")
    return found


def text(name: str, value: object) -> str:
    """A short name as published. Raises `Unusable`."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise Unusable(f"{name}: {shown(value)} is not short printable text")
    return value


def shown(value: object) -> str:
    """A value for a message, shortened."""
    return reprlib.repr(value)[:MAX_TEXT]


def as_json(value: object) -> str:
    """The record as JSON again, with exact decimals written as numbers."""
    try:
        return json.dumps(value, default=_exact, ensure_ascii=True)
    except RecursionError:  # a string is not a record, so a replay rejects it
        return json.dumps("It is nested too deeply to be written as JSON.")


def _exact(value: object) -> int | float | str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value)} is not JSON")
    if -1e15 < value < 1e15 and value == value.to_integral_value():
        return int(value)
    # A value that a float cannot hold stays text, so that a quarantine replay cannot round it.
    return float(value) if Decimal(repr(float(value))) == value else str(value)
