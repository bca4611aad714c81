"""The benchmarks of `make bench`: ratios and costs measured here, against targets set in advance.

Belongs here: measuring, and asserting that what was measured did its work. Does not belong here:
anything that the product itself needs, or a tuned copy of it; production code is called as it is.
"""
