"""Forecasts: context, models, bands, storage, scores and training, without Dagster.

Only `models.chronos` and `training` import torch.
"""
