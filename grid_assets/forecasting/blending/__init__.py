"""The model `blend`: what it weighs, how it learns the weights, and how it combines forecasts."""
