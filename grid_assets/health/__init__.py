"""Reports on the warehouse for a terminal: its status, summaries of runs, and the demo's table of
contents. Also decides whether housekeeping is due."""
