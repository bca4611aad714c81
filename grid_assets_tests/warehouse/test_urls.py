"""Connection URLs: every form that libpq reads works for psycopg, for yoyo and for Dagster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import dagster as dg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import ensure_database, is_current, migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.urls import location, read, redact, session_url, sqlalchemy_url, to_url
from grid_assets_tests.running import free_port, grid_in_a_new_folder

LIVE = Stamp("live")


def as_parameters(given: dict[str, str]) -> str:
    """As for a local socket."""
    return f"postgresql:///{given.pop('dbname')}?{urlencode(given, quote_via=quote)}"


def all_as_parameters(given: dict[str, str]) -> str:
    return f"postgresql:///?{urlencode(given, quote_via=quote)}"


def percent_encoded(given: dict[str, str]) -> str:
    user, password, dbname = (
        "".join(f"%{ord(letter):02X}" for letter in given.get(name, "none"))
        for name in ("user", "password", "dbname")
    )
    return f"postgres://{user}:{password}@{given['host']}:{given.get('port', 5432)}/{dbname}\r\n"


def of_two_hosts(given: dict[str, str]) -> str:
    """Nobody listens at the first."""
    hosts = f"127.0.0.1:{free_port()},{given['host']}:{given.get('port', 5432)}"
    login = f"{given['user']}:{quote(given.get('password', 'none'), safe='')}"
    return f"postgresql://{login}@{hosts}/{given['dbname']}?target_session_attrs=read-write"


def with_a_plus(given: dict[str, str]) -> str:
    return f"{as_parameters(given)}&application_name=a+b%20c"


def key_value(given: dict[str, str]) -> str:
    return make_conninfo(**given)


FORMS = [
    as_parameters,
    all_as_parameters,
    percent_encoded,
    of_two_hosts,
    with_a_plus,
    key_value,
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: str(form.__name__))
def test_every_form_of_url_works_for_all_that_connect(
    form: Callable[[dict[str, str]], str],
    new_database: Callable[[], SecretStr],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    given = {name: str(value) for name, value in read(new_database()).items()}
    dbname = given["dbname"]
    monkeypatch.setenv("GRID_DATABASE_URL", form(given))
    settings = Settings.from_environment()
    url = settings.database_url
    assert url is not None
    assert migrate(url, LIVE).views_renewed  # psycopg and yoyo
    with connect(url) as connection:
        assert is_current(connection)
        assert connection.info.dbname == dbname
    environment = Environment(settings, tmp_path, url)
    for name, value in environment.variables().items():
        monkeypatch.setenv(name, value)  # which monkeypatch takes back
    environment.prepare_dagster()
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)
        assert instance.get_runs_count() == 0
        assert instance.all_asset_keys() == []
    with connect(url) as connection:
        assert connection.execute("SELECT to_regclass('dagster.runs')::text").fetchone() == (
            "dagster.runs",
        )
        assert connection.execute("SELECT to_regclass('public.runs')").fetchone() == (None,)
    other = ensure_database(url, "postgres")
    with connect(other) as connection:
        assert connection.info.dbname == "postgres"


@pytest.mark.slow
def test_a_url_without_a_host_or_with_a_name_that_libpq_lacks_ends_in_a_sentence() -> None:
    with grid_in_a_new_folder() as grid:
        url = "postgresql://u:hidden-word@127.0.0.1/d?pgbouncer=true"
        said = grid.run("status", code=1, GRID_DATABASE_URL=url).text
    assert "GRID_DATABASE_URL: PostgreSQL's client library has no parameter pgbouncer." in said
    assert "hidden-word" not in said


@pytest.mark.parametrize(
    ("url", "session"),
    [
        (
            "postgresql://u:6543@aws.pooler.supabase.com:6543/db?sslmode=require",
            "postgresql://u:6543@aws.pooler.supabase.com:5432/db?sslmode=require",
        ),
        ("postgresql://db.x.supabase.co:6543/db", "postgresql://db.x.supabase.co:5432/db"),
        # another server on that port is not Supabase's pooler
        ("postgresql://u:p@host:6543/db", "postgresql://u:p@host:6543/db"),
        ("postgresql://u:p@x.supabase.com:5432/db", "postgresql://u:p@x.supabase.com:5432/db"),
        ("postgresql:///db?host=/tmp", "postgresql:///db?host=/tmp"),
    ],
)
def test_supabases_transaction_pooler_is_left_for_its_session_mode(url: str, session: str) -> None:
    assert session_url(SecretStr(url)).get_secret_value() == session


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://u:p@h/d", "h:5432/d"),
        ("postgresql://u:p@h1:1,h2/d", "h1:1,h2:5432/d"),
        ("postgresql:///d?host=h1,h2&port=7", "h1:7,h2:7/d"),
        ("postgresql://u@%2Fvar%2Frun/d", "/var/run:5432/d"),
        ("postgresql:///d", "localhost:5432/d"),
        ("host=h dbname=d password=p", "h:5432/d"),
        ("postgresql://[::1]:6/d", "::1:6/d"),
    ],
)
def test_a_location_and_a_url_made_of_parts_say_the_same(url: str, where: str) -> None:
    secret = SecretStr(url)
    assert location(secret) == where
    assert read(to_url(read(secret))) == {
        **read(secret),
        **({"port": "7,7"} if "port=7" in url else {}),
    }


@pytest.mark.parametrize("url", ["postgresql://u:p%27%5C%20+@h/d", "host=h password='p\\'\\\\ +'"])
def test_the_password_of_dagsters_url_is_redacted(url: str) -> None:
    secret = SecretStr(url)
    dagsters = sqlalchemy_url(secret).get_secret_value()
    assert read(secret)["password"] == "p'\\ +"
    assert "p%27%5C" not in redact(f"refused: {dagsters}", secret)
