"""How does a command get at a carrier's home? Settings, password, gateway."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gateway.composition import Gateway, HomeFolder


def opened(home: Path, *, pinned: bool = True) -> "Gateway":
    """The gateway of a home folder; asks for the keys' password on a terminal. Raises what `open_gateway` does."""
    from gateway.composition import open_gateway
    from gateway.settings import load_settings

    return open_gateway(load_settings(home), password_of_keys(), pinned=pinned)


def opened_folder(home: Path) -> "HomeFolder":
    """A home folder for a dry run: no password, no network file, no chain. Raises NotFound or Malformed."""
    from gateway.composition import open_folder
    from gateway.settings import load_settings

    return open_folder(load_settings(home))


def password_of_keys() -> str:
    """From GSC_PASSWORD, a file, or a prompt if there is a terminal. Raises Refused."""
    from gateway.keystore import read_password

    return read_password(prompt=_ask if sys.stdin.isatty() else None)


def _ask() -> str:
    return str(typer.prompt("Password of the keys", hide_input=True, err=True))
