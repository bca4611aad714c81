"""`grid train --warehouse`: what it refuses, and a warehouse that is too small."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from grid_assets.cli.__main__ import grid as command
from grid_assets_tests.reading import ask, one_sentence
from grid_assets_tests.running import GridCommand


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ("--warehouse", "--output", "here"),
            "--output is for trees written to a folder. Leave out --output or",
        ),
        (
            ("--warehouse", "--until", "2025-01-01"),
            "--until is for trees written to a folder. Leave out --until or",
        ),
        (("--warehouse", "--kind", "chronos"), "--warehouse trains trees"),
        (("--warehouse", "--revert", "--seed", "1"), "--revert trains nothing"),
        (("--revert",), "--revert and --demo need --warehouse"),
        (("--demo",), "--revert and --demo need --warehouse"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: tuple[str, ...], reason: str
) -> None:
    refused = CliRunner().invoke(command, ["train", *arguments])
    assert refused.exit_code == 2
    assert reason in refused.output


def test_a_warehouse_that_is_too_small_is_refused_with_a_row_and_the_exit_code_3(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    refused = recorded.run("train", "--warehouse", code=3)
    sentence = one_sentence(refused.err)
    assert "Error: No trial was held. This warehouse holds no carbon intensity from 20" in sentence
    [(outcome, reason)] = ask(warehouse, "SELECT outcome, reason FROM forecast.model_trials")
    assert (outcome, reason in sentence) == ("refused", True)
    said = recorded.run("train", "--warehouse", "--revert").out
    assert "The bundled trees are in use already. Nothing was changed." in said
