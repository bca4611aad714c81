"""Alerts that people set in `ops.alerts`: judging them in each cycle, and delivering what they say.

`sending` knows nothing of alerts; anything else that has a message may use it.
"""
