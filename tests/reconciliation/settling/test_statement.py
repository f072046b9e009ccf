import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Conflict, Refused
from ledger.identity import BatchId, CarrierCode
from ledger.keccak import keccak256
from ledger.money import Micros
from ledger.service import Service
from reconciliation.reconcile import reconcile
from reconciliation.settling.statement import DeclaredBatch, OpenDispute, StatementDraft, batches_hash, draw_statement
from tests.reconciliation.records import CN, GB, OCTOBER, US, agreement, many, scope, table


def batch(declarer: CarrierCode, creditor: CarrierCode, amount: int, number: int = 1) -> DeclaredBatch:
    return DeclaredBatch(BatchId(bytes([number]) * 32), declarer, creditor, Service.VOICE, Micros(amount))


BOTH_WAYS = [batch(GB, GB, 1_000, 1), batch(CN, GB, 900, 2), batch(CN, CN, 400, 3), batch(GB, CN, 400, 4)]


def draw(declared: list[DeclaredBatch], *disputes: OpenDispute) -> StatementDraft:
    return draw_statement(agreement(), OCTOBER, declared, disputes)


def test_more_disputed_than_declared_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="more is disputed"):
        draw(BOTH_WAYS, OpenDispute(GB, Service.VOICE, Micros(600)), OpenDispute(GB, Service.VOICE, Micros(401)))


def test_a_carrier_that_is_no_party_is_refused() -> None:
    with pytest.raises(Refused):
        draw([batch(US, US, 5)])


def test_agreed_is_the_creditors_amount_less_what_is_withheld() -> None:
    statement = draw(BOTH_WAYS, OpenDispute(GB, Service.VOICE, Micros(100)))
    china, britain = statement.lines
    assert (china.creditor, china.creditor_micros, china.agreed_micros) == (CN, 400, 400)
    assert (britain.creditor_micros, britain.debtor_micros, britain.withheld_micros) == (1_000, 900, 100)
    assert britain.agreed_micros == 900
    assert statement.net_to_low_micros == 400 - 900


def test_a_line_only_the_debtor_declared_is_on_the_statement() -> None:
    (line,) = draw([batch(CN, GB, 70)]).lines
    assert (line.creditor, line.creditor_micros, line.debtor_micros, line.difference_micros) == (GB, 0, 70, -70)


def test_several_batches_of_one_line_are_summed() -> None:
    (line,) = draw([batch(GB, GB, 5, 1), batch(GB, GB, 6, 2)]).lines
    assert line.creditor_micros == 11


def test_lines_are_ordered_by_creditor_and_service() -> None:
    declared = [each._replace(service=service) for each in BOTH_WAYS for service in (Service.SMS, Service.VOICE)]
    assert [(line.creditor, line.service) for line in draw(declared).lines] == [
        (CN, Service.VOICE),
        (CN, Service.SMS),
        (GB, Service.VOICE),
        (GB, Service.SMS),
    ]


def test_the_batches_hash_is_of_the_sorted_ids() -> None:
    ids = [BatchId(bytes([n]) * 32) for n in (3, 1, 2)]
    assert batches_hash(ids) == keccak256(bytes([1]) * 32 + bytes([2]) * 32 + bytes([3]) * 32)
    assert batches_hash([]).hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@given(st.randoms(use_true_random=False))
def test_both_sides_draw_the_same_statement_from_the_same_chain(chance: random.Random) -> None:
    mixed = list(BOTH_WAYS)
    chance.shuffle(mixed)
    assert draw(mixed) == draw(BOTH_WAYS)


def test_findings_that_do_not_explain_the_declared_difference_stop_the_statement() -> None:
    """The planted fault: the creditor declared one micro more than its records say."""
    calls = many(30)
    answer = reconcile(table(calls), table(calls[1:]), scope=scope(), agreement=agreement())
    owed, counted = answer.totals.ours_micros, answer.totals.theirs_micros
    honest = [batch(GB, GB, owed, 1), batch(CN, GB, counted, 2)]
    assert draw_statement(agreement(), OCTOBER, honest, (), [answer]).lines[0].difference_micros == owed - counted
    forged = [batch(GB, GB, owed + 1, 1), batch(CN, GB, counted, 2)]
    with pytest.raises(Conflict, match="do not explain"):
        draw_statement(agreement(), OCTOBER, forged, (), [answer])


def test_the_debtors_reconciliation_explains_the_statement_too() -> None:
    calls = many(30)
    answer = reconcile(table(calls[1:]), table(calls), scope=scope(us=CN), agreement=agreement())
    declared = [batch(GB, GB, answer.totals.theirs_micros, 1), batch(CN, GB, answer.totals.ours_micros, 2)]
    assert draw_statement(agreement(), OCTOBER, declared, (), [answer]).lines[0].difference_micros > 0
