"""Does a webhook lead to public addresses only, whatever its name says?"""

import ipaddress

import pytest

from gateway.webhooks.addresses import (
    Target,
    WebhookAddressRefused,
    checked_address,
    forbidden,
    parse_networks,
    parse_target,
)
from ledger.errors import Malformed

PUBLIC = "93.184.215.14"
HTTPS = Target(True, "hook.example", 443, "/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example/x",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:word@hook.example/",
        "https://@hook.example/",
        "https://hook.example/#part",
        "https://hook.example:0/",
        "https://hook.example:99999/",
        "https://hook.example:x/",
        "https://[::1/",
        "https://hook.example/a b",
        "https://hook.example/\r\nHost: other",
        "https://höok.example/",
        "https://hook.example/" + "x" * 2048,
    ],
)
def test_what_is_no_url_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        parse_target(url)


def test_a_url_is_taken_apart() -> None:
    assert parse_target("https://Hook.example/a?b=c") == Target(True, "hook.example", 443, "/a?b=c")
    assert parse_target("http://127.0.0.1:81").authority == "127.0.0.1:81"
    assert parse_target("https://[2606:4700::1]/").authority == "[2606:4700::1]"
    assert parse_target("https://[2606:4700::1]:8443/").authority == "[2606:4700::1]:8443"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("192.0.2.1", "private"),
        ("169.254.169.254", "link-local"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "private"),
        ("fc00::1", "private"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "private"),
        ("::ffff:127.0.0.1", "an IPv4 address written as IPv6"),
        ("::ffff:93.184.215.14", "an IPv4 address written as IPv6"),
        ("64:ff9b::7f00:1", "an IPv4 address inside IPv6"),
        ("2002:7f00:1::", "an IPv4 address inside IPv6"),
        ("2001:0:7f00:1::", "an IPv4 address inside IPv6"),
    ],
)
def test_each_kind_of_address_that_nobody_outside_has_is_refused(address: str, kind: str) -> None:
    assert forbidden(ipaddress.ip_address(address)) == kind
    with pytest.raises(WebhookAddressRefused, match=kind):
        checked_address(HTTPS, (), lambda *_: [address])


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f::1"])
def test_a_public_address_is_where_to_connect(address: str) -> None:
    assert checked_address(HTTPS, (), lambda *_: [address]) == address


def test_a_name_with_one_inner_address_among_public_ones_is_refused() -> None:
    with pytest.raises(WebhookAddressRefused, match="loopback"):
        checked_address(HTTPS, (), lambda *_: [PUBLIC, "127.0.0.1"])


def test_a_name_without_address_is_refused() -> None:
    def nobody(*_: object) -> list[str]:
        raise OSError("Name or service not known")

    for resolve in (nobody, lambda *_: []):
        with pytest.raises(WebhookAddressRefused, match="no address"):
            checked_address(HTTPS, (), resolve)


def test_http_leads_only_into_networks_that_the_settings_name() -> None:
    plain = Target(False, "hook.example", 80, "/")
    own = parse_networks(["10.1.0.0/16", "::1"])

    assert checked_address(plain, own, lambda *_: ["10.1.2.3"]) == "10.1.2.3"
    assert checked_address(HTTPS, own, lambda *_: ["::1"]) == "::1"
    with pytest.raises(WebhookAddressRefused, match="by https"):
        checked_address(plain, own, lambda *_: [PUBLIC])
    with pytest.raises(WebhookAddressRefused, match="private"):
        checked_address(plain, own, lambda *_: ["10.2.0.1"])


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "", "300.1.1.1"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"webhooks\.allow"):
        parse_networks([text])
