"""Write every generated file from a newly migrated database on a temporary server."""

import tempfile
from pathlib import Path

import psycopg
from pydantic import SecretStr

from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.generate import VIEWS, generated


def main() -> None:
    """Write what changed, and delete the views that are gone."""
    with tempfile.TemporaryDirectory(prefix="grid-generate-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL does not run as root, and its user has to enter
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            url = SecretStr(server.start())
            migrate(url, Stamp("live"))
            with psycopg.connect(url.get_secret_value()) as connection:
                files = generated(connection)
        finally:
            server.stop()
    for path in set(VIEWS.glob("*.view.lkml")) - set(files):
        path.unlink()
        print(f"Deleted {path.relative_to(PROJECT_DIR)}")  # noqa: T201
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {path.relative_to(PROJECT_DIR)}")  # noqa: T201


if __name__ == "__main__":
    main()
