// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {AgreementId, CarrierId} from "./Types.sol";
import {CarrierSigned} from "./base/CarrierSigned.sol";
import {IAgreementBook, Terms} from "./interfaces/IAgreementBook.sol";
import {ICreditBook} from "./interfaces/ICreditBook.sol";
import {ArrearsStage, IPaymentBook, PayeeChange, PaymentConfirmation} from "./interfaces/IPaymentBook.sol";
import {ISettlementBook} from "./interfaces/ISettlementBook.sol";

/// @dev What must be paid, what was, and what is late? NatSpec stands in the interface.
contract PaymentBook is IPaymentBook, CarrierSigned, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 private constant PAYMENT_CONFIRMATION_TYPEHASH = keccak256(
        "PaymentConfirmation(bytes32 payableId,uint128 amountMicros,bytes32 bankReference,uint64 deadline)"
    );
    bytes32 private constant PAYEE_CHANGE_TYPEHASH =
        keccak256("PayeeChange(bytes32 carrier,address payee,uint64 nonce,uint64 deadline)");
    /// @dev Interest is kept as micros x basis points x seconds, so that it is rounded (down) only when it is read.
    uint256 private constant INTEREST_UNIT = 10_000 * 30 days;

    struct Payable {
        AgreementId agreementId;
        CarrierId creditor;
        uint128 principalMicros; // outstanding
        uint64 dueAt; // 0: unknown
        uint64 accruedAt; // interest is counted up to here
        ArrearsStage stage;
        uint256 interestAccrued; // micros x bps x seconds
        uint128 interestPaidMicros;
    }

    struct Payee {
        address payee;
        uint64 nonce;
    }

    IAgreementBook public immutable AGREEMENTS;
    ICreditBook public immutable CREDIT;
    ISettlementBook public immutable SETTLEMENT;

    mapping(bytes32 payableId => Payable) private _payables;
    mapping(bytes32 payableId => mapping(bytes32 bankReference => bool)) private _confirmed;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => uint256)) private _stoppedPayables;
    mapping(CarrierId carrier => Payee) private _payees;

    constructor(address registry, address agreements, address credit, address settlement) CarrierSigned(registry) {
        AGREEMENTS = IAgreementBook(agreements);
        CREDIT = ICreditBook(credit);
        SETTLEMENT = ISettlementBook(settlement);
    }

    /* PAYEES */

    function setPayee(PayeeChange calldata change, bytes calldata signature) external {
        Payee storage payee = _payees[change.carrier];
        if (change.nonce != payee.nonce + 1) revert PayeeNonceUnexpected(payee.nonce + 1, change.nonce);
        _requireInTime(change.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(PAYEE_CHANGE_TYPEHASH, change)));
        _requireKey(change.carrier, digest, signature);

        _payees[change.carrier] = Payee({payee: change.payee, nonce: change.nonce});
        emit PayeeChanged(change.carrier, change.payee, change.nonce);
    }

    function payeeOf(CarrierId carrier) public view returns (address) {
        return _payees[carrier].payee;
    }

    /* PAYABLES */

    function openPayable(
        bytes32 cycleId,
        AgreementId agreementId,
        CarrierId creditor,
        CarrierId debtor,
        uint128 amountMicros,
        uint64 dueAt
    ) external returns (bytes32 payableId) {
        if (msg.sender != address(SETTLEMENT)) revert ICreditBook.OnlyTheBooks(msg.sender);

        payableId = keccak256(abi.encode(cycleId, agreementId, creditor));
        Payable storage due = _payables[payableId];
        due.agreementId = agreementId;
        due.creditor = creditor;
        due.principalMicros = amountMicros;
        due.dueAt = dueAt;
        due.accruedAt = dueAt;
        emit PayableOpened(payableId, cycleId, agreementId, creditor, debtor, amountMicros, dueAt);
    }

    /* PAYMENT */

    /// @dev What arrived is known only after the token's call, so here the call comes before the effects, under guard.
    function pay(bytes32 payableId, address token, uint128 amountMicros) external nonReentrant {
        Payable storage due = _unpaid(payableId);
        bytes32 currency = AGREEMENTS.termsOf(due.agreementId).currency;
        if (REGISTRY.currencyOfToken(token) != currency) revert TokenNotListed(token, currency);
        address payee = payeeOf(due.creditor);
        if (payee == address(0)) revert PayeeUnknown(due.creditor);
        _requireOwed(due, amountMicros);

        uint256 before = IERC20(token).balanceOf(payee);
        IERC20(token).safeTransferFrom(msg.sender, payee, amountMicros);
        _credit(payableId, token, IERC20(token).balanceOf(payee) - before, 0);
    }

    function confirmPayment(PaymentConfirmation calldata confirmation, bytes calldata signature)
        external
        nonReentrant
    {
        bytes32 payableId = confirmation.payableId;
        Payable storage due = _unpaid(payableId);
        if (_confirmed[payableId][confirmation.bankReference]) revert BankReferenceUsed(confirmation.bankReference);
        _requireInTime(confirmation.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(PAYMENT_CONFIRMATION_TYPEHASH, confirmation)));
        _requireKey(due.creditor, digest, signature);

        _confirmed[payableId][confirmation.bankReference] = true;
        _credit(payableId, address(0), confirmation.amountMicros, confirmation.bankReference);
    }

    /* ARREARS */

    function advanceArrears(bytes32 payableId) external nonReentrant {
        Payable storage due = _unpaid(payableId);
        ArrearsStage stage = _nextStage(payableId, due);

        due.stage = stage;
        emit ArrearsAdvanced(payableId, stage, due.principalMicros, _interest(due, _now()), _now());
        if (stage == ArrearsStage.CreditStopped) {
            _stoppedPayables[due.agreementId][due.creditor] += 1;
            if (_stoppedPayables[due.agreementId][due.creditor] == 1) CREDIT.stop(due.agreementId, due.creditor);
        }
    }

    /* VIEWS */

    function interestMicros(bytes32 payableId, uint64 atSeconds) external view returns (uint128) {
        return _interest(_payable(payableId), atSeconds);
    }

    function directionOf(bytes32 payableId) external view returns (AgreementId agreementId, CarrierId creditor) {
        Payable storage due = _payable(payableId);
        return (due.agreementId, due.creditor);
    }

    function outstandingOf(bytes32 payableId)
        external
        view
        returns (uint128 principalMicros, uint128 interestMicros_, uint64 dueAt, ArrearsStage stage)
    {
        Payable storage due = _payable(payableId);
        return (due.principalMicros, _interest(due, _now()), due.dueAt, due.stage);
    }

    /* INTERNAL */

    /// @dev Interest first, then principal.
    function _credit(bytes32 payableId, address token, uint256 amount, bytes32 bankReference) private {
        Payable storage due = _payables[payableId];
        uint128 interest = _requireOwed(due, amount);
        uint128 amountMicros = SafeCast.toUint128(amount);
        uint128 interestPaid = amountMicros < interest ? amountMicros : interest;
        uint128 principalPaid = amountMicros - interestPaid;

        _accrue(due);
        due.interestPaidMicros += interestPaid;
        due.principalMicros -= principalPaid;
        uint128 left = due.principalMicros;
        emit PaymentReceived(payableId, token, amountMicros, interestPaid, left, bankReference, _now());

        if (principalPaid > 0) CREDIT.reduce(due.agreementId, due.creditor, principalPaid);
        if (left > 0) return;
        if (due.stage >= ArrearsStage.CreditStopped) _release(due);
        SETTLEMENT.legPaid(payableId);
    }

    function _release(Payable storage due) private {
        _stoppedPayables[due.agreementId][due.creditor] -= 1;
        if (_stoppedPayables[due.agreementId][due.creditor] == 0) CREDIT.resume(due.agreementId, due.creditor);
    }

    function _accrue(Payable storage due) private {
        due.interestAccrued = _accrued(due, _now());
        if (_now() > due.accruedAt) due.accruedAt = _now();
    }

    /// @dev Returns the interest within what is owed.
    function _requireOwed(Payable storage due, uint256 amount) private view returns (uint128 interest) {
        interest = _interest(due, _now());
        uint256 owed = uint256(due.principalMicros) + interest;
        if (amount == 0) revert ISettlementBook.AmountZero();
        if (amount > owed) revert Overpayment(owed, amount);
    }

    function _nextStage(bytes32 payableId, Payable storage due) private view returns (ArrearsStage) {
        if (due.stage == ArrearsStage.Current) {
            if (_now() <= due.dueAt) revert NotOverdue(payableId, due.dueAt, _now());
            return ArrearsStage.Overdue;
        }
        if (due.stage == ArrearsStage.Terminated) revert ArrearsComplete(payableId);
        Terms memory terms = AGREEMENTS.termsAt(due.agreementId, due.dueAt);
        bool stops = due.stage == ArrearsStage.Overdue;
        ArrearsStage stage = stops ? ArrearsStage.CreditStopped : ArrearsStage.Terminated;
        uint64 readyAt = due.dueAt + (stops ? terms.stopCreditSeconds : terms.terminateSeconds);
        if (_now() < readyAt) revert ArrearsNotReady(payableId, stage, readyAt, _now());
        return stage;
    }

    function _interest(Payable storage due, uint64 atSeconds) private view returns (uint128) {
        return SafeCast.toUint128(_accrued(due, atSeconds) / INTEREST_UNIT) - due.interestPaidMicros;
    }

    function _accrued(Payable storage due, uint64 atSeconds) private view returns (uint256) {
        if (atSeconds <= due.accruedAt) return due.interestAccrued;
        uint256 bps = AGREEMENTS.termsAt(due.agreementId, due.dueAt).interestBps;
        return due.interestAccrued + bps * due.principalMicros * (atSeconds - due.accruedAt);
    }

    function _unpaid(bytes32 payableId) private view returns (Payable storage due) {
        due = _payable(payableId);
        if (due.principalMicros == 0) revert PayableAlreadyPaid(payableId);
    }

    function _payable(bytes32 payableId) private view returns (Payable storage due) {
        due = _payables[payableId];
        if (due.dueAt == 0) revert PayableUnknown(payableId);
    }
    function _now() private view returns (uint64) {
        return uint64(block.timestamp);
    }
}
