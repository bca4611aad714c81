"""What the warehouse says of itself, for a terminal: the status report, summaries of runs, the
demo's table of contents, and whether housekeeping is due."""
