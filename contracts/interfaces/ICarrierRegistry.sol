// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarrierId} from "../Types.sol";

/// @notice A carrier's grant of a signing key, signed by a key that is already valid.
struct KeyGrant {
    CarrierId carrier;
    address key;
    uint64 validFrom; // block time, seconds
    uint64 validUntil; // 0: until revoked
    uint64 nonce; // carrier's next nonce
    uint64 deadline;
}

/// @notice A carrier's revocation of one of its keys, signed by any of its valid keys.
struct KeyRevocation {
    CarrierId carrier;
    address key;
    uint64 nonce;
    uint64 deadline;
}

/// @title Who may sign for whom
/// @notice Carriers and their signing keys with validity. Admission, suspension and the list of settlement tokens are
/// decided by the members: m of n approvals, then a delay. Suspension stops new business of a carrier (agreements,
/// declarations, credit lines), never the settlement of what stands.
/// Warning: a majority of members can suspend a carrier; it can touch no amount of anybody.
/// Warning: a listed token stays listed; what it is worth, and who may mint it, the members judge before.
/// Warning: a carrier that loses all its keys cannot be given new ones; it has to be admitted under another code.
interface ICarrierRegistry {
    event CarrierAdmitted(CarrierId indexed carrier, address indexed key, uint64 admittedAt);
    event CarrierSuspended(CarrierId indexed carrier, uint64 suspendedAt);
    event CarrierReinstated(CarrierId indexed carrier, uint64 reinstatedAt);
    event KeyGranted(CarrierId indexed carrier, address indexed key, uint64 validFrom, uint64 validUntil);
    event KeyRevoked(CarrierId indexed carrier, address indexed key, uint64 revokedAt);
    event TokenListed(address indexed token, bytes32 indexed currency);
    event ProposalMade(bytes32 indexed proposalId, address indexed member, bytes call);
    /// @notice `readyAt` is zero until enough members have approved; the delay starts with the last approval needed.
    event ProposalApproved(bytes32 indexed proposalId, address indexed member, uint256 approvals, uint64 readyAt);
    event ProposalExecuted(bytes32 indexed proposalId);

    error CarrierUnknown(CarrierId carrier);
    error CarrierAlreadyAdmitted(CarrierId carrier);
    /// @notice The members have suspended this carrier: it can settle, but makes no new business.
    error CarrierNotActive(CarrierId carrier);
    /// @notice The signature does not come from a key that is valid for the carrier now.
    error SignerNotAuthorised(CarrierId carrier, address signer);
    /// @notice A key is granted once, to one carrier, for ever.
    error KeyAlreadyTaken(address key, CarrierId holder);
    error KeyWindowEmpty(uint64 validFrom, uint64 validUntil);
    error NonceUnexpected(uint64 expected, uint64 got);
    /// @notice The signature was meant to be used earlier.
    error DeadlinePassed(uint64 deadline, uint64 nowAt);
    error NotAMember(address sender);
    error NotTheMembers(address sender);
    error ThresholdInvalid(uint256 threshold, uint256 members);
    error MemberRepeated(address member);
    error LengthsMismatch(uint256 expected, uint256 got);
    /// @notice Amounts are micros, so a settlement token has six decimals.
    error TokenDecimalsUnexpected(address token, uint8 expected, uint8 got);
    error TokenAlreadyListed(address token);
    error CurrencyEmpty(address token);
    error KeyNotGranted(CarrierId carrier, address key);
    error CarrierAlreadyActive(CarrierId carrier);
    error ProposalAlreadyMade(bytes32 proposalId);
    error ProposalAlreadyExecuted(bytes32 proposalId);
    error AlreadyApproved(bytes32 proposalId, address member);
    error ProposalUnknown(bytes32 proposalId);
    error ProposalNotReady(bytes32 proposalId, uint256 approvals, uint256 threshold, uint64 readyAt, uint64 nowAt);
    error ProposalFailed(bytes32 proposalId, bytes reason);

    /// @notice Proposes a call of this contract to itself (admit, suspend, reinstate, listToken); counts as an
    /// approval.
    function propose(bytes calldata call, bytes32 salt) external returns (bytes32 proposalId);
    function approve(bytes32 proposalId) external;
    /// @notice Anyone may execute what enough members approved, once the delay is over; at most once.
    function execute(bytes32 proposalId) external;

    function admit(CarrierId carrier, address key) external;
    function suspend(CarrierId carrier) external;
    function reinstate(CarrierId carrier) external;
    function listToken(address token, bytes32 currency) external;

    /// @notice The key counts from `validFrom`, or from this block if that is later; each key is granted once.
    function grantKey(KeyGrant calldata grant, bytes calldata signature) external;
    function revokeKey(KeyRevocation calldata revocation, bytes calldata signature) external;

    function isKeyOf(CarrierId carrier, address key, uint64 atSeconds) external view returns (bool);
    /// @notice Reverts unless the carrier is active and the key is valid for it at this block's time.
    function requireSigner(CarrierId carrier, address signer) external view;
    /// @notice Reverts unless the key is valid for the carrier at this block's time; the carrier may be suspended.
    function requireKey(CarrierId carrier, address signer) external view;
    /// @notice The carrier a key was ever granted to, or zero.
    function holderOf(address key) external view returns (CarrierId);
    function isActive(CarrierId carrier) external view returns (bool);
    function currencyOfToken(address token) external view returns (bytes32);
    /// @notice The nonce the carrier's next grant or revocation must carry; the first is 1.
    function nonceOf(CarrierId carrier) external view returns (uint64);
}
