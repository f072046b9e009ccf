// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarrierSigned} from "./base/CarrierSigned.sol";
import {Items} from "./settlement/Items.sol";
import {Netting} from "./settlement/Netting.sol";
import {Statements} from "./settlement/Statements.sol";

/// @dev What is owed, disputed and netted? One contract in four parts, from the ground up: Items, Disputes, Statements,
/// Netting. What is paid stands in the payment book, NatSpec in the interface.
contract SettlementBook is Statements, Netting {
    constructor(address registry, address agreements, address usage, address credit, address payments)
        CarrierSigned(registry)
        Items(agreements, usage, credit)
        Netting(payments)
    {}
}
