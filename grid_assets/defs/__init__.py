"""Dagster's side of the project: partitions, resources, assets, checks, automation.

Belongs here: reading run context, calling the domain modules, reporting. The only package that
imports Dagster. Does not belong here: any rule about the data.
"""

import warnings

import dagster as dg

# Backfill policies, freshness policies and virtual assets are marked beta or preview in the pinned
# Dagster; the pin, not a warning on every start, is what guards against their changing.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
