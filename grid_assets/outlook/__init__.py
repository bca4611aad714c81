"""The outlook and the second measurement: loading `raw`, publishing `core`, reading as known."""
