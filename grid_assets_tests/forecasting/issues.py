"""Telemetry in a warehouse, and issues made from it by a model without weights.

The tests of stored forecasts share it. It imports no test, so that a separate process can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from typing import Any

import numpy as np
from pydantic import SecretStr

from grid_assets.forecasting import issuing
from grid_assets.forecasting.checks import BLOCKING
from grid_assets.forecasting.context import IssueContext, KnownValues
from grid_assets.forecasting.issuing import Issued
from grid_assets.forecasting.models.forecaster import CONTEXT, ModelUnusable, Problem, Values
from grid_assets.forecasting.models.registry import Loaded, ModelInfo
from grid_assets.halfhours import HALF_HOUR, Window, days_window, floor
from grid_assets.outlook.load import load_outlook
from grid_assets.outlook.publish import publish_outlook
from grid_assets.series import SERIES
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.checks import judge
from grid_assets.telemetry.load import RAW_GENERATION, Capture
from grid_assets.telemetry.publish import publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, connect, copy_rows, write_transaction
from grid_assets_tests.forked import PROCESSES

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = CONTEXT * HALF_HOUR

T = datetime(2026, 3, 20, 12, tzinfo=UTC)
"""The issue time of most tests; nothing happens at it, in no time zone."""

LATER = datetime(2026, 6, 1, 9, 7, tzinfo=UTC)
"""When history that nobody waited for was loaded."""

MODEL = "chronos:stub"

Captured = Callable[[datetime], datetime]


def loaded_later(_: datetime) -> datetime:
    return LATER


def captured_live(start: datetime) -> datetime:
    """12 minutes after the half-hour ended, as the daemon does."""
    return start + timedelta(minutes=42)


def half_hours(start: datetime, end: datetime) -> list[datetime]:
    return [start + n * HALF_HOUR for n in range((end - start) // HALF_HOUR)]


def intensity_of(start: datetime, seed: int = 0) -> int:
    """A daily shape with noise that depends on the half-hour alone, from about 90 to 310 g."""
    step = int(start.timestamp()) // 1800
    noise = np.random.default_rng([seed, step]).normal(0, 12)
    return round(200 + 80 * np.sin(step * 2 * np.pi / 48) + noise)


def shares_of(start: datetime, seed: int = 0) -> tuple[Decimal, ...]:
    """Nine shares in tenths that sum to exactly 100; coal is always 0."""
    random = np.random.default_rng([seed, 1, int(start.timestamp()) // 1800])
    weights = random.dirichlet([7, 1, 12, 30, 15, 1, 1, 5, 30]) * 1000
    tenths = np.floor(weights).astype(int)
    tenths[1] = 0
    tenths[5] = 0
    tenths[8] += 1000 - tenths.sum()
    return tuple(Decimal(int(share)).scaleb(-1) for share in tenths)


def put_intensity(url: SecretStr, rows: Iterable[tuple[datetime, datetime, Any]]) -> None:
    """Rows (half-hour, capture, actual) into `raw.intensity`."""
    with connect(url) as connection:
        columns = ("period_start", "captured_at", "actual_gco2_kwh")
        copy_rows(connection, "raw.intensity", columns, rows)


def put_mix(url: SecretStr, rows: Iterable[tuple[datetime, datetime, Sequence[Any]]]) -> None:
    """Rows (half-hour, capture, nine shares) into `raw.generation`."""
    with connect(url) as connection:
        copy_rows(
            connection,
            "raw.generation",
            RAW_GENERATION,
            ((start, captured, *shares, "{}") for start, captured, shares in rows),
        )


def put_neso(url: SecretStr, issued_at: datetime, first: datetime, values: Sequence[Any]) -> None:
    """One captured forecast of NESO: consecutive half-hours from `first`."""
    with connect(url) as connection:
        copy_rows(
            connection,
            "raw.neso_forecast",
            ("issued_at", "period_start", "forecast_gco2_kwh", "simulated"),
            ((issued_at, first + n * HALF_HOUR, v, False) for n, v in enumerate(values)),
        )


def publish(url: SecretStr, window: Window, now: datetime = LATER) -> None:
    """What is in `raw` into `core`, as a run does."""
    with connect(url) as connection, write_transaction(connection, "core.intensity"):
        publish_intensity(connection, window, now, lambda _: None)
    with connect(url) as connection, write_transaction(connection, "core.generation_mix"):
        publish_generation_mix(connection, window, now, lambda _: None)


def publish_wind(url: SecretStr, published_at: datetime, level: float, hours: int = 66) -> None:
    """One publication of metered wind that rises by 10 MW an hour from `level`."""
    first = floor(published_at)
    values = {first + n * HOUR: level + 10.0 * n for n in range(1, hours)}
    publication = Publication("elexon_windfor", "wind_mw", published_at, 60, values)
    around = Window(first - DAY, first + DAY)
    with connect(url) as connection:
        with write_transaction(connection, "raw.outlook"):
            load_outlook(connection, [Capture([publication], published_at)])
        with write_transaction(connection, "core.outlook"):
            publish_outlook(connection, around, published_at + DAY, lambda staged: None)


def fill(
    url: SecretStr,
    start: datetime,
    end: datetime,
    captured: Captured = loaded_later,
    *,
    seed: int = 0,
    but: Iterable[datetime] = (),
) -> None:
    """Telemetry of the half-hours from `start` to `end`, captured as asked, in `raw` and `core`."""
    wanted = [at for at in half_hours(start, end) if at not in set(but)]
    put_intensity(url, ((at, captured(at), intensity_of(at, seed)) for at in wanted))
    put_mix(url, ((at, captured(at), shares_of(at, seed)) for at in wanted))
    publish(url, Window(start, end), max(end, LATER))


def shown(url: SecretStr, at: datetime = T) -> IssueContext:
    """What one issue would be made from."""
    with connect(url) as connection:
        return KnownValues(connection, Window(at - 2 * WEEK, at)).context_of(at)


@dataclass
class Stub:
    """Yesterday again, moved by a tenth of the mean, so that every value of a context counts."""

    name: str = MODEL
    factor: float = 1.0
    spread: float = 10.0
    asked: list[Problem] = field(default_factory=list)

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        self.asked += problems
        answer = np.empty((len(problems), len(SERIES), steps, 3), np.float32)
        for index, problem in enumerate(problems):
            mean = np.nanmean(problem.context, axis=1, keepdims=True)
            day = problem.context[:, -48:]
            median = np.tile(np.where(np.isnan(day), mean, day), steps // 48 + 1)[:, :steps]
            median = self.factor * (0.9 * median + 0.1 * mean)
            answer[index] = np.stack(
                [median - self.spread, median, median + self.spread / 2], axis=-1
            )
        return answer


@dataclass
class Broken:
    """A model that loads and cannot run."""

    name: str = MODEL

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        raise ModelUnusable("it ran out of memory")


def loaded(forecaster: Any, revision: str = "r1") -> Loaded:
    info = ModelInfo(forecaster.name, "/models/stub", revision, scores={"mae": 1.5}, parameters=7)
    return Loaded(forecaster, info)


def all_checks(connection: Connection, span: Window) -> None:
    """The blocking checks of `forecast/predictions`, none of which may find anything."""
    verdicts = judge(connection, BLOCKING["forecast.predictions"], span, LATER)
    assert [verdict.sentence for verdict in verdicts if not verdict.passed] == []


def issue(
    url: SecretStr,
    *times: datetime,
    model: Any = None,
    load: Callable[[], Loaded] | None = None,
    now: datetime = LATER,
    configured: str = MODEL,
    use_neso: bool = False,
    backtest: bool = False,
    judge: Callable[[Connection, Window], None] = all_checks,
    boost: issuing.Boost | None = None,
) -> Issued:
    """Forecasts at `times`, with the stub unless another model is given."""
    with connect(url) as connection:
        return issuing.issue(
            connection,
            days_window(times[0].date() - DAY, times[-1].date()),
            times,
            issuing.IssueOptions(
                now,
                load or (lambda: loaded(model or Stub())),
                configured,
                use_neso=use_neso,
                backtest=backtest,
                judge=judge,
                boost=boost,
            ),
        )


def start_process(url: str, at: datetime, factor: float = 1.0) -> ForkServerProcess:
    """One issue in a process of its own, to be killed or to race another."""
    process = PROCESSES.Process(target=_issue, args=(url, at, factor), daemon=True)
    process.start()
    return process


def _issue(url: str, at: datetime, factor: float) -> None:
    issue(SecretStr(url), at, model=Stub(factor=factor))
