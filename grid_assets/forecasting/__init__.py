"""Forecasting: the context that a model is given, the models, the stored issues and their scores.

Only `models.chronos` and `training` import torch.
"""
