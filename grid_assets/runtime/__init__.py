"""The runtime of a command: its environment, PostgreSQL, and the running processes."""
