"""Which commands make and run a gateway? init, serve, doctor, chain up, deploy, demo."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path, typer.Option("--home", help="The carrier's home folder", envvar="GSC_HOME")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("serve")(serve)


def serve(
    home: Home = Path(),
    host: Annotated[str | None, typer.Option(help="Instead of gsc.toml's [listen] host")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of gsc.toml's [listen] port")] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when the parent process ends")] = False,
) -> None:
    """Run the gateway: API, desk, follower and submitter, until Ctrl-C."""
    from gateway.cli.opening import opened
    from gateway.serving import serve as run

    gateway = opened(home)
    listen = gateway.settings.listen
    address = f"{host or listen.host}:{port or listen.port}"
    typer.echo(f"{gateway.carrier}: desk and API at http://{address}/desk (Ctrl-C ends it)")
    run(gateway, host=host or listen.host, port=port or listen.port, with_parent=with_parent)
