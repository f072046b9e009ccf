"""Does the store give back what a carrier made, and refuse what contradicts it?"""

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from ledger.chain.abi import keccak
from ledger.errors import Conflict, NotFound, RequestConflict
from ledger.identity import AgreementId, BatchId, CarrierCode, Root
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.batches import (
    RevealedBatch,
    SealedBatch,
    batch_of_id,
    batch_of_root,
    declare_batch,
    list_batches,
    list_revealed,
    record_batch,
    record_revealed,
)
from ledger.store.columns import ColumnUnfit
from ledger.store.documents import Document, document, keep_document, list_documents
from ledger.store.engine import reading, writing
from ledger.store.findings import (
    FindingRow,
    ReconciliationRow,
    latest_reconciliation,
    latest_reconciliations,
    list_findings,
    record_reconciliation,
)
from ledger.store.idempotency import Answer, answer, ask, forget_answers
from ledger.store.imports import (
    QuarantinedRow,
    add_usage,
    find_import,
    later_usage,
    list_imports,
    list_quarantined,
    mark_sealed,
    move_usage,
    partly_sealed,
    record_import,
    unsealed_usage,
)
from ledger.store.proposals import Proposal, list_proposals, record_proposal, signatures_of, struct_of
from ledger.store.states import BatchState
from ledger.usage import BatchScope

AGREEMENT = AgreementId(keccak(b"agreement"))
CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
OCTOBER = Period(2026, 10)
SCOPE = BatchScope(AGREEMENT, CN_T, GB_B, Service.VOICE, OCTOBER)
ROOT = Root(keccak(b"root"))
BATCH = SealedBatch(
    scope=SCOPE,
    root=ROOT,
    count=3,
    from_ms=1,
    to_ms=2,
    quantity=180_000,
    amount_micros=Micros(251_330_020_000),
    deck_hash=keccak(b"deck"),
    archive_path="archive/root.parquet",
    sealed_at_ms=5,
)
QUARANTINED = (QuarantinedRow(7, "not a number: '١٢٣'", "7,١٢٣"), QuarantinedRow(9, "NUL", "9,\\x00"))
FILE = keccak(b"Master.csv")


def import_file(connection: object, file_hash: bytes = FILE) -> int:
    return record_import(
        connection,  # type: ignore[arg-type]
        file_hash=file_hash,
        file_name="Master.csv",
        preset="asterisk",
        accepted=50_000,
        not_billable=12,
        duplicates=3,
        quarantined=QUARANTINED,
        imported_at_ms=1,
    )


# IMPORTS AND USAGE


def test_the_same_file_imported_twice_is_refused_whatever_its_name(engine: Engine) -> None:
    with writing(engine) as connection:
        first = import_file(connection)
    with writing(engine) as connection, pytest.raises(Conflict) as refusal:
        import_file(connection)
    assert refusal.value.members["import_id"] == first
    with reading(engine) as connection:
        assert len(list_imports(connection)) == 1


def test_an_import_and_the_rows_it_left_out_come_back(engine: Engine) -> None:
    with writing(engine) as connection:
        import_id = import_file(connection)
    with reading(engine) as connection:
        found = find_import(connection, FILE)
        assert found is not None
        assert (found.accepted, found.quarantined, found.not_billable, found.duplicates) == (50_000, 2, 12, 3)
        assert tuple(list_quarantined(connection, import_id)) == QUARANTINED
        assert find_import(connection, keccak(b"another")) is None


def test_usage_waits_until_it_is_sealed_and_is_sealed_once(engine: Engine) -> None:
    with writing(engine) as connection:
        import_id = import_file(connection)
        usage_id = add_usage(connection, import_id, SCOPE, path="usage/1.parquet", count=3, quantity=180_000)
        (waiting,) = unsealed_usage(connection, SCOPE)
        assert (waiting.id, waiting.scope, waiting.root) == (usage_id, SCOPE, None)
        assert unsealed_usage(connection, SCOPE._replace(creditor=CN_T)) == []
        record_batch(connection, BATCH)
        mark_sealed(connection, [usage_id], ROOT)
        assert unsealed_usage(connection) == []
        with pytest.raises(NotFound):
            mark_sealed(connection, [usage_id], ROOT)


