"""How does a command get at a carrier's home? Settings, password, gateway."""

from pathlib import Path

from gateway.composition import Gateway, open_gateway
from gateway.keystore import read_password
from gateway.settings import load_settings


def opened(home: Path) -> Gateway:
    """The gateway of a home folder; asks for the keys' password on a terminal. Raises what `open_gateway` does."""
    import sys

    import typer

    ask = (lambda: str(typer.prompt("Password of the keys", hide_input=True, err=True))) if sys.stdin.isatty() else None
    return open_gateway(load_settings(home), read_password(prompt=ask))
