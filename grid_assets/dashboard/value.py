"""The panel on what a forecast is worth: its sentence and its table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from grid_assets.dashboard.theme import model_label, tenths

if TYPE_CHECKING:
    from grid_assets.dashboard.panels import Table
    from grid_assets.dashboard.queries import Snapshot


@dataclass(frozen=True, slots=True)
class Value:
    """What three hours of use saved by one model's forecast, as a mean over `n` cases."""

    model: str
    wait_hours: int
    n: int
    saved_gco2_kwh: Decimal
    best_gco2_kwh: Decimal
    worse_pct: Decimal
    simulated: bool

    @property
    def of_best_pct(self) -> Decimal | None:
        """The saving in percent of that of perfect foresight; None if nothing could be saved."""
        return 100 * self.saved_gco2_kwh / self.best_gco2_kwh if self.best_gco2_kwh else None

    @property
    def label(self) -> str:
        """The model's name, marked if its forecasts are simulated."""
        return model_label(self.model, self.simulated)


def value_table(snapshot: Snapshot) -> Table:
    """By wait, the model that saved most first."""
    ordered = sorted(snapshot.values, key=lambda one: (one.wait_hours, -one.saved_gco2_kwh))
    return (
        ("may wait", "forecast by", "cases", "saved, gCO2/kWh", "of the best", "made worse"),
        [
            (
                f"{one.wait_hours} hours",
                one.label,
                f"{one.n:,}",
                tenths(one.saved_gco2_kwh),
                "–" if one.of_best_pct is None else f"{one.of_best_pct:.0f} %",
                f"{one.worse_pct:.0f} %",
            )
            for one in ordered
        ],
    )


def summarise_value(snapshot: Snapshot) -> str:
    """What the page's model saved, or else the model that saved most."""
    if not snapshot.values:
        return "No use that waits has come true yet."
    longest = max(one.wait_hours for one in snapshot.values)
    shown = [one for one in snapshot.values if one.wait_hours == longest]
    own = [one for one in shown if one.model == snapshot.model]
    one = own[0] if own else max(shown, key=lambda each: each.saved_gco2_kwh)
    share = "" if one.of_best_pct is None else f", {one.of_best_pct:.0f} % of the best possible"
    return (
        f"By the forecast of {one.label}, a use that may wait {longest} hours saved "
        f"{tenths(one.saved_gco2_kwh)} gCO2/kWh{share}, and {one.worse_pct:.0f} % of the uses "
        "emitted more than at once."
    )
