// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementBook} from "contracts/AgreementBook.sol";
import {CarrierRegistry} from "contracts/CarrierRegistry.sol";
import {CreditBook} from "contracts/CreditBook.sol";
import {PaymentBook} from "contracts/PaymentBook.sol";
import {SettlementBook} from "contracts/SettlementBook.sol";
import {AgreementId, CarrierId, Period, Service} from "contracts/Types.sol";
import {UsageLedger} from "contracts/UsageLedger.sol";
import {Terms} from "contracts/interfaces/IAgreementBook.sol";
import {IgwListing} from "contracts/interfaces/ICarrierRegistry.sol";
import {CreditLine, LimitPolicy} from "contracts/interfaces/ICreditBook.sol";
import {PaymentConfirmation} from "contracts/interfaces/IPaymentBook.sol";
import {Dispute, Leg, NettingCycle, Resolution, Statement, StatementLine} from
    "contracts/interfaces/ISettlementBook.sol";
import {Declaration, PeriodClose} from "contracts/interfaces/IUsageLedger.sol";

interface Vm {
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function warp(uint256 at) external;
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
}

/// @dev Who signs what? Three carriers, three agreements (six directions), the six contracts; structs and signatures.
/// Direction d belongs to agreement d / 2; its creditor is the low carrier if d is even, else the high one.
abstract contract World {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant SEPTEMBER = 1_788_220_800;
    uint64 internal constant NEVER = type(uint64).max;
    uint8 internal constant DIRECTIONS = 6;
    uint256 internal constant FIRST_LIMIT = 1e12;

    CarrierRegistry public immutable REGISTRY;
    AgreementBook public immutable AGREEMENTS;
    UsageLedger public immutable USAGE;
    CreditBook public immutable CREDIT;
    SettlementBook public immutable BOOK;
    PaymentBook public immutable PAYMENTS;

    CarrierId[3] internal _carriers = [CarrierId.wrap("CN-T"), CarrierId.wrap("GB-B"), CarrierId.wrap("US-A")];
    uint256[3] internal _keys = [uint256(0xC1), 0xC2, 0xC3];
    AgreementId[3] internal _agreements;
    uint64[6] internal _lineNonces;

    constructor() {
        VM.warp(SEPTEMBER);
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
        for (uint8 a; a < 3; ++a) {
            _agree(a);
        }
        for (uint8 d; d < DIRECTIONS; ++d) {
            _grant(d, FIRST_LIMIT);
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

    function _sides(uint8 a) internal pure returns (uint8 low, uint8 high) {
        if (a == 0) return (0, 1);
        return a == 1 ? (0, 2) : (1, 2);
    }

    /* SIGNED WORDS */

    function _agree(uint8 a) private {
        (uint8 low, uint8 high) = _sides(a);
        Terms memory terms = Terms({
            carrierLow: _carriers[low],
            carrierHigh: _carriers[high],
            currency: "USD",
            services: 0x0f,
            noticeSeconds: 7 days,
            paymentSeconds: 30 days,
            acceptanceSeconds: 60 days,
            interestBps: 150,
            stopCreditSeconds: 15 days,
            terminateSeconds: 45 days,
            documentHash: keccak256(abi.encode(a)),
            validFrom: uint64(SEPTEMBER)
        });
        bytes32 structHash = AgreementId.unwrap(AGREEMENTS.idOf(terms));
        bytes32 digest = _digest(address(AGREEMENTS), structHash);
        _agreements[a] = AGREEMENTS.sign(terms, _sign(low, digest), _sign(high, digest));
    }

    function _grant(uint8 d, uint256 limit) internal {
        CreditLine memory line = CreditLine({
            agreementId: agreementOf(d),
            creditor: _carriers[creditorOf(d)],
            limitMicros: uint128(limit),
            policy: LimitPolicy.Refuse,
            nonce: ++_lineNonces[d],
            deadline: NEVER
        });
        bytes32 typehash = keccak256(
            "CreditLine(bytes32 agreementId,bytes32 creditor,uint128 limitMicros,uint8 policy,uint64 nonce,uint64 deadline)"
        );
        bytes32 digest = _digest(address(CREDIT), keccak256(abi.encode(typehash, line)));
        CREDIT.grant(line, _sign(creditorOf(d), digest));
    }

    function _declaration(uint8 d, uint8 declarer, uint64 seq, uint32 period, uint128 amount)
        internal
        view
        returns (Declaration memory declaration)
    {
        declaration.agreementId = agreementOf(d);
        declaration.declarer = _carriers[declarer];
        declaration.creditor = _carriers[creditorOf(d)];
        declaration.seq = seq;
        declaration.period = Period.wrap(period);
        declaration.root = keccak256(abi.encode(d, declarer, seq));
        declaration.count = 1;
        declaration.fromMs = uint64(block.timestamp) * 1000;
        declaration.toMs = declaration.fromMs;
        declaration.quantity = 1;
        declaration.amountMicros = amount;
        declaration.deadline = NEVER;
    }

    function _close(uint8 a, uint8 carrier, uint32 period, uint64 creditorSeq, uint64 debtorSeq) internal {
        PeriodClose memory close =
            PeriodClose(_agreements[a], _carriers[carrier], Period.wrap(period), creditorSeq, debtorSeq, NEVER);
        bytes32 typehash = keccak256(
            "PeriodClose(bytes32 agreementId,bytes32 declarer,uint32 period,uint64 creditorSeq,uint64 debtorSeq,uint64 deadline)"
        );
        USAGE.closePeriod(close, _sign(carrier, _digest(address(USAGE), keccak256(abi.encode(typehash, close)))));
    }

    function _openDispute(uint8 d, uint32 period, uint128 amount, uint64 nonce) internal returns (bytes32) {
        Dispute memory dispute = Dispute({
            agreementId: agreementOf(d),
            period: Period.wrap(period),
            creditor: _carriers[creditorOf(d)],
            service: Service.Voice,
            reason: "duration_bias",
            amountMicros: amount,
            evidenceHash: keccak256("evidence"),
            nonce: nonce,
            deadline: NEVER
        });
        bytes32 typehash = keccak256(
            "Dispute(bytes32 agreementId,uint32 period,bytes32 creditor,uint8 service,bytes32 reason,uint128 amountMicros,bytes32 evidenceHash,uint64 nonce,uint64 deadline)"
        );
        bytes32 digest = _digest(address(BOOK), keccak256(abi.encode(typehash, dispute)));
        return BOOK.openDispute(dispute, _sign(debtorOf(d), digest));
    }

    function _resolve(uint8 d, bytes32 disputeId, uint128 credited, uint128 due) internal {
        Resolution memory resolution = Resolution(disputeId, credited, due, NEVER);
        bytes32 typehash =
            keccak256("Resolution(bytes32 disputeId,uint128 creditedMicros,uint128 dueMicros,uint64 deadline)");
        bytes32 digest = _digest(address(BOOK), keccak256(abi.encode(typehash, resolution)));
        BOOK.resolveDispute(resolution, _sign(creditorOf(d), digest), _sign(debtorOf(d), digest));
    }

    function _state(uint8 a, uint32 period, StatementLine[] memory lines) internal returns (bytes32) {
        bytes32 digest = _statementDigest(a, period, lines);
        (uint8 low, uint8 high) = _sides(a);
        bytes memory signatureLow = _sign(low, digest);
        bytes memory signatureHigh = _sign(high, digest);
        Statement memory statement = Statement(_agreements[a], Period.wrap(period), lines, 0, NEVER);
        return BOOK.agreeStatement(statement, signatureLow, signatureHigh);
    }

    function _statementDigest(uint8 a, uint32 period, StatementLine[] memory lines) private view returns (bytes32) {
        bytes memory line =
            "StatementLine(bytes32 creditor,uint8 service,uint128 creditorMicros,uint128 debtorMicros,uint128 agreedMicros,uint128 withheldMicros)";
        bytes32 typehash = keccak256(
            bytes.concat(
                "Statement(bytes32 agreementId,uint32 period,StatementLine[] lines,bytes32 batchesHash,uint64 deadline)",
                line
            )
        );
        bytes32[] memory hashes = new bytes32[](lines.length);
        for (uint256 i; i < lines.length; ++i) {
            hashes[i] = keccak256(abi.encode(keccak256(line), lines[i]));
        }
        bytes32 linesHash = keccak256(abi.encodePacked(hashes));
        bytes32 structHash = keccak256(abi.encode(typehash, _agreements[a], period, linesHash, bytes32(0), NEVER));
        return _digest(address(BOOK), structHash);
    }

    function _net(bytes32[] memory items, Leg[] memory legs, uint64 nonce, uint8[] memory parties)
        internal
        returns (bytes32)
    {
        bytes32 digest = _cycleDigest(items, legs, nonce);
        CarrierId[] memory ids = new CarrierId[](parties.length);
        bytes[] memory signatures = new bytes[](parties.length);
        for (uint256 i; i < parties.length; ++i) {
            ids[i] = _carriers[parties[i]];
            signatures[i] = _sign(parties[i], digest);
        }
        NettingCycle memory cycle = NettingCycle("USD", nonce, items, legs, NEVER);
        return BOOK.net(cycle, ids, signatures);
    }

    function _cycleDigest(bytes32[] memory items, Leg[] memory legs, uint64 nonce) private view returns (bytes32) {
        bytes memory leg = "Leg(bytes32 agreementId,bytes32 creditor,uint128 amountMicros)";
        bytes32[] memory hashes = new bytes32[](legs.length);
        for (uint256 i; i < legs.length; ++i) {
            hashes[i] = keccak256(abi.encode(keccak256(leg), legs[i]));
        }
        bytes32 typehash = keccak256(
            bytes.concat("NettingCycle(bytes32 currency,uint64 nonce,bytes32[] items,Leg[] legs,uint64 deadline)", leg)
        );
        bytes32 itemsHash = keccak256(abi.encodePacked(items));
        bytes32 legsHash = keccak256(abi.encodePacked(hashes));
        return _digest(
            address(BOOK), keccak256(abi.encode(typehash, bytes32("USD"), nonce, itemsHash, legsHash, NEVER))
        );
    }

    function _confirm(uint8 d, bytes32 payableId, uint128 amount, bytes32 bankReference) internal {
        PaymentConfirmation memory word = PaymentConfirmation(payableId, amount, bankReference, NEVER);
        bytes32 typehash = keccak256(
            "PaymentConfirmation(bytes32 payableId,uint128 amountMicros,bytes32 bankReference,uint64 deadline)"
        );
        bytes32 digest = _digest(address(PAYMENTS), keccak256(abi.encode(typehash, word)));
        PAYMENTS.confirmPayment(word, _sign(creditorOf(d), digest));
    }

    function _sign(uint8 carrier, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(_keys[carrier], digest);
        return abi.encodePacked(r, s, v);
    }

    function _digest(address at, bytes32 structHash) private view returns (bytes32) {
        bytes32 typehash = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(typehash, keccak256("gsc"), keccak256("1"), block.chainid, at));
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }

    function _registry() private returns (CarrierRegistry) {
        address[] memory members = new address[](5);
        for (uint160 i; i < 5; ++i) {
            members[i] = address(0x1000 + i);
        }
        CarrierId[] memory carriers = new CarrierId[](3);
        address[] memory holders = new address[](3);
        for (uint256 i; i < 3; ++i) {
            (carriers[i], holders[i]) = (_carriers[i], VM.addr(_keys[i]));
        }
        return new CarrierRegistry(
            members, 3, 2 days, carriers, holders, new address[](0), new bytes32[](0), new IgwListing[](0)
        );
    }
}
