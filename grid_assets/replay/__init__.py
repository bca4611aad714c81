"""The recorded APIs: real published data, moved to the present, at the public APIs' endpoints.

They can withhold half-hours and inject faults on demand. They know nothing of the clients, the
database or Dagster.
"""
