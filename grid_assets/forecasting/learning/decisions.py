"""The rows of trials in `forecast`: what was decided, by which figures, and the promoted trees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from grid_assets.forecasting.boosting.trees import CARD, TREES, TreeFolder
from grid_assets.forecasting.learning.comparing import Comparison
from grid_assets.forecasting.models.champion import MODEL
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

TRIALS: Final = "forecast.model_trials"
"""The relation whose lock decisions are made under."""

ERRORS: Final = (
    "trial",
    "lead_bucket",
    "n",
    "blocks",
    "champion_mae_gco2_kwh",
    "challenger_mae_gco2_kwh",
    "difference_gco2_kwh",
    "standard_error_gco2_kwh",
)

Outcome = Literal["promoted", "kept", "refused", "reverted"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of `forecast.model_trials`. `champion` and `challenger` are revisions."""

    outcome: Outcome
    reason: str
    champion: str
    run_id: str | None = None
    challenger: str | None = None
    half_hours: int = 0
    learned_to: datetime | None = None
    comparison: Comparison | None = None


def add(connection: Connection, decision: Decision) -> int:
    """Add a decision with its figures, in the caller's transaction; returns its number."""
    found = decision.comparison
    row = connection.execute(
        statement("forecast/add_trial"),
        {
            "run_id": decision.run_id,
            "model": MODEL,
            "outcome": decision.outcome,
            "reason": decision.reason,
            "champion": decision.champion,
            "challenger": decision.challenger,
            "half_hours": decision.half_hours,
            "learned_to": decision.learned_to,
            "first_issue_at": found and found.first_issue_at,
            "last_issue_at": found and found.last_issue_at,
            "issues": found and found.issues,
        },
    ).fetchone()
    assert row is not None
    copy_rows(
        connection,
        "forecast.trial_errors",
        ERRORS,
        (
            (
                row[0],
                each.lead_bucket,
                each.n,
                each.blocks,
                *(_rounded(each.champion_mae), _rounded(each.challenger_mae)),
                *(_rounded(each.difference), _rounded(each.standard_error)),
            )
            for each in (found.errors if found else ())
        ),
    )
    return int(row[0])


def store(connection: Connection, trees: TreeFolder) -> None:
    """Store the files of trees that are promoted, and remove those of old ones."""
    connection.execute(
        statement("forecast/store_weights"),
        {
            "model": MODEL,
            "revision": trees.revision,
            "trees": (trees.folder / TREES).read_bytes(),
            "card": (trees.folder / CARD).read_text(encoding="utf-8"),
        },
    )
    connection.execute("SELECT forecast.keep_newest_weights(%s)", [MODEL])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
