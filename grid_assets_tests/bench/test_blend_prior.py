"""The weights of `bench.blend_prior`: by the errors of the predictions, in the form that ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from bench import blend_prior
from grid_assets.forecasting.blending.prior import FILE, read_prior, shipped_prior
from grid_assets.forecasting.blending.weights import NESO, TREES
from grid_assets.forecasting.history_files import read_history
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME
from grid_assets.halfhours import DAY, HALF_HOUR, api_time
from grid_assets.series import SERIES
from grid_assets_tests.forecasting.made_files import START, write_history, write_outlook

OUTLOOK = 1


def test_the_better_model_gets_more_of_intensity_and_the_rest_stays(tmp_path: Path) -> None:
    history = write_history(tmp_path / "history.csv")
    outlook = write_outlook(tmp_path / "outlook.csv")
    happened, random = read_history(history), np.random.default_rng(1)
    lines = ["model,issued_at_utc,period_start_utc,series,p10,p50,p90"]
    for at in (START + n * DAY / 2 for n in range(16, 36)):
        truth = happened.read(at, at + HORIZON_TIME)
        for model, spread in (("chronos:some", 20), ("gradient_boosting", 5), ("neso", 1)):
            for row, series in enumerate(SERIES):
                for step in range(HORIZON):
                    p50 = truth[row, step] + random.normal(0, spread)
                    start = api_time(at + step * HALF_HOUR)
                    lines.append(f"{model},{api_time(at)},{start},{series},,{p50:.2f},")
    predictions = tmp_path / "predictions.csv"
    predictions.write_text("\n".join(lines))
    done = CliRunner().invoke(
        blend_prior.main,
        ["--predictions", str(predictions), "--history", str(history), "--outlook", str(outlook)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    file = tmp_path / "prior.json"
    file.write_text(done.output)
    assert "by chronos:some and gradient_boosting" in json.loads(done.output)["source"]
    found = read_prior(file)
    assert (found[TREES, OUTLOOK, 0] > 0.58 * (1 - found[NESO:, OUTLOOK, 0].sum(axis=0))).all()
    shipped = json.loads(FILE.read_text(encoding="utf-8"))["gradient_boosting"]
    measured = json.loads(done.output)["gradient_boosting"]
    assert measured["carbon_intensity"] != shipped["carbon_intensity"]
    assert measured["shares"] == shipped["shares"]
    np.testing.assert_array_equal(found[NESO:], shipped_prior()[NESO:])
