"""Gradient boosting on the history and the outlook: its features, its training and its trees."""
