"""Alarms of the operator: what is wrong with the pipeline, told once and with its recovery, and the
heartbeat by which a service outside notices silence.

`conditions` judges the tables, `episodes` decides what is news, `telling` keeps both in the
database and writes messages, `heartbeat` pings. `outside` tells what the database cannot keep,
because it cannot be reached or written. `looking` puts them together for the daemon and commands.
"""
