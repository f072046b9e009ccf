// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Settlement money for LOCAL CHAINS ONLY
/// Warning: ANYONE CAN MINT ANY AMOUNT. It is worth nothing and must never be listed on a network with real carriers.
contract SettlementToken is ERC20 {
    constructor(string memory name, string memory symbol) ERC20(name, symbol) {}

    /// @notice One unit is one micro of the currency.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// Warning: open to everybody, for local chains only.
    function mint(address to, uint256 amountMicros) external {
        _mint(to, amountMicros);
    }
}
