"""What is outside the database: the source, the disk of this machine, and the settings."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Final

from grid_assets.alerts import addresses
from grid_assets.files.store import Bucket, FilesError, open_store
from grid_assets.forecasting.boosting.libraries import LibrariesMissing, require_libraries
from grid_assets.halfhours import age_text, utc_text
from grid_assets.health.doctor.case import LOOK_BACK, Answer, Case, Finding, mend, note, ok
from grid_assets.settings import retired_settings
from grid_assets.telemetry.checks import TOO_OLD

LITTLE_BYTES: Final = 700_000_000
"""The embedded server's write-ahead log takes up to 256 MB, and a year of operation adds 680 MB."""


def source(case: Case) -> Finding:
    if case.answer is None:
        return note("The demo's API is not running. `grid demo` starts it.")
    return judge_source(case.answer, case.utcnow())


def judge_source(answer: Answer, now: datetime) -> Finding:
    if answer.fault:
        return mend(f"{answer.fault} Nothing new is loaded until it answers.")
    if answer.newest is None:
        return note(f"The API answers, without an actual of the last {age_text(LOOK_BACK)}: wait.")
    age = now - answer.newest
    began = f"{age_text(age)} ago, at {utc_text(answer.newest)}"
    text = f"The API answers; its newest actual began {began}"
    if age > TOO_OLD:
        return note(f"{text}. Up to {age_text(TOO_OLD)} is normal: the source is late. Wait.")
    return ok(f"{text}.")


def disk(case: Case) -> Finding:
    home = case.settings.home
    while not home.exists():
        home = home.parent
    free = shutil.disk_usage(home).free
    return judge_disk(str(case.settings.home), free, is_embedded=case.is_embedded)


def judge_disk(home: str, free: int, *, is_embedded: bool) -> Finding:
    holds = "the database, logs and files" if is_embedded else "logs and files"
    text = f"{home}, with {holds}, has {free / 1_000_000_000:.1f} GB free."
    if free >= LITTLE_BYTES:
        return ok(text)
    cure = "Free space there, or move GRID_HOME to a larger disk."
    return mend(f"{text} {cure}") if is_embedded else note(f"{text} {cure}")


def files(case: Case) -> Finding:
    store = case.settings.files_store
    try:
        opened = open_store(store, case.settings.home)
        if isinstance(opened, Bucket):
            opened.check()
            return ok(f"{opened} answers, and lists its files.")
    except FilesError as error:
        return mend(f"{error} Telemetry and forecasts continue without them.")
    return ok(f"The page and the feeds are files in {opened}.")


def alarms(case: Case) -> Finding:
    """Nothing is sent: `grid alarm test` does that."""
    found = addresses.faults(case.settings)
    if found:
        return mend(" ".join(found))
    count, beats = len(case.settings.alarm_url_list), case.settings.heartbeat_url is not None
    if not count and not beats:
        return ok("None are sent: GRID_ALARM_URLS and GRID_HEARTBEAT_URL are not set.")
    heartbeat = "a heartbeat" if beats else "no heartbeat, so silence is not noticed"
    plural = "" if count == 1 else "es"
    text = f"{count} address{plural} and {heartbeat}. `grid alarm test` tries them."
    return ok(text) if beats else note(text)


def settings(case: Case) -> Finding:
    found = [text.removeprefix("Note: ") for text in retired_settings()]
    if case.settings.train_weekly:
        try:
            require_libraries()
        except LibrariesMissing as error:
            found.append(f"GRID_TRAIN_WEEKLY is on. {error}")
    return note(" ".join(found)) if found else ok("None is out of use.")
