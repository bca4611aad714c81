"""Checkpoints on a Hugging Face hub: the form of an id, and the folder that files are downloaded
into. A model that was downloaded once can still be used while the hub is down."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from grid_assets.forecasting.models.forecaster import ModelUnusable

_ID: Final = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")

_FILES: Final = ("*.json", "*.safetensors")

_DOWNLOAD: Final = """
import faulthandler, json, sys
repo, revision, seconds, *patterns = sys.argv[1:]
faulthandler.dump_traceback_later(float(seconds), exit=True)  # ends even if the parent was killed
from huggingface_hub import snapshot_download
try:
    reply = {"folder": snapshot_download(repo, revision=revision or None, allow_patterns=patterns)}
except Exception as error:
    reply = {"error": type(error).__name__, "message": (str(error).strip() or "-").split("\\n")[0]}
print(json.dumps(reply))
"""
"""Runs in its own Python: a hanging download can be stopped, and leaves no threads behind."""


class HubId(NamedTuple):
    """A model on a hub, and its revision if one is pinned."""

    repo: str
    revision: str | None

    @property
    def name(self) -> str:
        """The model's name without its organisation."""
        return self.repo.split("/")[1]


def parse_id(text: str) -> HubId | None:
    """The model that `org/name` or `org/name@revision` names, None for any other text."""
    match = _ID.fullmatch(text)
    return HubId(match["repo"], match["revision"]) if match else None


def fetch(model: HubId, timeout_s: float) -> Path:
    """The folder with a model's files, which the hub's cache names by the commit.

    If the revision is pinned, the cache is used without asking the hub. It is also used if the hub
    fails or does not deliver within `timeout_s`. Raises `ModelUnusable`.
    """
    cached = _find_cached(model)
    if model.revision is not None and cached is not None:
        return cached
    try:
        return _download(model, timeout_s)
    except ModelUnusable:
        if cached is not None:
            return cached
        raise


def _find_cached(model: HubId) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                model.repo,
                revision=model.revision,
                allow_patterns=[*_FILES],
                local_files_only=True,
            )
        )
    except (OSError, ValueError):
        return None
    complete = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    return folder if complete else None


def _download(model: HubId, timeout_s: float) -> Path:
    repo, revision = model
    arguments = [repo, revision or "", str(timeout_s + 1), *_FILES]
    command = [sys.executable, "-P", "-c", _DOWNLOAD, *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise ModelUnusable(
            f"the hub did not deliver {repo} within {timeout_s:g} s; try again later, or use a "
            "local folder"
        ) from error
    try:
        reply = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise ModelUnusable(
            f"the download of {repo} was cut off: {done.stderr[-200:]}; try again later"
        ) from error
    if "folder" in reply:
        return Path(reply["folder"])
    causes = {
        "RepositoryNotFoundError": f"the hub has no model {repo}, or it is private",
        "RevisionNotFoundError": f"the hub has no revision {revision} of {repo}",
        "LocalEntryNotFoundError": (
            f"the hub cannot be reached, and {repo} was never downloaded: {reply['message']}"
        ),
    }
    raise ModelUnusable(
        causes.get(
            reply["error"],
            f"{repo} could not be downloaded: {reply['error']}: {reply['message']}",
        )
    )
