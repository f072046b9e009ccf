// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "../Types.sol";
import {Dispute, DisputeState, Investigation, Resolution, Withdrawal} from "../interfaces/ISettlementBook.sol";
import {Items} from "./Items.sol";

/// @dev What does a debtor not agree to pay, and how did it end?
abstract contract Disputes is Items {
    bytes32 private constant DISPUTE_TYPEHASH = keccak256(
        "Dispute(bytes32 agreementId,uint32 period,bytes32 creditor,uint8 service,bytes32 reason,uint128 amountMicros,bytes32 evidenceHash,uint64 nonce,uint64 deadline)"
    );
    bytes32 private constant WITHDRAWAL_TYPEHASH = keccak256("Withdrawal(bytes32 disputeId,uint64 deadline)");
    bytes32 private constant INVESTIGATION_TYPEHASH = keccak256("Investigation(bytes32 disputeId,uint64 deadline)");
    bytes32 private constant RESOLUTION_TYPEHASH =
        keccak256("Resolution(bytes32 disputeId,uint128 creditedMicros,uint128 dueMicros,uint64 deadline)");
    /// @dev For each direction and period, withdrawn ones included.
    uint256 private constant MAX_DISPUTES = 64;

    struct DisputeRecord {
        AgreementId agreementId;
        CarrierId creditor;
        uint128 amountMicros;
        Period period;
        Service service;
        DisputeState state;
        bytes32 reason;
    }

    mapping(bytes32 disputeId => DisputeRecord) private _disputes;
    mapping(bytes32 lineKey => uint128 micros) private _withheldMicros;
    mapping(bytes32 directionKey => uint256) private _disputeCounts;
    mapping(bytes32 lineKey => mapping(bytes32 reason => bytes32 disputeId)) private _standing; // withdrawn ones do not

    /* DISPUTES */

    function openDispute(Dispute calldata dispute, bytes calldata signature) external returns (bytes32 disputeId) {
        CarrierId debtor = AGREEMENTS.requireDirection(dispute.agreementId, dispute.creditor, dispute.service);
        _requireDisputable(dispute, debtor);
        disputeId = _hashTypedDataV4(keccak256(abi.encode(DISPUTE_TYPEHASH, dispute)));
        if (_disputes[disputeId].state != DisputeState.None) revert DisputeAlreadyOpen(disputeId);
        _requireKey(debtor, disputeId, signature);

        _withhold(dispute, disputeId);
        _disputes[disputeId] = DisputeRecord({
            agreementId: dispute.agreementId,
            creditor: dispute.creditor,
            amountMicros: dispute.amountMicros,
            period: dispute.period,
            service: dispute.service,
            state: DisputeState.Generated,
            reason: dispute.reason
        });
        emit DisputeOpened(
            disputeId,
            dispute.agreementId,
            dispute.period,
            dispute.creditor,
            dispute.service,
            dispute.reason,
            dispute.amountMicros,
            dispute.evidenceHash,
            _now()
        );
    }

    function investigate(Investigation calldata investigation, bytes calldata signature) external {
        DisputeRecord storage dispute = _dispute(investigation.disputeId);
        if (dispute.state != DisputeState.Generated) {
            revert DisputeStateUnexpected(investigation.disputeId, dispute.state);
        }
        _requireInTime(investigation.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(INVESTIGATION_TYPEHASH, investigation)));
        _requireKey(dispute.creditor, digest, signature);

        _move(investigation.disputeId, DisputeState.UnderInvestigation, 0, 0);
    }

    function withdrawDispute(Withdrawal calldata withdrawal, bytes calldata signature) external {
        DisputeRecord storage dispute = _stillOpen(withdrawal.disputeId);
        _requireInTime(withdrawal.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(WITHDRAWAL_TYPEHASH, withdrawal)));
        _requireKey(AGREEMENTS.counterpartyOf(dispute.agreementId, dispute.creditor), digest, signature);

        uint128 amountMicros = dispute.amountMicros;
        _move(withdrawal.disputeId, DisputeState.Withdrawn, 0, amountMicros);
        if (agreedStatement[dispute.agreementId][dispute.period] == 0) {
            bytes32 lineKey = _lineKey(dispute.agreementId, dispute.period, dispute.creditor, dispute.service);
            _withheldMicros[lineKey] -= amountMicros;
            _standing[lineKey][dispute.reason] = 0;
        } else {
            _openDue(withdrawal.disputeId, dispute, amountMicros);
        }
    }

    function resolveDispute(
        Resolution calldata resolution,
        bytes calldata signatureCreditor,
        bytes calldata signatureDebtor
    ) external {
        DisputeRecord storage dispute = _stillOpen(resolution.disputeId);
        uint256 resolvedMicros = uint256(resolution.creditedMicros) + resolution.dueMicros;
        if (resolvedMicros != dispute.amountMicros) revert ResolutionMismatch(dispute.amountMicros, resolvedMicros);
        _requireInTime(resolution.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(RESOLUTION_TYPEHASH, resolution)));
        _requireKey(dispute.creditor, digest, signatureCreditor);
        _requireKey(AGREEMENTS.counterpartyOf(dispute.agreementId, dispute.creditor), digest, signatureDebtor);

        DisputeState state = resolution.dueMicros == 0 ? DisputeState.Credited : DisputeState.PaymentDue;
        _move(resolution.disputeId, state, resolution.creditedMicros, resolution.dueMicros);
        if (resolution.dueMicros > 0) _openDue(resolution.disputeId, dispute, resolution.dueMicros);

        if (resolution.creditedMicros > 0) {
            CREDIT.reduce(dispute.agreementId, dispute.creditor, resolution.creditedMicros);
        }
    }

    /* VIEWS */

    function disputeOf(bytes32 disputeId) external view returns (DisputeState state, uint128 amountMicros) {
        return (_disputes[disputeId].state, _disputes[disputeId].amountMicros);
    }

    function withheldMicros(AgreementId agreementId, Period period, CarrierId creditor, Service service)
        public
        view
        returns (uint128)
    {
        return _withheldMicros[_lineKey(agreementId, period, creditor, service)];
    }

    /* INTERNAL */

    /// @dev What the dispute decided is paid: it is over.
    function _settleDispute(bytes32 disputeId, uint128 paidMicros) internal {
        _move(disputeId, DisputeState.Settled, 0, paidMicros);
    }

    /// @dev Whether an item of this source is a dispute's and waits to be paid.
    function _isDue(bytes32 source) internal view returns (bool) {
        return _disputes[source].state == DisputeState.PaymentDue;
    }

    function _requireDisputable(Dispute calldata dispute, CarrierId debtor) private view {
        if (dispute.amountMicros == 0) revert AmountZero();
        _requireInTime(dispute.deadline);
        _requireClosed(dispute.agreementId, dispute.creditor, dispute.period);
        _requireClosed(dispute.agreementId, debtor, dispute.period);
        if (agreedStatement[dispute.agreementId][dispute.period] != 0) {
            revert DisputeTooLate(dispute.agreementId, dispute.period);
        }
    }

    function _withhold(Dispute calldata dispute, bytes32 disputeId) private {
        bytes32 directionKey = keccak256(abi.encode(dispute.agreementId, dispute.period, dispute.creditor));
        if (_disputeCounts[directionKey] == MAX_DISPUTES) revert DisputeLimitReached(MAX_DISPUTES);
        bytes32 lineKey = _lineKey(dispute.agreementId, dispute.period, dispute.creditor, dispute.service);
        bytes32 standing = _standing[lineKey][dispute.reason];
        if (standing != 0) revert DisputeAlreadyOpen(standing);
        uint128 declaredMicros =
            _declared(dispute.agreementId, dispute.creditor, dispute.creditor, dispute.service, dispute.period);
        uint256 withheld = uint256(_withheldMicros[lineKey]) + dispute.amountMicros;
        if (withheld > declaredMicros) revert DisputeTooLarge(declaredMicros, withheld);

        _disputeCounts[directionKey] += 1;
        _withheldMicros[lineKey] = uint128(withheld);
        _standing[lineKey][dispute.reason] = disputeId;
    }

    function _openDue(bytes32 disputeId, DisputeRecord storage dispute, uint128 dueMicros) private {
        _openItem(disputeId, dispute.agreementId, dispute.creditor, dueMicros, _dueAt(dispute.agreementId));
    }

    function _move(bytes32 disputeId, DisputeState state, uint128 creditedMicros, uint128 dueMicros) private {
        _disputes[disputeId].state = state;
        emit DisputeStateChanged(disputeId, state, creditedMicros, dueMicros);
    }

    function _stillOpen(bytes32 disputeId) private view returns (DisputeRecord storage dispute) {
        dispute = _dispute(disputeId);
        if (dispute.state != DisputeState.Generated && dispute.state != DisputeState.UnderInvestigation) {
            revert DisputeStateUnexpected(disputeId, dispute.state);
        }
    }

    function _dispute(bytes32 disputeId) private view returns (DisputeRecord storage dispute) {
        dispute = _disputes[disputeId];
        if (dispute.state == DisputeState.None) revert DisputeUnknown(disputeId);
    }

    function _lineKey(AgreementId agreementId, Period period, CarrierId creditor, Service service)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(agreementId, period, creditor, service));
    }
}
