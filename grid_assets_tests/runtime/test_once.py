"""`grid demo --once` on a server given by URL: it finishes, can be repeated, refuses live data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.health.contents import RELATIONS
from grid_assets.runtime.environment import DEMO_DATABASE
from grid_assets.warehouse.connection import connect
from grid_assets_tests.reading import ask, one_sentence
from grid_assets_tests.running import (
    grid_in_a_new_folder,
    taken_port,
)
from grid_assets_tests.runtime.small_demo import FEW_BACK_TESTS, NEWEST_FORECAST, history_start

pytestmark = pytest.mark.slow


@pytest.fixture
def demo_database(server: SecretStr) -> Iterator[Callable[[], SecretStr]]:
    """The demo's own database on the server, dropped afterwards if it was not there before."""
    present = "SELECT FROM pg_database WHERE datname = %s"
    with connect(server) as connection:
        was_there = bool(connection.execute(present, [DEMO_DATABASE]).fetchall())

    def url() -> SecretStr:
        parts = urlsplit(server.get_secret_value())
        return SecretStr(parts._replace(path=f"/{DEMO_DATABASE}").geturl())

    yield url
    if not was_there:
        with connect(server) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(DEMO_DATABASE)
                )
            )


def test_once_runs_to_the_end_again_and_fails_where_anything_failed(
    server: SecretStr, demo_database: Callable[[], SecretStr]
) -> None:
    with grid_in_a_new_folder() as grid, taken_port() as port:
        grid.environment |= {
            "GRID_DATABASE_URL": server.get_secret_value(),
            "GRID_HISTORY_START": history_start(),
            "GRID_UI_PORT": str(port),
            "GRID_REGIONS": "true",
            **FEW_BACK_TESTS,
        }
        ran = grid.run("demo", "--once")
        first = ran.out
        assert re.search(r"forecast\.predictions: \S+, (\d+) of \1 days", ran.err)
        assert all(f"\n  {relation} " in first for relation in RELATIONS)
        assert "and every mix, published or forecast, sums to exactly 100 %." in first
        assert re.search(r"^  raw\.generation +success ", first, re.MULTILINE)
        page = grid.home / "demo" / "files" / "dashboard.html"
        assert f"Dashboard: {page.as_uri()}" in first.splitlines()
        assert "RECORDED data (replay), not live" in page.read_text(encoding="utf-8")
        feed = page.parent / "v1" / "now.json"
        assert f"Feeds:     {feed.as_uri()}" in first.splitlines()
        assert json.loads(feed.read_text(encoding="utf-8"))["data_kind"] == "replay"
        url = demo_database()
        [blend, (chronos, *of_chronos), boosted, naive] = ask(url, NEWEST_FORECAST)
        assert chronos.startswith("chronos:")
        assert f"Forecast by blend of {chronos} and gradient_boosting from " in first
        assert "Warning" not in first
        assert of_chronos == [960, 10, 96, True, True]
        assert blend == ("blend", *of_chronos)
        assert boosted == ("gradient_boosting", *of_chronos)
        assert naive == ("seasonal_naive", *of_chronos)
        scored = ask(url, "SELECT DISTINCT model FROM reporting.forecast_accuracy ORDER BY 1")
        assert {("blend",), (chronos,), ("gradient_boosting",), ("seasonal_naive",)} <= set(scored)
        for (model,) in scored:
            assert re.search(rf"^  {re.escape(model)} .*\d+\.\d", first, re.MULTILINE)
        # what was published before the back-tested issues is here, and NESO's forecasts of then
        assert "neso (simulated)" in first
        assert "Of the outlook that models saw, simulated: " in first
        [(series, issued_at)] = ask(
            url,
            "SELECT count(DISTINCT series), min(issue.at) FROM (SELECT min(issued_at) "
            "FROM forecast.issues WHERE model = 'gradient_boosting') AS issue (at), "
            "core.outlook_as_known_at(issue.at) AS known WHERE known.period_start >= issue.at",
        )
        assert series == 4
        assert issued_at < datetime.now(UTC) - timedelta(hours=12)
        # the first forecast of all waits for the back-test, on whose errors its band is calibrated
        forecast_by = "SELECT trigger FROM ops.etl_runs WHERE asset = 'forecast.predictions'"
        assert ask(url, f"{forecast_by} ORDER BY started_at LIMIT 1") == [("backtest",)]
        regions = "SELECT count(intensity_gco2_kwh), count(wind_pct), bool_and(simulated)"
        assert ask(url, f"{regions} FROM reporting.regional_now") == [(18, 18, True)]
        kept = ask(url, "SELECT count(*), max(captured_at) FROM raw.generation")
        assert kept[0][0] > 96

        grid.run("demo", "--once")
        again = ask(url, "SELECT count(*), max(captured_at) FROM raw.generation")
        assert again == kept or again[0][0] == kept[0][0] + 1  # a half-hour has ended meanwhile

        with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
            stamp = connection.execute("SELECT kind, shift_weeks FROM ops.warehouse").fetchone()
            restamp = "UPDATE ops.warehouse SET kind = %s, shift_weeks = %s"
            connection.execute(restamp, ["live", None])
            try:
                refused = grid.run("demo", "--once", code=1)
            finally:
                connection.execute(restamp, stamp)
        assert "holds LIVE data" in one_sentence(refused.text)
        assert ask(url, "SELECT count(*) FROM raw.generation")[0] == again[0][:1]
        assert not grid.marked()
        assert not grid.servers()
    assert ask(server, "SELECT 1") == [(1,)]
