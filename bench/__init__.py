"""The benchmarks of `make bench`: ratios and costs, measured against targets set beforehand.

Each module answers one question and calls production code as it is, never a tuned copy of it.
"""
