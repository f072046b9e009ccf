// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

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

    function place(bytes32[] memory nodes, uint256 index, bytes32 leaf) internal pure {
        nodes[nodes.length - 1 - index] = leaf;
    }

    /// @dev Fills the inner nodes once all leaves are placed.
    function close(bytes32[] memory nodes) internal pure returns (bytes32 root) {
        unchecked {
            for (uint256 i = nodes.length; i > 2; i -= 2) {
                nodes[(i - 2) / 2] = Hashes.commutativeKeccak256(nodes[i - 2], nodes[i - 1]);
            }
        }
        return nodes[0];
    }
}
