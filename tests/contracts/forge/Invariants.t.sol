// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Months} from "./Months.sol";
import {Vm} from "./World.sol";

/// @dev What holds after every step, whatever came before? The rules stand in Book.sol; one invariant compares them all.
contract InvariantsTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;
    Months private _months;
    string[] private _steps = [
        "declare", "declare a crossing", "declare both", "too much", "out of turn", "unlicensed", "grant", "amend",
        "settle", "silence", "dispute", "withdraw at once", "withdraw a dispute", "resolve", "net", "confirm", "pay",
        "pay with what refuses", "pay with what is paused", "come in again", "deposit", "deposit what refuses",
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

    /// @dev How often this run took each step, for whoever started it: what never happened has shown nothing.
    function afterInvariant() external {
        string memory counts;
        for (uint256 i; i < _steps.length; ++i) {
            string memory count = VM.toString(_months.done(bytes32(bytes(_steps[i]))));
            counts = string.concat(counts, i == 0 ? "" : ";", _steps[i], "=", count);
        }
        VM.writeLine(VM.envString("GSC_STEPS"), counts);
    }
}
