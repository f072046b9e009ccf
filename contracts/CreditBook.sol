// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId} from "./Types.sol";
import {CarrierSigned} from "./base/CarrierSigned.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {CreditLine, ICreditBook, LimitPolicy} from "./interfaces/ICreditBook.sol";

/// @dev How much may a debtor owe? NatSpec stands in the interface.
contract CreditBook is ICreditBook, CarrierSigned {
    bytes32 private constant CREDIT_LINE_TYPEHASH = keccak256(
        "CreditLine(bytes32 agreementId,bytes32 creditor,uint128 limitMicros,uint8 policy,uint64 nonce,uint64 deadline)"
    );
    uint256 private constant MAX_MICROS = type(uint120).max;

    /// @dev One slot: a declaration reads and writes it once.
    struct Direction {
        uint120 exposureMicros;
        uint120 limitMicros;
        LimitPolicy policy;
        bool stopped;
    }

    IAgreementBook public immutable AGREEMENTS;
    address public immutable USAGE;
    address public immutable SETTLEMENT;

    mapping(AgreementId agreementId => mapping(CarrierId creditor => Direction)) private _directions;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => uint64)) private _nonces;

    constructor(address registry, address agreements, address usage, address settlement) CarrierSigned(registry) {
        AGREEMENTS = IAgreementBook(agreements);
        USAGE = usage;
        SETTLEMENT = settlement;
    }

    modifier only(address book) {
        if (msg.sender != book) revert OnlyTheBooks(msg.sender);
        _;
    }

    /* CREDIT LINES */

    function grant(CreditLine calldata line, bytes calldata signature) external {
        AGREEMENTS.counterpartyOf(line.agreementId, line.creditor);
        uint64 nonce = _nonces[line.agreementId][line.creditor] + 1;
        if (line.nonce != nonce) revert LineNonceUnexpected(nonce, line.nonce);
        if (line.limitMicros > MAX_MICROS) revert AmountTooLarge(MAX_MICROS, line.limitMicros);
        _requireInTime(line.deadline);
        _requireActive(line.creditor, _hashTypedDataV4(keccak256(abi.encode(CREDIT_LINE_TYPEHASH, line))), signature);

        Direction storage direction = _directions[line.agreementId][line.creditor];
        _nonces[line.agreementId][line.creditor] = nonce;
        direction.limitMicros = uint120(line.limitMicros);
        direction.policy = line.policy;
        emit CreditLineGranted(
            line.agreementId, line.creditor, line.limitMicros, line.policy, direction.exposureMicros, nonce
        );
    }

    /* EXPOSURE */

    function raise(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external only(USAGE) {
        Direction storage direction = _directions[agreementId][creditor];
        if (direction.stopped) revert CreditIsStopped(agreementId, creditor);

        _grow(agreementId, creditor, amountMicros, direction.exposureMicros, false);
    }

    function raiseByLeg(AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint128 beforeMicros)
        external
        only(SETTLEMENT)
    {
        uint256 exposure = uint256(_directions[agreementId][creditor].exposureMicros) + amountMicros;
        _grow(agreementId, creditor, amountMicros, beforeMicros, exposure <= beforeMicros);
    }

    function reduce(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external only(SETTLEMENT) {
        Direction storage direction = _directions[agreementId][creditor];
        uint120 exposureMicros = direction.exposureMicros;
        if (amountMicros > exposureMicros) revert ExposureUnderflow(exposureMicros, amountMicros);

        exposureMicros -= uint120(amountMicros);
        direction.exposureMicros = exposureMicros;
        emit ExposureChanged(
            agreementId, creditor, -int256(uint256(amountMicros)), exposureMicros, direction.limitMicros
        );
    }

    /* STOPPED CREDIT */

    function stop(AgreementId agreementId, CarrierId creditor) external only(SETTLEMENT) {
        _directions[agreementId][creditor].stopped = true;
        emit CreditStopped(agreementId, creditor, uint64(block.timestamp));
    }

    function resume(AgreementId agreementId, CarrierId creditor) external only(SETTLEMENT) {
        _directions[agreementId][creditor].stopped = false;
        emit CreditResumed(agreementId, creditor, uint64(block.timestamp));
    }

    /* VIEWS */

    function exposureOf(AgreementId agreementId, CarrierId creditor) external view returns (uint128) {
        return _directions[agreementId][creditor].exposureMicros;
    }

    function lineOf(AgreementId agreementId, CarrierId creditor)
        external
        view
        returns (uint128 limitMicros, LimitPolicy policy, bool stopped, uint64 nonce)
    {
        Direction memory direction = _directions[agreementId][creditor];
        return (direction.limitMicros, direction.policy, direction.stopped, _nonces[agreementId][creditor]);
    }

    /* INTERNAL */

    /// @dev `beforeMicros` is what alerts are counted from; within it, a leg does not meet the line.
    function _grow(
        AgreementId agreementId,
        CarrierId creditor,
        uint128 amountMicros,
        uint256 beforeMicros,
        bool withinBefore
    ) private {
        Direction storage direction = _directions[agreementId][creditor];
        uint256 exposure = uint256(direction.exposureMicros) + amountMicros;
        uint256 limit = direction.limitMicros;
        if (exposure > MAX_MICROS) revert AmountTooLarge(MAX_MICROS, exposure);
        bool overrun = exposure > limit && !withinBefore;
        if (overrun && direction.policy == LimitPolicy.Refuse) {
            revert CreditLineExceeded(agreementId, creditor, uint128(exposure), uint128(limit));
        }

        direction.exposureMicros = uint120(exposure);
        emit ExposureChanged(
            agreementId, creditor, int256(uint256(amountMicros)), uint128(exposure), uint128(limit)
        );
        if (overrun) emit CreditLineOverrun(agreementId, creditor, uint128(exposure), uint128(limit));
        uint16 shareBps = _shareReached(exposure, limit);
        if (shareBps != 0 && shareBps > _shareReached(beforeMicros, limit)) {
            emit CreditAlert(agreementId, creditor, shareBps, uint128(exposure), uint128(limit));
        }
    }

    /// @dev The highest of the alert shares that the exposure has reached, or zero.
    function _shareReached(uint256 exposure, uint256 limit) private pure returns (uint16) {
        if (limit == 0 || 2 * exposure < limit) return 0;
        if (exposure >= limit) return 10_000;
        if (10 * exposure >= 9 * limit) return 9_000;
        return 4 * exposure >= 3 * limit ? 7_500 : 5_000;
    }
}
