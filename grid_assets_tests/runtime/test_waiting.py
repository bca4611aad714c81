"""What a part waits for before it starts: the database, its schema, and the code server."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from grid_assets.runtime import waiting
from grid_assets.runtime.waiting import wait_for_code_server, wait_until_migrated
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets_tests.running import free_port


def test_a_server_that_does_not_answer_is_an_error_once_time_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "AGAIN_S", 0.05)
    said: list[str] = []
    nothing = SecretStr(f"postgresql://user:password-of-mine@127.0.0.1:{free_port()}/grid")
    with pytest.raises(WarehouseError, match=r"127\.0\.0\.1") as refused:
        wait_until_migrated(nothing, said.append, within_s=5)
    assert len(said) == 1  # each reason once
    assert "password-of-mine" not in str(refused.value) + said[0]


def test_a_database_without_the_schema_names_grid_migrate(
    new_database: Callable[[str | None], SecretStr],
) -> None:
    with pytest.raises(WarehouseError, match="grid migrate"):
        wait_until_migrated(new_database(None), lambda _: None, within_s=0)


def test_a_database_of_another_version_is_not_used(warehouse: SecretStr) -> None:
    wait_until_migrated(warehouse, lambda _: None, within_s=0)
    with connect(warehouse) as connection:
        connection.execute("DELETE FROM ops._yoyo_migration WHERE migration_id LIKE '0027%'")
    with pytest.raises(WarehouseError, match="grid migrate"):
        wait_until_migrated(warehouse, lambda _: None, within_s=0)


def test_a_code_server_that_comes_later_is_found() -> None:
    port = free_port()
    said: list[str] = []
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        def listen(line: str) -> None:
            said.append(line)
            server.bind(("127.0.0.1", port))
            server.listen()

        wait_for_code_server("127.0.0.1", port, listen)
    assert [f"127.0.0.1:{port}" in line for line in said] == [True]
