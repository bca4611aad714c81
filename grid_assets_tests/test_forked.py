"""Commands of tests are forked from a process that has imported what they need."""

from __future__ import annotations

import sys

import pytest

from grid_assets_tests.forked import PRELOADED, PROCESSES


def _check_what_is_imported() -> None:
    sys.exit(str(missing) if (missing := set(PRELOADED) - sys.modules.keys()) else 0)


@pytest.mark.slow
def test_a_forked_process_need_not_import_dagster() -> None:
    process = PROCESSES.Process(target=_check_what_is_imported, daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode == 0
