"""Does the chain take what members, amendments, deposits, igws and corrections become, and does the store follow?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from gateway import month
from gateway.api.models import ProposalBody
from gateway.api.peer_routes import post_proposal
from gateway.composition import Gateway, partnership_with
from gateway.doctor import examine
from gateway.month.sending import Call, submit
from gateway.peers import encode
from gateway.reveal import answer_reveal
from ledger import archive
from ledger.agreement_file import document_hash, dump_agreement
from ledger.chain.bindings import calldata_settlement_token_mint
from ledger.chain.bound import Struct
from ledger.errors import CrossingRefused
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.sealing import seal
from ledger.service import Service
from ledger.store.batches import SealedBatch, record_batch
from ledger.store.declarations import list_declarations, list_inline_leaves
from ledger.store.engine import reading, writing
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Severity
from tests.gateway.pair import Pair, pair_on_chain, settled
from tests.reconciliation.records import Call as Record
from tests.reconciliation.records import table
from tests.scenarios.gateways import CN_T, GB_B, NOVEMBER, SEPTEMBER

pytestmark = pytest.mark.chain
OCTOBER, NOVEMBER_ = Period(2026, 10), Period(2026, 11)
DAY = 86_400
DECEMBER = NOVEMBER + 30 * DAY
BEIJING = "GLOBAL-BEIJING"
LATE = ("+442070000007", "+442070000008")
"""Two calls that GB-B finds in November; CN-T counted the first of them in October."""


@dataclass(frozen=True)
class InProcess:
    """The other carrier's gateway, without HTTP between."""

    carrier: CarrierCode
    gateway: Gateway

    def propose(self, kind: str, struct: Struct, signer: CarrierCode, signature: bytes) -> bytes | None:
        body = ProposalBody(
            kind=kind, struct=f"0x{encode(struct).hex()}", signer=signer, signature=f"0x{signature.hex()}"
        )
        given = post_proposal(body, self.gateway)["signature"]
        return None if given is None else bytes.fromhex(given[2:])

    def reveal(self, struct: Struct, signature: bytes, most_bytes: int) -> bytes:
        return answer_reveal(self.gateway, encode(struct), signature)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both carriers are members: what they decide takes both and a day."""
    with pair_on_chain(tmp_path_factory.mktemp("pair"), carriers_decide=True) as pair:
        yield pair


def test_what_the_contracts_offer_beyond_the_plain_month_works_from_proposal_to_late_record(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("countersigning", "revealing"):
        monkeypatch.setattr(
            f"gateway.month.{module}.peer_of", lambda _, carrier: InProcess(carrier, pair.gateways[carrier])
        )
    amended(pair)
    licensed(pair)
    deposited(pair)
    pair.chain.advance_to(NOVEMBER)
    for carrier in (CN_T, GB_B):
        counted(pair, carrier)
    declared_through_an_igw(pair)
    corrected(pair)
    reconciled(pair)
    for gateway in pair.gateways.values():
        checks = {each.what: each for each in examine(gateway)}
        assert checks["replay"].holds, checks["replay"].detail
        assert checks["exposure"].holds, checks["exposure"].detail


def amended(pair: Pair) -> None:
    """From the tenth of September on they hand each other data too, and pay within 45 days."""
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        gateway = pair[carrier]
        first = partnership_with(gateway.settings, partner).agreement
        later = replace(
            first,
            services=first.services | {Service.DATA},
            payment=replace(first.payment, payment_days=45),
            valid_from_ms=(SEPTEMBER + 9 * DAY) * 1000,
        )
        gateway.settings.amendments_path.mkdir()
        (gateway.settings.amendments_path / "second.toml").write_text(dump_agreement(later))
    assert month.amend(pair[CN_T], GB_B).signed_by == (CN_T,)
    both = month.amend(pair[GB_B], CN_T)
    settled(pair[GB_B])

    assert both.signed_by == (CN_T, GB_B)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        answer = month.amend(pair[carrier], partner)
        assert (answer.on_chain, answer.version) == (True, 2)
        assert answer.document_hash == document_hash(partnership_with(pair[carrier].settings, partner).amendments[0])
    again = month.amend(pair[CN_T], GB_B)
    assert again.submission is None


def licensed(pair: Pair) -> None:
    """Both members let GB-B carry data over the border."""
    given = {"carrier": GB_B, "licence": "BASIC-INTL", "from": "2026-09-01"}
    made = month.propose(pair[CN_T], "grant-licence", given)
    settled(pair[CN_T])
    month.propose(pair[GB_B], "grant-licence", given)
    settled(pair[GB_B])
    waiting = month.list_members(pair[CN_T])
    (proposal,) = waiting.proposals
    assert (proposal.proposal_id, proposal.state, waiting.delay_seconds) == (
        made.proposal_id,
        "waits for its delay",
        DAY,
    )
    assert proposal.ready_at is not None
    pair.chain.advance_to(proposal.ready_at)
    month.execute(pair[CN_T], made.proposal_id)
    settled(pair[CN_T])
    pair[GB_B].catch_up()

    after = month.list_members(pair[GB_B])
    assert [(each.carrier, each.licence) for each in after.licences] == [(GB_B, "BASIC-INTL")]
    assert after.proposals == ()
    assert month.execute(pair[GB_B], made.proposal_id).state == "executed"


def deposited(pair: Pair) -> None:
    """CN-T puts 5.00 down for what it owes GB-B, and takes 2.00 back."""
    gateway = pair[CN_T]
    token = gateway.network.tokens["USD"]
    mint = Call(
        "approve", bytes(32), "", calldata_settlement_token_mint(gateway.sender, 9_000_000), "mint", target=token
    )
    with writing(gateway.engine) as connection:
        submit(gateway, connection, mint)
    settled(gateway)
    month.deposit(gateway, GB_B, Micros(5_000_000))
    settled(gateway)
    month.withdraw_deposit(gateway, GB_B, Micros(2_000_000))
    settled(gateway)

    (told,) = (each for each in month.exposure(gateway) if each.creditor == GB_B)
    assert (told.deposited.micros, told.limit.micros) == (3_000_000, 1_003_000_000)


def counted(pair: Pair, carrier: CarrierCode) -> None:
    """October's calls to GB-B: two, and one that CN-T counted and GB-B has not found yet. GB-B's travel inline."""
    gateway = pair[carrier]
    called = ["+442070000001", "+442070000002", *([LATE[0]] if carrier == CN_T else [])]
    came(gateway, carrier, "october.csv", called)
    month.rate(gateway)
    month.seal(gateway)
    month.declare(gateway, inline=carrier == GB_B)
    settled(gateway)


def came(gateway: Gateway, carrier: CarrierCode, name: str, called: list[str] | tuple[str, ...]) -> None:
    trunk = "gb-b-out" if carrier == CN_T else "cn-t-in"
    rows = [f"+8613900000000,{each},2026-10-02T06:0{each[-1]}:00Z,60000,{trunk}" for each in called]
    path = gateway.settings.home / name
    path.write_text("\n".join(["a_number,b_number,start,duration_ms,trunk", *rows]) + "\n")
    month.import_usage(gateway, path, "csv")


def declared_through_an_igw(pair: Pair) -> None:
    for carrier in (CN_T, GB_B):
        gateway = pair[carrier]
        sealed_data(gateway, carrier)
        with pytest.raises(CrossingRefused, match="names no international gateway"):
            month.declare(gateway)
        with pytest.raises(CrossingRefused, match="GLOBAL-ATLANTIS"):
            month.declare(gateway, igw="GLOBAL-ATLANTIS")
        month.declare(gateway, igw=BEIJING)
        settled(gateway)
    with reading(pair[CN_T].engine) as connection:
        rows = list_declarations(connection)
    assert {row.igw for row in rows if row.scope.service is Service.DATA} == {BEIJING}
    for gateway in pair.gateways.values():
        month.close(gateway, OCTOBER)
        settled(gateway)


def sealed_data(gateway: Gateway, carrier: CarrierCode) -> None:
    """A batch of two samples of October, that GB-B is owed for."""
    held_id = partnership_with(gateway.settings, GB_B if carrier == CN_T else CN_T).id
    samples = [Record(at=300 * at, a="CN-T", b="GB-B", route="PORT-1", destination="transit", code="") for at in (0, 1)]
    batch = seal(table(samples), BatchScope(held_id, carrier, GB_B, Service.DATA, OCTOBER), carrier.encode().ljust(32))
    path = archive.write(batch, gateway.settings.archive_path)
    kept = {name: getattr(batch, name) for name in ("scope", "root", "count", "from_ms", "to_ms", "quantity")}
    sealed = SealedBatch(
        **kept, amount_micros=batch.amount_micros, deck_hash=bytes(32), archive_path=path.name, sealed_at_ms=1
    )
    with writing(gateway.engine) as connection:
        record_batch(connection, sealed)


def corrected(pair: Pair) -> None:
    """GB-B finds two calls of October in November: one that CN-T counted, one that it has not."""
    gateway = pair[GB_B]
    came(gateway, GB_B, "late.csv", LATE)
    (answer,) = month.correct(gateway).declarations
    settled(gateway)
    again = month.correct(gateway)

    with reading(gateway.engine) as connection:
        (row,) = (each for each in list_declarations(connection) if any(each.corrects))
        original = next(each for each in list_declarations(connection) if each.batch_id == row.corrects)
    assert (row.batch_id, row.scope.period, row.count) == (answer.batch_id, NOVEMBER_, 2)
    assert (original.scope.period, original.scope.declarer) == (OCTOBER, GB_B)
    assert again.sealed_now == 0


def reconciled(pair: Pair) -> None:
    pair.chain.advance_to(DECEMBER)
    for gateway in pair.gateways.values():
        month.close(gateway, NOVEMBER_)
        settled(gateway)
    gateway = pair[CN_T]
    for period in (OCTOBER, NOVEMBER_):
        month.reveal(gateway, GB_B, period)
    with reading(gateway.engine) as connection:
        rows = [row for row in list_declarations(connection, period=OCTOBER, declarer=GB_B) if row.count == 2]
        leaves = {row.scope.service: list_inline_leaves(connection, row.batch_id) for row in rows}
    assert [len(leaves[service]) for service in (Service.VOICE, Service.DATA)] == [2, 0]
    voice, data = month.reconcile(gateway, GB_B, OCTOBER).directions
    assert [(each.cause, each.count) for each in voice.findings] == [(Cause.MISSING_AT_THEIRS, 1)]
    assert (voice.exact, data.exact) == (2, 2), "what travelled inline is revealed and matched as all else"
    (direction,) = month.reconcile(gateway, GB_B, NOVEMBER_).directions
    answer = month.accept(gateway, GB_B, NOVEMBER_, dry_run=True)

    assert [(each.cause, each.severity, each.count, each.theirs.micros) for each in direction.findings] == [
        (Cause.LATE_RECORD, Severity.NOTICE, 1, 12_000),
        (Cause.LATE_RECORD, Severity.DISPUTE, 1, 12_000),
    ]
    assert [each.creditor_late.micros for each in answer.lines if each.creditor == GB_B] == [24_000]
    month.dispute(gateway, GB_B, NOVEMBER_)
    settled(gateway)
