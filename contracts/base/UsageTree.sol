// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

import {UsageRecord} from "../interfaces/IUsageLedger.sol";

/// @dev What are the leaf and the root of usage records? OpenZeppelin's StandardMerkleTree with `sortLeaves: false`.
library UsageTree {
    function leafOf(UsageRecord calldata record) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(record))));
    }

    /// @dev 2n - 1 nodes, root first; leaf i stands at 2n - 2 - i. `leaves` are in row order and not empty.
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        uint256 count = leaves.length;
        bytes32[] memory tree = new bytes32[](2 * count - 1);
        for (uint256 i; i < count; ++i) {
            tree[2 * count - 2 - i] = leaves[i];
        }
        for (uint256 i = count - 1; i > 0; --i) {
            tree[i - 1] = Hashes.commutativeKeccak256(tree[2 * i - 1], tree[2 * i]);
        }
        return tree[0];
    }
}
