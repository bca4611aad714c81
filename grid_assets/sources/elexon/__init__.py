"""The Elexon Insights API: its HTTP client and its parsers."""
