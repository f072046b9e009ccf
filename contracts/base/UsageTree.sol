// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {UsageRecord} from "../interfaces/IUsageLedger.sol";

/// @dev What are the leaf and the root of usage records? OpenZeppelin's StandardMerkleTree with `sortLeaves: false`.
library UsageTree {
    function leafOf(UsageRecord calldata record) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(record))));
    }

    /// @dev Room for a tree over `count` leaves, at least one: 2n - 1 nodes, the root first, leaf i at 2n - 2 - i.
    function grow(uint256 count) internal pure returns (bytes32[] memory nodes) {
        return new bytes32[](2 * count - 1);
    }

    /// @dev Fills the inner nodes once all leaves are placed, from the last pair to the root: each pair hashed in order of
    /// size, as OpenZeppelin's Hashes.commutativeKeccak256 does.
    function close(bytes32[] memory nodes) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let first := add(nodes, 32)
            for { let i := sub(mload(nodes), 1) } gt(i, 0) { i := sub(i, 2) } {
                let right := mload(add(first, shl(5, i)))
                let left := mload(add(first, shl(5, sub(i, 1))))
                switch lt(left, right)
                case 1 {
                    mstore(0, left)
                    mstore(32, right)
                }
                default {
                    mstore(0, right)
                    mstore(32, left)
                }
                mstore(add(first, shl(5, shr(1, sub(i, 1)))), keccak256(0, 64))
            }
            root := mload(first)
        }
    }
}
