"""Settings from the environment, and the errors for invalid ones."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest

from grid_assets.settings import (
    OFF_WHEN_EMPTY,
    PROJECT_DIR,
    PUBLIC_API_URL,
    Settings,
    SettingsError,
    retired_settings,
)
from grid_assets.warehouse.urls import read

NOW = datetime(2026, 3, 31, 0, 10, tzinfo=UTC)


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        settings(monkeypatch, **variables)
    # What a traceback prints beyond the message must not give anything away either.
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    return str(refused.value)


def example() -> dict[str, str]:
    """The variables of `.env.example` with their values."""
    text = (PROJECT_DIR / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^(GRID_[A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_without_a_variable_it_is_the_public_api_and_an_embedded_server() -> None:
    default = Settings.from_environment()
    assert default.api_url == "https://api.carbonintensity.org.uk"
    assert default.database_url is None
    assert default.dagster_database_url is None
    assert default.home == PROJECT_DIR / ".grid"
    assert default.chronos_model is None


def test_the_example_states_every_setting_and_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings.from_environment()
    assert example().keys() == {f"GRID_{name.upper()}" for name in Settings.model_fields}
    assert settings(monkeypatch, **example()) == default


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings.from_environment()
    for name in Settings.model_fields.keys() - OFF_WHEN_EMPTY:
        monkeypatch.setenv(f"GRID_{name.upper()}", "")
    assert Settings.from_environment() == default


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("name", sorted(OFF_WHEN_EMPTY))
def test_an_empty_address_switches_a_source_off(
    monkeypatch: pytest.MonkeyPatch, name: str, blank: str
) -> None:
    assert getattr(Settings.from_environment(), name).startswith("https://")
    assert getattr(settings(monkeypatch, **{f"GRID_{name.upper()}": blank}), name) is None


@pytest.mark.parametrize("blank", ["", " ", "\t \n"])
def test_a_blank_database_url_means_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    chosen = settings(monkeypatch, GRID_DATABASE_URL=blank, GRID_DAGSTER_DATABASE_URL=blank)
    assert chosen.database_url is None
    assert chosen.dagster_database_url is None


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(
        monkeypatch, DATABASE_URL="postgresql://x/y", API_URL="nonsense", GRID_UNHEARD_OF="1"
    )
    assert chosen.database_url is None
    assert chosen.api_url == PUBLIC_API_URL


def test_history_starts_30_days_ago_by_the_utc_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().first_history_day(NOW) == date(2026, 3, 1)
    # The same instant, in a zone where it is still yesterday.
    west = NOW.astimezone(timezone(timedelta(hours=-5)))
    assert Settings.from_environment().first_history_day(west) == date(2026, 3, 1)
    chosen = settings(monkeypatch, GRID_HISTORY_START="2019-04-01")
    assert chosen.first_history_day(NOW) == date(2019, 4, 1)


def test_home_is_an_absolute_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings(monkeypatch, GRID_HOME="state").home == tmp_path / "state"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings(monkeypatch, GRID_HOME="~/state").home == tmp_path / "state"


def test_a_home_reached_by_a_link_is_the_same_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")
    (tmp_path / "state" / "demo").symlink_to(tmp_path / "elsewhere")
    chosen = settings(monkeypatch, GRID_HOME=str(tmp_path / "link"))
    assert chosen.home == tmp_path / "state"
    assert chosen.demo_home == tmp_path / "elsewhere"


def test_a_home_that_links_to_itself_is_refused_or_named_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "loop"))
    with suppress(SettingsError):  # Python 3.13 resolves it, and making the folder then fails
        Settings.from_environment()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "https://example.org/", "https://example.org/base//"]
)
def test_an_address_of_ones_own_loses_its_last_slash(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert settings(monkeypatch, GRID_API_URL=url).api_url == url.rstrip("/")
    assert settings(monkeypatch, GRID_FILES_URL=url).files_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["example.org", "ftp://example.org", "http://", "https:///path", "http://a?b=c", "http://a#b"],
)
def test_an_address_that_is_no_base_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert "GRID_API_URL: it must be " in refusal(monkeypatch, GRID_API_URL=url)
    assert "GRID_FILES_URL: it must be " in refusal(monkeypatch, GRID_FILES_URL=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRID_API_TIMEOUT_S", "0"),
        ("GRID_API_TIMEOUT_S", "soon"),
        ("GRID_API_TIMEOUT_S", "nan"),
        ("GRID_API_RETRY_BUDGET_S", "-1"),
        ("GRID_API_CONCURRENCY", "0"),
        ("GRID_API_CONCURRENCY", "17"),
        ("GRID_API_CONCURRENCY", "2.5"),
        ("GRID_API_MAX_BODY_MB", "0"),
        ("GRID_HISTORY_START", "yesterday"),
        ("GRID_HISTORY_START", "2026-02-30"),
        ("GRID_UI_PORT", "0"),
        ("GRID_UI_PORT", "65536"),
        ("GRID_CHRONOS_TIMEOUT_S", "0"),
        ("GRID_CHRONOS_TIMEOUT_S", "3601"),
        ("GRID_CHRONOS_TIMEOUT_S", "nan"),
        ("GRID_BACKTEST_DAYS", "-1"),
        ("GRID_BACKTEST_DAYS", "367"),
        ("GRID_BACKTEST_DAYS", "1.5"),
        ("GRID_BACKTEST_STRIDE_HOURS", "0"),
        ("GRID_BACKTEST_STRIDE_HOURS", "0.75"),
        ("GRID_BACKTEST_STRIDE_HOURS", "24.5"),
        ("GRID_BACKTEST_STRIDE_HOURS", "nan"),
        ("GRID_USE_NESO_FORECAST", "perhaps"),
        ("GRID_DAGSTER_KEEP_DAYS", "-1"),
        ("GRID_DAGSTER_KEEP_DAYS", "36501"),
        ("GRID_DATABASE_URL", "mysql://host/grid"),
        ("GRID_DATABASE_URL", "localhost"),
        ("GRID_DATABASE_URL", "postgresql://host:0/grid"),
        ("GRID_DATABASE_URL", "postgresql://host:99999/grid"),
        ("GRID_DATABASE_URL", "postgresql://host/grid?no_such_option=1"),
        ("GRID_DAGSTER_DATABASE_URL", "sqlite:///dagster.db"),
        ("GRID_CELERY_BROKER_URL", "amqp://guest@host//"),
        ("GRID_CELERY_BROKER_URL", "redis://:6379"),
        ("GRID_CODE_SERVER", "code-server"),
        ("GRID_CODE_SERVER", "code-server:0"),
        ("GRID_CODE_SERVER", "somebody@code-server:4000"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert f"{name}: " in refusal(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("GRID_CHRONOS_MODEL", "/a folder/with spaces", "/a folder/with spaces"),
        ("GRID_CHRONOS_MODEL", "amazon/chronos-2@v1.0", "amazon/chronos-2@v1.0"),
        ("GRID_CHRONOS_MODEL", " ", None),
        ("GRID_CHRONOS_TIMEOUT_S", "0.5", 0.5),
        ("GRID_BACKTEST_DAYS", "0", 0),
        ("GRID_BACKTEST_STRIDE_HOURS", "0.5", 0.5),
        ("GRID_BACKTEST_STRIDE_HOURS", "24", 24),
        ("GRID_USE_NESO_FORECAST", "true", True),
        ("GRID_DAGSTER_KEEP_DAYS", "0", 0),
    ],
)
def test_what_forecasts_and_what_is_kept_is_set_by_variables(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object
) -> None:
    chosen = settings(monkeypatch, **{name: value})
    assert getattr(chosen, name.removeprefix("GRID_").lower()) == read


@pytest.mark.parametrize(
    "cron",
    [
        "99 * * * *",
        "a b c d e",
        "*/0 * * * *",
        "0 0 * * 0#6",
        "0 0 31 4 *",  # the 31st of April
        "0 0 30,31 2 *",
        "@hourly",
        "* * * *",
        "* * * * * *",
    ],
)
def test_a_schedule_that_dagster_cannot_run_is_refused(
    monkeypatch: pytest.MonkeyPatch, cron: str
) -> None:
    assert "GRID_TELEMETRY_CRON: " in refusal(monkeypatch, GRID_TELEMETRY_CRON=cron)


@pytest.mark.parametrize("cron", ["*/2 * * * *", " 5  0 29 2 *\t", "0 22-2 * * MON-FRI"])
def test_a_schedule_that_dagster_can_run_is_taken(
    monkeypatch: pytest.MonkeyPatch, cron: str
) -> None:
    chosen = settings(monkeypatch, GRID_TELEMETRY_CRON=cron)
    assert chosen.telemetry_cron == " ".join(cron.split())


def test_a_setting_of_an_earlier_version_is_named_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert retired_settings() == []
    settings(monkeypatch, GRID_FORECAST_KEEP_DAYS="30", GRID_FORECAST_KEEP_LEADS_HOURS=" ")
    [note] = retired_settings()
    assert note.startswith("Note: GRID_FORECAST_KEEP_DAYS has no effect any more. Every forecast")


@pytest.mark.parametrize("secret", ["short", "with inner spaces in it", "ünïcödé-and-long-enough"])
def test_a_wake_secret_that_a_header_cannot_carry_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    said = refusal(monkeypatch, GRID_WAKE_SECRET=secret)
    assert said.startswith("A setting cannot be used. GRID_WAKE_SECRET: it must have at least 16")
    assert secret not in said
    pasted = settings(monkeypatch, GRID_WAKE_SECRET=" a-secret-of-20-signs\n")
    assert pasted.wake_secret is not None
    assert pasted.wake_secret.get_secret_value() == "a-secret-of-20-signs"


def test_every_bad_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, GRID_UI_PORT="no", GRID_API_URL="no", GRID_DATABASE_URL="no")
    assert all(
        f"{name}: " in message for name in ("GRID_UI_PORT", "GRID_API_URL", "GRID_DATABASE_URL")
    )


@pytest.mark.parametrize("name", ["GRID_DATABASE_URL", "GRID_DAGSTER_DATABASE_URL"])
@pytest.mark.parametrize(
    "password",
    [
        "pa@secret",
        "@secret",
        "pa/secret",
        "12/secret",
        "pa%secret",
        "pa%zzsecret",
        "pa@12:34/secret",
        "pa://secret@x",
    ],
)
def test_a_password_with_special_characters_is_refused_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str
) -> None:
    # Taken as it is, libpq would read a part of it as a host or a database and show that.
    message = refusal(monkeypatch, **{name: f"postgresql://me:{password}@db.example.org:5432/grid"})
    assert f"{name}: it cannot be read; percent-encode special characters" in message
    assert "secret" not in message
    assert "pa" not in re.sub(r"it cannot be read; percent-encode.*password", "", message)


@pytest.mark.parametrize("name", ["GRID_EXECUTOR", "GRID_RUN_LAUNCHER"])
def test_celery_needs_a_broker(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "GRID_CELERY_BROKER_URL" in refusal(monkeypatch, **{name: "celery"})


@pytest.mark.parametrize("password", ["pa#secret", "12#secret", "pa/secret", "pa[secret"])
def test_a_password_of_the_broker_that_breaks_its_url_is_refused_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    message = refusal(monkeypatch, GRID_CELERY_BROKER_URL=f"redis://:{password}@broker:6379/0")
    assert "GRID_CELERY_BROKER_URL: it must be like redis://" in message
    assert "secret" not in message


@pytest.mark.parametrize("password", ["pa#secret", "12?secret", "pa[secret", "pa]secret", "a+b"])
def test_a_password_that_libpq_reads_as_it_is_need_not_be_encoded(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    url = f"postgresql://me:{password}@db.example.org:5432/grid"
    chosen = settings(monkeypatch, GRID_DATABASE_URL=url).database_url
    assert chosen is not None
    assert read(chosen)["password"] == password


@pytest.mark.parametrize(
    ("url", "unknown"),
    [
        ("postgresql://me:word@host/grid?pgbouncer=true", "pgbouncer"),
        ("postgresql://me:word@host/grid?sslmode=require&schema=public", "schema"),
        ("host=host password=word connection_limit=1", "connection_limit"),
    ],
)
def test_a_parameter_that_libpq_does_not_have_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, unknown: str
) -> None:
    message = refusal(monkeypatch, GRID_DATABASE_URL=url)
    assert f"PostgreSQL's client library has no parameter {unknown}. Remove it" in message
    assert "word" not in message


@pytest.mark.parametrize("password", ["p@/#?%[] &:+'\"\\é", "plain", "12:34", "a+b"])
def test_a_percent_encoded_password_is_read_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    encoded = quote(password, safe=":+")
    url = f"postgresql://me:{encoded}@db.example.org:5432/grid?sslmode=require"
    chosen = settings(monkeypatch, GRID_DATABASE_URL=url)
    assert chosen.database_url is not None
    assert chosen.database_url.get_secret_value() == url
    assert encoded not in repr(chosen)
    assert encoded not in str(chosen.model_dump())


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host/grid",
        "postgresql://me@host/grid",
        "postgresql://host",
        "postgresql:///grid?host=/var/run/postgresql",
        "postgresql://[::1]:5432/grid",
        "postgresql://me@%2Fvar%2Frun%2Fpostgresql/grid",
        "postgresql://h1:5432,h2:5433/grid?target_session_attrs=read-write",
        "postgresql:///grid?host=h1,h2&port=5432,5433",
        "postgresql://host/grid?application_name=a+b",
        "host=localhost dbname=grid",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \t"])
def test_the_other_forms_of_a_postgresql_url_are_accepted(
    monkeypatch: pytest.MonkeyPatch, url: str, end: str
) -> None:
    chosen = settings(monkeypatch, GRID_DATABASE_URL=url + end).database_url
    assert chosen is not None
    assert chosen.get_secret_value() == url


def test_a_refused_password_is_not_in_the_environment_error_of_another_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = refusal(
        monkeypatch, GRID_DATABASE_URL="postgresql://me:secret@host/grid", GRID_UI_PORT="x"
    )
    assert "secret" not in message
    assert "GRID_DATABASE_URL" not in message


def test_every_setting_is_documented() -> None:
    names = {f"GRID_{name.upper()}" for name in Settings.model_fields}
    documented = (PROJECT_DIR / "docs" / "settings.md").read_text(encoding="utf-8")
    assert {name for name in names if not re.search(rf"\b{name}\b", documented)} == set()


def test_no_test_sees_the_settings_of_the_user_who_runs_it() -> None:
    assert [name for name in os.environ if name.startswith("GRID_")] == []
