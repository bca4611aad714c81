"""The programs that read the feeds' examples, where they are installed: promtool and jq.

Without them their tests are skipped, and the last lines of the run say so.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

import pytest

PROMTOOL: Final = shutil.which("promtool")
JQ: Final = shutil.which("gojq") or shutil.which("jq")
"""evcc runs gojq; jq does the same with what the examples say."""

MISSING_PROMTOOL: Final = "no promtool: Prometheus's own checks did not run; install it to run them"
MISSING_JQ: Final = "no jq: the feeds' jq expressions were not run; install it to test them"

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason=MISSING_PROMTOOL)
needs_jq = pytest.mark.skipif(JQ is None, reason=MISSING_JQ)


def promtool(*arguments: str, text: str = "") -> str:
    """What promtool says; the test fails if promtool finds a fault."""
    assert PROMTOOL is not None
    return _run(PROMTOOL, *arguments, text=text)


def jq(expression: str, text: str) -> str:
    """The raw output of a jq expression."""
    assert JQ is not None
    return _run(JQ, "-r", expression, text=text)


def _run(*command: str, text: str) -> str:
    ran = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout + ran.stderr
