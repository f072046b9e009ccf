"""Do two carriers come to new terms under the same agreement, from a day to come, and do they hold in their periods?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import month
from gateway.api.models import ProposalBody
from gateway.api.peer_routes import post_proposal
from gateway.composition import Gateway, chain_terms, partnership_with
from gateway.month.amending import amendment_of, changes
from gateway.month.versions import of_period, versions_of
from gateway.peers import encode
from gateway.refusals import stands
from ledger.agreement import Agreement, PaymentTerms
from ledger.agreement_file import document_hash, dump_agreement
from ledger.chain.bindings import (
    AgreementAmended,
    Amendment,
    VersionUnexpected,
    calldata_agreement_book_amend,
)
from ledger.errors import Conflict, Malformed, NotFound, Refused
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, agreement

NOVEMBER_MS = OCTOBER.after.bounds_ms(agreement().zone)[0]
LATER = replace(agreement(), valid_from_ms=NOVEMBER_MS, payment=PaymentTerms(payment_days=45))


class Stopped:
    """A clock at the middle of October."""

    def now_ms(self) -> int:
        return NOVEMBER_MS - 15 * 86_400_000


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway in October, GB-B's signature is not to be had."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr("gateway.month.countersigning._ask", lambda *_: None)
    for module in ("gateway.month.countersigning", "gateway.api.peer_routes"):
        monkeypatch.setattr(f"{module}.require_key", lambda *_: None)
    made = replace(lonely_gateway(tmp_path), clock=Stopped())
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    yield made
    made.close()


def write(gateway: Gateway, amendment: Agreement, name: str = "gb-b-2.toml") -> None:
    gateway.settings.amendments_path.mkdir(exist_ok=True)
    (gateway.settings.amendments_path / name).write_text(dump_agreement(amendment))


def on_chain(gateway: Gateway, amendment: Agreement, version: int = 2) -> None:
    held = partnership_with(gateway.settings, GB)
    hashed, begins = document_hash(amendment), amendment.valid_from_ms // 1000
    with writing(gateway.engine) as connection:
        said(connection, AgreementAmended(held.id, version, chain_terms(amendment).services, hashed, begins))


def offered(gateway: Gateway, struct: Amendment, signer: CarrierCode = GB) -> object:
    """GB-B's gateway shows its signature."""
    body = ProposalBody(kind="amendment", struct=f"0x{encode(struct).hex()}", signer=signer, signature=f"0x{'11' * 65}")
    answer: dict[str, object] = post_proposal(body, gateway)
    return answer["signature"]


def test_without_a_file_there_is_nothing_to_sign_and_what_the_partner_proposes_is_told(gateway: Gateway) -> None:
    with pytest.raises(NotFound, match="no new version") as refusal:
        month.amend(gateway, GB)
    assert refusal.value.got == "none"

    assert offered(gateway, amendment_of(partnership_with(gateway.settings, GB), 2, LATER)) is None
    with pytest.raises(NotFound) as refusal:
        month.amend(gateway, GB)
    assert document_hash(LATER).hex() in str(refusal.value.got)


@pytest.mark.parametrize(
    ("wrong", "error", "expected"),
    [
        (replace(LATER, valid_from_ms=NOVEMBER_MS - 30 * 86_400_000), Conflict, "or later"),
        (replace(LATER, currency="EUR"), Malformed, "USD, voice"),
    ],
)
def test_what_the_chain_would_refuse_is_refused_before_anything_is_signed(
    gateway: Gateway, wrong: Agreement, error: type[Exception], expected: str
) -> None:
    write(gateway, wrong)
    with pytest.raises(error) as refusal:
        month.amend(gateway, GB)
    assert expected in str(refusal.value)


def test_an_amendment_without_an_agreement_is_refused_by_its_file(gateway: Gateway) -> None:
    write(gateway, replace(LATER, high=CarrierCode("US-A")))
    with pytest.raises(Malformed, match="amends no agreement"):
        month.amend(gateway, GB)


