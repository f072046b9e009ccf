// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CreditBook} from "contracts/CreditBook.sol";
import {AgreementId, CarrierId} from "contracts/Types.sol";
import {LimitPolicy} from "contracts/interfaces/ICreditBook.sol";

interface Storage {
    function store(address target, bytes32 slot, bytes32 value) external;
}

/// @dev Do the functions that move an exposure do it exactly, for every exposure, line, policy and amount? For halmos:
/// each parameter stands for all its values. This contract stands where the usage ledger, the settlement book and the payment book stand.
contract CreditBookChecks {
    Storage private constant VM = Storage(address(uint160(uint256(keccak256("hevm cheat code")))));
    AgreementId private constant AGREEMENT = AgreementId.wrap(keccak256("agreement"));
    CarrierId private constant CREDITOR = CarrierId.wrap("CN-T");
    CarrierId private constant OTHER = CarrierId.wrap("GB-B");
    uint256 private constant DIRECTIONS_SLOT = 3; // after the two short strings of EIP712 and the guard

    CreditBook private _credit;

    function setUp() public {
        _credit = new CreditBook(address(0xdead), address(0xdead), address(this), address(this), address(this));
    }

    function check_a_declaration_raises_by_its_amount_and_never_past_a_line_that_refuses(
        uint120 exposure,
        uint120 limit,
        bool flags,
        bool stopped,
        uint128 amount
    ) external {
        _set(CREDITOR, exposure, limit, flags, stopped);
        _set(OTHER, 7, 9, false, false);
        (bool done,) = address(_credit).call(abi.encodeCall(_credit.raise, (AGREEMENT, CREDITOR, amount)));
        uint256 left = _credit.exposureOf(AGREEMENT, CREDITOR);
        bool may = !stopped && uint256(exposure) + amount <= (flags ? type(uint120).max : limit);
        assert(done == may);
        assert(left == (done ? uint256(exposure) + amount : exposure));
        _lineKept(limit, flags, stopped);
        assert(_credit.exposureOf(AGREEMENT, OTHER) == 7);
    }

    function check_a_leg_raises_by_its_amount_and_set_off_never_meets_the_line(
        uint120 exposure,
        uint120 limit,
        bool flags,
        bool stopped,
        uint128 amount,
        uint128 beforeMicros
    ) external {
        _set(CREDITOR, exposure, limit, flags, stopped);
        (bool done,) = address(_credit).call(
            abi.encodeCall(_credit.raiseByLeg, (AGREEMENT, CREDITOR, amount, beforeMicros))
        );
        uint256 raised = uint256(exposure) + amount;
        bool may = raised <= type(uint120).max && (flags || raised <= limit || raised <= beforeMicros);
        assert(done == may);
        assert(_credit.exposureOf(AGREEMENT, CREDITOR) == (done ? raised : exposure));
        _lineKept(limit, flags, stopped);
    }

    function check_a_reduction_lowers_by_its_amount_and_never_below_zero(
        uint120 exposure,
        uint120 limit,
        bool flags,
        bool stopped,
        uint128 amount
    ) external {
        _set(CREDITOR, exposure, limit, flags, stopped);
        (bool done,) = address(_credit).call(abi.encodeCall(_credit.reduce, (AGREEMENT, CREDITOR, amount)));
        assert(done == (amount <= exposure));
        assert(_credit.exposureOf(AGREEMENT, CREDITOR) == (done ? uint256(exposure) - amount : exposure));
        _lineKept(limit, flags, stopped);
    }

    function check_nobody_but_the_books_moves_an_exposure(uint120 exposure, uint128 amount) external {
        _set(CREDITOR, exposure, type(uint120).max, true, false);
        Stranger stranger = new Stranger();
        assert(!stranger.tries(address(_credit), abi.encodeCall(_credit.raise, (AGREEMENT, CREDITOR, amount))));
        assert(!stranger.tries(address(_credit), abi.encodeCall(_credit.raiseByLeg, (AGREEMENT, CREDITOR, amount, 0))));
        assert(!stranger.tries(address(_credit), abi.encodeCall(_credit.reduce, (AGREEMENT, CREDITOR, amount))));
        assert(_credit.exposureOf(AGREEMENT, CREDITOR) == exposure);
    }

    function _set(CarrierId creditor, uint120 exposure, uint120 limit, bool flags, bool stopped) private {
        bytes32 slot = keccak256(abi.encode(creditor, keccak256(abi.encode(AGREEMENT, DIRECTIONS_SLOT))));
        uint256 word = uint256(exposure) | uint256(limit) << 120;
        if (flags) word |= 1 << 240;
        if (stopped) word |= 1 << 248;
        VM.store(address(_credit), slot, bytes32(word));
        assert(_credit.exposureOf(AGREEMENT, creditor) == exposure);
    }

    function _lineKept(uint120 limit, bool flags, bool stopped) private view {
        (uint128 limitNow, LimitPolicy policy, bool stoppedNow,) = _credit.lineOf(AGREEMENT, CREDITOR);
        assert(limitNow == limit && stoppedNow == stopped && (policy == LimitPolicy.Flag) == flags);
    }
}

contract Stranger {
    function tries(address to, bytes calldata data) external returns (bool done) {
        (done,) = to.call(data);
    }
}
