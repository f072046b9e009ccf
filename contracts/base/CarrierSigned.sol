// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {CarrierId} from "../Types.sol";
import {ICarrierRegistry} from "../interfaces/ICarrierRegistry.sol";

/// @dev Did this carrier sign this struct, in time? Signer is not sender: whoever brings the signature pays the gas.
abstract contract CarrierSigned is EIP712 {
    ICarrierRegistry public immutable REGISTRY;

    constructor(address registry) EIP712("gsc", "1") {
        REGISTRY = ICarrierRegistry(registry);
    }

    /// @dev For new business: the carrier must be active.
    function _requireActive(CarrierId carrier, bytes32 digest, bytes calldata signature) internal view {
        REGISTRY.requireSigner(carrier, ECDSA.recover(digest, signature));
    }

    /// @dev For settling what stands: a suspended carrier can still do it.
    function _requireKey(CarrierId carrier, bytes32 digest, bytes calldata signature) internal view {
        REGISTRY.requireKey(carrier, ECDSA.recover(digest, signature));
    }

    function _requireInTime(uint64 deadline) internal view {
        if (block.timestamp > deadline) revert ICarrierRegistry.DeadlinePassed(deadline, uint64(block.timestamp));
    }
}
