"""How do settings look as gsc.toml? What is written is read back equal."""

from gateway.settings.known import dump_known
from gateway.settings.shapes import Settings
from gateway.settings.words import quoted, quoted_all


def dump_settings(settings: Settings) -> str:
    """The settings as gsc.toml; `parse_settings` reads them back equal."""
    openly = str(settings.desk.open_on_loopback).lower()
    lines = [
        "# A carrier's gateway: see `gsc doctor` and docs/formats.md.",
        f"carrier = {quoted(settings.carrier)}",
        f"chain_url = {quoted(settings.chain_url)}",
        f"network = {quoted(settings.network.as_posix())}",
        f"clock = {quoted(settings.clock)}  # chain (latest block) or system",
        f"database = {quoted(settings.database)}",
        f"archive = {quoted(settings.archive.as_posix())}",
        f"agreements = {quoted(settings.agreements.as_posix())}",
        f"decks = {quoted(settings.decks.as_posix())}",
        f"unallocated = [{quoted_all(settings.unallocated)}]",
        "",
        "[listen]",
        f"host = {quoted(settings.listen.host)}",
        f"port = {settings.listen.port}",
        "",
        "[desk]",
        f"open_on_loopback = {openly}  # a browser on this machine reads, no login",
        "",
        "[webhooks]",
        f"allow = [{quoted_all(settings.webhooks.allow)}]  # own networks that webhooks may lead into",
        "",
        "[switch]",
        f"zone = {quoted(settings.switch.zone.key)}",
        f"country = {quoted(settings.switch.country)}",
        "",
        "[peers]",
        *(f"{quoted(code)} = {quoted(url)}" for code, url in sorted(settings.peers.items())),
    ]
    lines += ["", "[capacity]", *(f"{quoted(name)} = {number}" for name, number in sorted(settings.capacity.items()))]
    lines += ["", "[numbers]"]
    lines += [f"{quoted(code)} = [{quoted_all(ranges)}]" for code, ranges in sorted(settings.numbers.items())]
    lines += ["", "[tadig]", *(f"{quoted(code)} = {quoted(whose)}" for code, whose in sorted(settings.tadig.items()))]
    lines += ["", "[igw]", *(f"{quoted(code)} = {quoted(igw)}" for code, igw in sorted(settings.igw.items()))]
    lines += dump_known(settings.known)
    for name, trunk in sorted(settings.trunks.items()):
        lines += ["", f"[trunks.{quoted(name)}]", f"partner = {quoted(trunk.partner)}"]
        lines += [f"direction = {quoted(trunk.direction)}"]
        lines += [f"country = {quoted(trunk.country)}"] if trunk.country else []
        if trunk.technical_prefixes:
            lines += [f"technical_prefixes = [{quoted_all(trunk.technical_prefixes)}]"]
    return "\n".join(lines) + "\n"
