"""The text of `dagster.yaml`, which tells Dagster how this installation stores and starts runs."""

from __future__ import annotations

from typing import Final

from grid_assets.settings import Settings

WRITTEN_BY: Final = "# Written by `grid`"
"""How a file of ours begins. Another one, such as that of Dagster's Helm chart, is left alone."""

NOT_PAST: Final = 3
"""Runs that may use a pool beside those over past days, which are those of commands and those of
backfills in the UI: a cycle, one that the sensor starts, and one by hand."""

_TEXT: Final = """\
{written_by}; changes are overwritten.
storage:
  custom:
    module: grid_assets.defs.storage
    class: Storage
    config:
      postgres_url:
        env: GRID_DAGSTER_STORAGE_URL  # never the URL itself: it would show in process lists
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1  # the default of 5 would delay every cycle
concurrency:
  runs:
    max_concurrent_runs: -1  # pools and lanes limit them
    tag_concurrency_limits:
      - key: grid/lane
        value: past
        limit: {past}
      - key: dagster/backfill
        limit: {past}
  pools:
    granularity: run
    default_limit: {pool}
{launcher}run_monitoring:
  enabled: true
  max_runtime_seconds: 7200  # nine years of history take minutes
  start_timeout_seconds: 300  # a run may wait for a free worker
  poll_interval_seconds: 30
freshness:
  enabled: true
retention:
  schedule:
    purge_after_days: 14
  sensor:
    purge_after_days:
      skipped: 1  # one every 5 seconds; `defs.storage` keeps them for two hours
      success: 14
      failure: 14
telemetry:
  enabled: false
nux:
  enabled: false
"""

_WORKERS: Final = """\
run_launcher:
  module: grid_assets.defs.launching
  class: Workers
compute_logs:  # the output of a run stays on the machine of its worker
  module: dagster.core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def dagster_yaml(settings: Settings) -> str:
    """The file's text for these settings."""
    return _TEXT.format(
        written_by=WRITTEN_BY,
        past=settings.backfill_runs,
        pool=2 * settings.backfill_runs + NOT_PAST,
        launcher=_WORKERS if settings.run_launcher == "celery" else "",
    )
