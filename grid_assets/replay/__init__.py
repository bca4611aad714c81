"""The recorded API: real published data, moved to the present, behind the public API's endpoints.

Belongs here: the recording, what of it is published when, faults on demand, the server.
Does not belong here: the client of the API, or anything that knows the database or Dagster.
"""
