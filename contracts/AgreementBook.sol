// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "./Types.sol";
import {Calendar} from "./base/Calendar.sol";
import {CarrierSigned} from "./base/CarrierSigned.sol";
import {Amendment, IAgreementBook, RateChange, RateNotice, Terms} from "./interfaces/IAgreementBook.sol";

/// @dev What did two carriers agree? NatSpec stands in the interface.
contract AgreementBook is IAgreementBook, CarrierSigned {
    bytes32 private constant TERMS_TYPEHASH = keccak256(
        "Terms(bytes32 carrierLow,bytes32 carrierHigh,bytes32 currency,uint8 services,uint32 noticeSeconds,uint32 paymentSeconds,uint32 acceptanceSeconds,uint16 interestBps,uint32 stopCreditSeconds,uint32 terminateSeconds,bytes32 documentHash,uint64 validFrom)"
    );
    bytes32 private constant AMENDMENT_TYPEHASH = keccak256(
        "Amendment(bytes32 agreementId,uint32 version,Terms terms,uint64 deadline)Terms(bytes32 carrierLow,bytes32 carrierHigh,bytes32 currency,uint8 services,uint32 noticeSeconds,uint32 paymentSeconds,uint32 acceptanceSeconds,uint16 interestBps,uint32 stopCreditSeconds,uint32 terminateSeconds,bytes32 documentHash,uint64 validFrom)"
    );
    bytes32 private constant RATE_NOTICE_TYPEHASH = keccak256(
        "RateNotice(bytes32 agreementId,bytes32 creditor,uint8 service,uint8 change,bytes32 deckHash,uint64 effectiveAt,uint64 seq,uint64 deadline)"
    );
    uint8 private constant ALL_SERVICES = 0x0f;
    uint16 private constant MAX_INTEREST_BPS = 10_000;
    uint256 private constant MAX_AMENDMENTS = 64;

    struct Notices {
        uint64 lastSeq;
        uint8 opened; // services that have their initial deck: bit 1 << Service
    }

    mapping(AgreementId agreementId => Terms) private _terms; // version 1
    mapping(AgreementId agreementId => Terms[]) private _amendments; // in order of time
    mapping(AgreementId agreementId => mapping(CarrierId creditor => Notices)) private _notices;

    constructor(address registry) CarrierSigned(registry) {}

    /* AGREEMENTS */

    function sign(Terms calldata terms, bytes calldata signatureLow, bytes calldata signatureHigh)
        external
        returns (AgreementId agreementId)
    {
        _requireValid(terms);
        bytes32 structHash = keccak256(abi.encode(TERMS_TYPEHASH, terms));
        agreementId = AgreementId.wrap(structHash);
        if (_known(agreementId)) revert AgreementAlreadySigned(agreementId);
        bytes32 digest = _hashTypedDataV4(structHash);
        _requireBoth(terms, digest, signatureLow, signatureHigh);

        _terms[agreementId] = terms;
        emit AgreementSigned(
            agreementId,
            terms.carrierLow,
            terms.carrierHigh,
            terms.currency,
            terms.services,
            terms.documentHash,
            terms.validFrom
        );
    }

    function amend(Amendment calldata amendment, bytes calldata signatureLow, bytes calldata signatureHigh) external {
        Terms calldata terms = amendment.terms;
        _requireAmends(amendment);
        _requireInTime(amendment.deadline);
        bytes32 termsHash = keccak256(abi.encode(TERMS_TYPEHASH, terms));
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    AMENDMENT_TYPEHASH, amendment.agreementId, amendment.version, termsHash, amendment.deadline
                )
            )
        );
        _requireBoth(terms, digest, signatureLow, signatureHigh);

        _amendments[amendment.agreementId].push(terms);
        emit AgreementAmended(
            amendment.agreementId, amendment.version, terms.services, terms.documentHash, terms.validFrom
        );
    }

    /* RATES */

    function publishRates(RateNotice calldata notice, bytes calldata signature) external {
        requireDirection(notice.agreementId, notice.creditor, notice.service);
        Notices storage notices = _notices[notice.agreementId][notice.creditor];
        if (notice.seq != notices.lastSeq + 1) revert RateSequenceUnexpected(notices.lastSeq + 1, notice.seq);
        _requireInTime(notice.deadline);
        _requireNotice(notice, notices.opened & _bit(notice.service) != 0);
        _requireActive(
            notice.creditor, _hashTypedDataV4(keccak256(abi.encode(RATE_NOTICE_TYPEHASH, notice))), signature
        );

        notices.lastSeq = notice.seq;
        notices.opened |= _bit(notice.service);
        emit RateDeckPublished(
            notice.agreementId,
            notice.creditor,
            notice.service,
            notice.change,
            notice.deckHash,
            notice.effectiveAt,
            notice.seq,
            uint64(block.timestamp)
        );
    }

    /* VIEWS */

    function idOf(Terms calldata terms) external pure returns (AgreementId) {
        return AgreementId.wrap(keccak256(abi.encode(TERMS_TYPEHASH, terms)));
    }

    function termsOf(AgreementId agreementId) external view returns (Terms memory) {
        return _inForce(agreementId, uint64(block.timestamp));
    }

    function termsAt(AgreementId agreementId, uint64 atSeconds) external view returns (Terms memory) {
        return _inForce(agreementId, atSeconds);
    }

    function termsOfPeriod(AgreementId agreementId, Period period) external view returns (Terms memory) {
        return _inForce(agreementId, Calendar.startOf(period));
    }

    function versionsOf(AgreementId agreementId) external view returns (uint32) {
        if (!_known(agreementId)) revert AgreementUnknown(agreementId);
        return uint32(_amendments[agreementId].length) + 1;
    }

    function counterpartyOf(AgreementId agreementId, CarrierId carrier) public view returns (CarrierId) {
        Terms storage terms = _terms[agreementId];
        CarrierId low = terms.carrierLow;
        CarrierId high = terms.carrierHigh;
        if (!_known(agreementId)) revert AgreementUnknown(agreementId);
        if (carrier == low) return high;
        if (carrier == high) return low;
        revert NotAParty(agreementId, carrier);
    }

    function requireDirection(AgreementId agreementId, CarrierId creditor, Service service)
        public
        view
        returns (CarrierId debtor)
    {
        debtor = counterpartyOf(agreementId, creditor);
        uint8 services = _inForce(agreementId, uint64(block.timestamp)).services;
        if (services & _bit(service) == 0) revert ServiceNotAgreed(agreementId, service);
    }

    /* INTERNAL */

    function _requireValid(Terms calldata terms) private pure {
        if (CarrierId.unwrap(terms.carrierLow) >= CarrierId.unwrap(terms.carrierHigh)) {
            revert CarriersNotSorted(terms.carrierLow, terms.carrierHigh);
        }
        if (terms.currency == 0) revert TermsInvalid("currency");
        if (terms.services == 0 || terms.services > ALL_SERVICES) revert TermsInvalid("services");
        if (terms.paymentSeconds == 0) revert TermsInvalid("paymentSeconds");
        if (terms.acceptanceSeconds == 0) revert TermsInvalid("acceptanceSeconds");
        if (terms.interestBps > MAX_INTEREST_BPS) revert TermsInvalid("interestBps");
        if (terms.terminateSeconds < terms.stopCreditSeconds) revert TermsInvalid("terminateSeconds");
        if (terms.documentHash == 0) revert TermsInvalid("documentHash");
        if (terms.validFrom == 0) revert TermsInvalid("validFrom");
    }

    function _requireBoth(
        Terms calldata terms,
        bytes32 digest,
        bytes calldata signatureLow,
        bytes calldata signatureHigh
    ) private view {
        _requireActive(terms.carrierLow, digest, signatureLow);
        _requireActive(terms.carrierHigh, digest, signatureHigh);
    }

    /// @dev The next version, of the same two carriers, in the same currency, from a time to come.
    function _requireAmends(Amendment calldata amendment) private view {
        AgreementId agreementId = amendment.agreementId;
        Terms calldata terms = amendment.terms;
        if (!_known(agreementId)) revert AgreementUnknown(agreementId);
        Terms[] storage amendments = _amendments[agreementId];
        uint256 count = amendments.length;
        if (amendment.version != count + 2) revert VersionUnexpected(uint32(count) + 2, amendment.version);
        if (count == MAX_AMENDMENTS) revert VersionsTooMany(MAX_AMENDMENTS);
        _requireValid(terms);
        Terms storage last = count == 0 ? _terms[agreementId] : amendments[count - 1];
        if (terms.carrierLow != last.carrierLow) revert NotAParty(agreementId, terms.carrierLow);
        if (terms.carrierHigh != last.carrierHigh) revert NotAParty(agreementId, terms.carrierHigh);
        if (terms.currency != last.currency) revert TermsInvalid("currency");
        if (terms.services & last.services != last.services) revert TermsInvalid("services");
        uint64 earliestAt = last.validFrom + 1;
        if (earliestAt < block.timestamp) earliestAt = uint64(block.timestamp);
        if (terms.validFrom < earliestAt) revert AmendmentTooEarly(terms.validFrom, earliestAt);
    }

    /// @dev Walks back from the latest version, at most 64 steps.
    function _inForce(AgreementId agreementId, uint64 atSeconds) private view returns (Terms storage terms) {
        if (!_known(agreementId)) revert AgreementUnknown(agreementId);
        Terms[] storage amendments = _amendments[agreementId];
        for (uint256 i = amendments.length; i > 0; --i) {
            terms = amendments[i - 1];
            if (terms.validFrom <= atSeconds) return terms;
        }
        return _terms[agreementId];
    }

    function _requireNotice(RateNotice calldata notice, bool opened) private view {
        if (notice.change == RateChange.Initial) {
            if (opened) revert InitialDeckAlreadyPublished(notice.agreementId, notice.creditor, notice.service);
            return;
        }
        if (!opened) revert InitialDeckMissing(notice.agreementId, notice.creditor, notice.service);
        uint64 earliestAt = uint64(block.timestamp);
        if (notice.change == RateChange.Increase) {
            earliestAt += _inForce(notice.agreementId, earliestAt).noticeSeconds;
        }
        if (notice.effectiveAt < earliestAt) revert NoticeTooShort(notice.effectiveAt, earliestAt);
    }

    function _known(AgreementId agreementId) private view returns (bool) {
        return CarrierId.unwrap(_terms[agreementId].carrierHigh) != 0;
    }

    function _bit(Service service) private pure returns (uint8) {
        return uint8(1 << uint8(service));
    }
}
