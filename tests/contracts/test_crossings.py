"""Who may carry data across a border, and through which international gateway?"""

from collections import Counter
from dataclasses import replace

import pytest

from deploy.igw_seed import BORDER_BUREAUS, DIRECT_CHANNELS, IGW_SEED, NAMED, igw_code
from ledger.chain import bindings as b
from ledger.chain.bound import TypedRefusal
from ledger.identity import ascii32
from ledger.service import Service
from tests.contracts.books import (
    CN,
    DAY,
    GB,
    MEMBERS,
    NOVEMBER,
    OCTOBER,
    STRANGER,
    ZERO,
    Books,
    refused,
)
from tests.contracts.month import decide, declaration, declare
from tests.contracts.test_members import refused_by_the_members

REGISTRY, LEDGER = "CarrierRegistry", "UsageLedger"
INTERNATIONAL, DOMESTIC_DATA = ascii32("BASIC-INTL"), ascii32("A24-1")
BEIJING, DALIAN, NOWHERE = ascii32("GLOBAL-BEIJING"), ascii32("CHANNEL-DALIAN"), ascii32("BORDER-NOWHERE")
DATA = declaration(CN, GB, service=Service.DATA, igw=BEIJING)
FIRST, LAST = DATA.from_ms // 1000, DATA.to_ms // 1000
CROSSING = [Service.DATA, Service.IPL]


def licence(valid_from: int, valid_until: int, kind: bytes = INTERNATIONAL) -> bytes:
    """The members grant GB-B a licence."""
    return b.calldata_carrier_registry_grant_licence(GB.id, kind, valid_from, valid_until)


def listing(igw: bytes, valid_from: int = 0, valid_until: int = 0) -> bytes:
    listed = b.IgwListing(igw, b.IgwKind.BORDER_BUREAU, valid_from, valid_until)
    return b.calldata_carrier_registry_list_igw(listed)


def licensed(books: Books, first: int, last: int) -> bool:
    call = b.calldata_carrier_registry_is_licensed(GB.id, INTERNATIONAL, first, last)
    return b.result_carrier_registry_is_licensed(books.call(REGISTRY, call))


# REFUSALS: DECLARATIONS


@pytest.mark.parametrize("service", CROSSING, ids=str)
def test_data_and_private_lines_need_the_creditors_licence(books: Books, service: Service) -> None:
    with refused(b.LicenceMissing(GB.id, INTERNATIONAL, FIRST, LAST)):
        books.call(LEDGER, declare(books, replace(DATA, service=service)))


@pytest.mark.parametrize("service", CROSSING, ids=str)
@pytest.mark.parametrize("igw", [ZERO, NOWHERE], ids=["none", "one that nobody listed"])
def test_data_and_private_lines_name_a_listed_igw(books: Books, service: Service, igw: bytes) -> None:
    decide(books, licence(OCTOBER, 0))
    with refused(b.IgwNotValid(igw, FIRST, LAST)):
        books.call(LEDGER, declare(books, replace(DATA, service=service, igw=igw)))


def test_a_licence_of_the_debtor_does_not_cover_the_creditor(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_grant_licence(CN.id, INTERNATIONAL, 0, 0))
    with refused(b.LicenceMissing(GB.id, INTERNATIONAL, FIRST, LAST)):
        books.call(LEDGER, declare(books, DATA))


def test_a_domestic_licence_covers_no_crossing(books: Books) -> None:
    decide(books, licence(0, 0, DOMESTIC_DATA))
    with refused(b.LicenceMissing(GB.id, INTERNATIONAL, FIRST, LAST)):
        books.call(LEDGER, declare(books, DATA))


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [(FIRST + 1, 0), (FIRST, LAST), (FIRST - DAY, FIRST)],
    ids=["begins a second late", "ends a second early", "was over"],
)
def test_a_licence_covers_every_event(books: Books, valid_from: int, valid_until: int) -> None:
    decide(books, licence(valid_from, valid_until))
    with refused(b.LicenceMissing(GB.id, INTERNATIONAL, FIRST, LAST)):
        books.call(LEDGER, declare(books, DATA))


