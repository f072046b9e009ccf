// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev A carrier's code in ASCII, left-aligned: "CN-T", "GB-B".
type CarrierId is bytes32;
/// @dev Hash of the terms two carriers signed (version 1 of them; amendments keep the id).
type AgreementId is bytes32;
/// @dev EIP-712 digest of a declaration.
type BatchId is bytes32;
/// @dev An accounting month as YYYYMM, for example 202610.
type Period is uint32;

enum Service {
    Voice,
    Sms,
    Data,
    Ipl
}

using {sameCarrier as ==, otherCarrier as !=} for CarrierId global;

function sameCarrier(CarrierId x, CarrierId y) pure returns (bool) {
    return CarrierId.unwrap(x) == CarrierId.unwrap(y);
}

function otherCarrier(CarrierId x, CarrierId y) pure returns (bool) {
    return CarrierId.unwrap(x) != CarrierId.unwrap(y);
}
