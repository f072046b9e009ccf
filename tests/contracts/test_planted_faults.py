"""Would the tests notice if a control were gone? Each fault is planted in a copy of the sources; its test must die."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
import solcx

from deploy.compiler import solc_program
from deploy.local_chain import Engine, LocalChain
from deploy.node import ROOT
from deploy.solidity import SETTINGS, read_sources
from ledger.chain import bindings as b
from ledger.errors import ContractRefused
from ledger.service import Service
from tests.contracts import (
    test_arrears,
    test_carrier_registry,
    test_credit_book,
    test_crossings,
    test_disputes,
    test_members,
    test_payments,
    test_set_off,
    test_signatures,
    test_statements,
    test_usage_ledger,
)
from tests.contracts.books import CN, CN_GB, GB, SEPTEMBER, ZERO, Books, deploy_books, refused
from tests.contracts.month import cycle, items_of, leg, net, owe, settle_month, with_agreements

USAGE, CREDIT, BOOK = "UsageLedger", "CreditBook", "SettlementBook"
Check = Callable[[Books], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is changed in which contract, and the test that must notice."""

    name: str
    contract: str
    file: str
    good: str
    bad: str
    check: Check

    def __str__(self) -> str:
        return self.name


def leg_off_by_one(books: Books) -> None:
    """A leg of one micro less than its item is refused."""
    items = items_of([settle_month(books, CN_GB, 0, 10_000_000)])
    with refused(b.PositionMismatch(CN.id, -10_000_000, -9_999_999)):
        books.call(BOOK, net(books, cycle(items, leg(CN_GB, GB, 9_999_999)), CN, GB))


def item_twice(books: Books) -> None:
    """An item that was netted is not netted again."""
    items = items_of([settle_month(books, CN_GB, 0, 10_000_000)])
    whole = leg(CN_GB, GB, 10_000_000)
    books.send(BOOK, net(books, cycle(items, whole), CN, GB))
    with refused(b.ItemAlreadyNetted(items[0])):
        books.call(BOOK, net(books, cycle(items, whole, nonce=2), CN, GB))


def high_s(books: Books) -> None:
    """The high-s twin of a declaration's signature is refused."""
    door = next(door for door in test_signatures.DOORS if door.contract == USAGE)
    test_signatures.test_every_door_refuses_a_twisted_signature(books, door, test_signatures.high_s_twin)


def overpaid(books: Books) -> None:
    """Nobody confirms more than is owed."""
    test_payments.test_nothing_and_more_than_is_owed_are_refused((books, owe(books, test_payments.OWED)), "word")


def disputed_twice(books: Books) -> None:
    """Two disputes together stay within what was declared."""
    test_disputes.declare_and_close(books)
    dispute_id = test_disputes.opened(books, test_disputes.dispute(GB, 1_000_000))
    test_disputes.test_all_disputes_together_stay_within_what_was_declared((books, dispute_id))


def credit_stopped(books: Books) -> None:
    """Stopped credit takes no declaration."""
    payable_id = owe(books, test_arrears.OWED)
    due_at = test_arrears.outstanding(books, payable_id)[2]
    test_arrears.test_stopped_credit_takes_no_declaration_whatever_the_line((books, payable_id, due_at))


def ipl_needs_an_igw(books: Books) -> None:
    """A private line through no gateway is refused."""
    test_crossings.test_data_and_private_lines_name_a_listed_igw(books, Service.IPL, ZERO)


