// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ArrearsStage} from "contracts/interfaces/IPaymentBook.sol";
import {OddToken} from "./OddToken.sol";
import {Words} from "./Words.sol";

/// @dev What should the contracts say? A second book, kept beside them from what the steps meant to do, and the rules
/// that compare the two after every step (design, section 11).
abstract contract Book is Words {
    struct Waiting {
        uint8 d;
        uint128 amount;
    }

    struct Due {
        uint8 d;
        ArrearsStage stage;
        uint64 dueAt;
        uint64 accruedAt;
        uint128 principal;
        uint128 interestPaid;
        uint256 accrued; // micros x basis points x seconds
    }

    struct OpenDispute {
        bytes32 id;
        uint128 amount;
    }

    uint256 private constant INTEREST_UNIT = 10_000 * 30 days;
    uint256 internal constant FIRST_LINE = 1e12;

    uint256[6] internal _exposure;
    uint256[6] internal _allowed; // the limit, or what was used when it was cut
    uint256[6] internal _line;
    bool[6] internal _flags;
    uint256[4][6] internal _held; // by token
    uint256[4][6] internal _unsettled; // declared by the creditor in the open period, by service
    uint256[4][6] internal _counted; // declared by the debtor in the open period
    uint64[2][6] internal _seqs; // the creditor's, the debtor's
    uint256[6] internal _stops; // payables that stop credit
    OpenDispute[6] internal _disputes;
    bytes32[] internal _items;
    mapping(bytes32 itemId => Waiting) internal _waiting;
    bytes32[] internal _payables; // not paid off yet
    mapping(bytes32 payableId => Due) internal _dues;
    int256[3] internal _positions; // what items gave each carrier, less what legs gave it
    uint256[4][3] internal _received; // by each carrier's payee, in each token

    mapping(bytes32 step => uint256) public done;

    constructor() {
        for (uint8 d; d < DIRECTIONS; ++d) {
            (_line[d], _allowed[d]) = (FIRST_LINE, FIRST_LINE);
            _grant(d, FIRST_LINE, false);
        }
    }

    function _did(bytes32 step) internal {
        ++done[step];
    }

    /* THE RULES */

    function rules() external view {
        for (uint8 t; t < TOKENS; ++t) {
            _isSolvent(t);
        }
        uint256[6] memory parts;
        for (uint256 i; i < _items.length; ++i) {
            parts[_waiting[_items[i]].d] += _waits(_items[i]);
        }
        for (uint256 i; i < _payables.length; ++i) {
            parts[_dues[_payables[i]].d] += _owes(_payables[i]);
        }
        for (uint8 d; d < DIRECTIONS; ++d) {
            _creditHolds(d, parts[d]);
            require(USAGE.lastSeq(agreementOf(d), _creditor(d), _creditor(d)) == _seqs[d][0], "no gap: the creditor's");
            require(
                USAGE.lastSeq(agreementOf(d), _carriers[debtorOf(d)], _creditor(d)) == _seqs[d][1], "no gap: the debtor's"
            );
        }
        require(_positions[0] == 0 && _positions[1] == 0 && _positions[2] == 0, "positions are kept and sum to zero");
    }

    function _creditHolds(uint8 d, uint256 parts) private view {
        uint256 exposure = CREDIT.exposureOf(agreementOf(d), _creditor(d));
        require(exposure == _exposure[d], "exposure = declared - settled - credited");
        for (uint8 s; s < SERVICES; ++s) {
            parts += _unsettled[d][s];
        }
        require(exposure == parts + _disputes[d].amount, "exposure = unsettled + disputed + waiting + payable");
        require(_flags[d] || exposure <= _allowed[d], "exposure within the line");
        (uint256 limit,, bool stopped,) = CREDIT.lineOf(agreementOf(d), _creditor(d));
        require(limit == _limit(d), "limit = line + deposits");
        require(stopped == (_stops[d] > 0), "credit is stopped while something stops it");
    }

    function _waits(bytes32 itemId) private view returns (uint256) {
        (,, uint128 amount,, bool netted) = BOOK.itemOf(itemId);
        require(!netted && amount == _waiting[itemId].amount, "what waits is not netted, and is what it was");
        return amount;
    }

    function _owes(bytes32 payableId) private view returns (uint256) {
        (uint128 principal, uint128 interest,, ArrearsStage stage) = PAYMENTS.outstandingOf(payableId);
        Due storage due = _dues[payableId];
        require(principal == due.principal && stage == due.stage, "owed as the second book says");
        require(interest == _interest(due), "interest on what was owed while it was owed");
        return principal;
    }

    /// @dev What the credit book promises in a token lies there, and nothing else does; payees have what was credited.
    function _isSolvent(uint8 t) private view {
        OddToken token = _tokens[t];
        uint256 promised;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (_held[d][t] == 0) continue;
            (uint128 held,,) = CREDIT.depositOf(agreementOf(d), _creditor(d), address(token));
            require(held == _held[d][t], "deposits are what arrived");
            promised += held;
        }
        uint256[6] memory holdings = token.holdingsOf(
            [address(CREDIT), address(PAYMENTS), address(BOOK), payeeAt(0), payeeAt(1), payeeAt(2)]
        );
        require(holdings[0] == promised, "deposits are covered");
        require(holdings[1] == 0 && holdings[2] == 0, "nothing is kept");
        for (uint8 c; c < 3; ++c) {
            require(holdings[3 + c] == _received[c][t], "paid is what arrived");
        }
        require(!token.entered(), "no way in from a transfer");
    }

    /* POSTING */

    function _limit(uint8 d) internal view returns (uint256 limit) {
        limit = _line[d];
        for (uint8 t; t < TOKENS; ++t) {
            limit += _held[d][t];
        }
    }

    function _headroom(uint8 d) internal view returns (uint256) {
        uint256 limit = _limit(d);
        return limit > _exposure[d] ? limit - _exposure[d] : 0;
    }

    function _raise(uint8 d, uint256 amount) internal {
        _exposure[d] += amount;
        if (_flags[d] && _exposure[d] > _allowed[d]) _allowed[d] = _exposure[d];
    }

    function _lower(uint8 d, uint256 amount) internal {
        _exposure[d] -= amount;
        uint256 used = _mostOf(d);
        if (used < _allowed[d]) _allowed[d] = used;
    }

    /// @dev After the limit changed.
    function _draw(uint8 d) internal {
        _allowed[d] = _mostOf(d);
    }

    function _mostOf(uint8 d) private view returns (uint256) {
        uint256 limit = _limit(d);
        return _exposure[d] > limit ? _exposure[d] : limit;
    }

    function _wait(uint8 d, bytes32 source, uint128 amount) internal {
        bytes32 itemId = keccak256(abi.encode(source, agreementOf(d), _creditor(d)));
        _items.push(itemId);
        _waiting[itemId] = Waiting(d, amount);
    }

    function _post(uint8 d, int256 micros) internal {
        _positions[creditorOf(d)] += micros;
        _positions[debtorOf(d)] -= micros;
    }

    function _owe(uint8 d, bytes32 payableId, uint128 amount) internal {
        (,, uint64 dueAt,) = PAYMENTS.outstandingOf(payableId);
        _payables.push(payableId);
        _dues[payableId] = Due(d, ArrearsStage.Current, dueAt, dueAt, amount, 0, 0);
        _raise(d, amount);
    }

    function _interest(Due storage due) internal view returns (uint128) {
        return uint128(_accrued(due) / INTEREST_UNIT) - due.interestPaid;
    }

    /// @dev Interest first, then principal.
    function _paid(bytes32 payableId, uint256 amount) internal {
        Due storage due = _dues[payableId];
        uint256 interest = _interest(due);
        uint256 toInterest = amount < interest ? amount : interest;
        (due.accrued, due.accruedAt) = (_accrued(due), block.timestamp > due.dueAt ? uint64(block.timestamp) : due.dueAt);
        due.interestPaid += uint128(toInterest);
        due.principal -= uint128(amount - toInterest);
        _lower(due.d, amount - toInterest);
        if (due.principal > 0) return;
        if (due.stage >= ArrearsStage.CreditStopped) --_stops[due.d];
        for (uint256 i; i < _payables.length; ++i) {
            if (_payables[i] != payableId) continue;
            _payables[i] = _payables[_payables.length - 1];
            _payables.pop();
        }
    }

    function _accrued(Due storage due) private view returns (uint256) {
        if (block.timestamp <= due.accruedAt) return due.accrued;
        uint256 bps = AGREEMENTS.termsAt(agreementOf(due.d), due.dueAt).interestBps;
        return due.accrued + bps * due.principal * (block.timestamp - due.accruedAt);
    }

    function _within(uint256 value, uint256 most) internal pure returns (uint256) {
        return value % (most + 1);
    }
}
