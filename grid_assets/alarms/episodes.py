"""What is news: episodes of conditions, when they begin, return and end, and what is told of them.

Pure: conditions, rows and times are arguments. An episode is told once, and its recovery once. One
that comes back after its recovery was told is told again, and then its recovery waits for longer,
so that a condition that comes and goes with each cycle sends three messages, not two an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.alarms.conditions import Condition, Severity
from grid_assets.halfhours import utc_text

SAME: Final = timedelta(hours=3)
"""What ends and comes back within this time counts as coming back; the longest hold, too."""

MOST_AN_HOUR: Final = 4
"""Messages in any hour, of all conditions together; the next one sums up what had to wait."""

LONGEST: Final = 1_700
"""Characters of a text. Discord takes 2,000 with the title, and refuses all of a longer message:
it would be tried for ever, and hold up every later one."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An open row of `ops.alarms`."""

    alarm_id: int
    key: str
    severity: Severity
    what: str
    began_at: datetime
    times: int
    ended_at: datetime | None
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look changes: conditions that begin, with how often they came back; episodes that
    continue with other words or after an end; and episodes that are over."""

    begun: list[tuple[Condition, int]]
    resumed: list[tuple[Episode, Condition]]
    ended: list[Episode]

    def __bool__(self) -> bool:
        return bool(self.begun or self.resumed or self.ended)


@dataclass(frozen=True, slots=True)
class News:
    """What a message tells, and what is closed without one."""

    began: list[Episode]
    over: list[Episode]
    silent: list[Episode]

    def __bool__(self) -> bool:
        return bool(self.began or self.over)


def hold(times: int) -> timedelta:
    """How long a condition must be over before its recovery is told: nothing for one that came
    once, then 1, 2 and 3 hours."""
    return timedelta(0) if times <= 1 else min(SAME, timedelta(hours=2 ** min(times - 2, 2)))


def changes(
    open_ones: Sequence[Episode], conditions: Sequence[Condition], before: Mapping[str, int]
) -> Changes:
    """Compare what is open with what holds; `before` are the times of those closed lately."""
    by_key = {each.key: each for each in open_ones}
    holding = {each.key: each for each in conditions}
    return Changes(
        [(each, 1 + before.get(key, 0)) for key, each in holding.items() if key not in by_key],
        [
            (episode, holding[key])
            for key, episode in by_key.items()
            if key in holding
            and (
                episode.ended_at is not None
                or (episode.told_at is None and episode.what != holding[key].what)
            )
        ],
        [each for key, each in by_key.items() if key not in holding and each.ended_at is None],
    )


def news(open_ones: Sequence[Episode], now: datetime, *, can_tell: bool) -> News:
    """What is to be told of these episodes; without an address, nothing, and what is over closes.

    One that ended before it could be told is told with its end. A note has no recovery.
    """
    over = [
        each
        for each in open_ones
        if each.ended_at is not None and now - each.ended_at >= hold(each.times)
    ]
    if not can_tell:
        return News([], [], over)
    silent = [each for each in over if each.severity == "note" and each.told_at is not None]
    return News(
        [each for each in open_ones if each.told_at is None and each not in over],
        [each for each in over if each not in silent],
        silent,
    )


def message(told: News) -> tuple[str, str]:
    """Title and text of one message about all of it."""
    began, over = told.began, told.over
    if len(began) + len(over) == 1:
        title = began[0].key if began else f"over: {over[0].key}"
    else:
        parts = [f"{len(began)} began"] * bool(began) + [f"{len(over)} over"] * bool(over)
        title = " and ".join(parts)
    lines = [
        *_fitting(
            [
                *(f"BEGAN {utc_text(each.began_at)}{_again(each)}: {each.what}" for each in began),
                *(f"OVER {_span(each)}: {_was(each)}" for each in over),
            ]
        ),
        "`grid status` shows what is open (docs/alarms.md).",
    ]
    return f"Grid Assets: {title}", "\n".join(lines)


def _fitting(lines: list[str]) -> list[str]:
    """The first lines that fit into a message, and how many more there are."""
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) > LONGEST - 100:
            return [*kept, f"... and {len(lines) - len(kept)} more."]
        kept.append(line)
    return kept


def _again(episode: Episode) -> str:
    return f" (time {episode.times} within hours)" if episode.times > 1 else ""


def _span(episode: Episode) -> str:
    assert episode.ended_at is not None
    return f"{utc_text(episode.ended_at)}, since {utc_text(episode.began_at)}"


def _was(episode: Episode) -> str:
    return episode.key if episode.told_at is not None else episode.what
