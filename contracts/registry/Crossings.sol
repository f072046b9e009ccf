// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarrierId} from "../Types.sol";
import {Validities, Validity} from "../base/Validities.sol";
import {IgwKind, IgwListing} from "../interfaces/ICarrierRegistry.sol";
import {Members} from "./Members.sol";

/// @dev Who may carry data across a border, and through which international gateway?
abstract contract Crossings is Members {
    using Validities for Validity[];

    /// @dev The class that covers international data and private lines.
    bytes32 private constant INTERNATIONAL = "BASIC-INTL";

    struct Igw {
        bool known;
        IgwKind kind;
        Validity[] validities;
    }

    mapping(CarrierId carrier => mapping(bytes32 licence => Validity[])) private _licences;
    mapping(bytes32 igw => Igw) private _igws;

    constructor(IgwListing[] memory igws) {
        for (uint256 i; i < igws.length; ++i) {
            _listIgw(igws[i]);
        }
    }

    /* LICENCES */

    function grantLicence(CarrierId carrier, bytes32 licence, uint64 validFrom, uint64 validUntil)
        external
        onlyTheMembers
    {
        _requireAdmitted(carrier);
        if (licence == 0) revert CodeEmpty();

        _licences[carrier][licence].add(validFrom, validUntil);
        emit LicenceGranted(carrier, licence, validFrom, validUntil);
    }

    function revokeLicence(CarrierId carrier, bytes32 licence) external onlyTheMembers {
        if (!_licences[carrier][licence].end(_now())) revert LicenceMissing(carrier, licence, _now(), _now());

        emit LicenceRevoked(carrier, licence, _now());
    }

    /* INTERNATIONAL GATEWAYS */

    function listIgw(IgwListing calldata listing) external onlyTheMembers {
        _listIgw(listing);
    }

    function delistIgw(bytes32 igw) external onlyTheMembers {
        if (!_igws[igw].validities.end(_now())) revert IgwNotValid(igw, _now(), _now());

        emit IgwDelisted(igw, _now());
    }

    /* VIEWS */

    function isLicensed(CarrierId carrier, bytes32 licence, uint64 fromAt, uint64 toAt) public view returns (bool) {
        return _licences[carrier][licence].cover(fromAt, toAt);
    }

    function igwOf(bytes32 igw, uint64 fromAt, uint64 toAt) external view returns (IgwKind kind, bool valid) {
        return (_igws[igw].kind, _igws[igw].validities.cover(fromAt, toAt));
    }

    function requireCrossing(CarrierId creditor, bytes32 igw, uint64 fromAt, uint64 toAt) external view {
        if (!_igws[igw].validities.cover(fromAt, toAt)) revert IgwNotValid(igw, fromAt, toAt);
        if (!isLicensed(creditor, INTERNATIONAL, fromAt, toAt)) {
            revert LicenceMissing(creditor, INTERNATIONAL, fromAt, toAt);
        }
    }

    /* INTERNAL */

    function _listIgw(IgwListing memory listing) private {
        Igw storage igw = _igws[listing.igw];
        if (listing.igw == 0) revert CodeEmpty();
        if (igw.known && igw.kind != listing.kind) revert IgwKindUnexpected(listing.igw, igw.kind, listing.kind);

        igw.known = true;
        igw.kind = listing.kind;
        igw.validities.add(listing.validFrom, listing.validUntil);
        emit IgwListed(listing.igw, listing.kind, listing.validFrom, listing.validUntil);
    }

    function _requireAdmitted(CarrierId carrier) internal view virtual;
}
