"""Whether the product is healthy: the status report, run summaries, and housekeeping."""
