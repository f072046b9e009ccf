// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Service} from "../Types.sol";
import {Terms} from "../interfaces/IAgreementBook.sol";
import {Statement, StatementLine} from "../interfaces/ISettlementBook.sol";
import {Disputes} from "./Disputes.sol";

/// @dev What did two carriers agree that a period comes to?
abstract contract Statements is Disputes {
    bytes32 private constant STATEMENT_TYPEHASH = keccak256(
        "Statement(bytes32 agreementId,uint32 period,StatementLine[] lines,bytes32 batchesHash,uint64 deadline)StatementLine(bytes32 creditor,uint8 service,uint128 creditorMicros,uint128 debtorMicros,uint128 agreedMicros,uint128 withheldMicros)"
    );
    bytes32 private constant STATEMENT_LINE_TYPEHASH = keccak256(
        "StatementLine(bytes32 creditor,uint8 service,uint128 creditorMicros,uint128 debtorMicros,uint128 agreedMicros,uint128 withheldMicros)"
    );
    uint256 private constant SERVICES = 4;
    uint256 private constant MAX_LINES = 2 * SERVICES;

    mapping(bytes32 statementId => uint64) private _proposedAt;

    /* STATEMENTS */

    function proposeStatement(Statement calldata statement, CarrierId proposer, bytes calldata signature)
        external
        returns (bytes32 statementId)
    {
        AGREEMENTS.counterpartyOf(statement.agreementId, proposer);
        _requireInTime(statement.deadline);
        _requireTrue(statement, AGREEMENTS.termsOfPeriod(statement.agreementId, statement.period));
        statementId = _idOf(statement);
        if (_proposedAt[statementId] != 0) revert StatementAlreadyProposed(statementId);
        _requireKey(proposer, statementId, signature);

        _proposedAt[statementId] = _now();
        emit StatementProposed(statementId, statement.agreementId, statement.period, proposer, _now());
    }

    function agreeStatement(
        Statement calldata statement,
        bytes calldata signatureLow,
        bytes calldata signatureHigh
    ) external returns (bytes32 statementId) {
        Terms memory terms = AGREEMENTS.termsOfPeriod(statement.agreementId, statement.period);
        _requireInTime(statement.deadline);
        _requireTrue(statement, terms);
        statementId = _idOf(statement);
        _requireKey(terms.carrierLow, statementId, signatureLow);
        _requireKey(terms.carrierHigh, statementId, signatureHigh);

        _agree(statementId, statement, terms, false);
    }

    function acceptBySilence(Statement calldata statement) external {
        bytes32 statementId = _idOf(statement);
        uint64 proposedAt = _proposedAt[statementId];
        if (proposedAt == 0) revert StatementUnknown(statementId);
        Terms memory terms = AGREEMENTS.termsOfPeriod(statement.agreementId, statement.period);
        uint64 acceptedAt = proposedAt + terms.acceptanceSeconds;
        if (_now() < acceptedAt) revert SilenceNotOver(acceptedAt, _now());
        _requireTrue(statement, terms);

        _agree(statementId, statement, terms, true);
    }

    /* INTERNAL */

    /// @dev Every figure of the statement is the chain's, and no figure of the chain is missing from it.
    function _requireTrue(Statement calldata statement, Terms memory terms) private view {
        if (agreedStatement[statement.agreementId][statement.period] != 0) {
            revert StatementAlreadyAgreed(statement.agreementId, statement.period);
        }
        _requireClosed(statement.agreementId, terms.carrierLow, statement.period);
        _requireClosed(statement.agreementId, terms.carrierHigh, statement.period);
        uint256 next = _requireTrueDirection(statement, terms.carrierLow, terms.carrierHigh, 0);
        next = _requireTrueDirection(statement, terms.carrierHigh, terms.carrierLow, next);
        if (next != statement.lines.length) revert StatementLinesInvalid(next);
    }

    /// @dev Walks the services in order; `next` is the first line not yet accounted for.
    function _requireTrueDirection(Statement calldata statement, CarrierId creditor, CarrierId debtor, uint256 next)
        private
        view
        returns (uint256)
    {
        for (uint8 s; s < SERVICES; ++s) {
            Service service = Service(s);
            AgreementId agreementId = statement.agreementId;
            uint128 creditorMicros = _declared(agreementId, creditor, creditor, service, statement.period);
            uint128 debtorMicros = _declared(agreementId, debtor, creditor, service, statement.period);
            if (_isLine(statement, next, creditor, service)) {
                uint128 withheld = withheldMicros(agreementId, statement.period, creditor, service);
                _requireTrueLine(statement.lines[next], next, creditorMicros, debtorMicros, withheld);
                ++next;
            } else if (creditorMicros != 0 || debtorMicros != 0) {
                revert StatementIncomplete(creditor, service, creditorMicros != 0 ? creditorMicros : debtorMicros);
            }
        }
        return next;
    }

    function _isLine(Statement calldata statement, uint256 next, CarrierId creditor, Service service)
        private
        pure
        returns (bool)
    {
        if (next >= statement.lines.length) return false;
        StatementLine calldata line = statement.lines[next];
        return line.creditor == creditor && line.service == service;
    }

    function _requireTrueLine(
        StatementLine calldata line,
        uint256 position,
        uint128 creditorMicros,
        uint128 debtorMicros,
        uint128 withheld
    ) private pure {
        _requireEqual(position, creditorMicros, line.creditorMicros);
        _requireEqual(position, debtorMicros, line.debtorMicros);
        _requireEqual(position, withheld, line.withheldMicros);
        _requireEqual(position, creditorMicros - withheld, line.agreedMicros);
    }

    function _requireEqual(uint256 position, uint128 expectedMicros, uint128 gotMicros) private pure {
        if (gotMicros != expectedMicros) revert StatementLineMismatch(position, expectedMicros, gotMicros);
    }

    function _agree(bytes32 statementId, Statement calldata statement, Terms memory terms, bool bySilence) private {
        uint64 dueAt = _now() + terms.paymentSeconds;
        agreedStatement[statement.agreementId][statement.period] = statementId;
        emit StatementAgreed(
            statementId, statement.agreementId, statement.period, statement.batchesHash, bySilence, _now(), dueAt
        );
        _openDirection(statementId, statement, terms.carrierLow, dueAt);
        _openDirection(statementId, statement, terms.carrierHigh, dueAt);
    }

    function _openDirection(bytes32 statementId, Statement calldata statement, CarrierId creditor, uint64 dueAt)
        private
    {
        uint128 agreedMicros;
        for (uint256 i; i < statement.lines.length; ++i) {
            StatementLine calldata line = statement.lines[i];
            if (line.creditor != creditor) continue;
            agreedMicros += line.agreedMicros;
            emit StatementLineAgreed(
                statementId,
                creditor,
                line.service,
                line.creditorMicros,
                line.debtorMicros,
                line.agreedMicros,
                line.withheldMicros
            );
        }
        if (agreedMicros > 0) _openItem(statementId, statement.agreementId, creditor, agreedMicros, dueAt);
    }

    function _idOf(Statement calldata statement) private view returns (bytes32) {
        uint256 count = statement.lines.length;
        if (count > MAX_LINES) revert StatementLinesInvalid(MAX_LINES);
        bytes32[] memory lines = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            lines[i] = keccak256(abi.encode(STATEMENT_LINE_TYPEHASH, statement.lines[i]));
        }
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    STATEMENT_TYPEHASH,
                    statement.agreementId,
                    statement.period,
                    keccak256(abi.encodePacked(lines)),
                    statement.batchesHash,
                    statement.deadline
                )
            )
        );
    }
}
