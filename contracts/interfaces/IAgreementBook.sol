// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Service} from "../Types.sol";

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
/// Warning: the contract cannot read a deck; that an increase is not announced as a decrease is checked by the debtor,
/// against the deck whose hash stands here.
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
    /// @notice An increase takes effect after its notice period, a decrease not before this block, a first deck at any
    /// time.
    function publishRates(RateNotice calldata notice, bytes calldata signature) external;

    /// @notice The EIP-712 struct hash of the terms, the same on every chain.
    function idOf(Terms calldata terms) external pure returns (AgreementId);
    function termsOf(AgreementId agreementId) external view returns (Terms memory);
    /// @notice The other party of the agreement; reverts if `carrier` is not one.
    function counterpartyOf(AgreementId agreementId, CarrierId carrier) external view returns (CarrierId);
    /// @notice Reverts unless both are its two parties' and the service is agreed. Returns the debtor of that
    /// direction.
    function requireDirection(AgreementId agreementId, CarrierId creditor, Service service)
        external
        view
        returns (CarrierId debtor);
}
