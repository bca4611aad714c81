"""The notebook runs from the first to the last cell, in a kernel of its own, and is kept clean."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import nbformat
import pytest
from nbclient import NotebookClient
from pydantic import SecretStr

from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.dashboard.made_up import fill

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

FILE: Final = PROJECT_DIR / "docs" / "notebooks" / "first_look.ipynb"
SOURCES: Final = [
    "".join(cell["source"]) for cell in json.loads(FILE.read_text(encoding="utf-8"))["cells"]
]

COUNTED: Final = "print(*map(len, (day, days, ahead, scores, coming, window)))"


@pytest.mark.slow  # it starts a kernel
def test_every_cell_runs_and_finds_rows(
    warehouse: SecretStr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(warehouse, datetime.now(UTC), model="blend")
    with connect(warehouse) as connection:  # a forecast whose second day has actuals
        connection.execute(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
            "p10, p50, p90, simulated) SELECT model, series, period_start - interval '1 day', "
            "issued_at - interval '1 day', created_at, p10, p50, p90, simulated "
            "FROM forecast.predictions WHERE model = 'blend' "
            "AND issued_at = (SELECT min(issued_at) FROM forecast.predictions)"
        )
    url = warehouse.get_secret_value().replace("postgresql://", "postgres://")  # also allowed
    monkeypatch.setenv("GRID_DATABASE_URL", url)
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.read(FILE, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(COUNTED))
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    errors = [output for output in outputs if output.get("name") == "stderr"]
    assert errors == []
    pictures = [output for output in outputs if "image/png" in output.get("data", ())]
    assert len(pictures) == 4
    *found, in_window = map(int, outputs[-1].text.split())
    assert all(found)
    assert in_window == 6


def test_it_is_committed_without_results() -> None:
    notebook = json.loads(FILE.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}


def test_it_reads_reporting_alone_and_its_links_lead_somewhere() -> None:
    text = "\n".join(SOURCES)
    assert set(re.findall(r"\b(?:FROM|JOIN) (\w+)\.", text)) == {"reporting"}
    for link in re.findall(r"\]\(([^)\s#]+)", text):
        assert (FILE.parent / link).exists(), link
