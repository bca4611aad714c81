"""Answers of Elexon and the NESO Data Portal of which nothing can be used, in a cycle: each is an
error of its own kind, and of its own source.

What becomes of an attempt with errors is in `defs/test_outlook.py`, what of bad records in
`defs/test_bad_outlook.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from grid_assets.halfhours import DAY, Window, floor
from grid_assets.outlook.cycle import Known, take_elexon, take_portal
from grid_assets.outlook.sources import ENDPOINTS, FUELHH, INDO, Answer, Taken
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import Settings
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.http.errors import (
    ApiBadRequest,
    ApiBodyTooLarge,
    ApiError,
    ApiMalformedBody,
    ApiNotFound,
    ApiRateLimited,
    ApiServerError,
    ApiUnexpectedStatus,
    ApiUnreachable,
)
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.client import NesoPortal, PortalRefused

NOTHING = Known({}, dict.fromkeys(datasets.EVERY))

Case = tuple[dict[str, Any], dict[str, Any], type[ApiError], str]
"""The fault, settings, and the error with words of its message."""

SHARED: dict[str, Case] = {
    "404": ({"name": "404"}, {}, ApiNotFound, "HTTP 404"),
    "429-wait": (
        {"name": "429", "retry_after": 7},
        {},
        ApiRateLimited,
        "asks to wait 7 s",
    ),
    "429-no-wait": ({"name": "429", "retry_after": None}, {}, ApiRateLimited, "HTTP 429"),
    "500": ({"name": "500"}, {}, ApiServerError, "HTTP 500"),
    "reset": ({"name": "reset"}, {}, ApiUnreachable, "cannot be reached"),
    "hang": ({"name": "hang"}, {"api_timeout_s": 0.2}, ApiUnreachable, "within 0.2 s"),
    "slow": (
        {"name": "slow", "seconds": 4},
        {"api_timeout_s": 0.3},
        ApiUnreachable,
        "within 0.3 s",
    ),
    "html": ({"name": "html"}, {}, ApiMalformedBody, "is not JSON"),
    "truncated": ({"name": "truncated"}, {}, ApiMalformedBody, "before its end"),
    "truncated-json": ({"name": "truncated_json"}, {}, ApiMalformedBody, "is not JSON"),
    "huge": (
        {"name": "huge", "size_mb": 1.5},
        {"api_max_body_mb": 1},
        ApiBodyTooLarge,
        "larger than 1 MB; GRID_API_MAX_BODY_MB",
    ),
}
OF_ELEXON: dict[str, Case] = {"400": ({"name": "400"}, {}, ApiBadRequest, "must not exceed 1 day")}
OF_PORTAL: dict[str, Case] = {
    "400": ({"name": "400"}, {}, ApiBadRequest, "HTTP 400"),
    "409": ({"name": "409"}, {}, ApiUnexpectedStatus, "HTTP 409"),
    "success-false": (
        {"name": "success_false"},
        {},
        PortalRefused,
        "with HTTP 200: The datastore is not available",
    ),
    "empty-object": ({"name": "empty_object"}, {}, PortalRefused, "with HTTP 200"),
}
CASES = [
    pytest.param(source, *case, id=f"{source}-{name}")
    for source, cases in (("elexon", SHARED | OF_ELEXON), ("neso_portal", SHARED | OF_PORTAL))
    for name, case in cases.items()
]


def taken(source: str, replay: ReplayServer, **limits: Any) -> Iterator[Taken]:
    """What a cycle takes from one source, which is tried once."""
    urls = source_urls(replay.url)
    settings = Settings(api_retry_budget_s=0, **{**urls, **limits})
    now = datetime.now(UTC)
    if source == "elexon":
        elexon = ElexonApi.from_settings(settings, kind="replay")
        assert elexon is not None
        with elexon:
            yield from take_elexon(elexon, NOTHING, Window(floor(now) - DAY, floor(now)), now)
    else:
        portal = NesoPortal.from_settings(settings, kind="replay")
        assert portal is not None
        with portal:
            yield from take_portal(portal, NOTHING, now)


@pytest.mark.parametrize(("source", "fault", "limits", "kind", "message"), CASES)
def test_no_usable_answer_is_an_error_of_its_kind_for_each_dataset(
    replay: ReplayServer,
    source: str,
    fault: dict[str, Any],
    limits: dict[str, Any],
    kind: type[ApiError],
    message: str,
) -> None:
    replay.control.fault({**fault, "source": source})
    found = list(taken(source, replay, **limits))
    expected = {WINDFOR, NDF, FUELHH, INDO} if source == "elexon" else {datasets.EMBEDDED.source}
    assert {one.dataset for one in found} >= expected
    assert all(one.endpoint == ENDPOINTS[one.dataset] for one in found)
    first = found[0].outcome
    assert type(first) is kind
    assert message in str(first)
    # after three silent requests the others are not sent
    assert {type(one.outcome) for one in found} <= {kind, ApiUnreachable}
    for one in found:
        assert "GRID_API_URL" not in str(one.outcome)

    # the other source is not concerned
    other = "neso_portal" if source == "elexon" else "elexon"
    assert isinstance(next(taken(other, replay)).outcome, Answer)


@pytest.mark.parametrize(
    ("name", "reasons"), [("empty_list", []), ("empty_object", ["body: the answer has no list"])]
)
def test_an_empty_answer_of_elexon_is_no_error(
    replay: ReplayServer, name: str, reasons: list[str]
) -> None:
    replay.control.fault({"name": name, "source": "elexon"})
    for one in taken("elexon", replay):
        assert isinstance(one.outcome, Answer)
        assert list(one.outcome.rows) == []
        assert [reject.reason[:28] for reject in one.outcome.rejected] == reasons
