"""Tells what the database cannot keep: that it is gone or cannot be written, or that the product
has ended.

A file in GRID_HOME remembers what was told to which address, so that an outage is told once, and
its recovery once. It is as long as a block of a disk from the start: on a disk that is full, it
can still be overwritten. Whoever tells holds the file's lock.
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from pydantic import SecretStr

from grid_assets.alarms.episodes import SAME, hold
from grid_assets.alarms.heartbeat import ping
from grid_assets.alerts.sending import Fault, send
from grid_assets.halfhours import utc_text
from grid_assets.settings import Settings

FILE: Final = "alarms.json"
BLOCK_BYTES: Final = 4096
LONGEST: Final = 500

Key = Literal["database", "product"]
Send = Callable[[dict[int, SecretStr], str, str], dict[int, Fault | None]]

FORGETFUL: Final = "%s cannot be written (%s): an outage may be told again."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. `told` and `recovered` are places in GRID_ALARM_URLS, `ended_at` an ISO text."""

    began_at: str
    what: str
    times: int = 1
    told: list[int] = field(default_factory=list)
    pinged: bool = False
    ended_at: str | None = None
    recovered: list[int] = field(default_factory=list)
    closed: bool = False


def tell(
    settings: Settings,
    home: Path,
    key: Key,
    what: str,
    now: datetime,
    *,
    each_time: bool = False,
    send_to: Send = send,
) -> list[Fault]:
    """Tell of an outage every address that has not heard of it, and the heartbeat: once, or
    `each_time`, as after a cycle that failed. Returns the faults; nothing is raised."""
    faults: list[Fault] = []
    with _kept(home) as kept:
        if kept is None:  # another process is telling
            return []
        outage = _continued(kept.get(key), " ".join(what.split())[:LONGEST], now)
        owed = {n: url for n, url in _addresses(settings).items() if n not in outage.told}
        if owed:
            body = (
                f"BEGAN {outage.began_at}: {outage.what}\n"
                "Sent without the database. See docs/alarms.md."
            )
            taken = send_to(owed, f"Grid Assets: {key}", body)
            faults += [fault for fault in taken.values() if fault is not None]
            told = sorted({*outage.told, *(n for n, fault in taken.items() if fault is None)})
            kept[key] = outage = replace(outage, told=told)  # whatever comes next
        if each_time or not outage.pinged:
            fault = ping_failed(settings, f"{key}: {outage.what}")
            outage = replace(outage, pinged=fault is None)
            faults += [fault] if fault else []
        kept[key] = outage
    return faults


def clear(
    settings: Settings, home: Path, key: Key, now: datetime, *, send_to: Send = send
) -> list[Fault]:
    """The outage, if there was one, is over: tell those who heard of it."""
    if not (home / FILE).exists():
        return []
    faults: list[Fault] = []
    with _kept(home) as kept:
        outage = kept.get(key) if kept is not None else None
        if kept is None or outage is None or outage.closed:
            return []
        ended = outage.ended_at or now.isoformat()
        outage = replace(outage, ended_at=ended)
        if now - datetime.fromisoformat(ended) >= hold(outage.times):
            addresses = _addresses(settings)
            owed = {
                n: addresses[n] for n in outage.told if n in addresses and n not in outage.recovered
            }
            text = f"OVER {utc_text(datetime.fromisoformat(ended))}, since {outage.began_at}: {key}"
            taken = send_to(owed, f"Grid Assets: over: {key}", text) if owed else {}
            faults = [fault for fault in taken.values() if fault is not None]
            done = {*outage.recovered, *(n for n, fault in taken.items() if fault is None)}
            outage = replace(outage, recovered=sorted(done), closed=not faults)
        kept[key] = outage
    return faults


def prepare(home: Path) -> None:
    """Make the file while there is room for it."""
    with _kept(home):
        pass


def _continued(outage: Outage | None, what: str, now: datetime) -> Outage:
    """The outage that goes on or comes back, or a new one."""
    if outage is None:
        return Outage(utc_text(now), what)
    if outage.ended_at is None:
        return outage
    if not outage.closed:
        return replace(outage, ended_at=None, times=outage.times + 1, recovered=[])
    is_same = now - datetime.fromisoformat(outage.ended_at) < SAME
    return Outage(utc_text(now), what, outage.times + 1 if is_same else 1)


def _addresses(settings: Settings) -> dict[int, SecretStr]:
    return dict(enumerate(settings.alarm_url_list, 1))


def ping_failed(settings: Settings, reason: str) -> Fault | None:
    """Tell the heartbeat of a failure, if it is set; its fault, if any."""
    if settings.heartbeat_url is None or settings.heartbeat_fault is not None:
        return None
    return ping(settings.heartbeat_url, reason)


@contextmanager
def _kept(home: Path) -> Iterator[dict[str, Outage] | None]:
    """The outages of the file, which are written back; None while another process has it. Where
    the file cannot be used, nothing is remembered: told twice is better than not at all."""
    try:
        file: TextIO = (home / FILE).open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        _log.warning(FORGETFUL, FILE, error.strerror)
        yield {}
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        except OSError as error:  # a file system without locks
            _log.warning(FORGETFUL, FILE, error.strerror)
        file.seek(0)
        text = file.read()
        outages = _parse(text)
        before = dict(outages)
        try:
            yield outages
        finally:
            if outages != before or not text:
                _rewrite(home / FILE, {key: asdict(outage) for key, outage in outages.items()})


def _rewrite(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content)
    try:
        with path.open("r+", encoding="utf-8") as file:  # in place: appending would need room
            file.write(text.ljust(BLOCK_BYTES - 1) + "\n")
            file.truncate()
    except OSError as error:
        _log.warning(FORGETFUL, FILE, error.strerror)


def _parse(text: str) -> dict[str, Outage]:
    try:
        outages = {key: Outage(**values) for key, values in json.loads(text or "{}").items()}
        for outage in outages.values():
            datetime.fromisoformat(outage.ended_at or "2017-09-11T23:00+00:00")
    except (AttributeError, TypeError, ValueError):  # half written, or of another version
        return {}
    return outages
