"""The PostgreSQL warehouse: connections, SQL files, migrations, roles, and the log of attempts."""
