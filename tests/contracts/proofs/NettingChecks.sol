// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Service} from "contracts/Types.sol";
import {Leg, NettingCycle, Statement, StatementLine} from "contracts/interfaces/ISettlementBook.sol";
import {SettlementChecks} from "./SettlementChecks.sol";

/// @dev Do legs move exactly what the items moved, whoever signs and whatever the legs say? Cycles of up to three items,
/// one for each agreement of three carriers, and up to two legs; amounts are any below 2^128.
contract NettingChecks is SettlementChecks {
    AgreementId private constant SECOND = AgreementId.wrap(bytes32(uint256(1))); // LOW and THIRD
    AgreementId private constant LAST = AgreementId.wrap(bytes32(uint256(2))); // HIGH and THIRD

    function check_two_items_of_two_carriers_become_their_difference(
        uint128 ours,
        uint128 theirs,
        uint128 amount,
        bool toLow,
        bytes32 no
    ) external {
        VM.assume(ours > 0 && theirs > 0);
        bytes32[] memory items = _mutual(ours, theirs);
        Leg[] memory legs = new Leg[](1);
        legs[0] = Leg(AGREEMENT, toLow ? LOW : HIGH, amount);
        _stand.refuse(CarrierId.wrap(no));
        bool done = _nets(items, legs, 2, 1);
        if (done) {
            assert(no != CarrierId.unwrap(LOW) && no != CarrierId.unwrap(HIGH));
            assert(toLow ? uint256(theirs) + amount == ours : uint256(ours) + amount == theirs);
            assert(_stand.openedMicros(AGREEMENT, legs[0].creditor) == amount);
            assert(!_nets(items, legs, 2, 1) && !_nets(items, legs, 2, 2));
        }
        assert(_stand.exposureOf(AGREEMENT, LOW) == (done ? (toLow ? amount : 0) : ours));
        assert(_stand.exposureOf(AGREEMENT, HIGH) == (done ? (toLow ? 0 : amount) : theirs));
    }

    function check_set_off_in_full_needs_equal_items(uint128 ours, uint128 theirs) external {
        VM.assume(ours > 0 && theirs > 0);
        bytes32[] memory items = _mutual(ours, theirs);
        bool done = _nets(items, new Leg[](0), 2, 1);
        if (done) assert(ours == theirs);
        assert(_stand.exposureOf(AGREEMENT, LOW) == (done ? 0 : ours));
        assert(_stand.exposureOf(AGREEMENT, HIGH) == (done ? 0 : theirs));
    }

    /// @dev HIGH owes LOW, LOW owes THIRD, THIRD owes HIGH; a leg on each of LOW's agreements, either way.
    function check_a_circle_keeps_every_carriers_position(uint128[3] calldata owed, uint128[2] calldata moved, uint8 ways)
        external
    {
        VM.assume(ways < 4 && owed[0] > 0 && owed[1] > 0 && owed[2] > 0);
        bytes32[] memory items = new bytes32[](3);
        items[0] = _owes(AGREEMENT, LOW, owed[0]);
        items[1] = _owes(SECOND, THIRD, owed[1]);
        items[2] = _owes(LAST, HIGH, owed[2]);
        Leg[] memory legs = _two(ways, moved);
        VM.assume(items[0] < items[1] && items[1] < items[2]);
        if (!_nets(items, legs, 3, 1)) return;
        int256[3] memory positions;
        _move(positions, AGREEMENT, LOW, owed[0], 1);
        _move(positions, SECOND, THIRD, owed[1], 1);
        _move(positions, LAST, HIGH, owed[2], 1);
        _move(positions, legs[0].agreementId, legs[0].creditor, legs[0].amountMicros, -1);
        _move(positions, legs[1].agreementId, legs[1].creditor, legs[1].amountMicros, -1);
        assert(positions[0] == 0 && positions[1] == 0 && positions[2] == 0);
        assert(uint256(moved[0]) + moved[1] <= uint256(owed[0]) + owed[1] + owed[2]);
        assert(_stand.exposureOf(legs[0].agreementId, legs[0].creditor) == moved[0]);
        assert(_stand.exposureOf(legs[1].agreementId, legs[1].creditor) == moved[1]);
    }

    function check_a_party_that_is_touched_must_sign(uint128 ours, uint128 theirs, uint128 amount) external {
        VM.assume(ours > 0 && theirs > 0);
        bytes32[] memory items = _mutual(ours, theirs);
        Leg[] memory legs = new Leg[](1);
        legs[0] = Leg(AGREEMENT, LOW, amount);
        assert(!_nets(items, legs, 1, 1));
        assert(!_nets(items, legs, 3, 1));
    }

    /* WORDS */

    function _mutual(uint128 ours, uint128 theirs) private returns (bytes32[] memory items) {
        _declared(LOW, Service.Voice, ours, 0);
        _declared(HIGH, Service.Voice, theirs, 0);
        _stand.expose(AGREEMENT, LOW, ours);
        _stand.expose(AGREEMENT, HIGH, theirs);
        StatementLine[] memory lines = new StatementLine[](2);
        lines[0] = StatementLine(LOW, Service.Voice, ours, 0, ours, 0);
        lines[1] = StatementLine(HIGH, Service.Voice, theirs, 0, theirs, 0);
        bytes32 statementId = _agrees(_statement(lines));
        VM.assume(statementId != 0);
        items = new bytes32[](2);
        items[0] = keccak256(abi.encode(statementId, AGREEMENT, LOW));
        items[1] = keccak256(abi.encode(statementId, AGREEMENT, HIGH));
        VM.assume(items[0] < items[1]);
    }

    /// @dev An agreed statement with one line, and the item it opened.
    function _owes(AgreementId agreementId, CarrierId creditor, uint128 amount) private returns (bytes32) {
        _declaredIn(agreementId, creditor, Service.Voice, amount, 0);
        _stand.expose(agreementId, creditor, amount);
        StatementLine[] memory lines = new StatementLine[](1);
        lines[0] = StatementLine(creditor, Service.Voice, amount, 0, amount, 0);
        bytes32 statementId = _agrees(Statement(agreementId, OCTOBER, lines, 0, NEVER));
        VM.assume(statementId != 0);
        return keccak256(abi.encode(statementId, agreementId, creditor));
    }

    function _nets(bytes32[] memory items, Leg[] memory legs, uint256 count, uint64 nonce) private returns (bool done) {
        CarrierId[] memory parties = new CarrierId[](count);
        bytes[] memory signatures = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            parties[i] = i == 0 ? LOW : i == 1 ? HIGH : THIRD;
            signatures[i] = _signature();
        }
        NettingCycle memory cycle = NettingCycle("USD", nonce, items, legs, NEVER);
        (done,) = address(_book).call(abi.encodeCall(_book.net, (cycle, parties, signatures)));
    }

    function _two(uint8 ways, uint128[2] calldata moved) private pure returns (Leg[] memory legs) {
        legs = new Leg[](2);
        legs[0] = Leg(AGREEMENT, _side(AGREEMENT, ways % 2 == 0), moved[0]);
        legs[1] = Leg(SECOND, _side(SECOND, ways < 2), moved[1]);
    }

    function _side(AgreementId agreementId, bool low) private pure returns (CarrierId) {
        uint256 a = uint256(AgreementId.unwrap(agreementId));
        if (low) return a == 2 ? HIGH : LOW;
        return a == 0 ? HIGH : THIRD;
    }

    function _move(int256[3] memory positions, AgreementId agreementId, CarrierId creditor, uint128 amount, int256 sign)
        private
        pure
    {
        bool low = creditor == _side(agreementId, true);
        positions[_placeOf(creditor)] += sign * int256(uint256(amount));
        positions[_placeOf(_side(agreementId, !low))] -= sign * int256(uint256(amount));
    }

    function _placeOf(CarrierId carrier) private pure returns (uint256) {
        return carrier == LOW ? 0 : carrier == HIGH ? 1 : 2;
    }
}
