// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Months} from "./Months.sol";

/// @dev What holds after every step, whatever came before? The rules stand in Book.sol; one invariant compares them all,
/// so that each is tried at every call.
contract InvariantsTest {
    bool public constant IS_TEST = true;
    Months private _months;
    bytes32[] private _steps = [
        bytes32("declare"), "declare a crossing", "declare both", "too much", "out of turn", "unlicensed", "grant",
        "amend", "settle", "silence", "dispute", "withdraw at once", "withdraw a dispute", "resolve", "net", "confirm",
        "pay", "pay with what refuses", "pay with what is paused", "come in again", "deposit", "deposit what refuses",
        "withdraw", "withdraw too much", "apply a deposit", "climb", "stop credit", "seize"
    ];

    function setUp() public {
        _months = new Months();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_months);
    }

    function invariant_the_rules_of_the_books_hold() external view {
        _months.rules();
    }

    /// @dev A run in which some step never happened has shown nothing.
    function afterInvariant() external view {
        for (uint256 i; i < _steps.length; ++i) {
            require(_months.done(_steps[i]) > 0, string(abi.encodePacked("never happened: ", _steps[i])));
        }
    }
}
