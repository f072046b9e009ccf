// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {CarrierId} from "./Types.sol";
import {IgwListing, KeyGrant, KeyRevocation} from "./interfaces/ICarrierRegistry.sol";
import {Crossings} from "./registry/Crossings.sol";
import {Members} from "./registry/Members.sol";

/// @dev Who may sign for whom? One contract in three parts, from the ground up: Members, Crossings, and here carriers,
/// tokens and keys. NatSpec stands in the interface.
contract CarrierRegistry is Crossings, EIP712 {
    bytes32 private constant KEY_GRANT_TYPEHASH = keccak256(
        "KeyGrant(bytes32 carrier,address key,uint64 validFrom,uint64 validUntil,uint64 nonce,uint64 deadline)"
    );
    bytes32 private constant KEY_REVOCATION_TYPEHASH =
        keccak256("KeyRevocation(bytes32 carrier,address key,uint64 nonce,uint64 deadline)");
    uint8 private constant TOKEN_DECIMALS = 6;

    enum Standing {
        Active,
        Suspended,
        Removed
    }

    /// @dev One slot, so that most signatures are checked by reading one.
    struct Carrier {
        address openKey; // a key that is valid from its grant until revoked: it needs no look at its window; or zero
        uint40 admittedAt; // 0: unknown
        uint48 nextNonce; // from 1
        Standing standing;
    }

    struct KeyWindow {
        uint64 validFrom; // 0: never granted
        uint64 validUntil; // 0: until revoked
    }

    mapping(CarrierId carrier => Carrier) private _carriers;
    mapping(CarrierId carrier => mapping(address key => KeyWindow)) private _windows;
    mapping(address key => CarrierId) public holderOf;
    mapping(address token => bytes32 currency) public currencyOfToken;

    constructor(
        address[] memory members,
        uint256 threshold,
        uint64 delaySeconds,
        CarrierId[] memory foundingCarriers,
        address[] memory foundingKeys,
        address[] memory tokens,
        bytes32[] memory currencies,
        IgwListing[] memory igws
    ) EIP712("gsc", "1") Members(members, threshold, delaySeconds) Crossings(igws) {
        if (foundingCarriers.length != foundingKeys.length) {
            revert LengthsMismatch(foundingCarriers.length, foundingKeys.length);
        }
        if (tokens.length != currencies.length) revert LengthsMismatch(tokens.length, currencies.length);

        for (uint256 i; i < foundingCarriers.length; ++i) {
            _admit(foundingCarriers[i], foundingKeys[i]);
        }
        for (uint256 i; i < tokens.length; ++i) {
            _listToken(tokens[i], currencies[i]);
        }
    }

    /* CARRIERS AND TOKENS */

    function admit(CarrierId carrier, address key) external onlyTheMembers {
        _admit(carrier, key);
    }

    function suspend(CarrierId carrier) external onlyTheMembers {
        Carrier storage record = _requireRemaining(carrier);
        if (record.standing == Standing.Suspended) revert CarrierNotActive(carrier);

        record.standing = Standing.Suspended;
        emit CarrierSuspended(carrier, _now());
    }

    function reinstate(CarrierId carrier) external onlyTheMembers {
        Carrier storage record = _requireRemaining(carrier);
        if (record.standing == Standing.Active) revert CarrierAlreadyActive(carrier);

        record.standing = Standing.Active;
        emit CarrierReinstated(carrier, _now());
    }

    function remove(CarrierId carrier) external onlyTheMembers {
        Carrier storage record = _requireRemaining(carrier);

        record.standing = Standing.Removed;
        emit CarrierRemoved(carrier, _now());
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
        if (_carriers[revocation.carrier].openKey == revocation.key) delete _carriers[revocation.carrier].openKey;
        emit KeyRevoked(revocation.carrier, revocation.key, _now());
    }

    /* VIEWS */

    function isKeyOf(CarrierId carrier, address key, uint64 atSeconds) public view returns (bool) {
        KeyWindow storage window = _windows[carrier][key];
        if (window.validFrom == 0 || atSeconds < window.validFrom) return false;
        return window.validUntil == 0 || atSeconds < window.validUntil;
    }

    function requireSigner(CarrierId carrier, address signer) external view {
        Carrier storage record = _carrier(carrier);
        if (record.standing != Standing.Active) revert CarrierNotActive(carrier);
        if (signer != record.openKey) _requireKey(carrier, signer);
    }

    function requireKey(CarrierId carrier, address signer) external view {
        if (signer != _carrier(carrier).openKey) _requireKey(carrier, signer);
    }

    function isActive(CarrierId carrier) external view returns (bool) {
        return _carriers[carrier].admittedAt != 0 && _carriers[carrier].standing == Standing.Active;
    }

    function nonceOf(CarrierId carrier) external view returns (uint64) {
        return _carrier(carrier).nextNonce;
    }

    /* INTERNAL */

    function _admit(CarrierId carrier, address key) private {
        if (CarrierId.unwrap(carrier) == 0) revert CarrierUnknown(carrier);
        if (_carriers[carrier].admittedAt != 0) revert CarrierAlreadyAdmitted(carrier);

        _carriers[carrier] =
            Carrier({openKey: address(0), admittedAt: uint40(_now()), nextNonce: 1, standing: Standing.Active});
        emit CarrierAdmitted(carrier, key, _now());
        _grant(carrier, key, 0, 0);
    }

    function _grant(CarrierId carrier, address key, uint64 validFrom, uint64 validUntil) private {
        if (validFrom < block.timestamp) validFrom = _now();
        if (key == address(0) || CarrierId.unwrap(holderOf[key]) != 0) revert KeyAlreadyTaken(key, holderOf[key]);
        if (validUntil != 0 && validUntil <= validFrom) revert KeyWindowEmpty(validFrom, validUntil);

        holderOf[key] = carrier;
        _windows[carrier][key] = KeyWindow({validFrom: validFrom, validUntil: validUntil});
        if (validFrom == block.timestamp && validUntil == 0) _carriers[carrier].openKey = key;
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

        record.nextNonce = uint48(nonce) + 1;
    }

    function _requireKey(CarrierId carrier, address signer) private view {
        if (!isKeyOf(carrier, signer, _now())) revert SignerNotAuthorised(carrier, signer);
    }

    function _carrier(CarrierId carrier) private view returns (Carrier storage record) {
        record = _carriers[carrier];
        if (record.admittedAt == 0) revert CarrierUnknown(carrier);
    }

    function _requireRemaining(CarrierId carrier) private view returns (Carrier storage record) {
        record = _carrier(carrier);
        if (record.standing == Standing.Removed) revert CarrierIsRemoved(carrier);
    }

    function _requireAdmitted(CarrierId carrier) internal view override {
        _requireRemaining(carrier);
    }
}
