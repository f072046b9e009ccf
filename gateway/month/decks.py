"""Which rate decks are in force in a direction? Those whose hashes stand on chain and whose files we hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from ledger.errors import GscError, NotFound
from ledger.identity import CarrierCode
from ledger.prices.deck import DeckHistory, RateDeck, deck_hash, deck_history
from ledger.prices.service_deck_file import load_service_deck
from ledger.service import Service
from ledger.store.agreements import list_rate_notices


@dataclass(frozen=True, slots=True)
class Decks:
    """The decks of one direction that we hold, and the names of published ones that we do not."""

    history: DeckHistory
    missing: tuple[str, ...]


def direction_decks(
    gateway: Gateway, connection: Connection, held: Partnership, creditor: CarrierCode, service: Service
) -> Decks:
    """The decks of a direction that we hold a file of. Raises NotFound."""
    files = deck_files(gateway.settings.decks_path, held.currency, service)
    notices = list_rate_notices(connection, held.id, creditor, service)
    known = {notice.effective_at * 1000: files[notice.deck_hash] for notice in notices if notice.deck_hash in files}
    missing = tuple(f"0x{notice.deck_hash.hex()}" for notice in notices if notice.deck_hash not in files)
    if not known:
        raise NotFound(
            f"no rate deck of {creditor} to {gateway.carrier if creditor != gateway.carrier else held.partner}",
            expected="a CSV in the decks folder whose hash is published on chain",
            got=", ".join(missing) or "no published deck",
            todo="Publish it with `gsc publish-rates`, or ask the creditor for the file.",
        )
    return Decks(deck_history(known.items()), missing)


def deck_files(folder: Path, currency: str, service: Service) -> Mapping[bytes, RateDeck]:
    """Every deck file of the folder that is in this currency, by hash."""
    found = {}
    for path in sorted(folder.glob("**/*.csv")):
        stat = path.stat()
        if known := _deck_of(path, stat.st_mtime_ns, stat.st_size, currency, service):
            found[known[0]] = known[1]
    return found


@lru_cache(maxsize=32)
def _deck_of(path: Path, mtime_ns: int, size: int, currency: str, service: Service) -> tuple[bytes, RateDeck] | None:
    """A deck and its hash: read once while its file stays as it is. None for another currency, or no deck: the hash
    on chain decides what is needed."""
    try:
        deck = load_service_deck(path, currency, service)
    except GscError:
        return None
    return deck_hash(deck), deck
