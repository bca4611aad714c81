-- Adds one captured forecast of the regions.
INSERT INTO raw.regional_vintages
    (issued_at, starts_at, simulated, unknown_pct, forecast_tenths,
     {% for fuel in fuels %}{{ fuel.name }}_tenths{{ ", " if not loop.last }}{% endfor %})
VALUES (%(issued_at)s, %(starts_at)s, %(simulated)s, %(unknown_pct)s, %(forecast_tenths)s,
        {% for fuel in fuels %}%({{ fuel.name }}_tenths)s{{ ", " if not loop.last }}{% endfor %})