@pytest.mark.parametrize(("valid_from", "valid_until"), [(FIRST + 1, 0), (0, LAST)])
def test_an_igw_is_valid_for_every_event(books: Books, valid_from: int, valid_until: int) -> None:
    decide(books, licence(0, 0))
    decide(books, listing(NOWHERE, valid_from, valid_until))
    with refused(b.IgwNotValid(NOWHERE, FIRST, LAST)):
        books.call(LEDGER, declare(books, replace(DATA, igw=NOWHERE)))


# REFUSALS: THE REGISTER


@pytest.mark.parametrize(
    "call",
    [
        licence(0, 0),
        b.calldata_carrier_registry_revoke_licence(GB.id, INTERNATIONAL),
        listing(NOWHERE),
        b.calldata_carrier_registry_delist_igw(BEIJING),
    ],
    ids=["grant", "revoke", "list", "delist"],
)
def test_no_member_alone_touches_licences_and_gateways(books: Books, call: bytes) -> None:
    with refused(b.NotTheMembers(books.accounts[MEMBERS[0]])):
        books.call(REGISTRY, call, MEMBERS[0])


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (licence(5, 5), b.ValidityEmpty(5, 5)),
        (licence(0, 0, ZERO), b.CodeEmpty()),
        (b.calldata_carrier_registry_grant_licence(STRANGER.id, INTERNATIONAL, 0, 0), b.CarrierUnknown(STRANGER.id)),
        (listing(ZERO), b.CodeEmpty()),
        (listing(NOWHERE, 9, 8), b.ValidityEmpty(9, 8)),
        (listing(ascii32("BORDER-ZHUHAI"), 5), b.ValidityOverlaps(0, 5)),
        (listing(BEIJING), b.IgwKindUnexpected(BEIJING, b.IgwKind.GLOBAL_BUREAU, b.IgwKind.BORDER_BUREAU)),
    ],
)
def test_what_does_not_fit_the_register_is_refused(books: Books, call: bytes, refusal: TypedRefusal) -> None:
    refused_by_the_members(books, call, refusal)


def test_licences_of_one_class_never_overlap(books: Books) -> None:
    decide(books, licence(OCTOBER, NOVEMBER))
    refused_by_the_members(books, licence(NOVEMBER - 1, 0), b.ValidityOverlaps(NOVEMBER, NOVEMBER - 1))


def test_what_is_not_granted_or_listed_is_not_ended(books: Books) -> None:
    for call, kind in (
        (b.calldata_carrier_registry_revoke_licence(GB.id, INTERNATIONAL), b.LicenceMissing),
        (b.calldata_carrier_registry_delist_igw(NOWHERE), b.IgwNotValid),
    ):
        with pytest.raises(b.ProposalFailed) as caught:
            decide(books, call)
        assert isinstance(b.error_of(caught.value.reason), kind)


def test_a_removed_carrier_gets_no_licence(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_remove(GB.id))
    refused_by_the_members(books, licence(0, 0), b.CarrierIsRemoved(GB.id))


# WHAT IS RIGHT


@pytest.mark.parametrize("service", CROSSING, ids=str)
def test_a_licensed_creditor_declares_through_a_listed_igw(books: Books, service: Service) -> None:
    decide(books, licence(FIRST, LAST + 1))
    for declarer in (CN, GB):
        declared = replace(DATA, service=service, declarer=declarer.id, igw=DALIAN)
        assert books.send(LEDGER, declare(books, declared)).only(b.UsageDeclared).declaration.igw == DALIAN


@pytest.mark.parametrize("service", [Service.VOICE, Service.SMS], ids=str)
def test_voice_and_sms_need_neither(books: Books, service: Service) -> None:
    books.call(LEDGER, declare(books, declaration(CN, GB, service=service)))


