"""The feeds: small static JSON files and Prometheus metrics, for programs.

They are read from `reporting`, so that every number is the database's.
"""
