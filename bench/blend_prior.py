"""Measures the weights that a blend starts from, on predictions written by `grid evaluate`.

python -m bench.blend_prior --predictions FILE --history FILE --outlook FILE > prior.json

The file replaces grid_assets/forecasting/blending/prior.json. Only the trees' weights of carbon
intensity are measured. Those of the shares stay even, and those of NESO stay as they are: they were
set without looking at errors, because the only true forecasts of NESO lie in a span that is kept
out of every choice.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import numpy as np

from grid_assets.forecasting.blending.combining import WIND
from grid_assets.forecasting.blending.prior import FILE
from grid_assets.forecasting.blending.weights import REGIMES, TREES, Errors, Floats, Mask, learn
from grid_assets.forecasting.history_files import read_history, read_outlook
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME
from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

BOOSTED: Final = "gradient_boosting"
PATH: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--predictions", type=PATH, required=True, help="Of Chronos and gradient boosting.")
@click.option("--history", type=PATH, required=True)
@click.option("--outlook", type=PATH, required=True)
def main(predictions: Path, history: Path, outlook: Path) -> None:
    """Print the measured weights as JSON."""
    times, medians, model = read_medians(predictions)
    happened, known = read_history(history), read_outlook(outlook)
    actual = np.stack([happened.read(at, at + HORIZON_TIME) for at in times])
    reached = np.stack([~np.isnan(known.known_at(at, at, HORIZON)[WIND]) for at in times])
    source = (
        f"{BOOSTED} for {INTENSITY}: python -m bench.blend_prior, on {len(times)} issues "
        f"from {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d} by {model} and {BOOSTED}; "
        "everything else: set without looking at errors"
    )
    prior = json.loads(FILE.read_text(encoding="utf-8"))
    measured = prior[BOOSTED] | {INTENSITY: weights_of_trees(medians - actual, reached)}
    click.echo(json.dumps(prior | {"source": source, BOOSTED: measured}, indent=2))


def read_medians(file: Path) -> tuple[list[datetime], Floats, str]:
    """Issue times, medians (2, issues, 10, 96) of Chronos and of the trees, and Chronos' name."""
    cells: dict[datetime, Floats] = {}
    chronos = ""
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as text:
        for row in csv.DictReader(text):
            model = row["model"]
            if model != BOOSTED and not model.startswith("chronos:"):
                continue
            chronos = chronos if model == BOOSTED else model
            issued, start = (
                datetime.fromisoformat(row[name]) for name in ("issued_at_utc", "period_start_utc")
            )
            if issued not in cells:
                cells[issued] = np.full((2, len(SERIES), HORIZON), np.nan)
            place = SERIES.index(row["series"]), (start - issued) // HALF_HOUR
            cells[issued][int(model == BOOSTED)][place] = float(row["p50"])
    times = sorted(cells)
    return times, np.stack([cells[at] for at in times], axis=1), chronos


def weights_of_trees(errors: Floats, reached: Mask) -> dict[str, Sequence[float]]:
    """The trees' weights of carbon intensity by regime, one for each bucket; errors are (2, issues,
    10, 96)."""
    issues = errors.shape[1]
    values = np.concatenate([errors, np.full((1, *errors.shape[1:]), np.nan)])
    even = np.zeros((4, len(REGIMES), len(SERIES), len(LEAD_BUCKETS)))
    even[: TREES + 1] = 0.5
    trees = learn(Errors(values, reached, np.ones(issues, bool)), even).weights[TREES]
    row = SERIES.index(INTENSITY)
    return {name: np.round(trees[regime, row], 2).tolist() for regime, name in enumerate(REGIMES)}


if __name__ == "__main__":
    main()
