"""The assets, one module for each schema of the warehouse, and one for files."""
