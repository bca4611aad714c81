"""The JavaScript bundle of Vega-Lite, which draws the page's charts, cached in a file."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from grid_assets.output import write_whole

VEGA_LITE: Final = "6.4"
"""The version in the bundle: `vl-convert-python` contains several, with Vega and Vega-Embed."""


def javascript(folder: Path) -> str:
    """The bundle that sets `vegaEmbed`, built once and kept in `folder`.

    Building it takes two seconds and 130 MB of memory.
    """
    file = folder / f"vega-lite-{VEGA_LITE}-{version('vl-convert-python')}.js"
    if not file.is_file():
        import vl_convert

        write_whole(file, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE))
    return file.read_text(encoding="utf-8")
