"""Completes what `raw` holds of publications and half-hours by records that were refused before.

A record that was refused in several captures is one entry of the quarantine. It completes what was
received from its first capture to its last, so that the newest state has it too. A value that the
source has published since is never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final, TypeVar

from grid_assets.outlook.generation import HalfHour
from grid_assets.outlook.load import load_elexon_generation, load_outlook
from grid_assets.sources.elexon.payloads import DemandRow, GenerationRow
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.statements import statement

TICK: Final = timedelta(microseconds=1)
"""How much later than a capture its completion is stamped."""

ONE_CAPTURE: Final = timedelta(seconds=1)
"""A capture and its completions are stamped within this time."""

TOGETHER: Final = timedelta(minutes=5)
"""Generation and demand are loaded as of the later of two answers. Most of a cycle's captures are
30 minutes apart."""

DEMAND: Final = "demand"
"""What a half-hour's demand is called beside its fuels, whose names are in capitals."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When the same record was received first and last."""

    first: datetime
    last: datetime


Key = TypeVar("Key")
State = tuple[datetime, dict[Key, Any]]
"""A stamp, and the values received by then."""


def completed(
    held: Sequence[State[Key]],
    part: Mapping[Key, Any],
    seen: Seen,
    *,
    together: timedelta = ONE_CAPTURE,
    own: Callable[[Mapping[Key, Any]], Any] | None = None,
) -> Iterator[State[Key]]:
    """What to add to the states `held`, in order, so that they have `part` as it was seen. Pure.

    As of the first and of the last capture, `part` counts. States in between get of it what they
    lack or have as null, and so do later ones in which the source has not spoken again: `own` of a
    state is what the record's dataset said in it. With it, a value that is still the one from
    before the record counts as lacking too: `generation` keeps it where a record is refused.
    `together` is how much later than the record its own capture may be stamped.
    """
    states = [
        state
        for state, following in zip_longest(held, held[1:])
        if following is None or following[0] - state[0] >= ONE_CAPTURE
    ]
    place = sum(stamp < seen.first + ONE_CAPTURE for stamp, _ in states)
    before = states[place - 1] if place else None
    kept = before[1] if own is not None and before is not None else {}
    newest = _with(before, part, seen.first)
    if newest != before:
        yield newest
    for stamp, values in states[place:]:
        has_spoken = own is None or before is None or own(values) != own(before[1])
        if has_spoken and stamp >= seen.last + together:
            return
        before = stamp, values
        lacking = {
            key: value
            for key, value in part.items()
            if key not in values or (values[key] in (None, kept.get(key)) and values[key] != value)
        }
        filled = (stamp + TICK, {**values, **lacking}) if lacking else before
        if lacking:
            yield filled
        if stamp < seen.last + ONE_CAPTURE:
            newest = filled
    if (last := _with(newest, part, seen.last)) != newest:
        yield last


def _with(state: State[Key] | None, part: Mapping[Key, Any], at: datetime) -> State[Key]:
    """A state with `part` in it, stamped `at` or right after it; the same one if it has it."""
    if state is None:
        return at, dict(part)
    stamp, values = state
    whole = {**values, **part}
    return state if whole == values else (max(at, stamp + TICK), whole)


@dataclass(frozen=True, slots=True)
class _Held:
    """One capture of one publication."""

    published_at: datetime
    captured_at: datetime
    first_label: datetime
    minutes: int
    values_mw: list[float | None]
    simulated: bool

    @property
    def state(self) -> State[datetime]:
        step = timedelta(minutes=self.minutes)
        return self.captured_at, {
            self.first_label + place * step: value
            for place, value in enumerate(self.values_mw)
            if value is not None
        }


def complete_outlook(
    connection: Connection, rows: Iterable[Publication], seen: Seen, *, is_dated: bool
) -> None:
    """Add records to the publications that they are parts of; what is not held yet is loaded.

    Records that do not say when they were published (`is_dated` is false) may be the same in
    several publications: they complete each that was captured while they were seen. Raises
    `PublicationUnusable`.
    """
    merged: dict[tuple[str, str, datetime], Publication] = {}
    for row in rows:
        key = row.source, row.series, row.published_at
        known = merged.get(key, row)
        merged[key] = replace(row, values={**known.values, **row.values})
    for (source, series, published_at), publication in merged.items():
        last = published_at if is_dated else max(published_at, seen.last)
        captures: dict[datetime, list[_Held]] = {published_at: []}
        for values in connection.execute(
            statement("raw/read_captures_of_publications"),
            {"source": source, "series": series, "first": published_at, "last": last},
        ).fetchall():
            captures.setdefault(values[0], []).append(_Held(*values))
        own = captures.pop(published_at)
        _complete_issue(
            connection, publication, own, seen if is_dated else Seen(seen.first, seen.first)
        )
        for at, held in captures.items():
            captured_at = held[0].captured_at
            if seen.first <= captured_at < seen.last + ONE_CAPTURE:
                lacking = _lacking(held, publication.values, seen.last)
                issue = replace(publication, published_at=at, values=lacking)
                _complete_issue(connection, issue, held, Seen(captured_at, captured_at))


def _lacking(
    held: Sequence[_Held], values: Mapping[datetime, float | None], last: datetime
) -> dict[datetime, float | None]:
    """The values that a later publication lacks: all in the last capture that had them, holes in
    those between, which may have begun or ended elsewhere."""
    _, known = held[0].state
    return {
        label: value
        for label, value in values.items()
        if not any(label in one.state[1] for one in held)
        and (held[0].captured_at >= last or min(known) < label < max(known))
    }


def _complete_issue(
    connection: Connection, issue: Publication, held: Sequence[_Held], when: Seen
) -> None:
    if held:
        simulated = held[-1].simulated
    else:  # the entry does not say
        stamp = read_stamp(connection)
        simulated = stamp is not None and stamp.kind != "live"
    part = {label: value for label, value in issue.values.items() if value is not None}
    if not part:
        return
    for captured_at, values in completed([one.state for one in held], part, when):
        capture = Capture([replace(issue, values=values)], captured_at)
        load_outlook(connection, [capture], simulated=simulated)
        connection.execute("DROP TABLE staged")  # the next one makes its own


def complete_generation(
    connection: Connection, rows: Iterable[GenerationRow | DemandRow], seen: Seen
) -> None:
    """Add fuels, or demand, to the half-hours that they are parts of."""
    found: dict[datetime, list[GenerationRow | DemandRow]] = {}
    for row in rows:
        found.setdefault(row.period_start, []).append(row)
    for start, parts in found.items():
        part: dict[str, int | None] = {}
        for one in parts:
            part |= {DEMAND: one.demand_mw} if isinstance(one, DemandRow) else one.generation_mw
        held: list[State[str]] = [
            (captured_at, fuels if demand is None else {**fuels, DEMAND: demand})
            for captured_at, fuels, demand in connection.execute(
                statement("raw/read_captures_of_half_hour"), {"start": start}
            )
        ]
        published_at = max(one.published_at for one in parts)
        own = _demand if DEMAND in part else _fuels
        for captured_at, values in completed(held, part, seen, together=TOGETHER, own=own):
            whole = HalfHour(start, published_at, _fuels(values), _demand(values))
            load_elexon_generation(connection, [Capture([whole], captured_at)], replayed=True)
            connection.execute("DROP TABLE staged")


def _fuels(values: Mapping[str, Any]) -> dict[str, int | None]:
    return {fuel: mw for fuel, mw in values.items() if fuel != DEMAND}


def _demand(values: Mapping[str, Any]) -> int | None:
    return values.get(DEMAND)
