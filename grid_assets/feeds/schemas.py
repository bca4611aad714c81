"""The JSON Schemas of the feeds (draft 2020-12). Pure."""

from __future__ import annotations

from typing import Any, Final

from grid_assets.feeds.documents import STEPS
from grid_assets.feeds.read import HOURS
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS, LEAD_BUCKETS

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def _object(about: str, properties: Schema, **more: Any) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _list(items: Schema, about: str, **more: Any) -> Schema:
    return {"type": "array", "description": about, "items": items, **more}


TIME: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "description": "UTC, RFC 3339",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
}
TIME_OR_NULL: Final[Schema] = {**TIME, "type": ["string", "null"]}
LONDON: Final[Schema] = {
    "type": "string",
    "description": "by London's clock",
    "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d$",
}
AGE: Final[Schema] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "description": "Seconds from the end of the half-hour, or from the issue of the forecast, to "
    "generated_at.",
}
GRAMS: Final[Schema] = {"type": ["number", "null"], "minimum": 0, "maximum": 1000}
PERCENT: Final[Schema] = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
KIND: Final[Schema] = {
    "enum": ["measured", "forecast", "derived", "simulated", None],
    "description": "measured; forecast; derived from published forecasts; simulated: made up by "
    "the recorded API. Null where the value is null. A region's newest value is a forecast, "
    "because that is what the API calls it.",
}
BASIS: Final[Schema] = {
    "enum": ["generation", "consumption"],
    "description": "What is counted: what Great Britain generates, or what a region consumes.",
}
INDEX: Final[Schema] = {
    "type": ["string", "null"],
    "description": "As published: very low, low, moderate, high or very high.",
}
UNIT: Final[Schema] = {"const": "gCO2/kWh"}
MODEL: Final[Schema] = {"type": ["string", "null"], "minLength": 1}
REGION_ID: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": len(REGIONS)}
NAME: Final[Schema] = {"enum": [region.short_name for region in REGIONS]}

PERIOD: Final[Schema] = {"period_start": TIME_OR_NULL, "period_end": TIME_OR_NULL, "age_s": AGE}
PREDICTED: Final[Schema] = {
    "value": GRAMS,
    "p10": GRAMS,
    "p90": GRAMS,
    "model": MODEL,
    "kind": KIND,
    "issued_at": TIME_OR_NULL,
    "age_s": AGE,
}

HALF_HOURS: Final = _list(
    _object(
        "A half-hour; null where no model has a forecast.",
        {
            "period_start": TIME,
            **PREDICTED,
            "neso": {**GRAMS, "description": "NESO's own newest forecast of the half-hour."},
            "neso_kind": {
                "enum": ["forecast", "simulated", None],
                "description": "Of neso; null where it is null.",
            },
        },
    ),
    "48 hours, from the half-hour that has begun on. Where one model ends, the next one goes on.",
    minItems=STEPS,
    maxItems=STEPS,
)
MIX: Final = _object(
    "The newest generation mix; the shares sum to 100.",
    {
        **PERIOD,
        "unit": {"const": "%"},
        "kind": KIND,
        "basis": BASIS,
        "shares": _object("By fuel.", dict.fromkeys(FUELS, PERCENT)),
        "groups": _object(
            "Renewable is wind, solar and hydro; zero_carbon those and nuclear; fossil gas and "
            "coal.",
            dict.fromkeys(("renewable", "zero_carbon", "fossil"), PERCENT),
        ),
    },
)
REGION_NOW: Final = _object(
    "The newest half-hour of a region.",
    {
        "region_id": REGION_ID,
        "short_name": NAME,
        **PERIOD,
        "value": GRAMS,
        "unit": UNIT,
        "kind": KIND,
        "basis": BASIS,
        "index": INDEX,
    },
)
GREENEST: Final[Schema] = {
    "unit": UNIT,
    "basis": BASIS,
    "within_hours": {"type": "integer", "description": "The windows end within these hours."},
    "windows": _list(
        _object(
            "The stretch with the lowest forecast; absent if none is forecast whole.",
            {
                "hours": {"enum": list(HOURS)},
                "period_start": TIME,
                "period_end": TIME,
                "start_london": LONDON,
                "end_london": LONDON,
                "value": GRAMS,
                "saved": {
                    "type": ["number", "null"],
                    "description": "By how much the mean is lower than that of starting at the "
                    "next half-hour.",
                },
                "model": MODEL,
                "kind": KIND,
                "issued_at": TIME,
                "age_s": AGE,
                "forecast_to": {
                    **TIME,
                    "description": "Where the forecast of the model ends: nothing after it was "
                    "looked at.",
                },
            },
        ),
        "One for each length.",
    ),
}
LEAD: Final[Schema] = {
    "lead_bucket": {"enum": list(LEAD_BUCKETS)},
    "n": {"type": "integer", "minimum": 1, "description": "Forecasts that were compared."},
    "mae": {"type": "number", "minimum": 0, "description": "Mean absolute error."},
    "bias": {"type": "number", "description": "Mean of forecast minus what came true."},
}


