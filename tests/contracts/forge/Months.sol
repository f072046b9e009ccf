// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "contracts/Types.sol";
import {ArrearsStage} from "contracts/interfaces/IPaymentBook.sol";
import {Leg, StatementLine} from "contracts/interfaces/ISettlementBook.sol";
import {Declaration} from "contracts/interfaces/IUsageLedger.sol";
import {World} from "./World.sol";

/// @dev What can happen in the months? Every public step either does something valid or checks that something invalid is
/// refused, and counts it; none may revert. The ghosts are a second book kept beside the contracts.
contract Months is World {
    struct Waiting {
        uint8 d;
        uint128 amount;
    }

    uint256 private constant MOST_WAITING = 12;
    uint128 private constant MOST_MICROS = 1e12;

    // the ghosts
    uint256[6] public exposure;
    uint256[6] public allowed; // the line, or what was used when it was cut
    uint256[6] public limit;
    uint256[6] public unsettled; // declared by the creditor in the open period
    uint256[6] public counted; // declared by the debtor in the open period
    uint64[2][6] public seqs; // the creditor's, the debtor's
    uint32[3] public month;
    bytes32[6] public openDisputes;
    uint128[6] public disputed;
    bytes32[] public items;
    mapping(bytes32 itemId => Waiting) public waiting;
    bytes32[] public payables; // not paid off yet
    mapping(bytes32 payableId => uint8) public directionOf;
    uint64 private _nonce;

    mapping(string step => uint256) public done;
    string[] public steps = ["declare", "too much", "out of turn", "grant", "settle", "dispute", "resolve", "net", "pay", "climb"];

    constructor() {
        for (uint8 d; d < DIRECTIONS; ++d) {
            (limit[d], allowed[d]) = (FIRST_LIMIT, FIRST_LIMIT);
        }
    }

    /* DECLARATIONS */

    function declare(uint8 d, bool own, uint128 amount) external {
        d %= DIRECTIONS;
        uint256 headroom = limit[d] > exposure[d] ? limit[d] - exposure[d] : 0;
        amount = uint128(own ? _within(amount, headroom) : amount % MOST_MICROS);
        if (own && (_stopped(d) || exposure[d] > limit[d])) return;

        uint64 seq = ++seqs[d][own ? 0 : 1];
        _send(d, own, seq, amount);
        if (own) {
            unsettled[d] += amount;
            exposure[d] += amount;
        } else {
            counted[d] += amount;
        }
        ++done["declare"];
    }

    function declareTooMuch(uint8 d, uint128 excess) external {
        d %= DIRECTIONS;
        uint256 headroom = limit[d] > exposure[d] ? limit[d] - exposure[d] : 0;
        uint128 amount = uint128(headroom + 1 + excess % MOST_MICROS);
        require(!_tries(d, seqs[d][0] + 1, amount), "past the line");
        ++done["too much"];
    }

    function declareOutOfTurn(uint8 d, uint64 seq) external {
        d %= DIRECTIONS;
        if (seq == seqs[d][0] + 1) return;
        require(!_tries(d, seq, 0), "out of turn");
        ++done["out of turn"];
    }

    function grantLine(uint8 d, uint256 micros) external {
        d %= DIRECTIONS;
        limit[d] = micros % (4 * FIRST_LIMIT);
        _grant(d, limit[d]);
        allowed[d] = limit[d] > exposure[d] ? limit[d] : exposure[d];
        ++done["grant"];
    }

    /* STATEMENTS AND DISPUTES */

    /// @dev Both close the agreement's month, the debtors may dispute a share, both sign the statement.
    function settle(uint8 a, uint128 share) external {
        a %= 3;
        if (items.length + 2 > MOST_WAITING) return;
        uint32 period = _period(a);
        (uint8 low, uint8 high) = _sides(a);
        uint8 d = 2 * a;
        _close(a, low, period, seqs[d][0], seqs[d + 1][1]);
        _close(a, high, period, seqs[d + 1][0], seqs[d][1]);
        _maybeDispute(d, period, share % 4);
        _maybeDispute(d + 1, period, (share / 4) % 4);
        bytes32 statementId = _state(a, period, _linesOf(a));
        _settled(d, statementId);
        _settled(d + 1, statementId);
        ++month[a];
        ++done["settle"];
    }

    function resolve(uint8 d, uint128 credited) external {
        d %= DIRECTIONS;
        if (openDisputes[d] == 0 || items.length == MOST_WAITING) return;
        bytes32 disputeId = openDisputes[d];
        uint128 amount = disputed[d];
        credited = uint128(_within(credited, amount));
        _resolve(d, disputeId, credited, amount - credited);
        (openDisputes[d], disputed[d]) = (0, 0);
        _lower(d, credited);
        if (amount > credited) _open(d, disputeId, amount - credited);
        ++done["resolve"];
    }

    /* NETTING, PAYMENT, ARREARS */

    /// @dev All that waits, in one cycle of all carriers it touches; what is left in each agreement is its leg.
    function netAll() external {
        if (items.length == 0) return;
        bytes32[] memory chosen = _sorted(items);
        int256[3] memory positions;
        uint128[6] memory sums = _sums(chosen, positions);
        Leg[] memory legs = _legs(sums);
        bytes32 cycleId = _net(chosen, legs, ++_nonce, _touched(sums));
        for (uint8 d; d < DIRECTIONS; ++d) {
            exposure[d] -= sums[d];
        }
        _owe(cycleId, legs, positions);
        delete items;
        ++done["net"];
    }

    function pay(uint256 index, uint256 share) external {
        if (payables.length == 0) return;
        index %= payables.length;
        bytes32 payableId = payables[index];
        uint8 d = directionOf[payableId];
        (uint128 principal, uint128 interest,,) = PAYMENTS.outstandingOf(payableId);
        uint128 amount = uint128(share % 3 == 0 ? principal + interest : 1 + share % (uint256(principal) + interest));
        _confirm(d, payableId, amount, keccak256(abi.encode(++_nonce)));
        _lower(d, amount > interest ? amount - interest : 0);
        (principal,,,) = PAYMENTS.outstandingOf(payableId);
        if (principal == 0) {
            payables[index] = payables[payables.length - 1];
            payables.pop();
        }
        ++done["pay"];
    }

    function climb(uint256 index) external {
        if (payables.length == 0) return;
        bytes32 payableId = payables[index % payables.length];
        (,, uint64 dueAt, ArrearsStage stage) = PAYMENTS.outstandingOf(payableId);
        if (stage == ArrearsStage.Terminated) return;
        uint64 readyAt = dueAt + (stage == ArrearsStage.Current ? 1 : stage == ArrearsStage.Overdue ? 15 days : 45 days);
        if (block.timestamp < readyAt) VM.warp(readyAt);
        PAYMENTS.advanceArrears(payableId);
        ++done["climb"];
    }

    /* VIEWS FOR THE INVARIANTS */

    function stepsCount() external view returns (uint256) {
        return steps.length;
    }

    /// @dev What the exposure of a direction is made of, as the contracts tell it.
    function partsOf(uint8 d) external view returns (uint256 parts) {
        parts = unsettled[d] + disputed[d];
        for (uint256 i; i < items.length; ++i) {
            if (waiting[items[i]].d != d) continue;
            (,, uint128 amount,, bool netted) = BOOK.itemOf(items[i]);
            require(!netted, "what waits is not netted");
            parts += amount;
        }
        for (uint256 i; i < payables.length; ++i) {
            if (directionOf[payables[i]] != d) continue;
            (uint128 principal,,,) = PAYMENTS.outstandingOf(payables[i]);
            parts += principal;
        }
    }

    /* INTERNAL */

    function _send(uint8 d, bool own, uint64 seq, uint128 amount) private {
        uint8 declarer = own ? creditorOf(d) : debtorOf(d);
        Declaration memory declaration = _declaration(d, declarer, seq, _period(d / 2), amount);
        bytes32 digest = _batchId(declaration);
        USAGE.declare(declaration, _sign(declarer, digest));
    }

    function _tries(uint8 d, uint64 seq, uint128 amount) private returns (bool) {
        Declaration memory declaration = _declaration(d, creditorOf(d), seq, _period(d / 2), amount);
        bytes memory signature = _sign(creditorOf(d), _batchId(declaration));
        try USAGE.declare(declaration, signature) {
            return true;
        } catch {
            return false;
        }
    }

    function _batchId(Declaration memory declaration) private view returns (bytes32 digest) {
        (bool ok, bytes memory answer) = address(USAGE).staticcall(abi.encodeCall(USAGE.batchIdOf, (declaration)));
        require(ok, "a digest");
        digest = abi.decode(answer, (bytes32));
    }

    function _maybeDispute(uint8 d, uint32 period, uint128 quarters) private {
        uint128 amount = uint128(unsettled[d]) * quarters / 4;
        if (amount == 0 || openDisputes[d] != 0) return;
        openDisputes[d] = _openDispute(d, period, amount, ++_nonce);
        disputed[d] = amount;
        unsettled[d] -= amount;
        ++done["dispute"];
    }

    /// @dev `unsettled` is by now what is not in this month's dispute.
    function _linesOf(uint8 a) private view returns (StatementLine[] memory lines) {
        uint256 count;
        StatementLine[2] memory drawn;
        for (uint8 d = 2 * a; d < 2 * a + 2; ++d) {
            CarrierId creditor = carrierAt(creditorOf(d));
            uint128 withheld = BOOK.withheldMicros(_agreements[a], Period.wrap(_period(a)), creditor, Service.Voice);
            uint128 ours = uint128(unsettled[d]) + withheld;
            if (ours == 0 && counted[d] == 0) continue;
            uint128 theirs = uint128(counted[d]);
            drawn[count++] = StatementLine(creditor, Service.Voice, ours, theirs, ours - withheld, withheld);
        }
        lines = new StatementLine[](count);
        for (uint256 i; i < count; ++i) {
            lines[i] = drawn[i];
        }
    }

    function _settled(uint8 d, bytes32 statementId) private {
        uint128 agreed = uint128(unsettled[d]);
        (unsettled[d], counted[d]) = (0, 0);
        if (agreed > 0) _open(d, statementId, agreed);
    }

    function _open(uint8 d, bytes32 source, uint128 amount) private {
        bytes32 itemId = keccak256(abi.encode(source, agreementOf(d), carrierAt(creditorOf(d))));
        items.push(itemId);
        waiting[itemId] = Waiting(d, amount);
    }

    function _sums(bytes32[] memory chosen, int256[3] memory positions) private view returns (uint128[6] memory sums) {
        for (uint256 i; i < chosen.length; ++i) {
            Waiting memory item = waiting[chosen[i]];
            sums[item.d] += item.amount;
            positions[creditorOf(item.d)] += int256(uint256(item.amount));
            positions[debtorOf(item.d)] -= int256(uint256(item.amount));
        }
    }

    function _legs(uint128[6] memory sums) private view returns (Leg[] memory legs) {
        uint256 count;
        Leg[3] memory drawn;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (sums[d] <= sums[d ^ 1]) continue;
            drawn[count++] = Leg(agreementOf(d), carrierAt(creditorOf(d)), sums[d] - sums[d ^ 1]);
        }
        legs = new Leg[](count);
        for (uint256 i; i < count; ++i) {
            uint256 at = i;
            for (; at > 0 && _id(legs[at - 1]) > _id(drawn[i]); --at) {
                legs[at] = legs[at - 1];
            }
            legs[at] = drawn[i];
        }
    }

    /// @dev The legs put every carrier where the items had it.
    function _owe(bytes32 cycleId, Leg[] memory legs, int256[3] memory positions) private {
        for (uint256 i; i < legs.length; ++i) {
            bytes32 payableId = keccak256(abi.encode(cycleId, legs[i].agreementId, legs[i].creditor));
            (uint128 principal,,,) = PAYMENTS.outstandingOf(payableId);
            uint8 d = _directionOf(legs[i]);
            exposure[d] += principal;
            payables.push(payableId);
            directionOf[payableId] = d;
            positions[creditorOf(d)] -= int256(uint256(principal));
            positions[debtorOf(d)] += int256(uint256(principal));
        }
        require(positions[0] == 0 && positions[1] == 0 && positions[2] == 0, "positions are kept");
        for (uint8 d; d < DIRECTIONS; ++d) {
            _tighten(d);
        }
    }

    function _directionOf(Leg memory leg) private view returns (uint8 d) {
        while (_id(Leg(agreementOf(d), leg.creditor, 0)) != _id(leg) || carrierAt(creditorOf(d)) != leg.creditor) ++d;
    }

    function _touched(uint128[6] memory sums) private pure returns (uint8[] memory parties) {
        bool[3] memory touched;
        uint256 count;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (sums[d] > 0) (touched[creditorOf(d)], touched[debtorOf(d)]) = (true, true);
        }
        parties = new uint8[](3);
        for (uint8 c; c < 3; ++c) {
            if (touched[c]) parties[count++] = c;
        }
        uint8[] memory cut = new uint8[](count);
        for (uint256 i; i < count; ++i) {
            cut[i] = parties[i];
        }
        return cut;
    }

    function _lower(uint8 d, uint256 amount) private {
        exposure[d] -= amount;
        _tighten(d);
    }

    function _tighten(uint8 d) private {
        uint256 used = exposure[d] > limit[d] ? exposure[d] : limit[d];
        if (used < allowed[d]) allowed[d] = used;
    }

    function _stopped(uint8 d) private view returns (bool stopped) {
        (,, stopped,) = CREDIT.lineOf(agreementOf(d), carrierAt(creditorOf(d)));
    }

    function _sorted(bytes32[] storage given) private view returns (bytes32[] memory sorted) {
        sorted = given;
        for (uint256 i = 1; i < sorted.length; ++i) {
            bytes32 next = sorted[i];
            uint256 at = i;
            for (; at > 0 && sorted[at - 1] > next; --at) {
                sorted[at] = sorted[at - 1];
            }
            sorted[at] = next;
        }
    }

    function _id(Leg memory leg) private pure returns (bytes32) {
        return AgreementId.unwrap(leg.agreementId);
    }

    function _period(uint8 a) private view returns (uint32) {
        return (2000 + month[a] / 12) * 100 + month[a] % 12 + 1;
    }

    function _within(uint256 value, uint256 most) private pure returns (uint256) {
        return most == type(uint256).max ? value : value % (most + 1);
    }
}
