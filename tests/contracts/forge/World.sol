// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementBook} from "contracts/AgreementBook.sol";
import {CarrierRegistry} from "contracts/CarrierRegistry.sol";
import {CreditBook} from "contracts/CreditBook.sol";
import {PaymentBook} from "contracts/PaymentBook.sol";
import {SettlementBook} from "contracts/SettlementBook.sol";
import {AgreementId, CarrierId} from "contracts/Types.sol";
import {UsageLedger} from "contracts/UsageLedger.sol";
import {IgwKind, IgwListing} from "contracts/interfaces/ICarrierRegistry.sol";
import {Kind, OddToken} from "./OddToken.sol";

interface Vm {
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function warp(uint256 at) external;
    function prank(address sender) external;
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
    function toString(uint256 value) external pure returns (string memory);
    function envString(string calldata name) external view returns (string memory);
    function writeLine(string calldata path, string calldata line) external;
}

/// @dev Where do the months happen? Three carriers, three agreements (six directions), the six contracts, four tokens of
/// different manners. Direction d belongs to agreement d / 2; its creditor is the low carrier if d is even, else the high
/// one. The first two carriers are licensed for international data and private lines, the third is not.
abstract contract World {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant SEPTEMBER = 1_788_220_800;
    uint64 internal constant NEVER = type(uint64).max;
    uint8 internal constant DIRECTIONS = 6;
    uint8 internal constant SERVICES = 4;
    uint8 internal constant TOKENS = 4;
    uint8 internal constant UNLICENSED = 2;
    bytes32 internal constant IGW = "GLOBAL-BEIJING";
    uint160 internal constant FIRST_MEMBER = 0x1000;

    CarrierRegistry public immutable REGISTRY;
    AgreementBook public immutable AGREEMENTS;
    UsageLedger public immutable USAGE;
    CreditBook public immutable CREDIT;
    SettlementBook public immutable BOOK;
    PaymentBook public immutable PAYMENTS;

    CarrierId[3] internal _carriers = [CarrierId.wrap("CN-T"), CarrierId.wrap("GB-B"), CarrierId.wrap("US-A")];
    uint256[3] internal _keys = [uint256(0xC1), 0xC2, 0xC3];
    AgreementId[3] internal _agreements;
    OddToken[4] internal _tokens;

    constructor() {
        VM.warp(SEPTEMBER);
        for (uint8 t; t < TOKENS; ++t) {
            _tokens[t] = new OddToken(Kind(t));
        }
        uint256 nonce = VM.getNonce(address(this));
        address[6] memory at;
        for (uint256 i; i < 6; ++i) {
            at[i] = VM.computeCreateAddress(address(this), nonce + i);
        }
        REGISTRY = _registry();
        AGREEMENTS = new AgreementBook(at[0]);
        USAGE = new UsageLedger(at[0], at[1], at[3]);
        CREDIT = new CreditBook(at[0], at[1], at[2], at[4], at[5]);
        BOOK = new SettlementBook(at[0], at[1], at[2], at[3], at[5]);
        PAYMENTS = new PaymentBook(at[0], at[1], at[3], at[4]);
        require(address(PAYMENTS) == at[5], "the predicted addresses are the real ones");
        for (uint8 c; c < UNLICENSED; ++c) {
            _decide(abi.encodeCall(REGISTRY.grantLicence, (_carriers[c], "BASIC-INTL", uint64(SEPTEMBER), 0)));
        }
        for (uint8 t; t < TOKENS; ++t) {
            _tokens[t].approve(address(CREDIT), type(uint256).max);
            _tokens[t].approve(address(PAYMENTS), type(uint256).max);
        }
    }

    /* WHO IS WHO */

    function creditorOf(uint8 d) public pure returns (uint8) {
        (uint8 low, uint8 high) = _sides(d / 2);
        return d % 2 == 0 ? low : high;
    }

    function debtorOf(uint8 d) public pure returns (uint8) {
        return creditorOf(d ^ 1);
    }

    function agreementOf(uint8 d) public view returns (AgreementId) {
        return _agreements[d / 2];
    }

    function carrierAt(uint8 carrier) public view returns (CarrierId) {
        return _carriers[carrier];
    }

    function tokenAt(uint8 t) public view returns (OddToken) {
        return _tokens[t];
    }

    function payeeAt(uint8 carrier) public pure returns (address) {
        return address(uint160(0xFEE0 + uint160(carrier)));
    }

    function _creditor(uint8 d) internal view returns (CarrierId) {
        return _carriers[creditorOf(d)];
    }

    function _sides(uint8 a) internal pure returns (uint8 low, uint8 high) {
        if (a == 0) return (0, 1);
        return a == 1 ? (0, 2) : (1, 2);
    }

    /* THE MEMBERS */

    function _decide(bytes memory call) private {
        VM.prank(address(FIRST_MEMBER));
        bytes32 proposalId = REGISTRY.propose(call, 0);
        for (uint160 m = FIRST_MEMBER + 1; m < FIRST_MEMBER + 3; ++m) {
            VM.prank(address(m));
            REGISTRY.approve(proposalId);
        }
        VM.warp(block.timestamp + 2 days);
        REGISTRY.execute(proposalId);
    }

    function _registry() private returns (CarrierRegistry) {
        address[] memory members = new address[](5);
        for (uint160 i; i < 5; ++i) {
            members[i] = address(FIRST_MEMBER + i);
        }
        CarrierId[] memory carriers = new CarrierId[](3);
        address[] memory holders = new address[](3);
        for (uint256 i; i < 3; ++i) {
            (carriers[i], holders[i]) = (_carriers[i], VM.addr(_keys[i]));
        }
        address[] memory tokens = new address[](TOKENS);
        bytes32[] memory currencies = new bytes32[](TOKENS);
        for (uint256 t; t < TOKENS; ++t) {
            (tokens[t], currencies[t]) = (address(_tokens[t]), "USD");
        }
        IgwListing[] memory igws = new IgwListing[](1);
        igws[0] = IgwListing(IGW, IgwKind.GlobalBureau, uint64(SEPTEMBER), 0);
        return new CarrierRegistry(members, 3, 2 days, carriers, holders, tokens, currencies, igws);
    }
}
