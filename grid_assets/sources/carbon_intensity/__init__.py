"""The Carbon Intensity API: its HTTP client, with retries and errors, and its parsers."""
