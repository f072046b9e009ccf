"""Where may a webhook lead? To public addresses by https; into own networks only where gsc.toml says so.

A name is resolved and checked each time, and the connection goes to the very address that was checked: a name that
later leads inside (DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ledger.errors import Malformed, Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses as text; OSError if there are none."""
MAX_URL_CHARACTERS = 2048
TRANSLATED = tuple(ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 that leads to an IPv4 address inside it: NAT64 (RFC 6052, 8215), 6to4 (RFC 3056), Teredo (RFC 4380)."""


class WebhookAddressRefused(Refused):
    """A webhook leads where none may: inside, to nobody or to many."""

    slug = "webhook-address-refused"


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL in parts."""

    secure: bool
    host: str
    port: int
    path: str
    """With its query."""

    @property
    def authority(self) -> str:
        """As the header Host says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """The parts of a URL. Raises Malformed."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise _no_url(url) from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL_CHARACTERS
    named = parts.username is None and parts.password is None and "@" not in parts.netloc
    if not (plain and named and host and parts.scheme in ("https", "http") and not parts.fragment and port != 0):
        raise _no_url(url)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that `[webhooks] allow` names. Raises Malformed."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError:
            raise Malformed(
                "webhooks.allow names no address",
                expected='addresses and networks such as "127.0.0.1", "10.1.0.0/16"',
                got=repr(text)[:60],
            ) from None
    return tuple(found)


def checked_address(target: Target, allowed: Sequence[Network], resolve: Resolve) -> str:
    """The address to connect to, of a host all of whose addresses may be told. Raises WebhookAddressRefused."""
    try:
        texts = resolve(target.host, target.port)
    except (OSError, UnicodeError) as error:
        raise _refused(f"the name {target.host} has no address", str(error)) from None
    if not texts:
        raise _refused(f"the name {target.host} has no address", "none")
    for text in texts:
        _check(target, ipaddress.ip_address(text), allowed)
    return texts[0]


def forbidden(address: Address) -> str | None:
    """What an address is that nobody outside has; None for a public one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return "an IPv4 address written as IPv6"
        if any(address in each for each in TRANSLATED):
            return "an IPv4 address inside IPv6"
        if address.is_site_local:
            return "private"
    kinds = (
        (address.is_unspecified, "unspecified"),
        (address.is_loopback, "loopback"),
        (address.is_link_local, "link-local"),
        (address.is_multicast, "multicast"),
        (address.is_reserved, "reserved"),
        (not address.is_global, "private"),
    )
    return next((kind for holds, kind in kinds if holds), None)


def system_resolve(host: str, port: int) -> Sequence[str]:
    """As this machine resolves names."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def _check(target: Target, address: Address, allowed: Sequence[Network]) -> None:
    if any(address in network for network in allowed if network.version == address.version):
        return
    kind = forbidden(address)
    if kind is not None:
        raise _refused(f"the address of {target.host} is {kind}", str(address))
    if not target.secure:
        raise _refused("a webhook goes by https", f"http://{target.authority}")


def _refused(message: str, got: str) -> WebhookAddressRefused:
    return WebhookAddressRefused(
        message,
        expected="https to a public address",
        got=got[:120],
        todo="Give a public address; for one of your own network name it in [webhooks] allow of gsc.toml.",
    )


def _no_url(url: str) -> Malformed:
    return Malformed(
        "not the address of a webhook",
        expected="https://host/path in ASCII, without user and fragment",
        got=repr(url[:120]),
    )
