// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IUsageLedger} from "../interfaces/IUsageLedger.sol";

/// @dev What do 48 packed bytes say? aParty 16, bParty 16, then 16 of numbers: start 4 (ms after the declaration's first
/// event), quantity 5, amount 6 (micros), route 1 (its place in the list of routes).
library InlineRecords {
    uint256 internal constant BYTES = 48;
    bytes32 private constant RECORDED = keccak256("UsageRecorded(bytes32)");

    /// @dev Places the leaf of every record in the tree, tells it, and adds the records up. In assembly, because a record
    /// must not cost more than its bytes, its event and its hashes: about 300 gas less each. Eight words beyond the free
    /// memory take one record after the other as abi.encode would write it; index is the place, salt stays zero.
    /// `misfit` says that some record starts after `spanMs` or names no listed route.
    function tell(
        bytes calldata packed,
        bytes32[] calldata routes,
        uint256 fromMs,
        uint256 spanMs,
        bytes32[] memory nodes
    ) internal returns (uint256 quantity, uint256 amountMicros, uint256 misfit) {
        bytes32 topic = RECORDED;
        assembly ("memory-safe") {
            let words := mload(0x40)
            let leaf := add(nodes, shl(5, mload(nodes))) // leaf 0 is the last node
            calldatacopy(words, calldatasize(), 256) // zeros
            for { let end := add(packed.offset, packed.length) } lt(packed.offset, end) {
                packed.offset := add(packed.offset, 48)
            } {
                let numbers := calldataload(packed.offset)
                mstore(add(words, 64), shl(128, shr(128, numbers))) // aParty
                mstore(add(words, 96), shl(128, numbers)) // bParty
                numbers := calldataload(add(packed.offset, 32))
                mstore(add(words, 128), add(fromMs, shr(224, numbers))) // startMs
                misfit := or(misfit, gt(shr(224, numbers), spanMs))
                let part := and(shr(184, numbers), 0xffffffffff)
                mstore(add(words, 160), part) // quantity
                quantity := add(quantity, part)
                part := and(shr(136, numbers), 0xffffffffffff)
                mstore(add(words, 224), part) // amountMicros
                amountMicros := add(amountMicros, part)
                part := and(shr(128, numbers), 0xff)
                misfit := or(misfit, iszero(lt(part, routes.length)))
                mstore(add(words, 192), calldataload(add(routes.offset, shl(5, part)))) // route
                mstore(0, keccak256(words, 256))
                part := keccak256(0, 32)
                mstore(leaf, part)
                leaf := sub(leaf, 32)
                mstore(0, part)
                log1(0, 32, topic)
                mstore(words, add(mload(words), 1)) // index
            }
        }
    }

    /// @dev Says which record does not fit, and why.
    function refuse(bytes calldata packed, uint256 routes, uint64 fromMs, uint64 toMs) internal pure {
        for (uint256 i; i < packed.length / BYTES; ++i) {
            uint256 numbers = uint128(bytes16(packed[BYTES * i + 32:]));
            uint256 startMs = fromMs + (numbers >> 96);
            if (startMs > toMs) revert IUsageLedger.EventTimesInvalid(fromMs, toMs, uint64(startMs));
            if (uint8(numbers) >= routes) revert IUsageLedger.InlineRouteUnknown(i, uint8(numbers));
        }
    }
}
