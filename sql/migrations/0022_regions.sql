-- The 18 regions of the Carbon Intensity API, and the region of each outward code.

-- core.regions: one row is one region, with its number and names as the API publishes them. Unique:
-- the number, and the short name, by which an answer of the API is told (never by its number:
-- answers by postcode of 2020 and 2021 carry the number less one). Regions 1 to 14 are the licence
-- areas of the distribution networks. Regions 15 to 18 are England, Scotland, Wales and Great
-- Britain as the API publishes them: none is the mean of its areas, so they are never computed from
-- those. The same rows are in grid_assets/regions.py; a later migration changes them.
CREATE TABLE core.regions (
    region_id  smallint NOT NULL,
    short_name text     NOT NULL,
    dno_name   text     NOT NULL,
    nation     text     NOT NULL,
    gsp_group  text,
    CONSTRAINT regions_pk PRIMARY KEY (region_id),
    CONSTRAINT regions_short_name_once UNIQUE (short_name),
    CONSTRAINT regions_gsp_group_once UNIQUE (gsp_group),
    CONSTRAINT regions_known CHECK (region_id BETWEEN 1 AND 18),
    CONSTRAINT regions_areas_have_gsp_group CHECK ((region_id <= 14) = (gsp_group IS NOT NULL)),
    CONSTRAINT regions_nation_known CHECK (
        nation IN ('England', 'Scotland', 'Wales', 'England and Wales', 'Great Britain'))
);
COMMENT ON TABLE core.regions IS 'The 18 regions of the Carbon Intensity API: 14 licence areas of the distribution networks, then England, Scotland, Wales and Great Britain, which are published and not the means of their areas.';
COMMENT ON COLUMN core.regions.region_id IS 'Number of the region in the API: 1 to 14 for the licence areas, 15 for England, 16 for Scotland, 17 for Wales, 18 for Great Britain.';
COMMENT ON COLUMN core.regions.short_name IS 'Name of the region as the API publishes it, such as South England; of Great Britain, GB.';
COMMENT ON COLUMN core.regions.dno_name IS 'Operator of the distribution network as the API publishes it; of regions 15 to 18, the short name. The API still says WPD (Western Power Distribution), since 2022 National Grid Electricity Distribution, and NPG (Northern Powergrid).';
COMMENT ON COLUMN core.regions.nation IS 'England, Scotland or Wales, where the region or most of it lies; England and Wales for region 6, which is Merseyside, Cheshire and North Wales; Great Britain for region 18.';
COMMENT ON COLUMN core.regions.gsp_group IS 'GSP group (grid supply points) of the licence area in the electricity market, _A to _P, as in the region of a tariff or of NESO''s map; null for regions 15 to 18.';

INSERT INTO core.regions (region_id, short_name, dno_name, nation, gsp_group) VALUES
    (1, 'North Scotland', 'Scottish Hydro Electric Power Distribution', 'Scotland', '_P'),
    (2, 'South Scotland', 'SP Distribution', 'Scotland', '_N'),
    (3, 'North West England', 'Electricity North West', 'England', '_G'),
    (4, 'North East England', 'NPG North East', 'England', '_F'),
    (5, 'Yorkshire', 'NPG Yorkshire', 'England', '_M'),
    (6, 'North Wales & Merseyside', 'SP Manweb', 'England and Wales', '_D'),
    (7, 'South Wales', 'WPD South Wales', 'Wales', '_K'),
    (8, 'West Midlands', 'WPD West Midlands', 'England', '_E'),
    (9, 'East Midlands', 'WPD East Midlands', 'England', '_B'),
    (10, 'East England', 'UKPN East', 'England', '_A'),
    (11, 'South West England', 'WPD South West', 'England', '_L'),
    (12, 'South England', 'SSE South', 'England', '_H'),
    (13, 'London', 'UKPN London', 'England', '_C'),
    (14, 'South East England', 'UKPN South East', 'England', '_J'),
    (15, 'England', 'England', 'England', NULL),
    (16, 'Scotland', 'Scotland', 'Scotland', NULL),
    (17, 'Wales', 'Wales', 'Wales', NULL),
    (18, 'GB', 'GB', 'Great Britain', NULL);

-- core.outward_codes: one row is one outward code in use, the first half of a postcode such as RG10,
-- with the licence area that most of its postcodes lie in. Unique: the outward code. `grid migrate`
-- makes the rows those of grid_assets/warehouse/data/outward_codes.csv, whose source and licences are
-- beside it, and touches only those that differ.
CREATE TABLE core.outward_codes (
    outward_code     text     NOT NULL,
    region_id        smallint NOT NULL,
    share_pct        numeric  NOT NULL,
    second_region_id smallint,
    CONSTRAINT outward_codes_pk PRIMARY KEY (outward_code),
    CONSTRAINT outward_codes_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT outward_codes_second_region FOREIGN KEY (second_region_id) REFERENCES core.regions,
    CONSTRAINT outward_codes_shape CHECK (outward_code ~ '^[A-Z]{1,2}[0-9][A-Z0-9]?$'),
    CONSTRAINT outward_codes_in_areas CHECK (region_id <= 14 AND second_region_id <= 14),
    CONSTRAINT outward_codes_share CHECK (share_pct > 0 AND share_pct <= 100),
    CONSTRAINT outward_codes_whole_or_shared CHECK ((share_pct = 100) = (second_region_id IS NULL)),
    CONSTRAINT outward_codes_two_regions CHECK (second_region_id <> region_id)
);
COMMENT ON TABLE core.outward_codes IS 'Outward codes, the first halves of postcodes, and the regions that they lie in. From the points of OS Code-Point Open (contains OS, Royal Mail and National Statistics data, Crown and Royal Mail copyright and database right 2025) and the licence areas of NESO (supported by National Energy SO Open Data).';
COMMENT ON COLUMN core.outward_codes.outward_code IS 'Outward code, such as RG10 or SW1A, in capitals.';
COMMENT ON COLUMN core.outward_codes.region_id IS 'Region, 1 to 14, that most postcodes of the outward code lie in.';
COMMENT ON COLUMN core.outward_codes.share_pct IS 'Share of the postcodes of the outward code that lie in the region, %; 100 only where all do.';
COMMENT ON COLUMN core.outward_codes.second_region_id IS 'Region that the next most postcodes lie in; null where all lie in the first.';
