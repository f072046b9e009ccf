// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {CarrierId} from "./Types.sol";
import {ICarrierRegistry, KeyGrant, KeyRevocation} from "./interfaces/ICarrierRegistry.sol";

/// @dev Who may sign for whom? NatSpec stands in the interface.
contract CarrierRegistry is ICarrierRegistry, EIP712 {
    bytes32 private constant KEY_GRANT_TYPEHASH = keccak256(
        "KeyGrant(bytes32 carrier,address key,uint64 validFrom,uint64 validUntil,uint64 nonce,uint64 deadline)"
    );
    bytes32 private constant KEY_REVOCATION_TYPEHASH =
        keccak256("KeyRevocation(bytes32 carrier,address key,uint64 nonce,uint64 deadline)");
    uint8 private constant TOKEN_DECIMALS = 6;

    struct Carrier {
        uint64 admittedAt; // 0: unknown
        bool suspended;
        uint64 nextNonce; // from 1
    }

    struct KeyWindow {
        uint64 validFrom; // 0: never granted
        uint64 validUntil; // 0: until revoked
    }

    struct Proposal {
        bytes call;
        uint64 approvals;
        uint64 readyAt; // 0 until enough have approved
        bool executed;
    }

    uint256 public immutable THRESHOLD;
    uint64 public immutable DELAY_SECONDS;

    mapping(address member => bool) public isMember;
    mapping(CarrierId carrier => Carrier) private _carriers;
    mapping(CarrierId carrier => mapping(address key => KeyWindow)) private _windows;
    mapping(address key => CarrierId) public holderOf;
    mapping(address token => bytes32 currency) public currencyOfToken;
    mapping(bytes32 proposalId => Proposal) private _proposals;
    mapping(bytes32 proposalId => mapping(address member => bool)) private _approved;

    constructor(
        address[] memory members,
        uint256 threshold,
        uint64 delaySeconds,
        CarrierId[] memory foundingCarriers,
        address[] memory foundingKeys,
        address[] memory tokens,
        bytes32[] memory currencies
    ) EIP712("gsc", "1") {
        if (threshold > members.length || 2 * threshold <= members.length) {
            revert ThresholdInvalid(threshold, members.length);
        }
        if (foundingCarriers.length != foundingKeys.length) {
            revert LengthsMismatch(foundingCarriers.length, foundingKeys.length);
        }
        if (tokens.length != currencies.length) revert LengthsMismatch(tokens.length, currencies.length);

        THRESHOLD = threshold;
        DELAY_SECONDS = delaySeconds;
        for (uint256 i; i < members.length; ++i) {
            if (isMember[members[i]]) revert MemberRepeated(members[i]);
            isMember[members[i]] = true;
        }
        for (uint256 i; i < foundingCarriers.length; ++i) {
            _admit(foundingCarriers[i], foundingKeys[i]);
        }
        for (uint256 i; i < tokens.length; ++i) {
            _listToken(tokens[i], currencies[i]);
        }
    }

    modifier onlyMember() {
        if (!isMember[msg.sender]) revert NotAMember(msg.sender);
        _;
    }

    modifier onlyTheMembers() {
        if (msg.sender != address(this)) revert NotTheMembers(msg.sender);
        _;
    }

    /* GOVERNANCE */

    function propose(bytes calldata call, bytes32 salt) external onlyMember returns (bytes32 proposalId) {
        proposalId = keccak256(abi.encode(call, salt));
        if (_proposals[proposalId].approvals != 0) revert ProposalAlreadyMade(proposalId);

        _proposals[proposalId].call = call;
        emit ProposalMade(proposalId, msg.sender, call);
        _approve(proposalId);
    }

    function approve(bytes32 proposalId) external onlyMember {
        if (_proposals[proposalId].approvals == 0) revert ProposalUnknown(proposalId);
        if (_approved[proposalId][msg.sender]) revert AlreadyApproved(proposalId, msg.sender);

        _approve(proposalId);
    }

    function execute(bytes32 proposalId) external {
        Proposal storage proposal = _proposals[proposalId];
        if (proposal.approvals == 0) revert ProposalUnknown(proposalId);
        if (proposal.executed) revert ProposalAlreadyExecuted(proposalId);
        if (proposal.readyAt == 0 || block.timestamp < proposal.readyAt) {
            revert ProposalNotReady(proposalId, proposal.approvals, THRESHOLD, proposal.readyAt, _now());
        }

        proposal.executed = true;
        emit ProposalExecuted(proposalId);

        (bool done, bytes memory reason) = address(this).call(proposal.call);
        if (!done) revert ProposalFailed(proposalId, reason);
    }

    /* CARRIERS AND TOKENS */

    function admit(CarrierId carrier, address key) external onlyTheMembers {
        _admit(carrier, key);
    }

    function suspend(CarrierId carrier) external onlyTheMembers {
        Carrier storage record = _carrier(carrier);
        if (record.suspended) revert CarrierNotActive(carrier);

        record.suspended = true;
        emit CarrierSuspended(carrier, _now());
    }

    function reinstate(CarrierId carrier) external onlyTheMembers {
        Carrier storage record = _carrier(carrier);
        if (!record.suspended) revert CarrierAlreadyActive(carrier);

        record.suspended = false;
        emit CarrierReinstated(carrier, _now());
    }

    function listToken(address token, bytes32 currency) external onlyTheMembers {
        _listToken(token, currency);
    }

    /* KEYS */

    function grantKey(KeyGrant calldata grant, bytes calldata signature) external {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(KEY_GRANT_TYPEHASH, grant)));
        _requireOwnWord(grant.carrier, grant.nonce, grant.deadline, digest, signature);

        _grant(grant.carrier, grant.key, grant.validFrom, grant.validUntil);
    }

    function revokeKey(KeyRevocation calldata revocation, bytes calldata signature) external {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(KEY_REVOCATION_TYPEHASH, revocation)));
        _requireOwnWord(revocation.carrier, revocation.nonce, revocation.deadline, digest, signature);
        KeyWindow storage window = _windows[revocation.carrier][revocation.key];
        if (window.validFrom == 0 || (window.validUntil != 0 && window.validUntil <= block.timestamp)) {
            revert KeyNotGranted(revocation.carrier, revocation.key);
        }

        window.validUntil = _now();
        emit KeyRevoked(revocation.carrier, revocation.key, _now());
    }

    /* VIEWS */

    function isKeyOf(CarrierId carrier, address key, uint64 atSeconds) public view returns (bool) {
        KeyWindow storage window = _windows[carrier][key];
        if (window.validFrom == 0 || atSeconds < window.validFrom) return false;
        return window.validUntil == 0 || atSeconds < window.validUntil;
    }

    function requireSigner(CarrierId carrier, address signer) external view {
        if (_carrier(carrier).suspended) revert CarrierNotActive(carrier);
        _requireKey(carrier, signer);
    }

    function requireKey(CarrierId carrier, address signer) external view {
        _carrier(carrier);
        _requireKey(carrier, signer);
    }

    function isActive(CarrierId carrier) external view returns (bool) {
        return _carriers[carrier].admittedAt != 0 && !_carriers[carrier].suspended;
    }

    function nonceOf(CarrierId carrier) external view returns (uint64) {
        return _carrier(carrier).nextNonce;
    }

    /* INTERNAL */

    function _approve(bytes32 proposalId) private {
        Proposal storage proposal = _proposals[proposalId];
        _approved[proposalId][msg.sender] = true;
        proposal.approvals += 1;
        if (proposal.approvals == THRESHOLD) proposal.readyAt = _now() + DELAY_SECONDS;
        emit ProposalApproved(proposalId, msg.sender, proposal.approvals, proposal.readyAt);
    }

    function _admit(CarrierId carrier, address key) private {
        if (CarrierId.unwrap(carrier) == 0) revert CarrierUnknown(carrier);
        if (_carriers[carrier].admittedAt != 0) revert CarrierAlreadyAdmitted(carrier);

        _carriers[carrier] = Carrier({admittedAt: _now(), suspended: false, nextNonce: 1});
        emit CarrierAdmitted(carrier, key, _now());
        _grant(carrier, key, 0, 0);
    }

    function _grant(CarrierId carrier, address key, uint64 validFrom, uint64 validUntil) private {
        if (validFrom < block.timestamp) validFrom = _now();
        if (key == address(0) || CarrierId.unwrap(holderOf[key]) != 0) revert KeyAlreadyTaken(key, holderOf[key]);
        if (validUntil != 0 && validUntil <= validFrom) revert KeyWindowEmpty(validFrom, validUntil);

        holderOf[key] = carrier;
        _windows[carrier][key] = KeyWindow({validFrom: validFrom, validUntil: validUntil});
        emit KeyGranted(carrier, key, validFrom, validUntil);
    }

    function _listToken(address token, bytes32 currency) private {
        if (currency == 0) revert CurrencyEmpty(token);
        if (currencyOfToken[token] != 0) revert TokenAlreadyListed(token);
        uint8 decimals = IERC20Metadata(token).decimals();
        if (decimals != TOKEN_DECIMALS) revert TokenDecimalsUnexpected(token, TOKEN_DECIMALS, decimals);

        currencyOfToken[token] = currency;
        emit TokenListed(token, currency);
    }

    /// @dev Uses up the carrier's next nonce.
    function _requireOwnWord(
        CarrierId carrier,
        uint64 nonce,
        uint64 deadline,
        bytes32 digest,
        bytes calldata signature
    ) private {
        Carrier storage record = _carrier(carrier);
        if (nonce != record.nextNonce) revert NonceUnexpected(record.nextNonce, nonce);
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, _now());
        _requireKey(carrier, ECDSA.recover(digest, signature));

        record.nextNonce = nonce + 1;
    }

    function _requireKey(CarrierId carrier, address signer) private view {
        if (!isKeyOf(carrier, signer, _now())) revert SignerNotAuthorised(carrier, signer);
    }

    function _carrier(CarrierId carrier) private view returns (Carrier storage record) {
        record = _carriers[carrier];
        if (record.admittedAt == 0) revert CarrierUnknown(carrier);
    }

    function _now() private view returns (uint64) {
        return uint64(block.timestamp);
    }
}
