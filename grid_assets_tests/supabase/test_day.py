"""A day without a machine of one's own: what the workflows run, and what Supabase has, together.

The daemon is absent. `grid tick` and `grid forecast` run as the workflows run them, against
PostgreSQL with pg_cron behind poolers in transaction mode; the function runs in Deno. Stand-ins
play pg_net's worker, Supabase's webhook function and GitHub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.pooler import needs_pgbouncer, pooler
from grid_assets_tests.reading import ask, days_ago
from grid_assets_tests.running import GridCommand, free_port, grid_in_a_new_folder, wait_until
from grid_assets_tests.supabase import supabase_parts
from grid_assets_tests.supabase.edge import SECRET, Edge
from grid_assets_tests.supabase.github import GitHub
from grid_assets_tests.supabase.postgres_cron import needs_postgres_cron, postgres_cron

pytestmark = [needs_pgbouncer, needs_postgres_cron, pytest.mark.slow]

WITHHELD = 8
"""Half-hours that the API has not published yet when the day begins."""

NEXT_CRON_S = 200
"""A minute until pg_cron looks again, and the forecast itself on a busy machine."""


@dataclass
class Project:
    """A Supabase project with its function, a GitHub repository with its workflows, and the API."""

    database: SecretStr
    """As the administrator, without a pooler."""
    tick: GridCommand
    """The machine of the workflow `telemetry`."""
    forecast: GridCommand
    """The machine of the workflow `forecast`."""
    edge: Edge
    github: GitHub
    replay: ReplayServer
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def publish(self) -> None:
        """The API publishes one half-hour, and the workflow `telemetry` runs."""
        self.replay.control.release(1, datetime.now(UTC))
        self.tick.run("tick", "--telemetry-only")

    def load_history(self) -> None:
        """The first cycle. It publishes the newest days and then the older ones, so the forecast
        may be started twice: without a context, and with one."""
        self.publish()
        wait_until(self.is_used, NEXT_CRON_S, self.state)
        self.github.wait_for_runs()
        self.github.dispatches.clear()
        self.begun = datetime.now(UTC)

    def play(self, cycles: int) -> None:
        """So many half-hours, each with a forecast: none is lost, and none is made twice."""
        for _ in range(cycles):
            self.publish()
            wait_until(self.is_used, NEXT_CRON_S, self.state)
            self.github.wait_for_runs()
        starts = ask(
            self.database,
            "SELECT intensity_to, mix_to, status FROM ops.wakeups WHERE woken_at >= %s",
            self.begun,
        )
        assert len(starts) == len({start[:2] for start in starts}) == cycles, self.state()
        assert {status for *_, status in starts} <= {"answered", "started"}
        forecasts = (
            "SELECT status, rows_written > 0 FROM ops.etl_runs "
            "WHERE asset = 'forecast.predictions' AND started_at >= %s"
        )
        made = ask(self.database, forecasts, self.begun)
        assert made == [("success", True)] * cycles, self.state()
        assert len(self.github.dispatches) == cycles
        assert self.edge.events("start_failed") == []

    def used(self) -> list[Any]:
        """The ends of the telemetry that forecasts have used, newest first."""
        return ask(
            self.database,
            "SELECT DISTINCT intensity_to, mix_to FROM forecast.issues "
            "WHERE refused_reason IS NULL AND model LIKE 'chronos:%' ORDER BY 1 DESC",
        )

    def is_used(self) -> bool:
        """Whether a forecast has used everything that is published."""
        end = self.replay.control.withheld_from
        assert end is not None
        return self.used()[:1] == [(end, end)]

    def state(self) -> str:
        """What is known about the starts, for the message of a test that fails."""
        rows = ask(self.database, "SELECT * FROM ops.wakeups ORDER BY woken_at")
        return f"{rows}\n{self.used()[:3]}\n{self.edge.log()}\n{self.github.runs}"


@pytest.fixture(scope="module")
def one_project(
    replay_server: ReplayServer,
    one_github: GitHub,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Project]:
    """Set up as docs/supabase.md says; the first cycle loads nine days, and back-tests one.

    Each test goes on where the one before ended.
    """
    with ExitStack() as opened:
        database = opened.enter_context(postgres_cron())
        with psycopg.connect(database.get_secret_value(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_cron")
        supabase_parts.install(database)
        tick, forecast = (
            opened.enter_context(grid_in_a_new_folder(is_forked=True)) for _ in range(2)
        )
        variables = {"GRID_WAKE_SECRET": SECRET, **one_github.variables}
        edge = Edge(tmp_path_factory.mktemp("edge"), variables, free_port())
        opened.callback(edge.kill)
        tick.environment |= {
            "GRID_API_URL": replay_server.url,
            "GRID_DATABASE_URL": database.get_secret_value(),
            "GRID_WAKE_SECRET": SECRET,
            "GRID_WAKE_URL": edge.url,
        }
        said = tick.run("migrate").out
        assert "Webhook: new telemetry wakes" in said
        assert "Cron: every minute" in said
        examined = tick.run("doctor", code=None).out
        assert "A webhook and a cron job wake the edge function." in examined
        del tick.environment["GRID_WAKE_SECRET"], tick.environment["GRID_WAKE_URL"]

        def pooled(user: str) -> str:
            url = to_url(read(database) | {"user": user})
            return opened.enter_context(pooler(url)).get_secret_value()

        edge.variables["GRID_DATABASE_URL"] = pooled("grid_waker")
        edge.start()
        as_writer = pooled("grid_writer")
        history = tick.run("url", GRID_DATABASE_URL="").out.splitlines()[-1]  # as a workflow does
        for machine in (tick, forecast):
            machine.environment |= {
                "GRID_API_URL": replay_server.url,
                "GRID_BACKTEST_DAYS": "1",
                "GRID_BACKTEST_STRIDE_HOURS": "12",
                "GRID_DAGSTER_DATABASE_URL": history,
                "GRID_DATABASE_URL": as_writer,
                "GRID_HISTORY_START": str(days_ago(8)),
            }
        control = replay_server.control
        control.withhold(WITHHELD, datetime.now(UTC))
        opened.callback(lambda: control.release(None, datetime.now(UTC)))
        yield Project(database, tick, forecast, edge, one_github, replay_server)


@pytest.fixture
def project(one_project: Project, github: GitHub) -> Project:
    github.on_dispatch = lambda _: one_project.forecast.run("forecast")
    one_project.begun = datetime.now(UTC)
    return one_project


def test_a_day_of_telemetry_webhooks_forecasts_and_views_without_a_daemon(
    project: Project,
) -> None:
    with supabase_parts.pg_net(project.database) as pg_net:
        project.load_history()
        project.play(1)
    by_webhook = [request for request in pg_net.sent if request.url.endswith("?source=webhook")]
    payload = json.loads(by_webhook[-1].body)
    assert payload["table"] == "telemetry_landed"
    assert set(payload) == {"type", "table", "schema", "record", "old_record"}

    ask_for = partial(ask, project.database)
    assert ask_for("SELECT DISTINCT status FROM ops.wakeups WHERE status <> 'started'") == [
        ("answered",)
    ]
    assert ask_for(
        "SELECT count(*) FROM reporting.forecast_latest WHERE model LIKE 'chronos:%' "
        "AND series = 'carbon_intensity' AND period_start >= now()"
    ) >= [(90,)]
    scored = "SELECT count(*) > 0 FROM reporting.actual_vs_predicted WHERE model LIKE 'chronos:%'"
    assert ask_for(scored) == [(True,)]
    status = project.tick.run("status", code=None).out
    last = r"^wake-ups +(answered|started) by github at .*\((webhook|cron), "
    assert re.search(last, status, re.M), status


def test_a_day_with_every_second_webhook_lost_and_each_third_doubled(project: Project) -> None:
    """What is lost waits for pg_cron at most; what is doubled changes nothing."""
    with supabase_parts.pg_net(project.database, lose_every=2, double_every=3) as pg_net:
        project.play(3)
        assert pg_net.lost
        assert len(pg_net.sent) > len({request.id for request in pg_net.sent})


def test_without_any_webhook_pg_cron_wakes_the_function(project: Project) -> None:
    with supabase_parts.pg_net(project.database) as pg_net:
        with psycopg.connect(project.database.get_secret_value(), autocommit=True) as connection:
            connection.execute("DROP TRIGGER forecast_on_telemetry ON ops.telemetry_landed")
        project.play(1)
        assert {"source=cron"} == {request.url.partition("?")[2] for request in pg_net.sent}
