"""The recorded API: real published data, moved to the present, at the public API's endpoints.

It can withhold half-hours and inject faults on demand. It knows nothing of the client, the database
or Dagster.
"""
