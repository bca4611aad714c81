"""The Dagster side: assets and checks, their partitions, resources, schedules, sensor and jobs.

Modules here read a run's context, call the other packages, and report. They contain no rules about
the data.
"""

import warnings

import dagster as dg

# Backfill policies, freshness policies and virtual assets are beta or preview in the pinned
# version of Dagster. The pin guards against changes; a warning at every start would not.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
