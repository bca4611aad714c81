-- Keeps the secret in Supabase's Vault, under one name.
SELECT CASE WHEN known.id IS NULL
            THEN vault.create_secret(%(secret)s, 'grid_wake_secret')
            ELSE (SELECT known.id FROM vault.update_secret(known.id, %(secret)s)) END
FROM (SELECT) AS one LEFT JOIN vault.secrets AS known ON known.name = 'grid_wake_secret'
