"""Is the deck of messages, ports or private lines read as it is written, and what is wrong in it refused by line?"""

from pathlib import Path

import pytest

from ledger.errors import CurrencyMismatch, Malformed
from ledger.prices.deck import LaterStep, deck_hash
from ledger.prices.service_deck_file import load_service_deck, parse_service_deck
from ledger.service import Service

SMS = "destination,mcc,mnc,rate\n"
DATA = "destination,port,rate,unit,increment,commit,overage_rate,overage_increment\n"
IPL = "destination,circuit,monthly,install\n"


@pytest.mark.parametrize(
    ("service", "text", "says"),
    [
        (Service.SMS, SMS, "needs rates"),
        (Service.SMS, "destination,code,rate,increment\nX,44,1,1/1\n", "other columns"),
        (Service.SMS, SMS + "X,46,00,0.01\n", "line 2 .* not a mobile country code"),
        (Service.SMS, SMS + "X,٤٦٠,00,0.01\n", "not a mobile country code"),
        (Service.SMS, SMS + "X,460,0,0.01\n", "not a mobile network code"),
        (Service.SMS, SMS + "X,460,0000,0.01\n", "not a mobile network code"),
        (Service.SMS, SMS + "X,460,00,\n", "not a rate"),
        (Service.SMS, SMS + "X,460,00,-0.01\n", "not a price"),
        (Service.SMS, SMS + ",460,00,0.01\n", "a destination"),
        (Service.SMS, SMS + "X,460,00,0.01\nX,460,00;01,0.02\n", "two rates from one date"),
        (Service.DATA, DATA + "X,p1,2,GBit,,,,\n", "not a unit of octets"),
        (Service.DATA, DATA + "X,p1,2,0,,,,\n", "not a unit of octets"),
        (Service.DATA, DATA + "X,p1,2,GB,,1,,\n", "no commit"),
        (Service.DATA, DATA + "X,p1,2,Mbps,10,,,\n", "overage_increment"),
        (Service.DATA, DATA + "X,p1,2,Mbps,,0.0000001,,\n", "whole bit/s"),
        (Service.DATA, DATA + "X,p1,2,Mbps,,-1,,\n", "0 or more"),
        (Service.DATA, DATA + f"X,{'p' * 33},2,GB,,,,\n", "not the name of a port"),
        (Service.DATA, DATA + "X,,2,GB,,,,\n", "not the name of a port"),
        (Service.IPL, IPL + "X,C1,1,2,3\n", "another width"),
        (Service.IPL, IPL + "X,Ü1,1,\n", "not the name of a circuit"),
        (Service.IPL, "destination,circuit,monthly,status\nX,C1,1,shut\n", "not a status"),
        (Service.IPL, "destination,circuit,monthly,effective_date\nX,C1,1,soon\n", "not a date"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(service: Service, text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_service_deck(text, "USD", service)


def test_a_deck_without_a_currency_or_in_two_is_refused() -> None:
    with pytest.raises(Malformed, match="names no currency"):
        parse_service_deck(SMS + "X,460,00,0.01\n", None, Service.SMS)
    with pytest.raises(CurrencyMismatch):
        parse_service_deck("destination,mcc,mnc,rate,currency\nX,460,00,0.01,EUR\n", "USD", Service.SMS)


def test_a_price_by_volume_is_for_decimal_or_binary_units_as_named() -> None:
    lines = "X,a,2,GB,,,,\nX,b,2,GiB,1024,,,\nX,c,0.002,10,10,,,\n"
    rates = parse_service_deck(DATA + lines, "USD", Service.DATA).rates
    assert [(rate.code, rate.per, rate.next) for rate in rates] == [("a", 10**9, 1), ("b", 2**30, 1_024), ("c", 10, 10)]


def test_a_price_by_percentile_has_a_commit_and_an_overage() -> None:
    lines = "X,a,3,Mbps,,1000,4.5,1\nX,b,3,Mibps,,1,,\n"
    first, second = parse_service_deck(DATA + lines, "USD", Service.DATA).rates
    assert (first.per, first.nanos, first.later) == (10**6, 3 * 10**9, LaterStep(10**9, 4_500_000_000, 10**6))  # type: ignore[arg-type]
    assert (second.per, second.later) == (2**20, LaterStep(2**20, 3 * 10**9, 0))  # type: ignore[arg-type]


def test_the_order_of_lines_does_not_matter_and_any_price_changes_the_hash() -> None:
    lines = ["X,C1,1200,500\n", "Y,C2;C3,900,\n"]
    one, other = (parse_service_deck(IPL + "".join(each), "USD", Service.IPL) for each in (lines, lines[::-1]))
    dearer = parse_service_deck(IPL + "".join(lines).replace("500", "501"), "USD", Service.IPL)
    assert deck_hash(one) == deck_hash(other) != deck_hash(dearer)
    assert [rate.code for rate in one.rates] == ["C1", "C2", "C3"]


def test_a_file_is_read_by_its_service_and_one_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deck.csv"
    path.write_text("destination,code,rate,increment\nX,44,0.01,1/1\n")
    assert load_service_deck(path, "USD", Service.VOICE).service is Service.VOICE
    with pytest.raises(Malformed, match="destination, mcc, mnc, rate"):
        load_service_deck(path, "USD", Service.SMS)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Malformed, match="cannot be read"):
        load_service_deck(path, "USD", Service.SMS)
