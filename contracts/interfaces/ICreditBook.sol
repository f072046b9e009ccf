// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId} from "../Types.sol";

enum LimitPolicy {
    Refuse, // a declaration past the line reverts
    Flag // it passes, and the ledger says so
}

/// @notice A credit line for the debtor of one direction, granted by its creditor.
struct CreditLine {
    AgreementId agreementId;
    CarrierId creditor;
    uint128 limitMicros;
    LimitPolicy policy;
    uint64 nonce; // from 1, gapless for each agreement and creditor
    uint64 deadline;
}

/// @notice The debtor takes deposited money back.
struct DepositWithdrawal {
    AgreementId agreementId;
    CarrierId creditor;
    address token;
    address to;
    uint128 amountMicros;
    uint64 nonce; // from 1, gapless for each agreement and creditor
    uint64 deadline;
}

/// @notice The debtor pays a payable out of its deposit.
struct DepositApplication {
    bytes32 payableId;
    address token;
    uint128 amountMicros;
    uint64 nonce; // shared with the withdrawals
    uint64 deadline;
}

/// @title How much a debtor may owe
/// @notice exposure = declared by the creditor - credited - paid, over all services of a direction; what netting took
/// from a direction leaves it and what it put there joins it.
/// A deposit in a listed token raises the limit of its direction by what arrived: limit = line + deposits. The debtor
/// takes back what the exposure does not need, while its credit is not stopped, or pays payables of the direction with
/// it; once a payable is Terminated, anyone may have the deposit pay it.
/// Warning: a deposit is worth what its token is worth; a paused token can be neither withdrawn nor applied.
/// Warning: until a first line is granted the limit is zero and the policy is Refuse.
/// Warning: a smaller line stops new declarations; it does not undo what stands.
interface ICreditBook {
    event CreditLineGranted(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        uint128 limitMicros,
        LimitPolicy policy,
        uint128 exposureMicros,
        uint64 nonce
    );
    event DepositReceived(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        address indexed token,
        uint128 amountMicros,
        uint128 depositMicros,
        uint128 limitMicros
    );
    event DepositWithdrawn(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        address indexed token,
        address to,
        uint128 amountMicros,
        uint128 depositMicros,
        uint128 limitMicros
    );
    event DepositApplied(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        bytes32 indexed payableId,
        address token,
        uint128 amountMicros,
        uint128 depositMicros,
        uint128 limitMicros
    );
    event ExposureChanged(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        int256 changeMicros,
        uint128 exposureMicros,
        uint128 limitMicros
    );
    /// @notice Exposure reached one of the shares 50, 75, 90 and 100 % of the line.
    event CreditAlert(
        AgreementId indexed agreementId,
        CarrierId indexed creditor,
        uint16 shareBps,
        uint128 exposureMicros,
        uint128 limitMicros
    );
    event CreditLineOverrun(
        AgreementId indexed agreementId, CarrierId indexed creditor, uint128 exposureMicros, uint128 limitMicros
    );
    event CreditStopped(AgreementId indexed agreementId, CarrierId indexed creditor, uint64 stoppedAt);
    event CreditResumed(AgreementId indexed agreementId, CarrierId indexed creditor, uint64 resumedAt);

    /// @notice The declaration would take the debtor past its credit line.
    error CreditLineExceeded(AgreementId agreementId, CarrierId creditor, uint128 exposureMicros, uint128 limitMicros);
    /// @notice The debtor's credit is stopped for arrears.
    error CreditIsStopped(AgreementId agreementId, CarrierId creditor);
    error ExposureUnderflow(uint128 exposureMicros, uint128 reductionMicros);
    /// @notice The deposit in this token is smaller.
    error DepositTooSmall(uint128 depositMicros, uint128 amountMicros);
    /// @notice The exposure needs the deposit: without it, the limit would be below.
    error DepositNeeded(uint128 exposureMicros, uint128 limitMicros);
    error DepositNonceUnexpected(uint64 expected, uint64 got);
    /// @notice Only a terminated payable takes a deposit without the debtor's word.
    error PayableNotTerminated(bytes32 payableId);
    error LineNonceUnexpected(uint64 expected, uint64 got);
    error AmountTooLarge(uint256 maxMicros, uint256 gotMicros);
    error OnlyTheBooks(address sender);

    function grant(CreditLine calldata line, bytes calldata signature) external;

    /// @notice From the sender, for the debtor of the direction; credited by what arrived.
    function deposit(AgreementId agreementId, CarrierId creditor, address token, uint128 amountMicros) external;
    /// @notice Signed by the debtor; the exposure stays within the limit that is left.
    function withdrawDeposit(DepositWithdrawal calldata withdrawal, bytes calldata signature) external;
    /// @notice Signed by the debtor, at any time: a blocked debtor can pay with its deposit.
    function applyDeposit(DepositApplication calldata application, bytes calldata signature) external;
    /// @notice Anyone, for a terminated payable: as much of the deposit as the payable takes.
    function seizeDeposit(bytes32 payableId, address token) external;

    /// @notice The creditor declared more. For the usage ledger only.
    function raise(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external;
    /// @notice Netting put a leg in this direction, whose exposure was `beforeMicros` before the cycle. For the
    /// settlement book only. A leg passes stopped credit, and the line binds only what grows past `beforeMicros`:
    /// set-off never fails.
    function raiseByLeg(AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint128 beforeMicros)
        external;
    /// @notice Credited, netted or paid. For the settlement book and the payment book.
    function reduce(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external;
    /// @notice For the payment book only, as is the next one.
    function stop(AgreementId agreementId, CarrierId creditor) external;
    function resume(AgreementId agreementId, CarrierId creditor) external;

    function exposureOf(AgreementId agreementId, CarrierId creditor) external view returns (uint128);
    function depositOf(AgreementId agreementId, CarrierId creditor, address token)
        external
        view
        returns (uint128 amountMicros, uint128 totalMicros, uint64 nonce);
    /// @notice `limitMicros` is line and deposits together.
    function lineOf(AgreementId agreementId, CarrierId creditor)
        external
        view
        returns (uint128 limitMicros, LimitPolicy policy, bool stopped, uint64 nonce);
}