def test_what_a_revoked_licence_covered_stays_covered_and_later_usage_does_not(books: Books) -> None:
    decide(books, licence(OCTOBER, 0))
    decide(books, b.calldata_carrier_registry_revoke_licence(GB.id, INTERNATIONAL))
    revoked_at = books.now()
    books.call(LEDGER, declare(books, DATA))
    books.chain.advance_to(revoked_at + DAY)
    assert licensed(books, OCTOBER, revoked_at - 1)
    assert not licensed(books, OCTOBER, revoked_at)
    late = replace(DATA, from_ms=revoked_at * 1000, to_ms=(revoked_at + 1) * 1000)
    with refused(b.LicenceMissing(GB.id, INTERNATIONAL, revoked_at, revoked_at + 1)):
        books.call(LEDGER, declare(books, late))


def test_what_a_delisted_igw_carried_can_still_be_declared(books: Books) -> None:
    decide(books, licence(OCTOBER, 0))
    decide(books, b.calldata_carrier_registry_delist_igw(BEIJING))
    books.call(LEDGER, declare(books, DATA))


def test_a_licence_that_is_prolonged_without_a_gap_covers_both_sides_of_the_seam(books: Books) -> None:
    decide(books, licence(OCTOBER, OCTOBER + DAY))
    decide(books, licence(OCTOBER + DAY, OCTOBER + 2 * DAY))
    assert licensed(books, OCTOBER, OCTOBER + 2 * DAY - 1)


def test_a_gap_between_two_licences_stays_uncovered(books: Books) -> None:
    decide(books, licence(OCTOBER, OCTOBER + DAY))
    decide(books, licence(OCTOBER + 2 * DAY, 0))
    assert licensed(books, OCTOBER, OCTOBER + DAY - 1)
    assert licensed(books, OCTOBER + 2 * DAY, NOVEMBER)
    assert not licensed(books, OCTOBER + DAY, OCTOBER + DAY)
    assert not licensed(books, OCTOBER, NOVEMBER)


def test_a_licence_revoked_before_it_began_was_never_there(books: Books) -> None:
    decide(books, licence(NOVEMBER + 300 * DAY, 0))
    decide(books, b.calldata_carrier_registry_revoke_licence(GB.id, INTERNATIONAL))
    decide(books, licence(OCTOBER, 0))
    assert licensed(books, OCTOBER, NOVEMBER + 400 * DAY)


# THE SEED


def test_the_seed_names_what_the_convention_names_and_no_more(books: Books) -> None:
    assert Counter(listed.kind for listed in IGW_SEED) == {
        b.IgwKind.GLOBAL_BUREAU: 3,
        b.IgwKind.REGIONAL_BUREAU: 7,
        b.IgwKind.BORDER_BUREAU: 4,
        b.IgwKind.DIRECT_CHANNEL: 6,
    }
    assert len({listed.igw for listed in IGW_SEED}) == 20
    assert len(NAMED[b.IgwKind.BORDER_BUREAU]) < BORDER_BUREAUS
    assert len(NAMED[b.IgwKind.DIRECT_CHANNEL]) < DIRECT_CHANNELS
    for listed in IGW_SEED:
        call = b.calldata_carrier_registry_igw_of(listed.igw, OCTOBER, NOVEMBER)
        found = b.result_carrier_registry_igw_of(books.call(REGISTRY, call))
        assert (found.kind, found.valid) == (listed.kind, True)


def test_fuzhou_is_a_regional_bureau_and_a_direct_channel() -> None:
    kinds = {b.IgwKind.REGIONAL_BUREAU: "REGIONAL-FUZHOU", b.IgwKind.DIRECT_CHANNEL: "CHANNEL-FUZHOU"}
    assert {kind: igw_code(kind, "FUZHOU") for kind in kinds} == kinds
