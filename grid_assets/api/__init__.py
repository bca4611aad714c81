"""The Carbon Intensity API: its HTTP client, with retries and errors, and its payloads as rows."""
