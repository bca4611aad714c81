"""The dashboard: one HTML page drawn from the views of `reporting`."""
