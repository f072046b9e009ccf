"""How is one carrier's gateway put together? The one place where settings become engine, signer and chain client."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from gateway.keystore import KeyUse, open_key
from gateway.requests import LoginRequest, RevealRequest
from gateway.settings import ClockKind, Settings
from gateway.signing import Domains, Signer
from gateway.thread.entries import DisputeEntry
from ledger.agreement import Agreement
from ledger.agreement_file import load_agreement, terms_of
from ledger.chain.bindings import (
    Amendment,
    CreditLine,
    Declaration,
    DepositApplication,
    DepositWithdrawal,
    Dispute,
    Investigation,
    KeyGrant,
    KeyRevocation,
    NettingCycle,
    PayeeChange,
    PaymentConfirmation,
    PeriodClose,
    RateNotice,
    Resolution,
    Statement,
    Terms,
    Withdrawal,
)
from ledger.chain.bound import Struct
from ledger.chain.client import ChainClient
from ledger.chain.network import Network, load_network
from ledger.clock import Clock
from ledger.errors import Conflict, GscError, Malformed, NotFound
from ledger.follow import follow
from ledger.identity import Address, AgreementId, CarrierCode
from ledger.store.engine import open_store
from ledger.store.together import Together
from ledger.typed_data import address_of_key

SIGNED_FOR: Mapping[str, tuple[type[Struct], ...]] = {
    "CarrierRegistry": (KeyGrant, KeyRevocation, LoginRequest),
    "AgreementBook": (Terms, Amendment, RateNotice),
    "UsageLedger": (Declaration, PeriodClose, RevealRequest),
    "CreditBook": (CreditLine, DepositWithdrawal, DepositApplication),
    "SettlementBook": (
        Statement,
        Dispute,
        Investigation,
        Withdrawal,
        Resolution,
        NettingCycle,
        DisputeEntry,
    ),
    "PaymentBook": (PaymentConfirmation, PayeeChange),
}
"""Which contract reads which struct; reveals, logins and entries are read by gateways and borrow one."""


class SystemClock:
    """This machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Partnership:
    """An agreement with one partner: the file in our home folder and the terms the chain knows it by."""

    partner: CarrierCode
    agreement: Agreement
    terms: Terms
    """Of the first version: they give the id, whatever the two agree on later."""
    amendments: tuple[Agreement, ...] = ()
    """The files of later versions, by their date of effect; which of them are agreed, the chain says."""

    @property
    def id(self) -> AgreementId:
        """As the agreement book reckons it: the struct hash of the terms."""
        return AgreementId(self.terms.struct_hash())

    @property
    def currency(self) -> str:
        return self.agreement.currency

    @property
    def zone(self) -> ZoneInfo:
        """Of its months."""
        return self.agreement.zone

    @property
    def carriers(self) -> tuple[CarrierCode, CarrierCode]:
        """Low and high."""
        return self.agreement.low, self.agreement.high


@dataclass(frozen=True, slots=True)
class HomeFolder:
    """A home read without its keys, its network and a chain: enough to say what a file would become."""

    settings: Settings
    engine: Engine

    @property
    def carrier(self) -> CarrierCode:
        return self.settings.carrier

    def close(self) -> None:
        """Give back the database."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a verb of the month needs, passed down as one argument."""

    settings: Settings
    network: Network
    engine: Engine
    client: ChainClient
    clock: Clock
    signer: Signer
    sending_key: bytes = field(repr=False)
    following: threading.Lock = field(default_factory=threading.Lock, repr=False)
    together: Together = field(default_factory=Together, repr=False)
    """For small writes of many callers."""

    @property
    def carrier(self) -> CarrierCode:
        return self.settings.carrier

    @property
    def sender(self) -> Address:
        """The address that pays gas."""
        return address_of_key(self.sending_key)

    @property
    def now_s(self) -> int:
        """The gateway's time in whole seconds."""
        return self.clock.now_ms() // 1000

    def catch_up(self) -> None:
        """Read what the chain said since the last time. Raises Unavailable or ChainMismatch."""
        with self.following:
            follow(self.client, self.engine)

    def close(self) -> None:
        """Give back the database and the connection to the node."""
        self.engine.dispose()
        self.client.close()


