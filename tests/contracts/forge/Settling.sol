// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, Service} from "contracts/Types.sol";
import {Leg, StatementLine} from "contracts/interfaces/ISettlementBook.sol";
import {Declaring} from "./Declaring.sol";

/// @dev The steps from the end of a month to what must be paid: statements, disputes, netting.
abstract contract Settling is Declaring {
    uint256 private constant MOST_WAITING = 8;
    uint256 private constant MOST_PAYABLE = 4;

    uint64 internal _nonce;
    uint256 private _opened;
    uint256 private _ended;

    /// @dev Both close the agreement's month, the debtors may dispute a share, both sign the statement or one is silent.
    function settle(uint8 a, uint8 share, uint8 service, bool silently) external {
        (a, service) = (a % 3, service % SERVICES);
        if (_items.length + 2 > MOST_WAITING) return;
        uint32 period = _period(a);
        (uint8 low, uint8 high) = _sides(a);
        uint8 d = 2 * a;
        _close(a, low, period, _seqs[d][0], _seqs[d + 1][1]);
        _close(a, high, period, _seqs[d + 1][0], _seqs[d][1]);
        uint128[4][2] memory withheld;
        _maybeDispute(d, period, service, share % 4, withheld[0]);
        _maybeDispute(d + 1, period, service, share / 4 % 4, withheld[1]);
        bytes32 statementId = _state(a, period, _linesOf(a, withheld), silently);
        _settled(d, statementId);
        _settled(d + 1, statementId);
        ++_month[a];
        _did(silently ? bytes32("silence") : bytes32("settle"));
    }

    /// @dev By withdrawal, or by what both decide.
    function endDispute(uint8 d, uint128 credited) external {
        d %= DIRECTIONS;
        if (_disputes[d].id == 0) d ^= 1;
        if (_disputes[d].id == 0 || _items.length == MOST_WAITING) return;
        uint256 way = _ended++;
        bytes32 disputeId = _disputes[d].id;
        uint128 amount = _disputes[d].amount;
        if (way % 2 == 0) _investigate(d, disputeId);
        credited = way % 3 == 0 ? 0 : uint128(_within(credited, amount));
        if (way % 3 == 0) _withdrawDispute(d, disputeId);
        else _resolve(d, disputeId, credited, amount - credited);
        delete _disputes[d];
        _lower(d, credited);
        if (amount > credited) _wait(d, disputeId, amount - credited);
        _did(way % 3 == 0 ? bytes32("withdraw a dispute") : bytes32("resolve"));
    }

    /// @dev All that waits, in one cycle of all carriers it touches; what is left in each agreement is its leg.
    function netAll() external {
        if (_items.length == 0 || _payables.length > MOST_PAYABLE) return;
        bytes32[] memory chosen = _sorted(_items);
        uint128[6] memory sums;
        for (uint256 i; i < chosen.length; ++i) {
            uint8 d = _waiting[chosen[i]].d;
            sums[d] += _waiting[chosen[i]].amount;
            _post(d, int256(uint256(_waiting[chosen[i]].amount)));
        }
        (Leg[] memory legs, uint8[] memory at) = _legs(sums);
        bytes32 cycleId = _net(chosen, legs, ++_nonce, _touched(sums));
        delete _items;
        for (uint8 d; d < DIRECTIONS; ++d) {
            _exposure[d] -= sums[d];
        }
        for (uint256 i; i < legs.length; ++i) {
            _owe(at[i], keccak256(abi.encode(cycleId, legs[i].agreementId, legs[i].creditor)), legs[i].amountMicros);
            _post(at[i], -int256(uint256(legs[i].amountMicros)));
        }
        for (uint8 d; d < DIRECTIONS; ++d) {
            _lower(d, 0);
        }
        _did("net");
    }

    /* INTERNAL */

    /// @dev None or a quarter to three quarters of a service that has any; every third is taken back at once.
    function _maybeDispute(uint8 d, uint32 period, uint8 service, uint8 quarters, uint128[4] memory withheld) private {
        for (uint8 s; s < SERVICES && _unsettled[d][service % SERVICES] == 0; ++s) {
            ++service;
        }
        service %= SERVICES;
        uint128 amount = uint128(_unsettled[d][service]) * quarters / 4;
        if (amount == 0 || _disputes[d].id != 0) return;
        bytes32 disputeId = _openDispute(d, period, service, amount, ++_nonce);
        if (_opened++ % 3 == 0) {
            _withdrawDispute(d, disputeId);
            return _did("withdraw at once");
        }
        _disputes[d] = OpenDispute(disputeId, amount);
        _unsettled[d][service] -= amount;
        withheld[service] = amount;
        _did("dispute");
    }

    /// @dev `_unsettled` is by now what is not in this month's dispute.
    function _linesOf(uint8 a, uint128[4][2] memory withheld) private view returns (StatementLine[] memory lines) {
        uint256 count;
        StatementLine[] memory drawn = new StatementLine[](8);
        for (uint8 d = 2 * a; d < 2 * a + 2; ++d) {
            for (uint8 s; s < SERVICES; ++s) {
                uint128 agreed = uint128(_unsettled[d][s]);
                uint128 held = withheld[d % 2][s];
                uint128 theirs = uint128(_counted[d][s]);
                if (agreed + held == 0 && theirs == 0) continue;
                drawn[count++] = StatementLine(_creditor(d), Service(s), agreed + held, theirs, agreed, held);
            }
        }
        lines = new StatementLine[](count);
        for (uint256 i; i < count; ++i) {
            lines[i] = drawn[i];
        }
    }

    function _settled(uint8 d, bytes32 statementId) private {
        uint128 agreed;
        for (uint8 s; s < SERVICES; ++s) {
            agreed += uint128(_unsettled[d][s]);
            (_unsettled[d][s], _counted[d][s]) = (0, 0);
        }
        if (agreed > 0) _wait(d, statementId, agreed);
    }

    /// @dev The legs in order, and the direction of each.
    function _legs(uint128[6] memory sums) private view returns (Leg[] memory legs, uint8[] memory at) {
        uint256 count;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (sums[d] > sums[d ^ 1]) ++count;
        }
        (legs, at) = (new Leg[](count), new uint8[](count));
        count = 0;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (sums[d] <= sums[d ^ 1]) continue;
            uint256 place = count++;
            for (; place > 0 && _id(at[place - 1]) > _id(d); --place) {
                (legs[place], at[place]) = (legs[place - 1], at[place - 1]);
            }
            (legs[place], at[place]) = (Leg(agreementOf(d), _creditor(d), sums[d] - sums[d ^ 1]), d);
        }
    }

    function _touched(uint128[6] memory sums) private pure returns (uint8[] memory parties) {
        bool[3] memory touched;
        for (uint8 d; d < DIRECTIONS; ++d) {
            if (sums[d] > 0) (touched[creditorOf(d)], touched[debtorOf(d)]) = (true, true);
        }
        uint256 count;
        parties = new uint8[]((touched[0] ? 1 : 0) + (touched[1] ? 1 : 0) + (touched[2] ? 1 : 0));
        for (uint8 c; c < 3; ++c) {
            if (touched[c]) parties[count++] = c;
        }
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

    function _id(uint8 d) private view returns (bytes32) {
        return AgreementId.unwrap(agreementOf(d));
    }
}
