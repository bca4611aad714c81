"""Vega-Lite's JavaScript, kept in a file: the one thing on the page that is not ours.

Belongs here: getting and keeping the bundle. Does not belong here: charts.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from grid_assets.dashboard.files import write_whole

VEGA_LITE: Final = "6.4"
"""The Vega-Lite of the bundle; `vl-convert-python` carries several, and Vega and Vega-Embed."""


def javascript(folder: Path) -> str:
    """The bundle that sets `vegaEmbed`, from `folder` if an earlier page left it there.

    Making it takes two seconds and 130 MB of memory; reading it takes neither.
    """
    file = folder / f"vega-lite-{VEGA_LITE}-{version('vl-convert-python')}.js"
    if not file.is_file():
        import vl_convert

        write_whole(file, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE))
    return file.read_text(encoding="utf-8")
