"""The `grid replay` commands: serve the recorded APIs, or control those that are running."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import click
import requests

from grid_assets.cli.commands import CommandError
from grid_assets.cli.serve import REPLAY_FILE
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.control import DEFAULT_SOURCE
from grid_assets.replay.outlook_faults import FAULTS_OF
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.signals import stop_on_signals
from grid_assets.settings import Settings
from grid_assets.sources.http.session import is_loopback

DEFAULT_PORT: Final = 8765

FAULTS: Final = {
    name if source == DEFAULT_SOURCE else f"{source}:{name}": fault
    for source, faults in FAULTS_OF.items()
    for name, fault in faults.items()
}
"""Every fault by the name that the commands take: `500`, `elexon:500`, `neso_portal:500`."""

url_option = click.option(
    "--url", help="Address of the replay [GRID_API_URL if on this machine, else the running demo]."
)


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--shift-weeks", type=int, help="Weeks to shift the recording [up to the present].")
@click.option("--withhold", type=int, metavar="N", help="Withhold the last N half-hours.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Start with this fault on.")
@click.pass_context
def replay(
    context: click.Context,
    port: int,
    shift_weeks: int | None,
    withhold: int | None,
    faults: tuple[str, ...],
) -> None:
    """Serve the recorded APIs, or control those that are running.

    Without a subcommand, serves until Ctrl-C, to this machine only.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        server = ReplayServer(port=port, shift_weeks=shift_weeks)
    except OSError as error:
        raise CommandError(
            f"The replay cannot listen on port {port}: {error.strerror}. Choose another --port."
        ) from None
    with stop_on_signals(), server as running:
        if withhold:
            _post(running.url, "withhold", {"half_hours": withhold})
        for name in faults:
            _post(running.url, "fault", _named(name))
        click.echo(f"Serving recorded telemetry at {running.url} (Ctrl-C stops it).")
        click.echo(f"Shifted by {running.shift_weeks} weeks. This is RECORDED data, not live.")
        click.echo(f"Use it with: export GRID_API_URL={running.url}")
        for setting, url in source_urls(running.url).items():
            if setting != "api_url":
                click.echo(f"             export GRID_{setting.upper()}={url}")
        while True:
            time.sleep(3600)


@replay.command()
@click.argument("half_hours", type=click.IntRange(min=1), metavar="N")
@url_option
def withhold(half_hours: int, url: str | None) -> None:
    """Withhold the last N half-hours and every later one."""
    _show(_post(_address(url), "withhold", {"half_hours": half_hours}))


@replay.command()
@click.argument("half_hours", type=click.IntRange(min=1), required=False, metavar="[N]")
@url_option
def release(half_hours: int | None, url: str | None) -> None:
    """Release the next N withheld half-hours; without N, all of them."""
    _show(_post(_address(url), "release", {"half_hours": half_hours} if half_hours else {}))


@replay.command(
    epilog="\b\nFaults:\n" + "\n".join(f"  {name:<31} {f.summary}" for name, f in FAULTS.items())
)
@click.argument("name", type=click.Choice(list(FAULTS)), metavar="NAME")
@click.option("--times", type=click.IntRange(min=1), help="Responses to affect [all until `heal`].")
@click.option("--path", help="Affect only paths with this prefix, such as /generation.")
@click.option("--option", "options", multiple=True, metavar="KEY=JSON", help="Set an option.")
@url_option
def fault(
    name: str, times: int | None, path: str | None, options: tuple[str, ...], url: str | None
) -> None:
    """Inject the fault NAME into responses of one API.

    Names of Elexon's begin with `elexon:`, names of the NESO Data Portal's with `neso_portal:`.
    """
    request: dict[str, Any] = {**_named(name), "times": times, "path": path}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise click.UsageError(f"--option {option!r} is not of the form KEY=JSON.")
        try:
            request[key] = json.loads(value)
        except ValueError:
            request[key] = value
    _show(_post(_address(url), "fault", request))


@replay.command()
@url_option
def heal(url: str | None) -> None:
    """Remove every fault."""
    _show(_post(_address(url), "heal", {}))


@replay.command()
@url_option
def status(url: str | None) -> None:
    """Show what is recorded, what is withheld and which faults are active."""
    _show(_request("GET", f"{_address(url)}/replay/status", None))


def _named(name: str) -> dict[str, str]:
    """The part of a request that names a fault."""
    source, colon, fault = name.rpartition(":")
    return {"name": fault, "source": source} if colon else {"name": name}


def _address(url: str | None) -> str:
    if url:
        return url.rstrip("/")
    settings = Settings.from_environment()
    if is_loopback(settings.api_url):
        return settings.api_url
    file = settings.demo_home / REPLAY_FILE
    if file.exists():
        return file.read_text(encoding="ascii")
    raise CommandError("No replay is running. Start `grid demo` or `grid replay`, or give --url.")


def _post(url: str, action: str, request: dict[str, Any]) -> dict[str, Any]:
    return _request("POST", f"{url}/replay/{action}", request)


def _request(method: str, url: str, request: dict[str, Any] | None) -> dict[str, Any]:
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy cannot reach this machine's replay
            response = session.request(method, url, json=request, timeout=10)
        document: dict[str, Any] = response.json()
    except requests.RequestException:
        raise CommandError(f"No replay answers at {url}. Start one, or give its --url.") from None
    if not response.ok:
        fault = document.get("error", {})
        raise CommandError(str(fault.get("message", fault)))
    return document


def _show(status: dict[str, Any]) -> None:
    click.echo(f"withheld from  {status['withheld_from'] or 'nothing'}")
    names = [
        ":".join(str(fault[key]) for key in ("source", "name") if key in fault)
        for fault in status["faults"]
    ]
    click.echo(f"faults         {', '.join(names) or 'none'}")
    click.echo(f"recording      {status['recorded_from']} to {status['recorded_to']}")
