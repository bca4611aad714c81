-- What shifting a use of electricity by a forecast was worth; docs/decisions/0041 has the rules.

-- forecast.value: one row is one model, UTC day and wait. Unique: those three. A case is an issue
-- whose half-hours of that day begin, that forecast the whole wait, and whose whole wait has actuals.
-- Sums are stored so that days add up exactly; a re-run rewrites only rows that changed. A row whose
-- cases are gone has n = 0, because grid_writer deletes nothing.
CREATE TABLE forecast.value (
    model            text    NOT NULL,
    target_date      date    NOT NULL,
    wait_hours       integer NOT NULL,
    n                bigint  NOT NULL,
    saved_sum        numeric NOT NULL,
    best_sum         numeric NOT NULL,
    n_worse          bigint  NOT NULL,
    simulated        boolean NOT NULL,
    saved_gco2_kwh   numeric GENERATED ALWAYS AS (round(saved_sum / nullif(6 * n, 0), 3)) STORED,
    best_gco2_kwh    numeric GENERATED ALWAYS AS (round(best_sum / nullif(6 * n, 0), 3)) STORED,
    made_worse_share numeric GENERATED ALWAYS AS (round(n_worse::numeric / nullif(n, 0), 4)) STORED,
    CONSTRAINT value_pk PRIMARY KEY (model, target_date, wait_hours),
    CONSTRAINT value_wait_known CHECK (wait_hours IN (12, 24)),
    CONSTRAINT value_counts CHECK (n_worse BETWEEN 0 AND n),
    CONSTRAINT value_best_is_best CHECK (best_sum >= 0 AND best_sum >= saved_sum)
);
CREATE INDEX value_by_day ON forecast.value (target_date);
COMMENT ON TABLE forecast.value IS 'What shifting three hours of use by a forecast of carbon intensity was worth: one row per model, UTC day and wait.';
COMMENT ON COLUMN forecast.value.model IS 'Name of the model, such as gradient_boosting or neso.';
COMMENT ON COLUMN forecast.value.target_date IS 'UTC day on which the use could have begun at once: the day of the issue''s first half-hour.';
COMMENT ON COLUMN forecast.value.wait_hours IS 'Hours within which the use must end: 12 or 24.';
COMMENT ON COLUMN forecast.value.n IS 'Number of cases: issues that forecast the whole wait and whose whole wait has actuals; 0 where they are gone.';
COMMENT ON COLUMN forecast.value.saved_sum IS 'Sum over the cases and the six half-hours of the use of what saved_gco2_kwh is the mean of, gCO2/kWh.';
COMMENT ON COLUMN forecast.value.best_sum IS 'Sum over the cases and the six half-hours of the use of what best_gco2_kwh is the mean of, gCO2/kWh.';
COMMENT ON COLUMN forecast.value.n_worse IS 'Number of cases in which the chosen window was worse than beginning at once.';
COMMENT ON COLUMN forecast.value.simulated IS 'True where the recorded API simulated any of the forecasts.';
COMMENT ON COLUMN forecast.value.saved_gco2_kwh IS 'Mean actual of a use that begins at once, less that of the window that the forecast calls greenest, gCO2/kWh; below 0 where waiting made it worse.';
COMMENT ON COLUMN forecast.value.best_gco2_kwh IS 'The same with perfect foresight: less the mean actual of the window that was greenest, gCO2/kWh.';
COMMENT ON COLUMN forecast.value.made_worse_share IS 'Share of cases in which the chosen window was worse than beginning at once, 0 to 1.';

-- forecast.value_due: one row is one UTC day whose value is not computed yet. `grid migrate` computes
-- these days, once forecasts of every earlier version are in forecast.archive, and drops the table.
CREATE TABLE forecast.value_due (
    target_date date NOT NULL,
    CONSTRAINT value_due_pk PRIMARY KEY (target_date)
);
INSERT INTO forecast.value_due
SELECT DISTINCT (period_start AT TIME ZONE 'UTC')::date FROM forecast.latest WHERE series = 'carbon_intensity';
COMMENT ON TABLE forecast.value_due IS 'UTC days of the past whose forecast.value is to be computed; `grid migrate` empties and drops it.';
COMMENT ON COLUMN forecast.value_due.target_date IS 'UTC day.';
