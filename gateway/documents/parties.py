"""Who are the carriers on paper? Names, addresses and bank accounts, which no chain holds: parties.toml in the home.

["GB-B"]
name = "Example Carrier (UK)"
street = "1 Example Street"
city = "London"
postal_code = "EC1A 1AA"
country = "GB"
iban = "GB33BUKB20201555555555"      # or: bank_number = "0012-345678"
bic = "BUKBGB22"
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ledger.errors import Malformed, NotFound
from ledger.identity import CarrierCode, carrier_code

FILE = "parties.toml"
_COUNTRY, _BIC = re.compile(r"[A-Z]{2}"), re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_IBAN, _BANK_NUMBER = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"), re.compile(r"[A-Za-z0-9/ .-]{1,34}")
_LONGEST = 70
"""ISO 20022 Max70Text: a name, or a line of an address."""


@dataclass(frozen=True, slots=True)
class Party:
    """A carrier as invoices and banks know it; without a file its code is its name."""

    code: CarrierCode
    name: str
    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    iban: str | None = None
    bank_number: str | None = None
    """An account that has no IBAN."""
    bic: str | None = None


def load_parties(home: Path) -> Mapping[CarrierCode, Party]:
    """Everyone in parties.toml; nobody if there is none. Raises Malformed, naming carrier and field."""
    path = home / FILE
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{FILE} cannot be read", expected="TOML", got=str(error)) from None
    return {party.code: party for party in (_party(code, values) for code, values in found.items())}


def party_of(parties: Mapping[CarrierCode, Party], code: CarrierCode) -> Party:
    """A carrier on paper; by its code alone if nothing else is known."""
    return parties.get(code, Party(code, code))


def payable_party(parties: Mapping[CarrierCode, Party], code: CarrierCode) -> Party:
    """A carrier with its account. Raises NotFound."""
    party = party_of(parties, code)
    if party.iban is None and party.bank_number is None:
        raise NotFound(
            f"no bank account of {code} is known",
            expected=f'["{code}"] with name and iban (or bank_number), and bic, in {FILE} of the home folder',
            got="no account",
            todo="Ask the carrier for its settlement account, and write it there (docs/documents.md).",
        )
    return party


def _party(code: str, values: object) -> Party:
    known = {each.name for each in fields(Party)} - {"code"}
    if not isinstance(values, dict) or set(values) - known:
        got = ", ".join(sorted(set(values) - known)) if isinstance(values, dict) else repr(values)[:40]
        raise Malformed(f"{FILE}: {code[:40]} cannot be read", expected=", ".join(sorted(known)), got=got)
    told = {str(name): _text(code, str(name), value) for name, value in values.items()}
    told = {name: value.replace(" ", "") if name in ("iban", "bic") else value for name, value in told.items()}
    party = Party(carrier_code(code), **{"name": code, **told})
    _check(party)
    return party


def _text(code: str, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise Malformed(
            f"{FILE}: {name} of {code[:40]} is no text",
            expected=f"1 to {_LONGEST} printable characters",
            got=repr(value)[:80],
        )
    return value.strip()


def _check(party: Party) -> None:
    shapes = (
        ("country", party.country, _COUNTRY, "two capital letters of ISO 3166: GB"),
        ("bic", party.bic, _BIC, "8 or 11 characters of ISO 9362"),
        ("bank_number", party.bank_number, _BANK_NUMBER, "at most 34 characters"),
        ("iban", party.iban, _IBAN, "an IBAN of ISO 13616"),
    )
    for name, value, shape, expected in shapes:
        if value is not None and not shape.fullmatch(value):
            raise Malformed(f"{FILE}: {name} of {party.code} is none", expected=expected, got=repr(value))
    if party.iban is not None and not iban_holds(party.iban):
        raise Malformed(
            f"{FILE}: iban of {party.code} has another checksum", expected="ISO 7064 mod 97 of 1", got=party.iban
        )


def iban_holds(iban: str) -> bool:
    """Whether the check digits are right (ISO 13616: mod 97 of the rearranged digits is 1)."""
    return int("".join(str(int(each, 36)) for each in iban[4:] + iban[:4])) % 97 == 1
