"""Carbon intensity and generation mix of the 18 regions: what is loaded, published, judged and due.

It has tables of its own, and a fault in it never holds up national telemetry.
"""
