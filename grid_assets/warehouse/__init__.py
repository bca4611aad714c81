"""The PostgreSQL warehouse: connections, migrations, roles, and the log of attempts."""
