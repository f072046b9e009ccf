"""Does the store notice what the chain should never say, and does nothing stay of what it takes back?"""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ledger.chain.abi import keccak
from ledger.chain.bindings import Declaration, ExposureChanged, PositionNetted, UsageDeclared
from ledger.chain.bound import Event
from ledger.chain.seen import Block, Log
from ledger.identity import Address, AgreementId, CarrierCode, ascii32
from ledger.service import Service
from ledger.store.chain_log import (
    CHAIN_TABLES,
    RECENT_BLOCKS,
    append_blocks,
    chain_rows,
    checkpoint,
    checkpoints_down,
    list_alarms,
    roll_back,
)
from ledger.store.declarations import last_seq, list_declarations
from ledger.store.engine import reading, writing
from ledger.store.event_tables import EVENT_TABLES, event_values
from ledger.store.settlement import list_positions

AGREEMENT = AgreementId(keccak(b"agreement"))
LEDGER = Address("0x2222222222222222222222222222222222222222")
DECLARATION = Declaration(
    agreement_id=AGREEMENT,
    declarer=ascii32("CN-T"),
    creditor=ascii32("GB-B"),
    seq=1,
    service=Service.VOICE,
    period=202610,
    root=keccak(b"root"),
    count=3,
    from_ms=1,
    to_ms=2,
    quantity=180_000,
    amount_micros=10_000_000,
    deck_hash=bytes(32),
    corrects=bytes(32),
    igw=bytes(32),
    deadline=2**64 - 1,
)


def block(number: int, fork: str = "") -> Block:
    return Block(number, keccak(f"{number}{fork}".encode()), keccak(f"{number - 1}{fork}".encode()), number * 12)


def declared(number: int, **changes: object) -> Log:
    declaration = replace(DECLARATION, **changes)  # type: ignore[arg-type]
    topics = (UsageDeclared.TOPIC0, declaration.struct_hash(), AGREEMENT, declaration.declarer)
    data = declaration.abi_encode() + (number * 12).to_bytes(32, "big")
    return Log(LEDGER, topics, data, number, block(number).hash, keccak(f"tx {number}".encode()), 0)


def exposure(number: int, change: int, after: int) -> Log:
    topics = (ExposureChanged.TOPIC0, AGREEMENT, ascii32("GB-B"))
    data = b"".join(value.to_bytes(32, "big", signed=True) for value in (change, after, 10**12))
    return Log(LEDGER, topics, data, number, block(number).hash, bytes(32), 1)


@pytest.mark.parametrize("seqs", [(2,), (1, 3), (1, 1), (1, 2, 4)])
def test_a_gap_or_repeat_in_a_sequence_raises_an_alarm(engine: Engine, seqs: tuple[int, ...]) -> None:
    with writing(engine) as connection:
        for number, seq in enumerate(seqs, 1):
            raised = append_blocks(connection, [block(number)], [declared(number, seq=seq)])
        assert [alarm.rule for alarm in raised] == ["sequence numbers have no gap"]
        assert list_alarms(connection, AGREEMENT) == raised


def test_a_gapless_sequence_raises_none(engine: Engine) -> None:
    with writing(engine) as connection:
        for number in range(1, 5):
            assert append_blocks(connection, [block(number)], [declared(number, seq=number)]) == []
        assert last_seq(connection, AGREEMENT, CarrierCode("CN-T"), CarrierCode("GB-B")) == 4


def test_an_exposure_that_is_not_the_sum_of_its_changes_raises_an_alarm(engine: Engine) -> None:
    with writing(engine) as connection:
        assert append_blocks(connection, [block(1)], [exposure(1, 10, 10)]) == []
        (alarm,) = append_blocks(connection, [block(2)], [exposure(2, -3, 8)])
    assert alarm.rule == "exposure is the sum of its changes"


