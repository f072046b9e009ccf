"""How do tests write down what the chain said? One block for each event, as the indexer would have stored it."""

from sqlalchemy import Connection, func, insert, select

from ledger.chain.bound import Event
from ledger.store.event_tables import EVENT_TABLES, event_values
from ledger.store.tables import chain_blocks, chain_logs


def said(connection: Connection, *events: Event) -> None:
    """Append these events, each in a block of its own."""
    last = connection.execute(select(func.max(chain_blocks.c.number))).scalar_one() or 0
    for number, event in enumerate(events, last + 1):
        block = {"number": number, "hash": number.to_bytes(32, "big"), "timestamp": number}
        connection.execute(insert(chain_blocks).values(block))
        log = {"block_number": number, "log_index": 0, "tx_hash": bytes(32), "address": "0x" + "22" * 20}
        kept = {"event": type(event).__name__, "topics": type(event).TOPIC0, "data": b""}
        connection.execute(insert(chain_logs).values(log | kept))
        key = {"block_number": number, "log_index": 0}
        connection.execute(insert(EVENT_TABLES[type(event)]).values(event_values(event) | key))
