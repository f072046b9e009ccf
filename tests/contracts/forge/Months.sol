// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "contracts/interfaces/IAgreementBook.sol";
import {ArrearsStage} from "contracts/interfaces/IPaymentBook.sol";
import {Kind, OddToken} from "./OddToken.sol";
import {Settling} from "./Settling.sol";

/// @dev What can happen in the months? Every public step, here and below, either does something valid or checks that
/// something invalid is refused, and counts it; none may revert. Here: deposits, payments, arrears.
contract Months is Settling {
    // the tokens and the troubles with them come one after the other
    uint256 private _deposits;
    uint256 private _payments;

    /* DEPOSITS */

    function deposit(uint8 d, uint256 micros) external {
        _deposit(d % DIRECTIONS, uint8(_deposits++ % TOKENS), 1 + micros % FIRST_LINE);
    }

    /// @dev As much as the exposure leaves, and before that a micro more, which is refused.
    function withdraw(uint8 d, uint8 t, uint256 micros) external {
        (d, t) = (d % DIRECTIONS, t % 3);
        if (_stops[d] > 0) return;
        if (_held[d][t] == 0) _deposit(d, t, 1 + micros % FIRST_LINE);
        uint256 free = _headroom(d);
        address token = address(_tokens[t]);
        if (free > _held[d][t]) free = _held[d][t];
        require(!_withdraw(d, token, uint128(free + 1)), "not what the exposure needs, nor more than is held");
        _did("withdraw too much");
        if (free == 0) return;
        uint256 amount = 1 + micros % free;
        require(_withdraw(d, token, uint128(amount)), "what is free comes back");
        _received[debtorOf(d)][t] += _tokens[t].arrives(amount);
        _release(d, t, amount);
        _did("withdraw");
    }

    /* PAYMENT */

    function confirm(uint256 index, uint256 share) external {
        if (_payables.length == 0) return;
        bytes32 payableId = _payables[index % _payables.length];
        uint256 amount = _part(payableId, share);
        _confirm(_dues[payableId].d, payableId, uint128(amount), bytes32(uint256(++_nonce)));
        _paid(payableId, amount);
        _did("confirm");
    }

    /// @dev In any token, which tries to come in again from inside its transfer, or is paused first.
    function pay(uint256 index, uint256 share) external {
        if (_payables.length == 0) return;
        bytes32 payableId = _payables[index % _payables.length];
        uint8 t = uint8(_payments++ % TOKENS);
        OddToken token = _tokens[t];
        uint256 amount = _part(payableId, share);
        token.mint(address(this), amount);
        _trouble(token, payableId);
        if (token.KIND() == Kind.Refusing) {
            require(!_pays(payableId, token, amount), "what refuses pays nothing");
            _did("pay with what refuses");
            return;
        }
        require(_pays(payableId, token, amount), "a payment is taken");
        _received[creditorOf(_dues[payableId].d)][t] += token.arrives(amount);
        _paid(payableId, token.arrives(amount));
        _did("pay");
    }

    /// @dev The debtor pays with its deposit.
    function applyDeposit(uint256 index, uint8 t, uint256 share) external {
        if (_payables.length == 0) return;
        bytes32 payableId = _payables[index % _payables.length];
        (uint8 d, uint256 amount) = (_dues[payableId].d, _part(payableId, share));
        t %= 3;
        if (_held[d][t] == 0) _deposit(d, t, amount);
        if (amount > _held[d][t]) amount = _held[d][t];
        _apply(d, payableId, address(_tokens[t]), uint128(amount));
        _tookDeposit(payableId, t, amount);
        _did("apply a deposit");
    }

    /* ARREARS */

    /// @dev One step up; at the second, a declaration is refused.
    function climb(uint256 index) external {
        if (_payables.length == 0) return;
        bytes32 payableId = _payables[index % _payables.length];
        if (_dues[payableId].stage == ArrearsStage.Terminated) return;
        _climb(payableId);
    }

    /// @dev Before the end of the ladder nobody takes a deposit, after it anyone does.
    function seize(uint256 index, uint8 t) external {
        if (_payables.length == 0) return;
        bytes32 payableId = _payables[index % _payables.length];
        uint8 d = _dues[payableId].d;
        t %= 3;
        if (_held[d][t] == 0) _deposit(d, t, 1 + index % FIRST_LINE);
        while (_dues[payableId].stage != ArrearsStage.Terminated) {
            require(!_seizes(payableId, t), "not before the end of the ladder");
            _climb(payableId);
        }
        uint256 owed = uint256(_dues[payableId].principal) + _interest(_dues[payableId]);
        uint256 amount = owed < _held[d][t] ? owed : _held[d][t];
        require(_seizes(payableId, t), "the deposit pays");
        _tookDeposit(payableId, t, amount);
        _did("seize");
    }

    /* INTERNAL */

    function _deposit(uint8 d, uint8 t, uint256 amount) private {
        OddToken token = _tokens[t];
        token.mint(address(this), amount);
        bytes memory call =
            abi.encodeCall(CREDIT.deposit, (agreementOf(d), _creditor(d), address(token), uint128(amount)));
        (bool done_,) = address(CREDIT).call(call);
        require(done_ == (token.KIND() != Kind.Refusing), "what arrives is held");
        if (!done_) return _did("deposit what refuses");
        _held[d][t] += token.arrives(amount);
        _draw(d);
        _did("deposit");
    }

    function _release(uint8 d, uint8 t, uint256 amount) private {
        _held[d][t] -= amount;
        _draw(d);
    }

    function _tookDeposit(bytes32 payableId, uint8 t, uint256 amount) private {
        uint8 d = _dues[payableId].d;
        uint256 arrives = _tokens[t].arrives(amount);
        _held[d][t] -= amount;
        _received[creditorOf(d)][t] += arrives;
        _paid(payableId, arrives);
        _draw(d);
    }

    /// @dev All that is owed, or a part of it.
    function _part(bytes32 payableId, uint256 share) private view returns (uint256) {
        uint256 owed = uint256(_dues[payableId].principal) + _interest(_dues[payableId]);
        return share % 3 == 0 ? owed : 1 + share % owed;
    }

    function _trouble(OddToken token, bytes32 payableId) private {
        uint256 trouble = _payments % 3;
        if (trouble == 0) {
            token.pause(true);
            require(!_pays(payableId, token, 1), "what is paused pays nothing");
            token.pause(false);
            return _did("pay with what is paused");
        }
        bytes memory again = trouble == 1
            ? abi.encodeCall(PAYMENTS.pay, (payableId, address(token), 1))
            : abi.encodeCall(PAYMENTS.advanceArrears, (payableId));
        token.mint(address(token), 1);
        token.arm(address(PAYMENTS), again);
        _did("come in again");
    }

    function _pays(bytes32 payableId, OddToken token, uint256 amount) private returns (bool taken) {
        bytes memory call = abi.encodeCall(PAYMENTS.pay, (payableId, address(token), uint128(amount)));
        (taken,) = address(PAYMENTS).call(call);
    }

    function _seizes(bytes32 payableId, uint8 t) private returns (bool taken) {
        (taken,) = address(CREDIT).call(abi.encodeCall(CREDIT.seizeDeposit, (payableId, address(_tokens[t]))));
    }

    function _climb(bytes32 payableId) private {
        Due storage due = _dues[payableId];
        Terms memory terms = AGREEMENTS.termsAt(agreementOf(due.d), due.dueAt);
        uint64 wait = due.stage == ArrearsStage.Current
            ? 1
            : due.stage == ArrearsStage.Overdue ? terms.stopCreditSeconds : terms.terminateSeconds;
        if (block.timestamp < due.dueAt + wait) VM.warp(due.dueAt + wait);
        PAYMENTS.advanceArrears(payableId);
        due.stage = ArrearsStage(uint8(due.stage) + 1);
        _did("climb");
        if (due.stage != ArrearsStage.CreditStopped) return;
        ++_stops[due.d];
        require(!_tries(due.d, 0, _seqs[due.d][0] + 1, 0), "credit is stopped");
        _did("stop credit");
    }
}
