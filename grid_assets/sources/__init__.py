"""Where values come from: one folder for each published API, and what they share in `http`."""