def open_gateway(home_settings: Settings, password: str, *, pinned: bool = True) -> Gateway:
    """Put a carrier's gateway together. Raises NotFound, Malformed, Refused, Unavailable or ChainMismatch.

    Not `pinned`, it opens whatever the chain answers: for who looks after a home, and checks the pins first.
    """
    network = load_network(home_settings.network_path)
    client = ChainClient(home_settings.chain_url, network)
    if pinned:
        _check_pins(client)
    signing_key = open_key(home_settings.keys_path, KeyUse.SIGNING, password)
    return Gateway(
        settings=home_settings,
        network=network,
        engine=open_store(home_settings.database_url),
        client=client,
        clock=client if home_settings.clock is ClockKind.CHAIN else SystemClock(),
        signer=Signer(home_settings.carrier, signing_key, domains_of(network)),
        sending_key=open_key(home_settings.keys_path, KeyUse.SENDING, password),
    )


def open_folder(home_settings: Settings) -> HomeFolder:
    """A home to try things in; a store that is not made yet stays so. Raises Malformed or Unavailable."""
    url = home_settings.database_url
    there = not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()
    return HomeFolder(home_settings, open_store(url if there else "sqlite://"))


def _check_pins(client: ChainClient) -> None:
    try:
        client.check_pins()
    except GscError:
        client.close()
        raise


def domains_of(network: Network) -> Domains:
    """The domain of every struct we sign or check."""
    return Domains({struct: network.domain(name) for name, structs in SIGNED_FOR.items() for struct in structs})


def partnerships(settings: Settings) -> Mapping[CarrierCode, Partnership]:
    """Every agreement file of the home folder, by partner. Raises Malformed or Conflict, naming the file."""
    found: dict[CarrierCode, Partnership] = {}
    for path in sorted(settings.agreements_path.glob("*.toml")):
        held = _partnership(settings, path)
        if held.partner in found:
            raise Conflict(
                f"two agreement files with {held.partner}",
                got=path.name,
                todo="Keep one agreement file for each partner in the agreements folder.",
            )
        found[held.partner] = held
    for path in sorted(settings.amendments_path.glob("*.toml")):
        amendment = _agreement(settings, path)
        partner = amendment.counterparty(settings.carrier)
        if partner not in found:
            raise Malformed(
                f"{path.name} amends no agreement", expected=f"an agreement file with {partner}", got=path.name
            )
        held = found[partner]
        in_order = sorted((*held.amendments, amendment), key=lambda each: each.valid_from_ms)
        found[partner] = replace(held, amendments=tuple(in_order))
    return found


def partnership_with(settings: Settings, partner: CarrierCode) -> Partnership:
    """The agreement with one partner. Raises NotFound."""
    known = partnerships(settings)
    held = known.get(partner)
    if held is None:
        raise NotFound(
            f"no agreement with {partner}",
            expected=f"a TOML file with {settings.carrier} and {partner} in {settings.agreements_path}",
            got=f"agreements with {', '.join(known)}" if known else "no agreement at all",
            todo="Write it (docs/formats.md) and sign it with `gsc agree`.",
        )
    return held


def partnership_of_id(settings: Settings, agreement_id: bytes) -> Partnership:
    """The agreement of an id. Raises NotFound: also for one we are no party of."""
    for held in partnerships(settings).values():
        if held.id == agreement_id:
            return held
    raise NotFound("no such agreement", got=f"0x{agreement_id.hex()}")


@lru_cache(maxsize=256)
def chain_terms(agreement: Agreement) -> Terms:
    """What the agreement book holds of an agreement file."""
    terms = terms_of(agreement)
    return Terms(**{name: getattr(terms, name) for name in terms.__dataclass_fields__})


def _partnership(settings: Settings, path: Path) -> Partnership:
    agreement = _agreement(settings, path)
    return Partnership(agreement.counterparty(settings.carrier), agreement, chain_terms(agreement))


def _agreement(settings: Settings, path: Path) -> Agreement:
    stat = path.stat()
    agreement = _read_once(path, stat.st_mtime_ns, stat.st_size)
    if settings.carrier not in (agreement.low, agreement.high):
        raise Malformed(
            f"{path.name} is an agreement of others",
            expected=f"{settings.carrier} among its carriers",
            got=f"{agreement.low} and {agreement.high}",
        )
    return agreement


@lru_cache(maxsize=256)
def _read_once(path: Path, mtime_ns: int, size: int) -> Agreement:
    """Read while its file stays as it is."""
    return load_agreement(path)
