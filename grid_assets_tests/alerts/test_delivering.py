"""Messages through the real apprise to a real server: once, again after a failure, by one cycle."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.alerts import delivering, sending
from grid_assets.alerts.delivering import Delivered, NotDelivered, deliver
from grid_assets.alerts.judging import judge_alerts
from grid_assets.halfhours import HALF_HOUR
from grid_assets.health.alerts import report
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets_tests.alerts.conftest import FIRST, HOUR, LIVE, Alerts, Service, T
from grid_assets_tests.forked import PROCESSES
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.reading import tables_with
from grid_assets_tests.running import free_port, holders, wait_until

SECRET = "s3cret-token"
STATE = "status, attempts, delivered_to, error_type"


@pytest.fixture
def due(alerts: Alerts) -> Alerts:
    """One event that is to be delivered."""
    alerts.add()
    alerts.forecast([70.0] * 96)
    assert alerts.judge().new_events == 1
    return alerts


def cycle(alerts: Alerts, *urls: SecretStr, **options: Any) -> Delivered:
    alerts.judge()
    return deliver(alerts.connection, urls, **options)


def test_a_message_arrives_once_however_often_the_cycle_runs(due: Alerts, service: Service) -> None:
    for _ in range(3):
        cycle(due, service.address())
    [taken] = service.taken
    assert [(taken["title"], taken["message"])] == due.events("title, body")
    assert due.events(STATE) == [("delivered", 1, [1], None)]


BROKEN = {
    "500": (Reply(status=500), "HttpStatus"),
    "reset": (Reply(body=b"", reset=True), "Unreachable"),
    "hang": (Reply(wait_s=20), "TimedOut"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_a_service_does_not_take_is_sent_again_in_the_next_cycle_and_then_once(
    due: Alerts, service: Service, warehouse: SecretStr, fault: str
) -> None:
    reply, kind = BROKEN[fault]
    seen: list[list[str]] = []

    def script(_: str) -> Reply:
        seen.append(holders(SECRET))
        return reply

    service.script = script
    limit_s = 3 if fault == "hang" else sending.SEND_S
    failed = cycle(due, service.address(), send_to=partial(sending.send, limit_s=limit_s))
    assert [wrong.kind for wrong in failed.faults] == [kind]
    assert due.events(STATE) == [("pending", 1, [], kind)]
    [warned] = [line for line in report(due.connection, Settings(), T) if "event" in line]
    with pytest.raises(NotDelivered) as raised:
        failed.raise_for_faults()
    # Nothing shows the address: no table, no message, no command line of a process.
    for text in (warned, str(raised.value), repr(failed)):
        assert SECRET not in text
        assert str(service.server_port) not in text
    assert tables_with(warehouse, SECRET) == []
    assert all(found == [] for found in seen)

    service.script = lambda _: Reply()
    for _ in range(2):
        assert cycle(due, service.address()).faults == []
    assert len(service.taken) == 1
    assert due.events(STATE) == [("delivered", 2, [1], None)]
    assert not [line for line in report(due.connection, Settings(), T) if "event" in line]


def test_of_two_addresses_only_the_one_that_failed_is_tried_again(
    due: Alerts, service: Service
) -> None:
    nowhere = SecretStr(f"json://127.0.0.1:{free_port()}/")
    cycle(due, nowhere, service.address())
    assert due.events(STATE) == [("pending", 1, [2], "Unreachable")]
    cycle(due, service.address(), service.address())
    assert due.events(STATE) == [("delivered", 2, [1, 2], None)]
    assert len(service.taken) == 2


def test_an_alert_can_choose_one_address(due: Alerts, service: Service) -> None:
    due.connection.execute("UPDATE ops.alerts SET url_number = 2")
    cycle(due, SecretStr("json://127.0.0.1:1/"), service.address())
    assert due.events(STATE) == [("delivered", 1, [2], None)]
    assert len(service.taken) == 1


@pytest.mark.parametrize(
    ("url", "number", "kind"),
    [
        (None, None, "NoUrls"),
        ("json://127.0.0.1:1/", 2, "NoSuchUrl"),
        (f"jsn://user:{SECRET}@127.0.0.1/", None, "UnusableUrl"),
        (SECRET, None, "UnusableUrl"),
    ],
    ids=["no-urls", "no-such-url", "unknown-scheme", "no-scheme"],
)
def test_a_setting_that_leads_nowhere_is_on_record_and_the_message_waits(
    due: Alerts, warehouse: SecretStr, url: str | None, number: int | None, kind: str
) -> None:
    due.connection.execute("UPDATE ops.alerts SET url_number = %s", [number])
    cycle(due, *([SecretStr(url)] if url else []))
    assert due.events(STATE) == [("pending", 1, [], kind)]
    assert tables_with(warehouse, SECRET) == []


def test_without_apprise_the_message_waits(
    due: Alerts, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError", encoding="utf-8")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    cycle(due, service.address())
    assert due.events(STATE) == [("pending", 1, [], "NotInstalled")]


def test_a_process_that_dies_while_it_sends_is_a_fault(
    due: Alerts, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    (tmp_path / "apprise.py").write_text(died, encoding="utf-8")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    cycle(due, service.address())
    assert due.events(STATE) == [("pending", 1, [], "Crashed")]


def test_two_cycles_at_the_same_time_find_one_event_and_send_it_once(
    alerts: Alerts, service: Service, warehouse: SecretStr
) -> None:
    alerts.add()
    alerts.forecast([70.0] * 96)
    both = threading.Barrier(2)
    found: list[int] = []

    def run() -> None:
        with connect(warehouse) as connection:
            both.wait()
            found.append(judge_alerts(connection, LIVE, T).new_events)
            both.wait()
            deliver(connection, [service.address()])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    assert len(service.taken) == 1
    assert alerts.events(STATE) == [("delivered", 1, [1], None)]


def test_a_cycle_that_judges_while_another_sends_changes_nothing_that_was_told(
    alerts: Alerts, warehouse: SecretStr
) -> None:
    alerts.add()
    alerts.forecast([90.0] * 4 + [70.0] * 10 + [90.0] * 82)
    alerts.judge()
    told = alerts.events("event_start, title, body")
    alerts.forecast([90.0] * 10 + [70.0] * 4 + [90.0] * 82, FIRST + HALF_HOUR)

    def judge() -> None:
        with connect(warehouse) as connection:
            judge_alerts(connection, LIVE, T + HALF_HOUR)

    other = threading.Thread(target=judge)

    def send(urls: Any, title: str, body: str) -> dict[int, sending.Fault | None]:
        other.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with connect(warehouse) as connection:
            wait_until(lambda: connection.execute(waiting).fetchone() == (1,), 60)
        return dict.fromkeys(urls)

    deliver(alerts.connection, [SecretStr("json://x/")], send_to=send)
    other.join()
    assert alerts.events(STATE) == [("delivered", 1, [1], None)]
    assert alerts.events("event_start, title, body") == told


def send_and_die(
    urls: dict[int, SecretStr], title: str, body: str
) -> dict[int, sending.Fault | None]:
    sent = sending.send(urls, title, body)
    assert sent == {1: None}
    os.kill(os.getpid(), signal.SIGKILL)
    return sent


def deliver_and_die(warehouse: str, url: str) -> None:
    with connect(SecretStr(warehouse)) as connection:
        deliver(connection, [SecretStr(url)], send_to=send_and_die)


def test_a_process_killed_before_it_noted_what_it_sent_sends_it_once_more(
    due: Alerts, service: Service, warehouse: SecretStr
) -> None:
    """At least once: a message that comes twice is better than one that never comes."""
    url = service.address()
    killed = PROCESSES.Process(
        target=deliver_and_die, args=(warehouse.get_secret_value(), url.get_secret_value())
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert due.events(STATE) == [("pending", 0, [], None)]
    for _ in range(2):
        cycle(due, url)
    assert len(service.taken) == 2
    assert due.events(STATE) == [("delivered", 1, [1], None)]


# Services that fail hold up nothing. What is sent where does not matter here.


@pytest.fixture
def three(alerts: Alerts) -> Alerts:
    alerts.forecast([70.0] * 96)
    for name in ("one", "two", "three"):
        alerts.add("below", name)
    assert alerts.judge().new_events == 3
    return alerts


Sent = list[str]


def failing(sent: Sent) -> Callable[..., dict[int, sending.Fault | None]]:
    def send(urls: Any, title: str, body: str) -> dict[int, sending.Fault | None]:
        sent.append(title.partition(":")[0])
        return dict.fromkeys(urls, sending.Fault("TimedOut", "late"))

    return send


def test_an_address_that_fails_is_tried_once_in_a_cycle_by_the_event_that_was_tried_least(
    three: Alerts,
) -> None:
    sent: Sent = []
    for _ in range(4):
        done = deliver(three.connection, [SecretStr("json://x/")], send_to=failing(sent))
        assert len(done.faults) == 1
    assert sent == ["one", "two", "three", "one"]


def test_no_message_is_begun_once_the_time_for_it_is_used_up(three: Alerts) -> None:
    sent: Sent = []
    deliver(three.connection, [SecretStr("json://x/")], send_to=failing(sent), budget_s=0)
    assert sent == []
    assert {status for (status,) in three.events("status")} == {"pending"}


def test_an_address_that_hangs_leaves_time_for_the_others_in_the_same_cycle(
    three: Alerts,
) -> None:
    scale = 1 / sending.SEND_S  # a second for a message

    def send(urls: Any, title: str, body: str) -> dict[int, sending.Fault | None]:
        if 1 not in urls:
            return dict.fromkeys(urls)
        time.sleep(sending.SEND_S * scale)
        return dict.fromkeys(urls) | {1: sending.Fault("TimedOut", "late")}

    urls = [SecretStr("json://hangs/"), SecretStr("json://x/")]
    deliver(three.connection, urls, send_to=send, budget_s=delivering.BUDGET_S * scale)
    assert three.events("status, delivered_to") == [("pending", [2])] * 3


def test_a_name_of_an_address_shows_its_place_and_scheme_alone() -> None:
    for text, name in (
        (f"ntfy://{SECRET}/x", "URL 2 (ntfy)"),
        (f"MAILTOS://a:{SECRET}@b", "URL 2 (mailtos)"),
        (SECRET, "URL 2"),
        (f"{SECRET}:/x", "URL 2"),
    ):
        assert sending.name(2, SecretStr(text)) == name


def test_addresses_are_separated_by_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_ALARM_URLS", f"  ntfy://{SECRET}   mailto://a:b@c\n")
    settings = Settings.from_environment()
    assert [url.get_secret_value() for url in settings.alarm_url_list] == [
        f"ntfy://{SECRET}",
        "mailto://a:b@c",
    ]
    assert SECRET not in json.dumps(settings.model_dump(mode="json")) + repr(settings)


def test_the_status_names_alerts_that_are_not_judged_and_those_that_nobody_can_hear(
    alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(at: Any = T) -> list[str]:
        return list(report(alerts.connection, Settings.from_environment(), at))

    assert len(lines()) == 1
    alerts.add()
    alerts.judge()
    assert "GRID_ALARM_URLS" in lines()[0]
    monkeypatch.setenv("GRID_ALARM_URLS", f"ntfy://{SECRET}")
    assert "GRID_ALARM_URLS" not in lines()[0]
    [_, warned] = lines()
    assert "Great Britain" in warned
    alerts.forecast([90.0] * 96)
    alerts.judge(T + HALF_HOUR)
    assert len(lines(T + HALF_HOUR)) == 1
    assert len(lines(FIRST + 2 * HOUR)) == 2  # no cycle has run since
