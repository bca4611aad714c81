"""Tiny Chronos checkpoints with random weights, forecast problems, and a hub on this machine.

torch, transformers and chronos take six seconds to import, so only the fixtures that make a model
import them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.forecaster import Problem

DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHRONOS_2 = {"chronos_pipeline_class": "Chronos2Pipeline"}

MakeProblem = Callable[..., Problem]


@pytest.fixture(scope="session")
def chronos2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chronos-2 of width 32 that forecasts 112 half-hours at once."""
    import torch
    from chronos.chronos2.config import Chronos2CoreConfig
    from chronos.chronos2.model import Chronos2Model

    torch.manual_seed(1)
    config = Chronos2CoreConfig(
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=1,
        num_heads=2,
        initializer_factor=0.4,
        chronos_config={
            "context_length": 336,
            "input_patch_size": 16,
            "input_patch_stride": 16,
            "output_patch_size": 16,
            "quantiles": DECILES,
            "use_reg_token": True,
            "use_arcsinh": True,
            "max_output_patches": 7,
        },
        **CHRONOS_2,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny-2"
    Chronos2Model(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def bolt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chronos-Bolt of width 32 that forecasts 64 half-hours at once."""
    import torch
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    torch.manual_seed(2)
    settings: dict[str, Any] = {
        **_T5,
        "decoder_start_token_id": 0,
        "chronos_pipeline_class": "ChronosBoltPipeline",
        "chronos_config": {
            "context_length": 512,
            "prediction_length": 64,
            "input_patch_size": 16,
            "input_patch_stride": 16,
            "quantiles": DECILES,
            "use_reg_token": True,
        },
    }
    folder = tmp_path_factory.mktemp("models") / "tiny-bolt"
    ChronosBoltModelForForecasting(T5Config(**settings)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def original_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An original Chronos of width 32, which draws samples."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(3)
    settings: dict[str, Any] = {
        **_T5,
        "vocab_size": 128,
        "decoder_start_token_id": 0,
        "chronos_pipeline_class": "ChronosPipeline",
        "chronos_config": {
            "tokenizer_class": "MeanScaleUniformBins",
            "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0},
            "n_tokens": 128,
            "n_special_tokens": 2,
            "pad_token_id": 0,
            "eos_token_id": 1,
            "use_eos_token": True,
            "model_type": "seq2seq",
            "context_length": 128,
            "prediction_length": 64,
            "num_samples": 5,
            "temperature": 1.0,
            "top_k": 50,
            "top_p": 1.0,
        },
    }
    folder = tmp_path_factory.mktemp("models") / "tiny-t5"
    T5ForConditionalGeneration(T5Config(**settings)).save_pretrained(folder)
    return folder


_T5: dict[str, Any] = {
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 1,
    "num_decoder_layers": 1,
    "num_heads": 2,
    "pad_token_id": 0,
}


@pytest.fixture(scope="session")
def make_problem() -> MakeProblem:
    """Makes problems whose values look like the grid's: daily shapes with noise, coal at 0."""

    def make(seed: int = 0, half_hours: int = 336, neso: np.ndarray | None = None) -> Problem:
        random = np.random.default_rng(seed)
        day = np.sin(np.arange(half_hours) * 2 * np.pi / 48)
        context = 20 + 5 * day + random.normal(0, 2, (10, half_hours))
        context[0] *= 10
        context[2] = 0
        start = datetime(2025, 6, 1, 12, tzinfo=UTC)
        return Problem(context.astype(np.float32), start, neso)

    return make


class Hub(ThreadingHTTPServer):
    """As much of a Hugging Face hub as a download of one model needs, in one of several moods."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _HubHandler)
        self.folder = folder
        self.mood = "good"
        self.paths: list[str] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is no news."""


class _HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.server
        hub.paths.append(self.path)
        if hub.mood == "hangs":
            hub.ended.wait(60)
        elif hub.mood == "fails":
            self._send(503, b"{}")
        elif not self.path.removeprefix("/api/models").startswith("/org/tiny"):
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif "/revision/" in self.path and self.path.split("/")[-1] not in ("main", COMMIT):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif "/revision/" in self.path:
            self._send(200, json.dumps({"id": "org/tiny", "sha": COMMIT}).encode())
        elif "/tree/" in self.path:
            entries = [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": file.name}
                for file in sorted(hub.folder.iterdir())
            ]
            self._send(200, json.dumps(entries).encode())
        else:
            name = self.path.split("/")[-1]
            self._send(
                200,
                (hub.folder / name).read_bytes(),
                {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT},
            )

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        trickles = self.server.mood == "trickles" and "/resolve/" in self.path
        for index in range(0, len(body), 1 if trickles else len(body)):
            self.wfile.write(body[index : index + 1] if trickles else body)
            if trickles:
                time.sleep(0.05)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `paths`."""


@pytest.fixture
def hub(chronos2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has `org/tiny`, and an empty cache for downloads from it."""
    import huggingface_hub.constants

    server = Hub(chronos2_folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # This process has imported huggingface_hub, which reads the environment only once.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test loads models as a new process would."""
    monkeypatch.setattr(registry, "loaded_models", {})
