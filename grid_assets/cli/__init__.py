"""The `grid` command: options, messages, exit codes, and the order of each command's steps."""


def main() -> None:
    """The entry point of the console script `grid`."""
    from grid_assets.cli.__main__ import main as run  # late: `python -m` imports this package first

    run()
