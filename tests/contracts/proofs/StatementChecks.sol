// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarrierId, Service} from "contracts/Types.sol";
import {StatementLine} from "contracts/interfaces/ISettlementBook.sol";
import {SettlementChecks} from "./SettlementChecks.sol";

/// @dev Does a statement hold what was declared and disputed, and does a dispute end in what it was about? Figures are
/// any below 2^128; LOW is the creditor, voice and SMS the services.
contract StatementChecks is SettlementChecks {
    function check_a_statement_opens_what_is_declared_and_not_disputed(
        uint128 voice,
        uint128 sms,
        uint128 theirs,
        uint128 disputed,
        bytes32 no
    ) external {
        _declared(LOW, Service.Voice, voice, theirs);
        _declared(LOW, Service.Sms, sms, 0);
        uint128 withheld = _disputes(Service.Voice, disputed, "one") != 0 ? disputed : 0;
        assert(withheld <= voice);
        _stand.refuse(CarrierId.wrap(no));
        bytes32 statementId = _agrees(_statement(_linesOf(voice, sms, theirs, withheld)));
        if (statementId == 0) return;
        assert(no != CarrierId.unwrap(LOW) && no != CarrierId.unwrap(HIGH));
        assert(_item(statementId, LOW) == uint256(voice) - withheld + sms && _item(statementId, HIGH) == 0);
        assert(_agrees(_statement(_linesOf(voice, sms, theirs, withheld))) == 0);
    }

    function check_no_figure_but_the_chains_is_agreed(uint128 voice, uint128[4] calldata figures) external {
        _declared(LOW, Service.Voice, voice, voice);
        StatementLine[] memory lines = new StatementLine[](1);
        lines[0] = StatementLine(LOW, Service.Voice, figures[0], figures[1], figures[2], figures[3]);
        if (_agrees(_statement(lines)) == 0) return;
        assert(figures[0] == voice && figures[1] == voice && figures[2] == voice && figures[3] == 0);
    }

    function check_silence_accepts_what_was_proposed_and_in_time(uint128 voice, uint64 waits) external {
        _declared(LOW, Service.Voice, voice, 0);
        StatementLine[] memory lines = new StatementLine[](voice == 0 ? 0 : 1);
        if (voice != 0) lines[0] = StatementLine(LOW, Service.Voice, voice, 0, voice, 0);
        VM.assume(waits < 2 ** 40);
        bytes32 statementId = _proposes(_statement(lines));
        VM.assume(statementId != 0);
        VM.warp(NOVEMBER + waits);
        bool done = _silent(_statement(lines));
        assert(done == (waits >= 60 days));
        assert(_item(statementId, LOW) == (done ? voice : 0));
    }

    function check_disputes_of_a_line_stay_within_it(uint128 voice, uint128 first, uint128 second) external {
        _declared(LOW, Service.Voice, voice, 0);
        bytes32 one = _disputes(Service.Voice, first, "one");
        bytes32 two = _disputes(Service.Voice, second, "two");
        uint256 withheld = uint256(one != 0 ? first : 0) + (two != 0 ? second : 0);
        assert(withheld <= voice && _withheld() == withheld);
        assert(first > 0 || one == 0);
        assert(_stand.exposureOf(AGREEMENT, LOW) == 0);
    }

    function check_a_dispute_ends_in_credit_and_what_is_due(
        uint128 voice,
        uint128 disputed,
        uint128 credited,
        uint128 due,
        bytes32 no
    ) external {
        _declared(LOW, Service.Voice, voice, 0);
        _stand.expose(AGREEMENT, LOW, voice);
        bytes32 disputeId = _disputes(Service.Voice, disputed, "one");
        VM.assume(disputeId != 0);
        _stand.refuse(CarrierId.wrap(no));
        bool done = _resolves(disputeId, credited, due);
        if (done) {
            assert(uint256(credited) + due == disputed);
            assert(no != CarrierId.unwrap(LOW) && no != CarrierId.unwrap(HIGH));
            assert(!_resolves(disputeId, credited, due) && !_withdraws(disputeId));
        }
        assert(_stand.exposureOf(AGREEMENT, LOW) == uint256(voice) - (done ? credited : 0));
        assert(_item(disputeId, LOW) == (done ? due : 0));
        assert(_withheld() == disputed);
    }

    function check_a_withdrawn_dispute_is_payable_again(uint128 voice, uint128 disputed, bool after_) external {
        _declared(LOW, Service.Voice, voice, 0);
        bytes32 disputeId = _disputes(Service.Voice, disputed, "one");
        VM.assume(disputeId != 0);
        StatementLine[] memory lines = new StatementLine[](1);
        lines[0] = StatementLine(LOW, Service.Voice, voice, 0, voice - disputed, disputed);
        if (after_) VM.assume(_agrees(_statement(lines)) != 0);
        VM.assume(_withdraws(disputeId));
        assert(_item(disputeId, LOW) == (after_ ? disputed : 0));
        assert(_withheld() == (after_ ? disputed : 0));
        assert(!_withdraws(disputeId) && !_resolves(disputeId, disputed, 0));
    }

    function _linesOf(uint128 voice, uint128 sms, uint128 theirs, uint128 withheld)
        private
        returns (StatementLine[] memory lines)
    {
        VM.assume(voice > 0 && sms > 0);
        lines = new StatementLine[](2);
        lines[0] = StatementLine(LOW, Service.Voice, voice, theirs, voice - withheld, withheld);
        lines[1] = StatementLine(LOW, Service.Sms, sms, 0, sms, 0);
    }
}
