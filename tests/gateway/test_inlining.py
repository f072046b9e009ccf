"""Do small batches travel whole in their declaration, without a number in it, and are they revealed as others are?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from ledger import archive
from ledger.agreement_file import dump_agreement
from ledger.chain.abi import decode_all
from ledger.chain.bindings import USAGE_LEDGER_DECLARE, USAGE_LEDGER_DECLARE_INLINE, Declaration
from ledger.errors import Malformed
from ledger.identity import Root
from ledger.inline import pack_records
from ledger.sealing import MOST_INLINE, inline_leaves, leaf_is_in, open_leaf, seal
from ledger.service import Service
from ledger.store.batches import SealedBatch, list_batches, record_batch
from ledger.store.engine import reading, writing
from ledger.store.imports import add_usage, mark_sealed, partly_sealed, record_import, unsealed_usage
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.usage import BatchScope
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, Call, agreement, table

SECRET = bytes(range(32))


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    yield made
    made.close()


def calls(count: int) -> list[Call]:
    return [Call(at=60 * at, b=f"4477009{at:05d}", route=f"T{at % 3}") for at in range(count)]


def sealed(gateway: Gateway, records: list[Call]) -> Root:
    """A batch that CN-T owes GB-B for, sealed out of one usage file."""
    scope = BatchScope(partnership_with(gateway.settings, GB).id, CN, GB, Service.VOICE, OCTOBER)
    batch = seal(table(records), scope, SECRET)
    path = archive.write(batch, gateway.settings.archive_path)
    kept = {name: getattr(batch, name) for name in ("scope", "root", "count", "from_ms", "to_ms", "quantity")}
    with writing(gateway.engine) as connection:
        import_id = record_import(
            connection,
            file_hash=bytes(32),
            file_name="october.csv",
            preset="csv",
            accepted=batch.count,
            not_billable=0,
            duplicates=0,
            quarantined=[],
            imported_at_ms=1,
        )
        usage_id = add_usage(connection, import_id, scope, path="x", count=batch.count, quantity=batch.quantity)
        made = SealedBatch(
            **kept, amount_micros=batch.amount_micros, deck_hash=bytes(32), archive_path=path.name, sealed_at_ms=1
        )
        record_batch(connection, made)
        mark_sealed(connection, [usage_id], batch.root)
    return batch.root


def sent(gateway: Gateway) -> list[SubmissionRow]:
    with reading(gateway.engine) as connection:
        return list_submissions(connection)


def inline_arguments(row: SubmissionRow) -> tuple[Declaration, tuple[bytes, ...], bytes, bytes]:
    assert row.calldata is not None
    assert row.calldata[:4] == USAGE_LEDGER_DECLARE_INLINE.selector
    return decode_all([kind for _, kind in USAGE_LEDGER_DECLARE_INLINE.inputs], row.calldata[4:])  # type: ignore[return-value]


def test_the_records_travel_in_the_declaration_and_no_number_does(gateway: Gateway) -> None:
    records = calls(7)
    sealed(gateway, records)
    (answer,) = month.declare(gateway, inline=True).declarations

    (row,) = sent(gateway)
    declaration, routes, packed, _ = inline_arguments(row)
    kept = archive.read_by_root(gateway.settings.archive_path, answer.root)
    assert declaration.root == answer.root == kept.root
    assert (routes, packed) == pack_records(inline_leaves(kept), kept.from_ms)
    assert (len(packed), row.gas > 450_000) == (7 * 48, True)
    for call in records:
        assert call.b.encode() not in (row.calldata or b""), "a number stands in the transaction"
        assert call.a.encode() not in (row.calldata or b"")
    assert kept.table["b_party"].to_pylist() == [call.b for call in records], "the archive has the records themselves"


def test_twice_is_once_and_the_sealed_batch_gave_its_place(gateway: Gateway) -> None:
    before = sealed(gateway, calls(3))
    first, again = month.declare(gateway, inline=True), month.declare(gateway)

    with reading(gateway.engine) as connection:
        (batch,) = list_batches(connection)
        assert unsealed_usage(connection) == partly_sealed(connection) == []
    assert first.declarations == again.declarations
    assert len(sent(gateway)) == 1
    assert batch.root != before


def test_what_was_declared_before_stays_as_it_was(gateway: Gateway) -> None:
    sealed(gateway, calls(3))
    first = month.declare(gateway)
    assert month.declare(gateway, inline=True).declarations == first.declarations
    assert [(row.calldata or b"")[:4] for row in sent(gateway)] == [USAGE_LEDGER_DECLARE.selector]


def test_a_dry_run_seals_nothing_anew(gateway: Gateway) -> None:
    before = sealed(gateway, calls(3))
    assert [each.root for each in month.declare(gateway, inline=True, dry_run=True).declarations] == [before]
    assert [path.name for path in gateway.settings.archive_path.iterdir()] == [archive.archive_name(before)]
    assert sent(gateway) == []


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (calls(MOST_INLINE + 1), "at most 500 records"),
        ([Call(), Call(at=50 * 86_400)], "start"),
        ([Call(amount=1 << 48)], "amount"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sealed_or_sent(
    gateway: Gateway, records: list[Call], told: str
) -> None:
    before = sealed(gateway, records)
    with pytest.raises(Malformed) as refusal:
        month.declare(gateway, inline=True)

    assert told in str(refusal.value)
    assert sent(gateway) == []
    with reading(gateway.engine) as connection:
        assert [batch.root for batch in list_batches(connection)] == [before]


def test_equal_parties_have_equal_hashes_within_a_batch_and_none_across(gateway: Gateway) -> None:
    """The planted fault is a hash without a key: whoever knows a number would find it."""
    scope = BatchScope(partnership_with(gateway.settings, GB).id, CN, GB, Service.VOICE, OCTOBER)
    first, second = (seal(table([Call(), Call(at=60)]), scope, secret, inline=True) for secret in (SECRET, bytes(32)))
    (one, two), (other, _) = inline_leaves(first), inline_leaves(second)

    assert one.b_party == two.b_party != other.b_party
    assert len(one.b_party.rstrip(b"\0")) <= 16
    assert {leaf.salt for leaf in (one, two, other)} == {bytes(32)}


def test_an_inline_leaf_is_opened_and_proves_and_its_file_reads_back(gateway: Gateway, tmp_path: Path) -> None:
    scope = BatchScope(partnership_with(gateway.settings, GB).id, CN, GB, Service.VOICE, OCTOBER)
    batch = seal(table(calls(5)), scope, SECRET, inline=True)
    path = archive.write(batch, tmp_path / "archive")
    again = archive.read(path)

    assert again.root == batch.root
    assert again.inline
    assert archive.is_inline(path)
    assert all(leaf_is_in(batch.root, open_leaf(again, at)) for at in range(5))
    assert not leaf_is_in(batch.root, open_leaf(replace(again, inline=False), 0)), "salted, it is another leaf"
