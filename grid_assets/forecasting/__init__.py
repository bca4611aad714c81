"""Forecasts: context, models, bands, storage, scores and training, without Dagster.

Only `models.chronos`, `training` and `exporting` import torch.
"""
