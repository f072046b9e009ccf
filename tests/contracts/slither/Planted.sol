// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev What slither must find, or its run has shown nothing: each function has the fault its name says. Compiled with
/// the contracts for `make slither`, deployed nowhere.
contract Planted {
    address private immutable OWNER = msg.sender;
    mapping(address holder => uint256 micros) private _micros;
    uint256 private _forgotten;

    function trustsItsOrigin() external {
        require(tx.origin == OWNER);
        _micros[OWNER] += 1;
    }

    function takesFromAnybody(IERC20 token, address from, uint256 amount) external {
        bool moved = token.transferFrom(from, address(this), amount);
        require(moved);
    }

    function doesNotAskWhetherItWasPaid(IERC20 token, uint256 amount) external {
        token.transfer(OWNER, amount);
    }

    function canBeEnteredAgain(IERC20 token) external {
        uint256 owed = _micros[msg.sender];
        bool moved = token.transfer(msg.sender, owed);
        require(moved);
        _micros[msg.sender] = 0;
    }

    function runsWhatItIsTold(address code, bytes calldata call) external {
        (bool done,) = code.delegatecall(call);
        require(done);
    }

    function roundsTooEarly(uint256 micros, uint256 bps, uint256 time) external pure returns (uint256) {
        return micros / 10_000 * bps * time;
    }
}
