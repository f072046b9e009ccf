"""Who signed a file of exchange rates, and how does a carrier add its signature? A small file beside it."""

from collections.abc import Mapping
from pathlib import Path

from gateway.keystore import KeyUse, open_key, read_password
from gateway.plain_rating import SIGNATURES, load_rates, read_signatures
from gateway.settings import load_settings, write_atomically
from gateway.signing import Domains, Signer
from ledger.agreement import Agreement
from ledger.agreement_file import document_hash
from ledger.errors import SignatureRefused
from ledger.identity import CarrierCode
from ledger.prices.fx import OFF_CHAIN, FxPaper, rates_hash
from ledger.typed_data import digest, recover


def sign_rates(path: Path, agreement: Agreement, home: Path) -> None:
    """Add the home's carrier's signature of the rates under this agreement to the file beside it.

    Raises Malformed, NotFound, Refused; SignatureRefused if our key is not the one the agreement names.
    """
    settings = load_settings(home)
    key = open_key(settings.keys_path, KeyUse.SIGNING, read_password())
    signer = Signer(settings.carrier, key, Domains({FxPaper: OFF_CHAIN}))
    named = dict(agreement.fx.signers) if agreement.fx else {}
    if named.get(settings.carrier) != signer.address:
        raise SignatureRefused(
            "the agreement does not name our key for exchange rates",
            expected=named.get(settings.carrier, "a line of [fx.signers]"),
            got=signer.address,
        )
    signatures = read_signatures(path) | {settings.carrier: signer.sign(_paper(path, agreement)).signature}
    lines = "".join(f'{code} = "0x{signature.hex()}"\n' for code, signature in sorted(signatures.items()))
    write_atomically(path.with_name(path.name + SIGNATURES), lines.encode("ascii"), mode=0o644)


def signers_of(path: Path, agreement: Agreement) -> Mapping[CarrierCode, str]:
    """The address behind each signature that is of the key the agreement names; others are left out."""
    named = dict(agreement.fx.signers) if agreement.fx else {}
    over = digest(_paper(path, agreement), OFF_CHAIN)
    found = {code: recover(over, signature) for code, signature in read_signatures(path).items()}
    return {code: str(address) for code, address in sorted(found.items()) if named.get(code) == address}


def _paper(path: Path, agreement: Agreement) -> FxPaper:
    return FxPaper(document_hash(agreement), rates_hash(load_rates(path)))