@pytest.mark.parametrize("change", [{"amount_micros": 2**64}, {"quantity": 2**127}, {"amount_micros": 2**128 - 1}])
def test_an_amount_of_any_size_that_the_chain_can_say_stands_without_loss(
    engine: Engine, change: dict[str, int]
) -> None:
    """A hostile pair must not be able to stop us, or anybody else, with an amount of its own."""
    with writing(engine) as connection:
        assert append_blocks(connection, [block(1)], [declared(1, **change)]) == []
        (row,) = list_declarations(connection)
    ((name, value),) = change.items()
    assert getattr(row, name) == value


def test_a_cycle_of_others_over_sums_past_63_bits_raises_no_alarm(engine: Engine) -> None:
    """Its events name no agreement, so an alarm of theirs would stop what everybody submits."""
    topics = (PositionNetted.TOPIC0, b"c" * 32, ascii32("XX-1"))
    data = (-(2**100)).to_bytes(32, "big", signed=True)
    log = Log(LEDGER, topics, data, 1, block(1).hash, bytes(32), 0)
    with writing(engine) as connection:
        assert append_blocks(connection, [block(1)], [log]) == []
        (position,) = list_positions(connection, b"c" * 32)
    assert position.position_micros == -(2**100)


@pytest.mark.parametrize("change", [{"seq": 2**63}])
def test_a_number_no_column_holds_stops_its_agreement_and_not_the_reading(
    engine: Engine, change: dict[str, int]
) -> None:
    with writing(engine) as connection:
        (alarm,) = append_blocks(connection, [block(1)], [declared(1, **change)])
        assert (alarm.rule, alarm.agreement_id) == ("every log is readable", AGREEMENT)
        assert list_declarations(connection) == []
        reached = checkpoint(connection)
    assert reached is not None and reached.number == 1


def test_a_log_that_is_no_event_of_ours_is_kept_raw_and_raises_an_alarm(engine: Engine) -> None:
    with writing(engine) as connection:
        stray = replace(declared(1), topics=(keccak(b"Unknown()"),))
        (alarm,) = append_blocks(connection, [block(1)], [stray])
        assert alarm.agreement_id is None
        assert len(chain_rows(connection, CHAIN_TABLES[0])) == 1


def test_a_deadline_of_never_stands_as_the_latest_time_that_fits(engine: Engine) -> None:
    with writing(engine) as connection:
        assert append_blocks(connection, [block(1)], [declared(1)]) == []
        (row,) = list_declarations(connection)
    assert row.deadline == 2**63 - 1


def test_rolling_back_leaves_nothing_of_the_blocks_above(engine: Engine) -> None:
    with writing(engine) as connection:
        append_blocks(connection, [block(1)], [declared(1)])
        before = {table.name: chain_rows(connection, table) for table in CHAIN_TABLES}
        append_blocks(connection, [block(2)], [declared(2, seq=9), exposure(2, 5, 7)])
        assert roll_back(connection, to_number=1) == 2
    with reading(engine) as connection:
        assert {table.name: chain_rows(connection, table) for table in CHAIN_TABLES} == before
        reached = checkpoint(connection)
    assert reached is not None and (reached.number, reached.hash) == (1, block(1).hash)


def test_empty_blocks_are_forgotten_but_for_the_recent_ones(engine: Engine) -> None:
    with writing(engine) as connection:
        append_blocks(connection, [block(number) for number in range(1, 6)], [declared(3)])
        append_blocks(connection, [block(RECENT_BLOCKS + 9)], [])
        assert [known.number for known in checkpoints_down(connection)] == [RECENT_BLOCKS + 9, 3]


def test_bytes_that_are_no_text_stand_in_hex() -> None:
    event: Event = UsageDeclared(
        batch_id=DECLARATION.struct_hash(),  # type: ignore[arg-type]
        agreement_id=AGREEMENT,
        declarer=DECLARATION.declarer,
        declaration=replace(DECLARATION, igw=b"\xff" * 32),
        declared_at=1,
    )
    assert event_values(event)["igw"] == "0x" + "ff" * 32
    assert set(event_values(event)) | {"block_number", "log_index"} == set(EVENT_TABLES[UsageDeclared].c.keys())
