// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {AgreementId, CarrierId} from "./Types.sol";
import {CarrierSigned} from "./base/CarrierSigned.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {
    CreditLine,
    DepositApplication,
    DepositWithdrawal,
    ICreditBook,
    LimitPolicy
} from "./interfaces/ICreditBook.sol";
import {ArrearsStage, IPaymentBook} from "./interfaces/IPaymentBook.sol";
import {ISettlementBook} from "./interfaces/ISettlementBook.sol";

/// @dev How much may a debtor owe? NatSpec stands in the interface.
contract CreditBook is ICreditBook, CarrierSigned, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 private constant CREDIT_LINE_TYPEHASH = keccak256(
        "CreditLine(bytes32 agreementId,bytes32 creditor,uint128 limitMicros,uint8 policy,uint64 nonce,uint64 deadline)"
    );
    bytes32 private constant DEPOSIT_WITHDRAWAL_TYPEHASH = keccak256(
        "DepositWithdrawal(bytes32 agreementId,bytes32 creditor,address token,address to,uint128 amountMicros,uint64 nonce,uint64 deadline)"
    );
    bytes32 private constant DEPOSIT_APPLICATION_TYPEHASH = keccak256(
        "DepositApplication(bytes32 payableId,address token,uint128 amountMicros,uint64 nonce,uint64 deadline)"
    );
    uint256 private constant MAX_MICROS = type(uint120).max;

    /// @dev One slot: a declaration reads and writes it once.
    struct Direction {
        uint120 exposureMicros;
        uint120 limitMicros; // line and deposits
        LimitPolicy policy;
        bool stopped;
    }

    struct Deposits {
        uint120 totalMicros; // in all tokens
        uint64 nonce;
        mapping(address token => uint128 micros) byToken;
    }

    IAgreementBook public immutable AGREEMENTS;
    address public immutable USAGE;
    address public immutable SETTLEMENT;
    IPaymentBook public immutable PAYMENTS;

    mapping(AgreementId agreementId => mapping(CarrierId creditor => Direction)) private _directions;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => uint64)) private _nonces;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => Deposits)) private _deposits;

    constructor(address registry, address agreements, address usage, address settlement, address payments)
        CarrierSigned(registry)
    {
        AGREEMENTS = IAgreementBook(agreements);
        USAGE = usage;
        SETTLEMENT = settlement;
        PAYMENTS = IPaymentBook(payments);
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
        uint256 limit = uint256(line.limitMicros) + _deposits[line.agreementId][line.creditor].totalMicros;
        if (limit > MAX_MICROS) revert AmountTooLarge(MAX_MICROS, limit);
        _requireInTime(line.deadline);
        _requireActive(line.creditor, _hashTypedDataV4(keccak256(abi.encode(CREDIT_LINE_TYPEHASH, line))), signature);

        Direction storage direction = _directions[line.agreementId][line.creditor];
        _nonces[line.agreementId][line.creditor] = nonce;
        direction.limitMicros = uint120(limit);
        direction.policy = line.policy;
        emit CreditLineGranted(
            line.agreementId, line.creditor, line.limitMicros, line.policy, direction.exposureMicros, nonce
        );
    }

    /* DEPOSITS */

    /// @dev What arrived is known only after the token's call, so here the call comes before the effects, under guard.
    function deposit(AgreementId agreementId, CarrierId creditor, address token, uint128 amountMicros)
        external
        nonReentrant
    {
        AGREEMENTS.counterpartyOf(agreementId, creditor);
        bytes32 currency = AGREEMENTS.termsOf(agreementId).currency;
        if (REGISTRY.currencyOfToken(token) != currency) revert IPaymentBook.TokenNotListed(token, currency);

        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amountMicros);
        uint256 arrived = IERC20(token).balanceOf(address(this)) - before;
        if (arrived == 0) revert ISettlementBook.AmountZero();
        Direction storage direction = _directions[agreementId][creditor];
        uint256 limit = direction.limitMicros + arrived;
        if (limit > MAX_MICROS) revert AmountTooLarge(MAX_MICROS, limit);

        Deposits storage deposits = _deposits[agreementId][creditor];
        deposits.byToken[token] += uint128(arrived);
        deposits.totalMicros += uint120(arrived);
        direction.limitMicros = uint120(limit);
        emit DepositReceived(
            agreementId, creditor, token, uint128(arrived), deposits.totalMicros, uint128(limit)
        );
    }

    function withdrawDeposit(DepositWithdrawal calldata withdrawal, bytes calldata signature) external nonReentrant {
        AgreementId agreementId = withdrawal.agreementId;
        CarrierId creditor = withdrawal.creditor;
        Direction storage direction = _directions[agreementId][creditor];
        if (direction.stopped) revert CreditIsStopped(agreementId, creditor);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(DEPOSIT_WITHDRAWAL_TYPEHASH, withdrawal)));
        _requireDebtor(agreementId, creditor, withdrawal.nonce, withdrawal.deadline, digest, signature);

        _take(agreementId, creditor, withdrawal.token, withdrawal.amountMicros);
        if (direction.exposureMicros > direction.limitMicros) {
            revert DepositNeeded(direction.exposureMicros, direction.limitMicros);
        }
        emit DepositWithdrawn(
            agreementId,
            creditor,
            withdrawal.token,
            withdrawal.to,
            withdrawal.amountMicros,
            _deposits[agreementId][creditor].totalMicros,
            direction.limitMicros
        );
        IERC20(withdrawal.token).safeTransfer(withdrawal.to, withdrawal.amountMicros);
    }

    function applyDeposit(DepositApplication calldata application, bytes calldata signature) external nonReentrant {
        (AgreementId agreementId, CarrierId creditor) = PAYMENTS.directionOf(application.payableId);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(DEPOSIT_APPLICATION_TYPEHASH, application)));
        _requireDebtor(agreementId, creditor, application.nonce, application.deadline, digest, signature);

        _apply(agreementId, creditor, application.payableId, application.token, application.amountMicros);
    }

    function seizeDeposit(bytes32 payableId, address token) external nonReentrant {
        (AgreementId agreementId, CarrierId creditor) = PAYMENTS.directionOf(payableId);
        (uint128 principal, uint128 interest,, ArrearsStage stage) = PAYMENTS.outstandingOf(payableId);
        if (stage != ArrearsStage.Terminated) revert PayableNotTerminated(payableId);

        uint128 owed = principal + interest;
        uint128 held = _deposits[agreementId][creditor].byToken[token];
        _apply(agreementId, creditor, payableId, token, held < owed ? held : owed);
    }

    /* EXPOSURE */

    function raise(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external only(USAGE) {
        Direction storage slot = _directions[agreementId][creditor];
        Direction memory direction = slot;
        if (direction.stopped) revert CreditIsStopped(agreementId, creditor);

        slot.exposureMicros = _grow(agreementId, creditor, direction, amountMicros, direction.exposureMicros, false);
    }

    function raiseByLeg(AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint128 beforeMicros)
        external
        only(SETTLEMENT)
    {
        Direction storage slot = _directions[agreementId][creditor];
        Direction memory direction = slot;
        uint256 exposure = uint256(direction.exposureMicros) + amountMicros;
        slot.exposureMicros =
            _grow(agreementId, creditor, direction, amountMicros, beforeMicros, exposure <= beforeMicros);
    }

    function reduce(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external {
        if (msg.sender != SETTLEMENT && msg.sender != address(PAYMENTS)) revert OnlyTheBooks(msg.sender);
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

    function stop(AgreementId agreementId, CarrierId creditor) external only(address(PAYMENTS)) {
        _directions[agreementId][creditor].stopped = true;
        emit CreditStopped(agreementId, creditor, uint64(block.timestamp));
    }

    function resume(AgreementId agreementId, CarrierId creditor) external only(address(PAYMENTS)) {
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

    function depositOf(AgreementId agreementId, CarrierId creditor, address token)
        external
        view
        returns (uint128 amountMicros, uint128 totalMicros, uint64 nonce)
    {
        Deposits storage deposits = _deposits[agreementId][creditor];
        return (deposits.byToken[token], deposits.totalMicros, deposits.nonce);
    }

    /* INTERNAL */

    /// @dev The payment book takes the money as from any payer, and credits what arrives at the payee.
    function _apply(AgreementId agreementId, CarrierId creditor, bytes32 payableId, address token, uint128 amountMicros)
        private
    {
        _take(agreementId, creditor, token, amountMicros);
        emit DepositApplied(
            agreementId,
            creditor,
            payableId,
            token,
            amountMicros,
            _deposits[agreementId][creditor].totalMicros,
            _directions[agreementId][creditor].limitMicros
        );
        IERC20(token).forceApprove(address(PAYMENTS), amountMicros);
        PAYMENTS.pay(payableId, token, amountMicros);
    }

    function _take(AgreementId agreementId, CarrierId creditor, address token, uint128 amountMicros) private {
        Deposits storage deposits = _deposits[agreementId][creditor];
        uint128 held = deposits.byToken[token];
        if (amountMicros == 0) revert ISettlementBook.AmountZero();
        if (amountMicros > held) revert DepositTooSmall(held, amountMicros);

        deposits.byToken[token] = held - amountMicros;
        deposits.totalMicros -= uint120(amountMicros);
        _directions[agreementId][creditor].limitMicros -= uint120(amountMicros);
    }

    /// @dev Uses up the next nonce of the direction's deposits.
    function _requireDebtor(
        AgreementId agreementId,
        CarrierId creditor,
        uint64 nonce,
        uint64 deadline,
        bytes32 digest,
        bytes calldata signature
    ) private {
        Deposits storage deposits = _deposits[agreementId][creditor];
        if (nonce != deposits.nonce + 1) revert DepositNonceUnexpected(deposits.nonce + 1, nonce);
        _requireInTime(deadline);
        _requireKey(AGREEMENTS.counterpartyOf(agreementId, creditor), digest, signature);

        deposits.nonce = nonce;
    }

    /// @dev Returns the new exposure. `beforeMicros` is what alerts are counted from; within it, a leg does not meet the
    /// line.
    function _grow(
        AgreementId agreementId,
        CarrierId creditor,
        Direction memory direction,
        uint128 amountMicros,
        uint256 beforeMicros,
        bool withinBefore
    ) private returns (uint120) {
        uint256 exposure = uint256(direction.exposureMicros) + amountMicros;
        uint256 limit = direction.limitMicros;
        if (exposure > MAX_MICROS) revert AmountTooLarge(MAX_MICROS, exposure);
        bool overrun = exposure > limit && !withinBefore;
        if (overrun && direction.policy == LimitPolicy.Refuse) {
            revert CreditLineExceeded(agreementId, creditor, uint128(exposure), uint128(limit));
        }

        emit ExposureChanged(
            agreementId, creditor, int256(uint256(amountMicros)), uint128(exposure), uint128(limit)
        );
        if (overrun) emit CreditLineOverrun(agreementId, creditor, uint128(exposure), uint128(limit));
        uint16 shareBps = _shareReached(exposure, limit);
        if (shareBps != 0 && shareBps > _shareReached(beforeMicros, limit)) {
            emit CreditAlert(agreementId, creditor, shareBps, uint128(exposure), uint128(limit));
        }
        return uint120(exposure);
    }

    /// @dev The highest of the alert shares that the exposure has reached, or zero.
    function _shareReached(uint256 exposure, uint256 limit) private pure returns (uint16) {
        if (limit == 0 || 2 * exposure < limit) return 0;
        if (exposure >= limit) return 10_000;
        if (10 * exposure >= 9 * limit) return 9_000;
        return 4 * exposure >= 3 * limit ? 7_500 : 5_000;
    }
}