def test_records_moved_to_a_later_file_are_counted_once(engine: Engine) -> None:
    with writing(engine) as connection:
        import_id = import_file(connection)
        add_usage(connection, import_id, SCOPE, path="u", count=5, quantity=500)
        (usage,) = unsealed_usage(connection)
        record_batch(connection, BATCH)
        mark_sealed(connection, [usage.id], ROOT)
        assert [(each.id, left) for each, left in partly_sealed(connection)] == [(usage.id, 2)]
        (usage, _), *_ = partly_sealed(connection)
        assert later_usage(connection, usage) == []
        move_usage(connection, usage, path="u-2", count=2, quantity=200)
        with pytest.raises(Conflict):
            move_usage(connection, usage, path="u-3", count=1, quantity=1)
        assert partly_sealed(connection) == []
        (moved,) = unsealed_usage(connection)
        assert later_usage(connection, usage) == [moved]
        assert (moved.path, moved.count, moved.quantity, moved.scope) == ("u-2", 2, 200, SCOPE)


def test_usage_is_not_sealed_into_a_batch_that_does_not_exist(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        usage_id = add_usage(connection, import_file(connection), SCOPE, path="u", count=1, quantity=1)
        mark_sealed(connection, [usage_id], ROOT)


# BATCHES


def test_a_batch_sealed_twice_is_refused(engine: Engine) -> None:
    with writing(engine) as connection:
        record_batch(connection, BATCH)
        with pytest.raises(Conflict):
            record_batch(connection, BATCH)


@pytest.mark.parametrize("change", [{"amount_micros": 2**63}, {"root": b"short"}, {"deck_hash": bytes(33)}])
def test_a_batch_that_fits_no_column_is_refused(engine: Engine, change: dict[str, object]) -> None:
    with pytest.raises(ColumnUnfit), writing(engine) as connection:
        record_batch(connection, replace(BATCH, **change))  # type: ignore[arg-type]
    with reading(engine) as connection:
        assert list_batches(connection) == []


@pytest.mark.parametrize("change", [{"amount_micros": Micros(-1)}, {"count": 0}, {"quantity": -1}])
def test_a_batch_with_impossible_totals_is_refused_by_the_database(engine: Engine, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        record_batch(connection, replace(BATCH, **change))  # type: ignore[arg-type]


def test_a_batch_comes_back_as_it_was_and_with_its_declaration(engine: Engine) -> None:
    batch_id = BatchId(keccak(b"digest"))
    with writing(engine) as connection:
        record_batch(connection, BATCH)
        assert batch_of_root(connection, ROOT) == BATCH
        declare_batch(connection, ROOT, batch_id=batch_id, seq=1, deadline=9, signature=bytes(65))
    with reading(engine) as connection:
        declared = batch_of_id(connection, batch_id)
        assert declared == replace(
            BATCH, state=BatchState.DECLARED, batch_id=batch_id, seq=1, deadline=9, signature=bytes(65)
        )
        assert list_batches(connection, AGREEMENT, OCTOBER, BatchState.DECLARED) == [declared]
        assert list_batches(connection, state=BatchState.SEALED) == []
        with pytest.raises(NotFound):
            batch_of_root(connection, Root(bytes(32)))


def test_a_declaration_of_a_batch_nobody_sealed_is_refused(engine: Engine) -> None:
    with writing(engine) as connection, pytest.raises(NotFound):
        declare_batch(connection, ROOT, batch_id=BatchId(bytes(32)), seq=1, deadline=1, signature=b"")


def test_a_partners_batch_keeps_why_it_was_refused_until_a_right_file_comes(engine: Engine) -> None:
    refused = RevealedBatch(BatchId(keccak(b"b")), ROOT, SCOPE, "theirs/x.parquet", 1, "leaf 3 does not prove")
    with writing(engine) as connection:
        record_revealed(connection, refused)
        assert list_revealed(connection, AGREEMENT, OCTOBER) == [refused]
        record_revealed(connection, replace(refused, refusal=None, revealed_at_ms=2))
        (row,) = list_revealed(connection, AGREEMENT, OCTOBER)
    assert row.refusal is None


# FINDINGS


def test_the_latest_run_of_a_scope_stands_with_its_findings_in_order(engine: Engine) -> None:
    run = ReconciliationRow(SCOPE, Micros(10), Micros(8), 5, 6, 5, "exceptions.parquet", 1)
    rows = [
        FindingRow(
            cause, "dispute", GB_B, Service.VOICE, OCTOBER, 1, Micros(2), Micros(0), "R1", None, "2026-10-03", "s", "r"
        )
        for cause in ("missing_at_theirs", "duration_bias")
    ]
    with writing(engine) as connection:
        record_reconciliation(connection, run, [])
        latest_id = record_reconciliation(connection, replace(run, theirs_micros=Micros(9)), rows)
        record_reconciliation(connection, replace(run, scope=SCOPE._replace(creditor=CN_T)), [])
    with reading(engine) as connection:
        latest = latest_reconciliation(connection, SCOPE)
        assert latest is not None
        assert (latest.id, latest.theirs_micros) == (latest_id, 9)
        assert list_findings(connection, latest_id) == rows
        assert len(latest_reconciliations(connection, AGREEMENT, OCTOBER)) == 2
        assert latest_reconciliation(connection, SCOPE._replace(service=Service.SMS)) is None


# REQUESTS


def test_a_repeat_of_a_request_gets_the_same_answer_and_another_request_is_refused(engine: Engine) -> None:
    given = Answer(201, "application/json", b'{"root":"0x"}')
    with writing(engine) as connection:
        assert ask(connection, "CN-T", "key 1", keccak(b"body"), 5) is None
        answer(connection, "CN-T", "key 1", given)
    with writing(engine) as connection:
        assert ask(connection, "CN-T", "key 1", keccak(b"body"), 6) == given
        assert ask(connection, "GB-B", "key 1", keccak(b"other"), 6) is None, "keys of two callers are two keys"
        with pytest.raises(RequestConflict):
            ask(connection, "CN-T", "key 1", keccak(b"other"), 6)


def test_a_request_whose_work_failed_may_be_tried_again(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        ask(connection, "CN-T", "key", keccak(b"body"), 5)
        raise ZeroDivisionError
    with writing(engine) as connection:
        assert ask(connection, "CN-T", "key", keccak(b"changed"), 6) is None
        assert forget_answers(connection, asked_before_ms=7) == 1
        with pytest.raises(NotFound):
            answer(connection, "CN-T", "key", Answer(200, "", b""))


# SIGNATURES AND DOCUMENTS


def test_signatures_over_one_digest_are_gathered_once_for_each_signer(engine: Engine) -> None:
    ours = Proposal("statement", keccak(b"statement"), CN_T, AGREEMENT, OCTOBER, b"abi", bytes(65), 1)
    theirs = replace(ours, signer=GB_B, signature=b"\x01" * 65, received_at_ms=2)
    with writing(engine) as connection:
        for proposal in (ours, theirs, theirs):
            record_proposal(connection, proposal)
    with reading(engine) as connection:
        assert signatures_of(connection, "statement", ours.digest) == {CN_T: bytes(65), GB_B: b"\x01" * 65}
        assert list_proposals(connection, "statement", AGREEMENT, OCTOBER) == [ours, theirs]
        assert list_proposals(connection, "netting_cycle") == []
        assert struct_of(connection, "statement", ours.digest) == b"abi"
        with pytest.raises(NotFound):
            struct_of(connection, "resolution", ours.digest)


def test_a_document_is_found_by_its_hash(engine: Engine) -> None:
    deck = Document(keccak(b"deck"), "deck", AGREEMENT, "october.csv", b"code,rate\n", 1)
    with writing(engine) as connection:
        keep_document(connection, deck)
        keep_document(connection, deck)
    with reading(engine) as connection:
        assert document(connection, deck.hash) == deck
        assert list_documents(connection, "deck", AGREEMENT) == list_documents(connection, "deck") == [deck]
        with pytest.raises(NotFound):
            document(connection, bytes(32))
