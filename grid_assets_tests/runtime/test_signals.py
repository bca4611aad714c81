"""Signals that end a program do so wherever they come."""

from __future__ import annotations

import signal
import time
import weakref

import pytest

from grid_assets.runtime.signals import stop_on_signals

pytestmark = pytest.mark.unit


class Thing:
    pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_at_once(number: signal.Signals) -> None:
    def run() -> None:
        with stop_on_signals():
            signal.raise_signal(number)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        run()


def test_a_signal_that_comes_where_python_cannot_raise_is_not_lost() -> None:
    """In a callback of a weak reference, as the import system has one for each lock."""

    def run() -> None:
        with stop_on_signals():
            thing = Thing()
            reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
            del thing
            assert reference() is None  # so the callback has run, and its exception was dropped
            time.sleep(60)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        run()
