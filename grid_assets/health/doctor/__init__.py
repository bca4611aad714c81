"""`grid doctor`: what a database and its surroundings lack, one line for each check.

`examine` lists the checks and runs them. Each is a function of a `Case` that returns a `Finding`;
none changes anything.
"""
