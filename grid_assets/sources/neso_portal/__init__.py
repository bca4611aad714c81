"""The NESO Data Portal, a CKAN server: its client, its parsers, and what to ask it when."""
