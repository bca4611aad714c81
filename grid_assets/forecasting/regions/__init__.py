"""Forecasts by region: NESO's scored against the API's later estimate, and ours derived from it.

A region's blend is NESO's forecast of the region, moved by a part of what our national forecast
says of NESO's national one. `reporting.regional_forecast_latest` computes it from the weights that
are learned here.
"""