FAULTS = (
    Fault(
        "a revoked key is accepted",
        "CarrierRegistry",
        "CarrierRegistry.sol",
        "window.validUntil = _now();",
        "window.validUntil = 0;",
        test_carrier_registry.test_a_revoked_key_signs_nothing_more_and_never_comes_back,
    ),
    Fault(
        "the members' delay is cut in half",
        "CarrierRegistry",
        "registry/Members.sol",
        "_now() + DELAY_SECONDS",
        "_now() + DELAY_SECONDS / 2",
        test_carrier_registry.test_the_delay_starts_with_the_last_approval_needed,
    ),
    Fault(
        "approvals of those who have gone still count",
        "CarrierRegistry",
        "registry/Members.sol",
        "if (proposal.membership != membership) revert ProposalOutdated(proposalId);",
        "",
        test_members.test_a_change_of_the_members_voids_open_proposals,
    ),
    Fault(
        "a removed carrier comes back",
        "CarrierRegistry",
        "CarrierRegistry.sol",
        "if (record.standing == Standing.Removed) revert CarrierIsRemoved(carrier);",
        "",
        test_carrier_registry.test_removal_is_final,
    ),
    Fault(
        "a private line needs no igw",
        USAGE,
        "UsageLedger.sol",
        "if (declaration.service < Service.Data) return;",
        "if (declaration.service != Service.Data) return;",
        ipl_needs_an_igw,
    ),
    Fault(
        "the debtor's licence covers the creditor",
        "CarrierRegistry",
        "registry/Crossings.sol",
        "if (!isLicensed(creditor, INTERNATIONAL, fromAt, toAt)) {",
        "if (igw == 0) {",
        test_crossings.test_a_licence_of_the_debtor_does_not_cover_the_creditor,
    ),
    Fault(
        "a repeated declaration is accepted",
        USAGE,
        "UsageLedger.sol",
        "if (got != expected) revert SequenceUnexpected",
        "if (got > expected) revert SequenceUnexpected",
        test_usage_ledger.test_the_same_declaration_counts_once,
    ),
    Fault(
        "a deadline is ignored",
        USAGE,
        "UsageLedger.sol",
        "_requireInTime(declaration.deadline);",
        "",
        test_usage_ledger.test_a_declaration_after_its_deadline_is_refused,
    ),
    Fault(
        "a closed period takes more",
        USAGE,
        "UsageLedger.sol",
        "<= Period.unwrap(stream.closedThrough)",
        "< Period.unwrap(stream.closedThrough)",
        test_usage_ledger.test_a_period_is_closed_once_and_takes_nothing_more,
    ),
    Fault(
        "the debtor's declaration raises the exposure",
        USAGE,
        "UsageLedger.sol",
        "if (declaration.declarer == declaration.creditor) {",
        "if (declaration.count > 0) {",
        test_usage_ledger.test_the_creditors_declaration_raises_the_exposure_and_the_debtors_does_not,
    ),
    Fault(
        "a high-s signature is accepted",
        USAGE,
        "base/CarrierSigned.sol",
        "REGISTRY.requireSigner(carrier, ECDSA.recover(digest, signature));",
        "REGISTRY.requireSigner(carrier, ecrecover("
        "digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])));",
        high_s,
    ),
    Fault(
        "the limit is off by one",
        CREDIT,
        "CreditBook.sol",
        "exposure > limit && !withinBefore",
        "exposure > limit + 1 && !withinBefore",
        test_credit_book.test_one_micro_past_the_line_is_refused_and_the_line_itself_is_not,
    ),
    Fault(
        "the exposure does not add up",
        CREDIT,
        "CreditBook.sol",
        "direction.exposureMicros = uint120(exposure);",
        "direction.exposureMicros = uint120(amountMicros);",
        test_credit_book.test_the_line_counts_all_services_together,
    ),
    Fault(
        "stopped credit takes declarations",
        CREDIT,
        "CreditBook.sol",
        "if (direction.stopped) revert CreditIsStopped(agreementId, creditor);\n\n",
        "",
        credit_stopped,
    ),
    Fault(
        "set-off meets the line",
        CREDIT,
        "CreditBook.sol",
        "exposure > limit && !withinBefore",
        "exposure > limit",
        test_set_off.test_set_off_never_meets_the_line,
    ),
    Fault(
        "what only the debtor declared is forgotten",
        BOOK,
        "settlement/Statements.sol",
        "} else if (creditorMicros != 0 || debtorMicros != 0) {",
        "} else if (creditorMicros != 0) {",
        test_statements.test_what_only_the_debtor_declared_is_not_left_out_either,
    ),
    Fault(
        "disputes are not added up",
        BOOK,
        "settlement/Disputes.sol",
        "uint256(_withheldMicros[lineKey]) + dispute.amountMicros",
        "uint256(dispute.amountMicros)",
        disputed_twice,
    ),
    Fault(
        "a netting leg is off by one",
        BOOK,
        "settlement/Netting.sol",
        "if (sheet.fromItems[i] != sheet.fromLegs[i]) {",
        "int256 off = sheet.fromItems[i] - sheet.fromLegs[i];\nif (off > 1 || off < -1) {",
        leg_off_by_one,
    ),
    Fault(
        "an item is netted twice",
        BOOK,
        "settlement/Netting.sol",
        "if (item.netted) revert ItemAlreadyNetted(itemId);",
        "",
        item_twice,
    ),
    Fault(
        "a payment has no bound",
        BOOK,
        "settlement/Payables.sol",
        "if (amount > owed) revert Overpayment(owed, amount);",
        "if (amount > owed) amount = owed;",
        overpaid,
    ),
)


@pytest.fixture(scope="module")
def anvil() -> Iterator[LocalChain]:
    """A chain of its own: the faulty contracts stand beside honest ones."""
    with LocalChain(Engine.ANVIL, start_at=SEPTEMBER) as chain:
        yield chain


@pytest.fixture
def fresh(anvil: LocalChain) -> Iterator[LocalChain]:
    """It, as it was at the start."""
    before = anvil.snapshot()
    yield anvil
    anvil.revert(before)


@pytest.fixture(scope="module")
def faulty_codes() -> Mapping[str, bytes]:
    """Creation code of each faulty contract, by the fault's name; the compiler runs once over a tree for each."""
    sources, outputs = {}, {}
    for number, fault in enumerate(FAULTS):
        sources |= {f"fault-{number}/{path}": {"content": text} for path, text in faulty_sources(fault).items()}
        outputs[target_of(number, fault)] = {fault.contract: ["evm.bytecode.object"]}
    request = {"language": "Solidity", "sources": sources, "settings": {**SETTINGS, "outputSelection": outputs}}
    compiled = solcx.compile_standard(request, base_path=ROOT, solc_binary=solc_program())["contracts"]
    return {
        fault.name: bytes.fromhex(compiled[target_of(number, fault)][fault.contract]["evm"]["bytecode"]["object"])
        for number, fault in enumerate(FAULTS)
    }


def faulty_sources(fault: Fault) -> Mapping[str, str]:
    """The contracts' sources with the fault in them."""
    sources, file = dict(read_sources()), f"contracts/{fault.file}"
    assert sources[file].count(fault.good) == 1, "the fault has its one place in the source"
    return sources | {file: sources[file].replace(fault.good, fault.bad)}


def target_of(number: int, fault: Fault) -> str:
    """Where the faulty contract's source stands."""
    return f"fault-{number}/contracts/{fault.contract}.sol"


def run(chain: LocalChain, fault: Fault, code: bytes | None) -> None:
    books = deploy_books(chain, {} if code is None else {fault.contract: code})
    with_agreements(books)
    fault.check(books)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_is_noticed(fresh: LocalChain, faulty_codes: Mapping[str, bytes], fault: Fault) -> None:
    before = fresh.snapshot()
    run(fresh, fault, None)
    fresh.revert(before)
    with pytest.raises((AssertionError, ContractRefused, pytest.fail.Exception)):
        run(fresh, fault, faulty_codes[fault.name])
