"""Requests over HTTP that every source shares: limits, retries and errors."""
