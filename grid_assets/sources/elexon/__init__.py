"""The Elexon Insights API: requests, HTTP client and parsers, and whom to name as the source."""

from __future__ import annotations

from typing import Final

ATTRIBUTION: Final = "Contains BMRS data © Elexon Limited copyright and database right [year]"
"""The notice that the licence prescribes, word for word; `[year]` is the year of the data."""

LICENCE_URL: Final = (
    "https://www.elexon.co.uk/bsc/data/balancing-mechanism-reporting-agent/"
    "copyright-licence-bmrs-data/"
)
