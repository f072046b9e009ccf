"""What do tests of a gateway's door need? A home with its store and keys, and a chain that does not answer."""

from pathlib import Path
from types import MappingProxyType

from gateway.composition import Gateway, SystemClock, domains_of
from gateway.settings import Listen, Settings, init_home
from gateway.signing import Signer
from ledger.chain.client import ChainClient
from ledger.chain.network import CONTRACTS, Network
from ledger.identity import CarrierCode
from ledger.store.engine import open_store
from ledger.typed_data import address_of_key
from tests.ledger.store.sqlite import fresh_sqlite

SIGNING_KEY = bytes(31) + b"\x07"
SENDING_KEY = bytes(31) + b"\x08"
NOBODY = "http://127.0.0.1:9"
"""The discard port of this machine: nobody answers."""
NETWORK = Network(
    name="test",
    chain_id=1337,
    genesis_hash=bytes(32),
    first_block=0,
    confirmations=1,
    gas_price_wei=0,
    addresses={name: address_of_key(bytes(31) + bytes([at + 1])) for at, name in enumerate(CONTRACTS)},
    code_hashes={name: bytes(32) for name in CONTRACTS},
    tokens={},
)


def lonely_gateway(home: Path, carrier: str = "CN-T") -> Gateway:
    """A gateway whose chain does not answer; everything else is real."""
    code = CarrierCode(carrier)
    settings = Settings(
        home=home.resolve(),
        carrier=code,
        chain_url=NOBODY,
        listen=Listen(port=8100),
        peers=MappingProxyType({CarrierCode("GB-B"): NOBODY}),
    )
    init_home(settings)
    if not (settings.home / "gsc.sqlite").exists():
        fresh_sqlite(settings.home, "gsc.sqlite")
    return Gateway(
        settings=settings,
        network=NETWORK,
        engine=open_store(settings.database_url),
        client=ChainClient(NOBODY, NETWORK, pause=lambda _: None),
        clock=SystemClock(),
        signer=Signer(code, SIGNING_KEY, domains_of(NETWORK)),
        sending_key=SENDING_KEY,
    )
