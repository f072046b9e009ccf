// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId} from "../Types.sol";

/// @notice The creditor's word that money arrived outside the chain.
struct PaymentConfirmation {
    bytes32 payableId;
    uint128 amountMicros;
    bytes32 bankReference; // hash of it; counts once for each payable
    uint64 deadline;
}

/// @notice Where a carrier wants token payments sent.
struct PayeeChange {
    CarrierId carrier;
    address payee;
    uint64 nonce; // from 1, gapless for each carrier
    uint64 deadline;
}

enum ArrearsStage {
    Current,
    Overdue,
    CreditStopped,
    Terminated
}

/// @title What must be paid, what was, and what is late
/// @notice A payable is a leg of a netting cycle, with a due date. It is owed until it is paid: in a listed token, or
/// outside the chain, as its creditor confirms.
/// Warning: a confirmation of payment by the creditor is its word; nobody else sees the bank.
/// Warning: a token pays what its transfer makes arrive at the payee; what the token itself is worth, the members judged
/// when they listed it.
/// Warning: nobody is made to advance the ladder: a late payable stops credit when somebody calls for the step.
interface IPaymentBook {
    event PayeeChanged(CarrierId indexed carrier, address indexed payee, uint64 nonce);
    event PayableOpened(
        bytes32 indexed payableId,
        bytes32 indexed cycleId,
        AgreementId indexed agreementId,
        CarrierId creditor,
        CarrierId debtor,
        uint128 amountMicros,
        uint64 dueAt
    );
    /// @notice `interestMicros` is the part of `amountMicros` that paid interest; `outstandingMicros` the principal
    /// left. `token` is zero for what the creditor confirmed, `bankReference` for what a token paid.
    event PaymentReceived(
        bytes32 indexed payableId,
        address indexed token,
        uint128 amountMicros,
        uint128 interestMicros,
        uint128 outstandingMicros,
        bytes32 bankReference,
        uint64 paidAt
    );
    /// @notice With the principal and the interest outstanding now.
    event ArrearsAdvanced(
        bytes32 indexed payableId,
        ArrearsStage stage,
        uint128 outstandingMicros,
        uint128 interestMicros,
        uint64 advancedAt
    );

    error PayableUnknown(bytes32 payableId);
    error PayableAlreadyPaid(bytes32 payableId);
    /// @notice More than principal and interest together.
    error Overpayment(uint256 outstandingMicros, uint256 gotMicros);
    /// @notice The creditor has not said where token payments go.
    error PayeeUnknown(CarrierId carrier);
    error PayeeNonceUnexpected(uint64 expected, uint64 got);
    /// @notice The members did not list this token for the agreement's currency.
    error TokenNotListed(address token, bytes32 currency);
    /// @notice This bank reference has already paid something on this payable.
    error BankReferenceUsed(bytes32 bankReference);
    error NotOverdue(bytes32 payableId, uint64 dueAt, uint64 nowAt);
    error ArrearsNotReady(bytes32 payableId, ArrearsStage stage, uint64 readyAt, uint64 nowAt);
    error ArrearsComplete(bytes32 payableId);

    /// @notice Opens the payable of a leg. For the settlement book only.
    function openPayable(
        bytes32 cycleId,
        AgreementId agreementId,
        CarrierId creditor,
        CarrierId debtor,
        uint128 amountMicros,
        uint64 dueAt
    ) external returns (bytes32 payableId);

    /// @notice Pays in a listed token from the sender; interest first, then principal; credited by what arrived.
    function pay(bytes32 payableId, address token, uint128 amountMicros) external;
    function confirmPayment(PaymentConfirmation calldata confirmation, bytes calldata signature) external;
    /// @notice Takes an overdue payable one step up the ladder; anyone may call it.
    function advanceArrears(bytes32 payableId) external;
    function setPayee(PayeeChange calldata change, bytes calldata signature) external;

    function payeeOf(CarrierId carrier) external view returns (address);
    function interestMicros(bytes32 payableId, uint64 atSeconds) external view returns (uint128);
    /// @notice The direction a payable belongs to.
    function directionOf(bytes32 payableId) external view returns (AgreementId agreementId, CarrierId creditor);
    function outstandingOf(bytes32 payableId)
        external
        view
        returns (uint128 principalMicros, uint128 interestMicros_, uint64 dueAt, ArrearsStage stage);
}
