"""Published half-hours on their way into `raw` and `core`: loading, checks, gaps, quarantine."""