def test_it_goes_on_chain_once_both_have_signed_and_twice_is_once(gateway: Gateway) -> None:
    write(gateway, LATER)
    dry = month.amend(gateway, GB, dry_run=True)
    alone = month.amend(gateway, GB)
    struct = amendment_of(partnership_with(gateway.settings, GB), 2, LATER)
    given = offered(gateway, struct)
    both, again = month.amend(gateway, GB), month.amend(gateway, GB)

    assert (dry.signed_by, alone.signed_by, both.signed_by) == ((), (CN,), (CN, GB))
    assert alone.submission is None
    assert given is not None, "our desk has signed the same, so the partner gets our signature"
    assert both.submission is not None
    assert both.submission == again.submission
    with reading(gateway.engine) as connection:
        (row,) = list_submissions(connection, kind="amendment")
    own = gateway.signer.sign(struct).signature
    assert row.calldata == calldata_agreement_book_amend(struct, own, b"\x11" * 65)
    assert [(each.term, each.before, each.after) for each in both.changes] == [
        ("valid_from", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("payment.payment_days", "30", "45"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [("version", 3, "version"), ("deadline", 1, "deadline")],
)
def test_a_peer_s_amendment_that_is_not_the_next_version_is_refused(
    gateway: Gateway, field: str, value: int, what: str
) -> None:
    struct = amendment_of(partnership_with(gateway.settings, GB), 2, LATER)
    with pytest.raises(Refused, match=what):
        offered(gateway, replace(struct, **{field: value}))  # type: ignore[arg-type]


def test_an_amendment_of_others_under_our_agreement_is_refused(gateway: Gateway) -> None:
    struct = amendment_of(partnership_with(gateway.settings, GB), 2, LATER)
    foreign = replace(struct, terms=chain_terms(replace(LATER, high=CarrierCode("US-A"))))
    with pytest.raises(Refused, match="higher carrier"):
        offered(gateway, foreign)


def test_the_terms_of_a_period_are_those_in_effect_when_it_begins(gateway: Gateway) -> None:
    write(gateway, LATER)
    on_chain(gateway, LATER)
    held = partnership_with(gateway.settings, GB)
    days = {
        period: of_period(gateway, held, period).agreement.payment.payment_days for period in (OCTOBER, OCTOBER.after)
    }

    assert days == {OCTOBER: 30, OCTOBER.after: 45}
    assert of_period(gateway, held, OCTOBER.after).id == held.id, "the agreement is the same one"
    assert month.amend(gateway, GB).on_chain


def test_an_amendment_that_only_one_side_holds_changes_nothing(gateway: Gateway) -> None:
    """The planted fault: a file that the partner has not signed."""
    write(gateway, LATER)
    month.amend(gateway, GB)
    held = partnership_with(gateway.settings, GB)
    assert of_period(gateway, held, OCTOBER.after).agreement.payment.payment_days == 30
    with reading(gateway.engine) as connection:
        assert [each.number for each in versions_of(connection, held)] == [1]


def test_a_version_whose_file_is_missing_is_asked_for(gateway: Gateway) -> None:
    on_chain(gateway, LATER)
    held = partnership_with(gateway.settings, GB)
    assert of_period(gateway, held, Period(2026, 10)).agreement == held.agreement
    with pytest.raises(NotFound, match="the file of version 2") as refusal:
        of_period(gateway, held, OCTOBER.after)
    assert document_hash(LATER).hex() in str(refusal.value.expected)


def test_the_next_version_follows_the_last(gateway: Gateway) -> None:
    third = replace(LATER, valid_from_ms=NOVEMBER_MS + 1_000, notice_days=14)
    write(gateway, LATER)
    write(gateway, third, "gb-b-3.toml")
    assert month.amend(gateway, GB, dry_run=True).version == 2
    on_chain(gateway, LATER)
    answer = month.amend(gateway, GB)
    assert (answer.version, [each.term for each in answer.changes]) == (3, ["valid_from", "notice_days"])


def test_the_other_desk_s_submission_of_the_same_amendment_is_no_error(gateway: Gateway) -> None:
    write(gateway, LATER)
    offered(gateway, amendment_of(partnership_with(gateway.settings, GB), 2, LATER))
    month.amend(gateway, GB)
    refusal = VersionUnexpected(3, 2)
    with reading(gateway.engine) as connection:
        (row,) = list_submissions(connection, kind="amendment")
        unread = stands(row, refusal, lambda _: b"", connection)
    on_chain(gateway, LATER)
    with reading(gateway.engine) as connection:
        read = stands(row, refusal, lambda _: b"", connection)

    assert (unread, read) == (None, True)


def test_changes_of_what_is_equal_are_none() -> None:
    assert changes(LATER, LATER) == ()
