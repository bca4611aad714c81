"""Forecasts: what a model is shown, the models themselves, and how their errors are counted.

Modules here know nothing of Dagster. Only `chronos`, `checkpoint` and `training` import torch.
"""
