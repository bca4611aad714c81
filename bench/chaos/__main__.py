"""`python -m bench.chaos`: plays schedules, and says which do not end in the right tables."""

from __future__ import annotations

import resource
import signal
import sys
import time
from typing import Final

import click

from bench.chaos.events import schedule
from bench.chaos.mutations import MUTATIONS, schedule_of
from bench.chaos.playing import Player
from bench.chaos.world import World

MOST_TRIES: Final = 5
"""Plays of a mutation: whether two writers meet depends on how they take turns."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", type=int, default=0, show_default=True, help="The first schedule.")
@click.option("--count", type=int, default=1, show_default=True, help="How many, from there on.")
@click.option("--short", is_flag=True, help="Those of `make test`: one cycle before the clean one.")
@click.option("--mutations", is_flag=True, help="Break the product on purpose, and see it found.")
@click.option("-v", "--verbose", is_flag=True, help="Print each schedule, and what commands say.")
def main(seed: int, count: int, short: bool, mutations: bool, verbose: bool) -> None:
    """Play the schedules of COUNT seeds; exit with 1 if one of them fails."""
    if mutations:
        sys.exit(_play_mutations())
    started, failed = time.monotonic(), list[int]()
    with World() as world:
        player = Player(world)
        for number in range(seed, seed + count):
            made = schedule(number, short=short)
            played = player.play(made)
            if verbose or played.problems:
                click.echo(str(made))
            else:
                click.echo(f"seed {number} {played.seconds:.1f} s")
            if verbose:
                click.echo("\n".join(played.said))
            for problem in played.problems:
                click.echo(f"  FAILED {problem}")
            if played.problems:
                failed.append(number)
                option = " --short" if short else ""
                click.echo(f"  repeat: python -m bench.chaos --seed {number}{option} -v")
            sys.stdout.flush()
        cpu_s = world.cpu_s + resource.getrusage(resource.RUSAGE_SELF).ru_utime
    seconds = time.monotonic() - started
    click.echo(f"{count} schedules, {len(failed)} failed {failed or ''}")
    click.echo(f"{seconds:.0f} s, and {cpu_s:.0f} s of CPU without PostgreSQL's")
    sys.exit(1 if failed else 0)


def _play_mutations() -> int:
    """Print what each mutation was found by; 1 if one was not found."""
    missed = 0
    with World() as world:
        player = Player(world)
        for name in MUTATIONS:
            plays, found = 0, list[str]()
            while not found and plays < MOST_TRIES:
                plays += 1
                found = player.play(schedule_of(name), name).problems
            missed += not found
            click.echo(f"{name}: {found[0] if found else 'NOT FOUND'} (play {plays})")
            sys.stdout.flush()
    return int(missed > 0)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):  # end as Ctrl-C does, leaving nothing
        signal.signal(ending, signal.default_int_handler)
    main()
