"""Alerts that people set in `ops.alerts`: judging them in each cycle, and delivering what they say.

`sending` knows nothing of alerts, and `delivering` only of a queue: alarms use both.
"""
