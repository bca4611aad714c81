-- Where a postcode is: the region of its outward code, or why there is none. Always one row.
CREATE FUNCTION reporting.region_of_postcode(postcode text)
RETURNS TABLE (
    region_id         smallint,
    short_name        text,
    outward_code      text,
    share_pct         numeric,
    second_region_id  smallint,
    second_short_name text,
    reason            text,
    explanation       text
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
-- runs as its owner: grid_reader may not read core itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- capitals, with one space where spaces, hyphens or full stops were; the letters that follow
    -- \s are spaces and dashes beyond ASCII. Capitals of the C collation, because Turkish ones differ.
    spaced text := btrim(regexp_replace(upper(left(postcode, 100) COLLATE "C"),
        '[\s\u00a0\u1680\u2000-\u200d\u2010-\u2015\u202f\u2060\u2212\u3000\ufeff._-]+', ' ', 'g'));
    compact text := replace(spaced, ' ', '');
    whole text;
BEGIN
    -- A space tells RG1 9 from RG19, so it is looked at first; otherwise the last three characters
    -- of a whole postcode, a digit and two letters, are its inward code.
    outward_code := CASE
        WHEN spaced ~ '^([A-Z]{1,2}[0-9][A-Z0-9]?|GIR) [0-9][A-Z]{0,2}$' THEN split_part(spaced, ' ', 1)
        WHEN compact ~ '^([A-Z]{1,2}[0-9][A-Z0-9]?|GIR)[0-9][A-Z]{2}$' THEN left(compact, -3)
        WHEN compact ~ '^([A-Z]{1,2}[0-9][A-Z0-9]?|GIR)$' THEN compact
    END;

    SELECT c.region_id, r.short_name, c.share_pct, c.second_region_id, s.short_name
    INTO region_id, short_name, share_pct, second_region_id, second_short_name
    FROM core.outward_codes AS c
    JOIN core.regions AS r USING (region_id)
    LEFT JOIN core.regions AS s ON s.region_id = c.second_region_id
    WHERE c.outward_code = region_of_postcode.outward_code;

    IF region_id IS NULL THEN
        reason := CASE
            WHEN coalesce(compact, '') = '' THEN 'empty'
            WHEN outward_code IS NULL THEN 'not_a_postcode'
            WHEN outward_code ~ '^BT[0-9]' THEN 'northern_ireland'
            WHEN outward_code ~ '^(JE|GY|IM)[0-9]' THEN 'crown_dependency'
            WHEN outward_code ~ '^(BF|BX|XX)[0-9]|^GIR$' THEN 'not_geographic'
            ELSE 'unknown'
        END;
    END IF;
    IF reason = 'unknown' THEN
        -- W1 and SW1 are only the beginning of outward codes
        SELECT string_agg(c.outward_code, ', ' ORDER BY c.outward_code) INTO whole
        FROM core.outward_codes AS c
        WHERE c.outward_code IN (SELECT region_of_postcode.outward_code || chr(n)
                                 FROM generate_series(ascii('A'), ascii('Z')) AS n);
        IF whole IS NOT NULL THEN
            reason := 'incomplete';
        END IF;
    END IF;
    explanation := CASE reason
        WHEN 'empty' THEN 'No postcode was given. Give an outward code such as RG10, or a whole postcode.'
        WHEN 'not_a_postcode' THEN
            'This has not the form of a postcode. Give an outward code such as RG10 or SW1A, or a whole postcode.'
        WHEN 'northern_ireland' THEN format(
            '%s is in Northern Ireland, which shares a grid with Ireland and is no region of Great Britain''s.', outward_code)
        WHEN 'crown_dependency' THEN format(
            '%s is in %s, which has a grid of its own and is no region of Great Britain''s.', outward_code,
            CASE left(outward_code, 2) WHEN 'JE' THEN 'Jersey' WHEN 'GY' THEN 'Guernsey' ELSE 'the Isle of Man' END)
        WHEN 'not_geographic' THEN format(
            '%s is used for mail to an organisation, the forces or a return address, and is at no place.', outward_code)
        WHEN 'incomplete' THEN format('%s is only the beginning of outward codes. Give one of them: %s.', outward_code, whole)
        WHEN 'unknown' THEN format('%s is not among the outward codes in use. Check the postcode.', outward_code)
    END;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION reporting.region_of_postcode(text) IS
    'The region of an outward code (RG10) or a postcode (RG10 9NY) in any spelling: one row, always. Only the outward code, as understood in outward_code, is looked up, in core.outward_codes: region_id and short_name are those of the licence area that most of its postcodes lie in, share_pct the share of them that do, %, and second_region_id and second_short_name where the next most lie, null where all lie in one. Where region_id is null, reason says why, and explanation the same in a sentence: empty, not_a_postcode, northern_ireland, crown_dependency (Jersey, Guernsey, Isle of Man), not_geographic, incomplete (W1, but W1A exists) or unknown.';
