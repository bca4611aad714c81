"""The dashboard: one HTML page that is drawn from the views of `reporting`."""
