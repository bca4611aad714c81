"""The line about the newest forecast."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from grid_assets.forecasting.models.champion import WAREHOUSE_SOURCE
from grid_assets.halfhours import DAY, HALF_HOUR, utc_text
from grid_assets.health.run_summary import learned_from, newest_forecast, refusals
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import Connection


@pytest.mark.parametrize("order", [("chronos:old", "chronos:new"), ("chronos:new", "chronos:old")])
def test_after_a_change_of_the_model_the_newest_forecast_is_the_one_made_last(
    connection: Connection, order: tuple[str, str]
) -> None:
    for minutes, model in enumerate(order):
        connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
            "context_assumed, known_by) VALUES (%s, date_bin('30 minutes', now(), 'epoch'), "
            "now() + %s * interval '1 minute', 'x', 0, 0, 'capture')",
            [model, minutes - 2],
        )
    assert newest_forecast(connection).startswith(f"Forecast by {order[1]} from ")


AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def put(
    connection: Connection,
    model: str,
    at: datetime = AT,
    *,
    refused: str | None = None,
    fallback: str | None = None,
    members: tuple[str, ...] = (),
) -> None:
    blend = {"members": {f"role {place}": {"model": name} for place, name in enumerate(members)}}
    connection.execute(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
        "context_assumed, known_by, refused_reason, fallback_reason, blend) "
        "VALUES (%s, %s, %s, 'not loaded', 0, 0, 'capture', %s, %s, %s)",
        [model, at, at, refused, fallback, Jsonb(blend) if members else None],
    )


@pytest.mark.parametrize(
    ("members", "who"),
    [
        ((), "chronos:a"),
        (("chronos:a",), "blend of chronos:a"),
        (("gradient_boosting", "chronos:a"), "blend of chronos:a and gradient_boosting"),
        (
            ("neso", "gradient_boosting", "chronos:a"),
            "blend of chronos:a, gradient_boosting and neso",
        ),
    ],
)
def test_the_newest_forecast_is_by_the_blend_of_its_members_where_there_is_one(
    connection: Connection, members: tuple[str, ...], who: str
) -> None:
    put(connection, "chronos:a")
    put(connection, "gradient_boosting")
    put(connection, "blend", AT - HALF_HOUR, members=("chronos:before",))
    if members:
        put(connection, "blend", members=members)
    line = newest_forecast(connection)
    assert line == f"Forecast by {who} from 2026-01-01 12:00Z, 48 hours."


def test_a_stand_in_is_a_warning_beside_the_blend(connection: Connection) -> None:
    put(connection, "seasonal_naive", fallback="It cannot be used.")
    put(connection, "chronos:a", refused="It cannot be used.")
    put(connection, "gradient_boosting", fallback="The promoted trees cannot be used.")
    put(connection, "blend", members=("gradient_boosting",))
    assert newest_forecast(connection) == (
        "Forecast by blend of gradient_boosting from 2026-01-01 12:00Z, 48 hours. "
        "Warning: It cannot be used."
    )


def test_only_issue_times_at_which_no_model_of_ours_forecast_have_no_forecast(
    connection: Connection,
) -> None:
    days = Range(AT.date(), AT.date())
    put(connection, "chronos:a")
    put(connection, "gradient_boosting", refused="The bundled trees cannot be used.")
    assert list(refusals(connection, days)) == []
    for later in (1, 2):
        at = AT + later * HALF_HOUR
        put(connection, "neso", at)
        put(connection, "chronos:a", at, refused="Too little.")
        put(connection, "chronos:b", at, refused="Too little.")
    assert list(refusals(connection, days)) == ["No forecast at 2 issue times. Too little."]


@pytest.mark.parametrize(("shift_weeks", "warns"), [(None, True), (0, True), (-10, False)])
def test_scores_of_days_that_a_model_learned_from_have_a_warning(
    connection: Connection, shift_weeks: int | None, *, warns: bool
) -> None:
    """The training ended in true time; a recording is shifted."""
    for model, trained_to in (("chronos:a", AT + HALF_HOUR), ("gradient_boosting", None)):
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source, trained_to, scores) "
            "VALUES (%s, 'not loaded', 'shipped', %s, '{}')",
            [model, trained_to],
        )
        put(connection, model)
    connection.execute(
        "UPDATE ops.warehouse SET kind = %s, shift_weeks = %s",
        ["live" if shift_weeks is None else "replay", shift_weeks],
    )
    found = list(learned_from(connection, Range(AT.date(), AT.date())))
    if warns:
        [line] = found
        assert line.startswith("Warning: chronos:a learned from data up to ")
        assert "the scores of these days flatter" in line
    else:
        assert found == []
    assert list(learned_from(connection, Range(AT.date() + 200 * DAY, AT.date() + 201 * DAY))) == []


def test_trees_of_a_trial_have_the_times_of_their_warehouse(connection: Connection) -> None:
    """They learned from recorded data that was shifted already."""
    connection.execute(
        "INSERT INTO forecast.models (model, revision, source, trained_to, scores) "
        "VALUES ('gradient_boosting', 'not loaded', %s, %s, '{}')",
        [WAREHOUSE_SOURCE, AT - DAY],
    )
    put(connection, "gradient_boosting")
    put(connection, "gradient_boosting", AT - 2 * DAY)
    connection.execute("UPDATE ops.warehouse SET kind = 'replay', shift_weeks = 10")
    assert list(learned_from(connection, Range(AT.date(), AT.date()))) == []
    [line] = learned_from(connection, Range((AT - 2 * DAY).date(), AT.date()))
    assert utc_text(AT - DAY) in line