def _accuracy(against: str, lead: Schema) -> Schema:
    return {
        "days": {"type": "integer", "description": "Target days that the errors are from."},
        "unit": UNIT,
        "against": {"const": against},
        "models": _list(
            _object(
                "A model; simulated where the recorded API made up its forecasts.",
                {
                    "model": MODEL,
                    "kind": {"enum": ["measured", "simulated"]},
                    "leads": _list(_object("Errors by lead.", lead), "By lead."),
                },
            ),
            "In the order in which models are shown.",
        ),
    }


def schemas() -> dict[str, Schema]:
    """Each schema by its file name."""
    of_region = _accuracy("estimate", LEAD)
    of_country = _accuracy("actual", {**LEAD, "inside_80_pct": PERCENT})
    made = {
        "now": (
            "The newest half-hour: measured, as it was forecast, its mix, and the regions.",
            {
                "carbon_intensity": _object(
                    "The newest half-hour with an actual.",
                    {
                        **PERIOD,
                        "value": GRAMS,
                        "unit": UNIT,
                        "kind": KIND,
                        "basis": BASIS,
                        "index": INDEX,
                    },
                ),
                "forecast": _object(
                    "The half-hour that has begun, as forecast.",
                    {**PERIOD, "unit": UNIT, "basis": BASIS, **PREDICTED},
                ),
                "mix": MIX,
                "regions": _list(REGION_NOW, "All 18 regions; empty where none is captured."),
            },
        ),
        "forecast": (
            "The forecast of carbon intensity for 48 hours.",
            {"unit": UNIT, "basis": BASIS, "half_hours": HALF_HOURS},
        ),
        "greenest": ("When to use electricity in the next 24 hours.", GREENEST),
        "accuracy": (
            "How good forecasts of carbon intensity were.",
            {"series": {"const": "carbon_intensity"}, **of_country},
        ),
        "postcodes": (
            "The region of a postcode, by its first half, and when that region is greenest; only "
            "where regions are captured.",
            {
                "regions": _object(
                    "By number.",
                    {
                        str(region.region_id): _object(
                            "When to use electricity there.",
                            {
                                "region_id": REGION_ID,
                                "short_name": NAME,
                                "greenest": _object("In the next 24 hours.", GREENEST),
                            },
                        )
                        for region in REGIONS
                    },
                ),
                "outward_codes": {
                    "type": "object",
                    "description": "Outward code to number of the region that most of its "
                    "postcodes lie in.",
                    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 14},
                },
            },
        ),
        "region": (
            "A region: its newest half-hour, mix, forecast, greenest windows, and errors against "
            "the API's own later estimate, because no actual is published for regions.",
            {
                "region_id": REGION_ID,
                "short_name": NAME,
                "nation": {"type": "string"},
                "now": REGION_NOW,
                "mix": MIX,
                "forecast": _object(
                    "The forecast for 48 hours.",
                    {"unit": UNIT, "basis": BASIS, "half_hours": HALF_HOURS},
                ),
                "greenest": _object("When to use electricity in the next 24 hours.", GREENEST),
                "accuracy": _object("Errors of forecasts.", of_region),
            },
        ),
    }
    return {
        f"{name}.json": {
            "$schema": DRAFT,
            "title": f"Grid Assets v1: {name}",
            **_object(
                about,
                {
                    "generated_at": TIME,
                    "data_kind": {
                        "enum": ["live", "replay"],
                        "description": "replay: a recording moved in time, for a demo.",
                    },
                    "attribution": {"type": "string"},
                    **properties,
                },
            ),
        }
        for name, (about, properties) in made.items()
    }
