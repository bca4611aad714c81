"""Which trees of gradient boosting forecast: the bundled ones, or some that were grown here."""

from __future__ import annotations

from grid_assets.halfhours import utc_text
from grid_assets.health import learning
from grid_assets.health.doctor.case import Case, Finding, note, ok


def trees(case: Case) -> Finding:
    with case.reading() as connection:
        trials = connection.execute("SELECT to_regclass('forecast.model_trials')").fetchone()
        if trials == (None,):  # not set up yet, or of a version before trials
            return ok("The bundled ones forecast.")
        promoted, fault = learning.state(connection)
    if promoted is None:
        return note(fault) if fault else ok("The bundled ones forecast.")
    if fault:
        return note(
            f"{fault} `grid train --warehouse` makes new ones, `grid train --warehouse --revert` "
            "ends this."
        )
    return ok(f"{promoted.revision}, grown here, in use since {utc_text(promoted.promoted_at)}.")
