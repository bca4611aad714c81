-- Where cleaned mixes wait to be judged. It has no constraints, so that a broken rule shows in the
-- checks, by name, and other_pct is what the rule in Python said, so that the two can disagree.
CREATE TEMPORARY TABLE staged (
    period_start        timestamptz,
    biomass_pct         numeric,
    coal_pct            numeric,
    imports_pct         numeric,
    gas_pct             numeric,
    nuclear_pct         numeric,
    other_pct           numeric,
    hydro_pct           numeric,
    solar_pct           numeric,
    wind_pct            numeric,
    published_total_pct numeric,
    adjustment          text,
    captured_at         timestamptz
) ON COMMIT DROP
