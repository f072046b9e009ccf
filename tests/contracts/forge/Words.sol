// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "contracts/Types.sol";
import {Amendment, Terms} from "contracts/interfaces/IAgreementBook.sol";
import {CreditLine, DepositApplication, DepositWithdrawal, LimitPolicy} from "contracts/interfaces/ICreditBook.sol";
import {PayeeChange, PaymentConfirmation} from "contracts/interfaces/IPaymentBook.sol";
import {
    Dispute,
    Investigation,
    Leg,
    NettingCycle,
    Resolution,
    Statement,
    StatementLine,
    Withdrawal
} from "contracts/interfaces/ISettlementBook.sol";
import {Declaration, PeriodClose} from "contracts/interfaces/IUsageLedger.sol";
import {World} from "./World.sol";

/// @dev Who says what, signed? The structs of every step, hashed here a second time, by hand.
abstract contract Words is World {
    bytes private constant TERMS =
        "Terms(bytes32 carrierLow,bytes32 carrierHigh,bytes32 currency,uint8 services,uint32 noticeSeconds,uint32 paymentSeconds,uint32 acceptanceSeconds,uint16 interestBps,uint32 stopCreditSeconds,uint32 terminateSeconds,bytes32 documentHash,uint64 validFrom)";

    uint64[6] private _lineNonces;
    uint64[6] private _depositNonces;
    uint32[3] internal _versions;
    uint64[3] internal _validFrom;

    constructor() {
        for (uint8 a; a < 3; ++a) {
            Terms memory terms = _terms(a, 150, 30, uint64(block.timestamp));
            bytes32 digest = _digest(address(AGREEMENTS), AgreementId.unwrap(AGREEMENTS.idOf(terms)));
            (uint8 low, uint8 high) = _sides(a);
            _agreements[a] = AGREEMENTS.sign(terms, _sign(low, digest), _sign(high, digest));
            (_versions[a], _validFrom[a]) = (1, terms.validFrom);
            _namePayee(a);
        }
    }

    /* AGREEMENTS */

    function _terms(uint8 a, uint16 interestBps, uint32 paymentDays, uint64 validFrom)
        private
        view
        returns (Terms memory)
    {
        (uint8 low, uint8 high) = _sides(a);
        return Terms({
            carrierLow: _carriers[low],
            carrierHigh: _carriers[high],
            currency: "USD",
            services: 0x0f,
            noticeSeconds: 7 days,
            paymentSeconds: paymentDays * 1 days,
            acceptanceSeconds: 60 days,
            interestBps: interestBps,
            stopCreditSeconds: paymentDays * 12 hours,
            terminateSeconds: paymentDays * 36 hours,
            documentHash: keccak256(abi.encode(a)),
            validFrom: validFrom
        });
    }

    function _amend(uint8 a, uint16 interestBps, uint32 paymentDays) internal {
        uint64 validFrom = _validFrom[a] + 1 > block.timestamp ? _validFrom[a] + 1 : uint64(block.timestamp);
        Amendment memory amendment =
            Amendment(_agreements[a], ++_versions[a], _terms(a, interestBps, paymentDays, validFrom), NEVER);
        bytes32 termsHash = keccak256(abi.encode(keccak256(TERMS), amendment.terms));
        bytes32 typehash = keccak256(
            bytes.concat("Amendment(bytes32 agreementId,uint32 version,Terms terms,uint64 deadline)", TERMS)
        );
        bytes32 structHash =
            keccak256(abi.encode(typehash, amendment.agreementId, amendment.version, termsHash, NEVER));
        bytes32 digest = _digest(address(AGREEMENTS), structHash);
        (uint8 low, uint8 high) = _sides(a);
        AGREEMENTS.amend(amendment, _sign(low, digest), _sign(high, digest));
        _validFrom[a] = validFrom;
    }

    /* USAGE */

    function _declaration(uint8 d, uint8 declarer, uint64 seq, uint32 period, uint8 service, uint128 amount)
        internal
        view
        returns (Declaration memory declaration)
    {
        declaration.agreementId = agreementOf(d);
        declaration.declarer = _carriers[declarer];
        declaration.creditor = _creditor(d);
        declaration.seq = seq;
        declaration.service = Service(service);
        declaration.period = Period.wrap(period);
        declaration.root = keccak256(abi.encode(d, declarer, seq));
        declaration.count = 1;
        declaration.fromMs = uint64(block.timestamp) * 1000;
        declaration.toMs = declaration.fromMs;
        declaration.quantity = 1;
        declaration.amountMicros = amount;
        declaration.igw = service < uint8(Service.Data) ? bytes32(0) : IGW;
        declaration.deadline = NEVER;
    }

    function _batchId(Declaration memory declaration) internal view returns (bytes32 digest) {
        (bool ok, bytes memory answer) = address(USAGE).staticcall(abi.encodeCall(USAGE.batchIdOf, (declaration)));
        require(ok, "a digest");
        digest = abi.decode(answer, (bytes32));
    }

    function _close(uint8 a, uint8 carrier, uint32 period, uint64 creditorSeq, uint64 debtorSeq) internal {
        PeriodClose memory close =
            PeriodClose(_agreements[a], _carriers[carrier], Period.wrap(period), creditorSeq, debtorSeq, NEVER);
        bytes32 typehash = keccak256(
            "PeriodClose(bytes32 agreementId,bytes32 declarer,uint32 period,uint64 creditorSeq,uint64 debtorSeq,uint64 deadline)"
        );
        USAGE.closePeriod(close, _sign(carrier, _digest(address(USAGE), keccak256(abi.encode(typehash, close)))));
    }

    /* CREDIT */

    function _grant(uint8 d, uint256 micros, bool flags) internal {
        CreditLine memory line = CreditLine({
            agreementId: agreementOf(d),
            creditor: _creditor(d),
            limitMicros: uint128(micros),
            policy: flags ? LimitPolicy.Flag : LimitPolicy.Refuse,
            nonce: ++_lineNonces[d],
            deadline: NEVER
        });
        bytes32 typehash = keccak256(
            "CreditLine(bytes32 agreementId,bytes32 creditor,uint128 limitMicros,uint8 policy,uint64 nonce,uint64 deadline)"
        );
        bytes32 digest = _digest(address(CREDIT), keccak256(abi.encode(typehash, line)));
        CREDIT.grant(line, _sign(creditorOf(d), digest));
    }

    /// @dev Whether the withdrawal was taken; its nonce is used up only then.
    function _withdraw(uint8 d, address token, uint128 amount) internal returns (bool done) {
        uint64 nonce = _depositNonces[d] + 1;
        DepositWithdrawal memory word =
            DepositWithdrawal(agreementOf(d), _creditor(d), token, payeeAt(debtorOf(d)), amount, nonce, NEVER);
        bytes32 typehash = keccak256(
            "DepositWithdrawal(bytes32 agreementId,bytes32 creditor,address token,address to,uint128 amountMicros,uint64 nonce,uint64 deadline)"
        );
        bytes32 digest = _digest(address(CREDIT), keccak256(abi.encode(typehash, word)));
        bytes memory call = abi.encodeCall(CREDIT.withdrawDeposit, (word, _sign(debtorOf(d), digest)));
        (done,) = address(CREDIT).call(call);
        if (done) _depositNonces[d] = nonce;
    }

    function _apply(uint8 d, bytes32 payableId, address token, uint128 amount) internal {
        DepositApplication memory word = DepositApplication(payableId, token, amount, ++_depositNonces[d], NEVER);
        bytes32 typehash = keccak256(
            "DepositApplication(bytes32 payableId,address token,uint128 amountMicros,uint64 nonce,uint64 deadline)"
        );
        bytes32 digest = _digest(address(CREDIT), keccak256(abi.encode(typehash, word)));
        CREDIT.applyDeposit(word, _sign(debtorOf(d), digest));
    }

    /* SETTLEMENT */

    function _openDispute(uint8 d, uint32 period, uint8 service, uint128 amount, uint64 nonce) internal returns (bytes32) {
        Dispute memory dispute = Dispute({
            agreementId: agreementOf(d),
            period: Period.wrap(period),
            creditor: _creditor(d),
            service: Service(service),
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

    function _investigate(uint8 d, bytes32 disputeId) internal {
        Investigation memory word = Investigation(disputeId, NEVER);
        bytes32 typehash = keccak256("Investigation(bytes32 disputeId,uint64 deadline)");
        BOOK.investigate(word, _sign(creditorOf(d), _digest(address(BOOK), keccak256(abi.encode(typehash, word)))));
    }

    function _withdrawDispute(uint8 d, bytes32 disputeId) internal {
        Withdrawal memory word = Withdrawal(disputeId, NEVER);
        bytes32 typehash = keccak256("Withdrawal(bytes32 disputeId,uint64 deadline)");
        BOOK.withdrawDispute(word, _sign(debtorOf(d), _digest(address(BOOK), keccak256(abi.encode(typehash, word)))));
    }

    function _resolve(uint8 d, bytes32 disputeId, uint128 credited, uint128 due) internal {
        Resolution memory resolution = Resolution(disputeId, credited, due, NEVER);
        bytes32 typehash =
            keccak256("Resolution(bytes32 disputeId,uint128 creditedMicros,uint128 dueMicros,uint64 deadline)");
        bytes32 digest = _digest(address(BOOK), keccak256(abi.encode(typehash, resolution)));
        BOOK.resolveDispute(resolution, _sign(creditorOf(d), digest), _sign(debtorOf(d), digest));
    }

    /// @dev Signed by both, or proposed by one and not answered.
    function _state(uint8 a, uint32 period, StatementLine[] memory lines, bool silently) internal returns (bytes32) {
        bytes32 digest = _statementDigest(a, period, lines);
        (uint8 low, uint8 high) = _sides(a);
        Statement memory statement = Statement(_agreements[a], Period.wrap(period), lines, 0, NEVER);
        if (!silently) return BOOK.agreeStatement(statement, _sign(low, digest), _sign(high, digest));
        BOOK.proposeStatement(statement, _carriers[low], _sign(low, digest));
        VM.warp(block.timestamp + 60 days);
        BOOK.acceptBySilence(statement);
        return digest;
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

    /* PAYMENT */

    function _namePayee(uint8 carrier) private {
        PayeeChange memory change = PayeeChange(_carriers[carrier], payeeAt(carrier), 1, NEVER);
        bytes32 typehash = keccak256("PayeeChange(bytes32 carrier,address payee,uint64 nonce,uint64 deadline)");
        bytes32 digest = _digest(address(PAYMENTS), keccak256(abi.encode(typehash, change)));
        PAYMENTS.setPayee(change, _sign(carrier, digest));
    }

    function _confirm(uint8 d, bytes32 payableId, uint128 amount, bytes32 bankReference) internal {
        PaymentConfirmation memory word = PaymentConfirmation(payableId, amount, bankReference, NEVER);
        bytes32 typehash = keccak256(
            "PaymentConfirmation(bytes32 payableId,uint128 amountMicros,bytes32 bankReference,uint64 deadline)"
        );
        bytes32 digest = _digest(address(PAYMENTS), keccak256(abi.encode(typehash, word)));
        PAYMENTS.confirmPayment(word, _sign(creditorOf(d), digest));
    }

    /* SIGNATURES */

    function _sign(uint8 carrier, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(_keys[carrier], digest);
        return abi.encodePacked(r, s, v);
    }

    function _digest(address at, bytes32 structHash) private view returns (bytes32) {
        bytes32 typehash = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(typehash, keccak256("gsc"), keccak256("1"), block.chainid, at));
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }
}
