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

/// @title How much a debtor may owe
/// @notice exposure = declared by the creditor - credited - paid, over all services of a direction; what netting took
/// from a direction leaves it and what it put there joins it.
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
    error LineNonceUnexpected(uint64 expected, uint64 got);
    error AmountTooLarge(uint256 maxMicros, uint256 gotMicros);
    error OnlyTheBooks(address sender);

    function grant(CreditLine calldata line, bytes calldata signature) external;

    /// @notice The creditor declared more. For the usage ledger only.
    function raise(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external;
    /// @notice Netting put a leg in this direction, whose exposure was `beforeMicros` before the cycle. For the
    /// settlement book only. A leg passes stopped credit, and the line binds only what grows past `beforeMicros`:
    /// set-off never fails.
    function raiseByLeg(AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint128 beforeMicros)
        external;
    /// @notice Credited, netted or paid. For the settlement book only, as are the next two.
    function reduce(AgreementId agreementId, CarrierId creditor, uint128 amountMicros) external;
    function stop(AgreementId agreementId, CarrierId creditor) external;
    function resume(AgreementId agreementId, CarrierId creditor) external;

    function exposureOf(AgreementId agreementId, CarrierId creditor) external view returns (uint128);
    function lineOf(AgreementId agreementId, CarrierId creditor)
        external
        view
        returns (uint128 limitMicros, LimitPolicy policy, bool stopped, uint64 nonce);
}
