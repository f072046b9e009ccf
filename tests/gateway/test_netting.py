"""Does a figure that two carriers put on chain between them keep anybody else from netting?"""

from pathlib import Path

from gateway.month.netting import draw_cycle
from ledger.chain.bindings import AgreementSigned, ItemOpened
from ledger.identity import AgreementId, ascii32
from ledger.store.engine import open_store, reading, writing
from tests.gateway.chain_rows import said
from tests.ledger.store.sqlite import fresh_sqlite

OURS, HOSTILE = AgreementId(b"a" * 32), AgreementId(b"h" * 32)
HUGE = 2**100


def signed(agreement: AgreementId, low: str, high: str) -> AgreementSigned:
    return AgreementSigned(agreement, ascii32(low), ascii32(high), ascii32("USD"), 1, bytes(32), 1)


def item(number: int, agreement: AgreementId, creditor: str, amount: int) -> ItemOpened:
    return ItemOpened(bytes([number]) * 32, bytes(32), agreement, ascii32(creditor), amount, 9)


def test_items_past_what_one_cycle_can_net_stay_out_and_the_others_are_netted(tmp_path: Path) -> None:
    engine = open_store(fresh_sqlite(tmp_path))
    with writing(engine) as connection:
        said(
            connection,
            signed(OURS, "CN-T", "GB-B"),
            signed(HOSTILE, "XX-1", "XX-2"),
            item(1, OURS, "CN-T", 700),
            item(2, OURS, "GB-B", 400),
            item(3, HOSTILE, "XX-1", HUGE),
            item(4, HOSTILE, "XX-2", HUGE),
        )
    with reading(engine) as connection:
        drawn = draw_cycle(connection, "USD")
    engine.dispose()

    assert drawn is not None
    assert drawn.parties == ("CN-T", "GB-B")
    assert drawn.cycle.items == (bytes([1]) * 32, bytes([2]) * 32)
    assert [(leg.debtor, leg.creditor, leg.amount_micros) for leg in drawn.result.legs] == [("GB-B", "CN-T", 300)]


def test_all_items_are_netted_while_they_fit(tmp_path: Path) -> None:
    """The planted fault is to leave out whatever is largest."""
    engine = open_store(fresh_sqlite(tmp_path))
    with writing(engine) as connection:
        said(connection, signed(OURS, "CN-T", "GB-B"), signed(HOSTILE, "XX-1", "XX-2"))
        said(connection, item(1, OURS, "CN-T", 700), item(3, HOSTILE, "XX-1", 2**62))
    with reading(engine) as connection:
        drawn = draw_cycle(connection, "USD")
    engine.dispose()
    assert drawn is not None
    assert len(drawn.cycle.items) == 2
