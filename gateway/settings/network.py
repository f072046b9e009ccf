"""Whom does the gateway meet? Tables of gsc.toml: listen, desk, webhooks, peers, igw."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from gateway.settings.shapes import Desk, Listen, Webhooks
from gateway.settings.words import refuse_unknown, text_of
from gateway.webhooks.addresses import parse_networks
from ledger.errors import Malformed
from ledger.identity import CarrierCode, carrier_code, registry_code


def listen_of(raw: Mapping[str, Any]) -> Listen:
    """[listen]. Raises Malformed."""
    refuse_unknown(raw, ["host", "port"], "[listen]")
    port = raw.get("port", Listen().port)
    if type(port) is not int or not 0 < port < 65_536:
        raise Malformed("not a port", expected="listen.port from 1 to 65535", got=repr(port))
    return Listen(host=text_of(raw, "host") if "host" in raw else Listen().host, port=port)


def desk_of(raw: Mapping[str, Any]) -> Desk:
    """[desk]. Raises Malformed."""
    refuse_unknown(raw, ["open_on_loopback"], "[desk]")
    said = raw.get("open_on_loopback", Desk().open_on_loopback)
    if type(said) is not bool:
        raise Malformed("desk.open_on_loopback says neither", expected="true or false", got=repr(said)[:40])
    return Desk(said)


def webhooks_of(raw: Mapping[str, Any]) -> Webhooks:
    """[webhooks]. Raises Malformed."""
    refuse_unknown(raw, ["allow"], "[webhooks]")
    said = raw.get("allow", [])
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise Malformed("webhooks.allow is no list of addresses", expected='["127.0.0.1"]', got=repr(said)[:80])
    parse_networks(said)  # raises Malformed: better now than with the first webhook
    return Webhooks(tuple(said))


def peers_of(raw: Mapping[str, Any]) -> Mapping[CarrierCode, str]:
    """[peers]: where each partner's gateway listens. Raises Malformed."""
    peers = {}
    for code in raw:
        url = text_of(raw, code).rstrip("/")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise Malformed(f"peer {code} has no usable URL", expected="http://host:port", got=repr(url))
        peers[carrier_code(code)] = url
    return MappingProxyType(peers)


def igw_of(raw: Mapping[str, Any]) -> Mapping[CarrierCode, str]:
    """[igw]. Raises Malformed."""
    return MappingProxyType({carrier_code(code): registry_code(text_of(raw, code)) for code in raw})
