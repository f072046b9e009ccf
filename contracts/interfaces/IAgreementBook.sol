// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "../Types.sol";

/// @notice The commercial terms two carriers sign. `carrierLow < carrierHigh`, so both derive one id.
struct Terms {
    CarrierId carrierLow;
    CarrierId carrierHigh;
    bytes32 currency; // ISO 4217 in ASCII, left-aligned
    uint8 services; // bit 1 << Service
    uint32 noticeSeconds; // notice a rate increase needs
    uint32 paymentSeconds; // from the agreed statement to its due date
    uint32 acceptanceSeconds; // silence accepts after this
    uint16 interestBps; // simple, for each 30 days overdue
    uint32 stopCreditSeconds; // after the due date
    uint32 terminateSeconds; // after the due date
    bytes32 documentHash; // keccak256 of the whole agreement file in canonical bytes
    uint64 validFrom; // seconds
}

/// @notice New terms under the same agreement id; signed by both.
struct Amendment {
    AgreementId agreementId;
    uint32 version; // gapless; the terms first signed are version 1
    Terms terms; // validFrom: when they take effect
    uint64 deadline;
}

enum RateChange {
    Initial,
    Increase,
    Decrease
}

/// @notice A creditor's notice that a rate deck applies to its direction from a date on.
struct RateNotice {
    AgreementId agreementId;
    CarrierId creditor;
    Service service;
    RateChange change;
    bytes32 deckHash;
    uint64 effectiveAt; // seconds
    uint64 seq; // gapless for each agreement and creditor, from 1
    uint64 deadline;
}

/// @title What two carriers agreed
/// @notice Terms keep their id when they are amended. Carriers and currency never change, and a service once agreed stays
/// agreed. An amendment takes effect at a time to come and not before the version it follows, so the past keeps its terms:
/// a statement is drawn under the version in force when its period began (UTC), a payable's interest and arrears follow
/// the version in force on its due date, a rate notice the version in force when it is published.
/// Warning: the contract cannot read a deck; that an increase is not announced as a decrease is checked by the debtor,
/// against the deck whose hash stands here.
/// Warning: `documentHash` names the whole agreement; that the terms beside it say the same, its two signers judge.
/// Warning: times are block times, which the chain's validators choose within what their consensus allows.
interface IAgreementBook {
    event AgreementSigned(
        AgreementId indexed agreementId,
        CarrierId indexed carrierLow,
        CarrierId indexed carrierHigh,
        bytes32 currency,
        uint8 services,
        bytes32 documentHash,
        uint64 validFrom
    );
    event AgreementAmended(
        AgreementId indexed agreementId, uint32 version, uint8 services, bytes32 documentHash, uint64 validFrom
    );
    event RateDeckPublished(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        Service service,
        RateChange change,
        bytes32 deckHash,
        uint64 effectiveAt,
        uint64 seq,
        uint64 publishedAt
    );

    error CarriersNotSorted(CarrierId low, CarrierId high);
    error AgreementAlreadySigned(AgreementId agreementId);
    error AgreementUnknown(AgreementId agreementId);
    error TermsInvalid(string field); // the field's name; its bounds stand in docs/formats.md
    error VersionUnexpected(uint32 expected, uint32 got);
    error VersionsTooMany(uint256 max);
    /// @notice An amendment takes effect neither in the past nor before the version it follows.
    error AmendmentTooEarly(uint64 validFrom, uint64 earliestAt);
    error NotAParty(AgreementId agreementId, CarrierId carrier);
    error ServiceNotAgreed(AgreementId agreementId, Service service);
    /// @notice A rate increase needs its notice period, counted from this block.
    error NoticeTooShort(uint64 effectiveAt, uint64 earliestAt);
    error RateSequenceUnexpected(uint64 expected, uint64 got);
    error InitialDeckMissing(AgreementId agreementId, CarrierId creditor, Service service);
    error InitialDeckAlreadyPublished(AgreementId agreementId, CarrierId creditor, Service service);

    function sign(Terms calldata terms, bytes calldata signatureLow, bytes calldata signatureHigh)
        external
        returns (AgreementId agreementId);
    /// @notice At most 64 times for one agreement.
    function amend(Amendment calldata amendment, bytes calldata signatureLow, bytes calldata signatureHigh) external;
    /// @notice An increase takes effect after its notice period, a decrease not before this block, a first deck at any
    /// time.
    function publishRates(RateNotice calldata notice, bytes calldata signature) external;

    /// @notice The EIP-712 struct hash of the terms, the same on every chain.
    function idOf(Terms calldata terms) external pure returns (AgreementId);
    /// @notice The terms in force at this block's time; before the first take effect, the first.
    function termsOf(AgreementId agreementId) external view returns (Terms memory);
    function termsAt(AgreementId agreementId, uint64 atSeconds) external view returns (Terms memory);
    /// @notice The terms in force when the period began, UTC.
    function termsOfPeriod(AgreementId agreementId, Period period) external view returns (Terms memory);
    /// @notice How many versions both have signed.
    function versionsOf(AgreementId agreementId) external view returns (uint32);
    /// @notice The other party of the agreement; reverts if `carrier` is not one.
    function counterpartyOf(AgreementId agreementId, CarrierId carrier) external view returns (CarrierId);
    /// @notice Reverts unless both are its two parties' and the service is agreed. Returns the debtor of that
    /// direction.
    function requireDirection(AgreementId agreementId, CarrierId creditor, Service service)
        external
        view
        returns (CarrierId debtor);
}
