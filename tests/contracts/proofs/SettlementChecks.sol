// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SettlementBook} from "contracts/SettlementBook.sol";
import {AgreementId, CarrierId, Service} from "contracts/Types.sol";
import {
    Dispute, Resolution, Statement, StatementLine, Withdrawal
} from "contracts/interfaces/ISettlementBook.sol";
import {Checks, Stand} from "./Stand.sol";

/// @dev The words of the settlement book, for its checks: each tells whether it was taken.
abstract contract SettlementChecks is Checks {
    SettlementBook internal _book;

    function setUp() public {
        _stand = new Stand();
        address stand = address(_stand);
        _book = new SettlementBook(stand, stand, stand, stand, stand);
        VM.warp(NOVEMBER);
    }

    function _declared(CarrierId creditor, Service service, uint128 ours, uint128 theirs) internal {
        _declaredIn(AGREEMENT, creditor, service, ours, theirs);
    }

    function _declaredIn(AgreementId agreementId, CarrierId creditor, Service service, uint128 ours, uint128 theirs)
        internal
    {
        _stand.tell(agreementId, creditor, creditor, service, ours);
        _stand.tell(agreementId, _stand.counterpartyOf(agreementId, creditor), creditor, service, theirs);
    }

    function _statement(StatementLine[] memory lines) internal pure returns (Statement memory) {
        return Statement(AGREEMENT, OCTOBER, lines, 0, NEVER);
    }

    function _agrees(Statement memory statement) internal returns (bytes32 statementId) {
        bytes memory call = abi.encodeCall(_book.agreeStatement, (statement, _signature(), _signature()));
        (bool done, bytes memory answer) = address(_book).call(call);
        if (done) statementId = abi.decode(answer, (bytes32));
    }

    function _proposes(Statement memory statement) internal returns (bytes32 statementId) {
        bytes memory call = abi.encodeCall(_book.proposeStatement, (statement, LOW, _signature()));
        (bool done, bytes memory answer) = address(_book).call(call);
        if (done) statementId = abi.decode(answer, (bytes32));
    }

    function _silent(Statement memory statement) internal returns (bool done) {
        (done,) = address(_book).call(abi.encodeCall(_book.acceptBySilence, (statement)));
    }

    function _disputes(Service service, uint128 amount, bytes32 reason) internal returns (bytes32 disputeId) {
        Dispute memory dispute = Dispute(AGREEMENT, OCTOBER, LOW, service, reason, amount, "evidence", 1, NEVER);
        (bool done, bytes memory answer) =
            address(_book).call(abi.encodeCall(_book.openDispute, (dispute, _signature())));
        if (done) disputeId = abi.decode(answer, (bytes32));
    }

    function _resolves(bytes32 disputeId, uint128 credited, uint128 due) internal returns (bool done) {
        Resolution memory word = Resolution(disputeId, credited, due, NEVER);
        (done,) = address(_book).call(abi.encodeCall(_book.resolveDispute, (word, _signature(), _signature())));
    }

    function _withdraws(bytes32 disputeId) internal returns (bool done) {
        Withdrawal memory word = Withdrawal(disputeId, NEVER);
        (done,) = address(_book).call(abi.encodeCall(_book.withdrawDispute, (word, _signature())));
    }

    function _withheld() internal view returns (uint256) {
        return _book.withheldMicros(AGREEMENT, OCTOBER, LOW, Service.Voice);
    }

    /// @dev What waits for netting under this source; zero if nothing does.
    function _item(bytes32 source, CarrierId creditor) internal view returns (uint256 micros) {
        try _book.itemOf(keccak256(abi.encode(source, AGREEMENT, creditor))) returns (
            AgreementId, CarrierId, uint128 amount, uint64, bool
        ) {
            micros = amount;
        } catch {}
    }
}
