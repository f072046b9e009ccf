"""Which commands open sessions? login, logout, and whom the desk lets in as auditor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import Home, Json, end, folder_of

if TYPE_CHECKING:
    from gateway.settings import Settings

TOKEN_VARIABLE = "GSC_TOKEN"
Url = Annotated[str | None, typer.Option("--url", help="Where the gateway listens; else as in gsc.toml")]
At = Annotated[str | None, typer.Option("--at", help="Another carrier's gateway: GB-B; it shows what is between you")]
_HEADINGS = ["id", "label", "state", "key", "until"]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("login")(login)
    app.command("logout")(logout)
    auditors = typer.Typer(help="Let auditors read, and send them away again.", no_args_is_help=True)
    auditors.command("add")(add)
    auditors.command("list")(list_)
    auditors.command("remove")(remove)
    app.add_typer(auditors, name="auditor")


def login(
    at: At = None,
    url: Url = None,
    browser: Annotated[bool, typer.Option("--browser", help="Print a link that opens the desk, once")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Sign a gateway's challenge with the carrier's key; prints a bearer token that is good for an hour."""
    from gateway.cli.opening import password_of_keys
    from gateway.login import log_in, login_link
    from gateway.settings import load_settings
    from ledger.identity import carrier_code

    settings = load_settings(home or Path())
    audience = settings.carrier if at is None else carrier_code(at)
    where = url or _url_of(settings, at)
    opened = log_in(settings, password_of_keys(), audience, where)
    if browser:
        link = login_link(where, str(opened["token"]))
        end(link, json, [str(link["href"])], "open this link within two minutes; it works once")
        return
    if json:
        end(opened, json, [], "")
        return
    typer.echo(str(opened["token"]))  # alone on stdout: TOKEN=$(gsc login)
    typer.echo(f'next: curl -H "Authorization: Bearer ${TOKEN_VARIABLE}" {where}/v1/sessions/current', err=True)


def logout(
    token: Annotated[str, typer.Option("--token", envvar=TOKEN_VARIABLE, help="What gsc login printed")],
    at: At = None,
    url: Url = None,
    home: Home = None,
) -> None:
    """End a session: its token is worth nothing from now on."""
    from gateway.login import log_out
    from gateway.settings import load_settings

    log_out(url or _url_of(load_settings(home or Path()), at), token)
    end({}, False, ["logged out"], "gsc login")


def add(
    label: Annotated[str, typer.Argument(help="For whom: 'yearly audit'")],
    key: Annotated[str | None, typer.Option("--key", help="Address of the auditor's key; else a code is drawn")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good")] = 30,
    home: Home = None,
    json: Json = False,
) -> None:
    """Let an auditor in, who reads everything and writes nothing: the holder of a key, or who shows a code once."""
    from gateway.api.login.opening import grant_by_code, grant_by_key
    from gateway.api.login.showing import key_of
    from gateway.composition import SystemClock

    folder, now_ms = folder_of(home), SystemClock().now_ms()
    if key is not None:
        row = grant_by_key(folder.engine, label, key_of(key), days, now_ms)
        end(row, json, [f"{row.id}: the holder of {row.key} may read for {days} days"], "gsc auditor list")
        return
    code, row = grant_by_code(folder.engine, label, days, now_ms)
    answer = {"id": row.id, "code": code}
    end(answer, json, [code], "hand the code over; it is typed once, at /login")


def list_(home: Home = None, json: Json = False) -> None:
    """Whom the desk let in."""
    from gateway.api.times import utc_of_ms
    from gateway.composition import SystemClock
    from ledger.store.engine import reading
    from ledger.store.sessions import list_access_grants
    from ledger.store.states import Role

    now_ms = SystemClock().now_ms()
    with reading(folder_of(home).engine) as connection:
        rows = list_access_grants(connection, Role.AUDITOR)
    shown = [
        [each.id, each.label, each.state(now_ms), each.key or "by code", utc_of_ms(each.expires_at_ms)] for each in rows
    ]
    end(rows, json, [] if rows else ["nobody"], "gsc auditor add LABEL", _HEADINGS, shown)


def remove(grant: Annotated[int, typer.Argument(help="The id that gsc auditor list shows")], home: Home = None) -> None:
    """Take an auditor's grant back, with every session it opened."""
    from gateway.composition import SystemClock
    from ledger.store.engine import writing
    from ledger.store.sessions import end_grant, grant_of

    with writing(folder_of(home).engine) as connection:
        row = grant_of(connection, grant)
        end_grant(connection, grant, SystemClock().now_ms())
    end({}, False, [f"{row.label} reads no more"], "gsc auditor list")


def _url_of(settings: "Settings", at: str | None) -> str:
    """Our own gateway, or a peer's. Raises NotFound."""
    from ledger.errors import NotFound
    from ledger.identity import carrier_code

    if at is None:
        return f"http://{settings.listen.host}:{settings.listen.port}"
    url = settings.peers.get(carrier_code(at))
    if url is None:
        known = ", ".join(settings.peers) or "no peer"
        raise NotFound(f"no gateway of {at} is known", expected=f"[peers] {at} = URL", got=known)
    return url
