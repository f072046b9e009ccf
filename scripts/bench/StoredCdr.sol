// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title The baseline of `make bench BENCH=chain`: one transaction for each CDR, its fields stored
/// @notice What ledgers do that put every record on the chain; nothing is checked, not even a signature.
contract StoredCdr {
    struct Cdr {
        bytes32 caller;
        uint64 startMs;
        uint64 durationMs;
        uint128 amountMicros;
    }

    mapping(bytes32 cdrId => Cdr) public cdrs;

    function store(bytes32 cdrId, Cdr calldata cdr) external {
        cdrs[cdrId] = cdr;
    }
}
