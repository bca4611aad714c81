"""Great Britain's grid carbon data as Dagster assets in PostgreSQL, with forecasts."""
