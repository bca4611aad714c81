"""The diagram of the README shows the assets that Dagster has, and what they are made from."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import dagster as dg

from grid_assets.definitions import defs
from grid_assets.settings import PROJECT_DIR

Edges = dict[str, set[str]]
"""The assets that an asset is made from."""

DOTTED: Final = re.compile(r" -\. .+? \.-> ")

IF_THERE: Final = {"core/outlook", "core/generation_mw"}
"""What a forecast reads if it is there. Dagster does not wait for it."""


def assets_and_their_sources() -> Edges:
    graph = defs.resolve_asset_graph()
    return {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
        if isinstance(key, dg.AssetKey)
    }


def drawn() -> tuple[Edges, Edges]:
    """Solid and dotted edges between assets; other boxes are left out."""
    text = (PROJECT_DIR / "README.md").read_text("utf-8")
    lines = text.partition("flowchart LR\n")[2].partition("```")[0].splitlines()
    names = dict(re.findall(r"(\w+)\[([\w/]+)\]", "\n".join(lines)))
    solid: Edges = {name: set() for name in names.values()}
    dotted: Edges = {name: set() for name in names.values()}
    for line in lines:
        line = re.sub(r"(\w+)[\[(]+[^\])]+[\])]+", r"\1", line.strip())
        chain = [part.split(" & ") for part in re.split(f" --> |{DOTTED.pattern}", line)]
        edges = dotted if DOTTED.search(line) else solid
        for sources, targets in pairwise(chain):
            for target in targets:
                if target in names:
                    edges[names[target]] |= {names[each] for each in sources if each in names}
    return solid, dotted


def reaches(edges: Edges, asset: str) -> set[str]:
    return edges[asset].union(*(reaches(edges, source) for source in edges[asset]))


def test_the_diagram_has_every_asset_and_no_other() -> None:
    assert drawn()[0].keys() == assets_and_their_sources().keys()


def test_each_edge_of_the_diagram_is_one_of_dagster_and_none_is_lacking() -> None:
    solid, real = drawn()[0], assets_and_their_sources()
    assert {asset: solid[asset] - real[asset] for asset in real if solid[asset] - real[asset]} == {}
    # an edge may be left out where a longer way says the same
    lacking = {asset: real[asset] - reaches(solid, asset) for asset in real}
    assert {asset: sources for asset, sources in lacking.items() if sources} == {}


def test_what_a_forecast_reads_only_if_it_is_there_has_dotted_edges() -> None:
    assert drawn()[1]["forecast/predictions"] == IF_THERE
