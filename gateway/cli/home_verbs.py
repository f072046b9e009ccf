"""Which commands make and run a gateway? init, serve, doctor, chain up, deploy, demo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path, typer.Option("--home", help="The carrier's home folder", envvar="GSC_HOME")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("init")(init)
    app.command("serve")(serve)
    app.command("doctor")(doctor)
    app.command("deploy")(deploy)
    app.command("demo")(demo)
    chain = typer.Typer(help="Run a local chain.", no_args_is_help=True)
    chain.command("up")(chain_up)
    app.add_typer(chain, name="chain")


def init(
    carrier: Annotated[str, typer.Option("--carrier", help="The code the carrier registers: CN-T")],
    home: Home = Path(),
    chain_url: Annotated[str, typer.Option(help="JSON-RPC of a node")] = "http://127.0.0.1:8545",
    port: Annotated[int, typer.Option(help="Where API and desk listen, on loopback")] = 8100,
    zone: Annotated[str, typer.Option(help="Time zone of the switch: Asia/Shanghai")] = "UTC",
    country: Annotated[str, typer.Option(help="Country of the switch, ISO 3166: CN")] = "",
    peer: Annotated[list[str] | None, typer.Option(help="Another carrier's gateway: GB-B=http://host:port")] = None,
    local_demo: Annotated[
        bool, typer.Option("--local-demo", help="Weak key encryption, fast: for local chains only")
    ] = False,
) -> None:
    """Make a carrier's home folder: gsc.toml, two encrypted keys, the operator's token."""
    from gateway.cli.opening import password_of_keys
    from gateway.cli.showing import show_next
    from gateway.keystore import KeyUse, create_key, stored_address
    from gateway.settings import init_home, parse_settings

    raw: dict[str, object] = {"carrier": carrier, "chain_url": chain_url, "peers": _peers(peer or [])}
    raw |= {"listen": {"port": port}, "switch": {"zone": zone, "country": country}}
    settings = parse_settings(home.resolve(), raw)
    path = init_home(settings)
    password = password_of_keys()
    for use in KeyUse:
        if not (settings.keys_path / f"{use}.json").exists():
            create_key(settings.keys_path, use, password, demo=local_demo)
    typer.echo(f"{path}")
    for use in KeyUse:
        typer.echo(f"{use} key  {stored_address(settings.keys_path, use)}")
    show_next("have the signing key registered, put network.toml and the agreement files here, then gsc doctor")


def serve(
    home: Home = Path(),
    host: Annotated[str | None, typer.Option(help="Instead of the host in gsc.toml")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of the port in gsc.toml")] = None,
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


def doctor(home: Home = Path(), replay: bool = True, json: Json = False) -> None:
    """Check a home: chain and contracts as pinned, key registered, outbox, alarms, and a replay of the chain."""
    from gateway.cli.opening import opened
    from gateway.cli.showing import show_json, show_next
    from gateway.doctor import examine

    gateway = opened(home, pinned=False)
    findings = examine(gateway, replay=replay)
    if json:
        show_json(findings)
    else:
        for finding in findings:
            typer.echo(f"{'ok    ' if finding.holds else 'BROKEN'}  {finding.what}: {finding.detail}")
        show_next("gsc serve")
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


def deploy(
    network: Annotated[Path, typer.Option("--network", help="The network file to write")],
    carrier: Annotated[list[str], typer.Option("--carrier", help="Founding carrier and key: CN-T=0x…")],
    member: Annotated[list[str], typer.Option("--member", help="A member's address; once for each")],
    threshold: Annotated[int, typer.Option(help="Approvals that a proposal needs")],
    chain_url: Annotated[str, typer.Option(help="JSON-RPC of a node")] = "http://127.0.0.1:8545",
    delay_days: Annotated[int, typer.Option(help="Between approval and execution")] = 7,
    name: Annotated[str, typer.Option(help="The network's name")] = "local",
    confirmations: Annotated[int, typer.Option(help="Blocks until one is final")] = 1,
    home: Home = Path(),
) -> None:
    """Deploy the contracts, paid by the home's sending key, and write the network file for all carriers."""
    from deploy.deployment import DeploymentPlan, deploy_network
    from gateway.cli.opening import password_of_keys
    from gateway.cli.showing import show_next
    from gateway.keystore import KeyUse, open_key
    from gateway.settings import load_settings
    from ledger.chain.client import ChainClient
    from ledger.identity import Address, carrier_code

    founders = {carrier_code(code): Address(key) for code, key in _peers(carrier).items()}
    plan = DeploymentPlan(
        members=[Address(each) for each in member],
        threshold=threshold,
        delay_seconds=delay_days * 86_400,
        carriers=founders,
        name=name,
        confirmations=confirmations,
    )
    key = open_key(load_settings(home).keys_path, KeyUse.SENDING, password_of_keys())
    with ChainClient(chain_url) as client:
        made = deploy_network(client, key, plan, network)
    for contract, address in sorted(made.addresses.items()):
        typer.echo(f"{contract:<16} {address}")
    show_next(f"copy {network} into every carrier's home as network.toml")


def chain_up(
    engine: Annotated[str, typer.Option(help="ganache or anvil")] = "ganache",
    port: Annotated[int, typer.Option(help="On loopback")] = 8545,
    state: Annotated[Path, typer.Option(help="Folder that keeps its blocks")] = Path(".chain"),
) -> None:
    """Run a local chain until Ctrl-C; it keeps its blocks."""
    import signal
    import threading

    from deploy.engines import Engine
    from deploy.local_chain import LocalChain
    from ledger.errors import Malformed

    known = [each.value for each in Engine]
    if engine not in known:
        raise Malformed("no such engine", expected=" or ".join(known), got=engine)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with LocalChain(Engine(engine), state_dir=state, port=port) as chain:
        typer.echo(f"{engine} at {chain.url}, chain id {chain.chain_id} (Ctrl-C ends it)")
        stop.wait()


def demo(
    arguments: Annotated[list[str] | None, typer.Argument(help="What python -m scripts.demo takes")] = None,
) -> None:
    """Settle a month between three carriers on a local chain (from a source checkout)."""
    import subprocess
    import sys

    checkout = Path(__file__).resolve().parent.parent.parent
    if not (checkout / "scripts" / "demo").is_dir():
        typer.echo("the demo lives in the source checkout: make demo", err=True)
        raise typer.Exit(2)
    command = [sys.executable, "-m", "scripts.demo", *(arguments or [])]
    raise typer.Exit(subprocess.run(command, cwd=checkout, check=False).returncode)


def _peers(pairs: Sequence[str]) -> dict[str, str]:
    """CODE=VALUE, each code once. Raises Malformed."""
    from ledger.errors import Malformed

    found: dict[str, str] = {}
    for pair in pairs:
        code, equals, value = pair.partition("=")
        if not equals or code in found:
            raise Malformed("not CODE=VALUE", expected="each carrier once: GB-B=…", got=pair)
        found[code] = value
    return found
