// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Declaration} from "contracts/interfaces/IUsageLedger.sol";
import {Book} from "./Book.sol";

/// @dev The steps of usage and of credit lines: all four services; data and private lines through the igw.
abstract contract Declaring is Book {
    uint128 internal constant MOST_MICROS = 1e12;
    uint32 private constant MOST_VERSIONS = 4;

    uint32[3] internal _month;

    function declare(uint8 d, bool own, uint8 service, uint128 amount) external {
        d %= DIRECTIONS;
        service %= SERVICES;
        if (_isRefused(d, service)) service -= 2;
        amount = own && !_flags[d] ? uint128(_within(amount, _headroom(d))) : amount % MOST_MICROS;
        if (own && !_canDeclare(d)) return;

        USAGE.declare(_next(d, own, service, amount), _signed);
        _declared(d, own, service, amount);
        _did(service < 2 ? bytes32("declare") : bytes32("declare a crossing"));
    }

    /// @dev Both sides' word in one transaction.
    function declareBoth(uint8 d, uint8 service, uint128 amount) external {
        d %= DIRECTIONS;
        service %= 2;
        if (!_canDeclare(d)) return;
        amount = _flags[d] ? amount % MOST_MICROS : uint128(_within(amount, _headroom(d)));
        Declaration[] memory both = new Declaration[](2);
        bytes[] memory signatures = new bytes[](2);
        for (uint256 i; i < 2; ++i) {
            both[i] = _next(d, i == 0, service, amount);
            signatures[i] = _signed;
        }
        USAGE.declareMany(both, signatures);
        _declared(d, true, service, amount);
        _declared(d, false, service, amount);
        _did("declare both");
    }

    function declareTooMuch(uint8 d, uint128 excess) external {
        d %= DIRECTIONS;
        if (_flags[d]) return;
        require(!_tries(d, 0, _seqs[d][0] + 1, uint128(_headroom(d) + 1 + excess % MOST_MICROS)), "past the line");
        _did("too much");
    }

    function declareOutOfTurn(uint8 d, uint64 seq) external {
        d %= DIRECTIONS;
        if (seq == _seqs[d][0] + 1) return;
        require(!_tries(d, 0, seq, 0), "out of turn");
        _did("out of turn");
    }

    function declareUnlicensed(bool first, bool data) external {
        uint8 d = first ? 3 : 5; // where the third carrier is the creditor
        require(!_tries(d, data ? 2 : 3, _seqs[d][0] + 1, 0), "without a licence");
        _did("unlicensed");
    }

    function grantLine(uint8 d, uint256 micros, uint8 policy) external {
        d %= DIRECTIONS;
        (_line[d], _flags[d]) = (micros % (4 * FIRST_LINE), policy % 8 == 0);
        _grant(d, _line[d], _flags[d]);
        _draw(d);
        _did("grant");
    }

    /// @dev A few times each: terms in force are looked for back through all versions, which is what a run's time goes to.
    function amend(uint8 a, uint16 interestBps, uint32 paymentDays) external {
        a %= 3;
        if (_versions[a] > MOST_VERSIONS) return;
        _amend(a, interestBps % 500, 10 + paymentDays % 50);
        _did("amend");
    }

    /* INTERNAL */

    bytes private _signed; // of the declaration built last

    function _next(uint8 d, bool own, uint8 service, uint128 amount) private returns (Declaration memory declaration) {
        uint8 declarer = own ? creditorOf(d) : debtorOf(d);
        uint64 seq = ++_seqs[d][own ? 0 : 1];
        declaration = _declaration(d, declarer, seq, _period(d / 2), service, amount);
        _signed = _sign(declarer, _batchId(declaration));
    }

    function _declared(uint8 d, bool own, uint8 service, uint128 amount) private {
        if (own) {
            _unsettled[d][service] += amount;
            _raise(d, amount);
        } else {
            _counted[d][service] += amount;
        }
    }

    function _tries(uint8 d, uint8 service, uint64 seq, uint128 amount) internal returns (bool taken) {
        Declaration memory declaration = _declaration(d, creditorOf(d), seq, _period(d / 2), service, amount);
        bytes memory signature = _sign(creditorOf(d), _batchId(declaration));
        (taken,) = address(USAGE).call(abi.encodeCall(USAGE.declare, (declaration, signature)));
    }

    function _isRefused(uint8 d, uint8 service) private pure returns (bool) {
        return service >= 2 && creditorOf(d) == UNLICENSED;
    }

    function _canDeclare(uint8 d) private view returns (bool) {
        return _stops[d] == 0 && (_flags[d] || _exposure[d] <= _limit(d));
    }

    function _period(uint8 a) internal view returns (uint32) {
        return (2000 + _month[a] / 12) * 100 + _month[a] % 12 + 1;
    }
}
