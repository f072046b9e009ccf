// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {AgreementId, BatchId, CarrierId, Period, Service} from "./Types.sol";
import {Calendar} from "./base/Calendar.sol";
import {CarrierSigned} from "./base/CarrierSigned.sol";
import {InlineRecords} from "./base/InlineRecords.sol";
import {UsageTree} from "./base/UsageTree.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {ICarrierRegistry} from "./interfaces/ICarrierRegistry.sol";
import {ICreditBook} from "./interfaces/ICreditBook.sol";
import {Declaration, IUsageLedger, PeriodClose, UsageRecord} from "./interfaces/IUsageLedger.sol";

/// @dev Who declared what, and when? NatSpec stands in the interface.
contract UsageLedger is IUsageLedger, CarrierSigned {
    bytes32 private constant DECLARATION_TYPEHASH = keccak256(
        "Declaration(bytes32 agreementId,bytes32 declarer,bytes32 creditor,uint64 seq,uint8 service,uint32 period,bytes32 root,uint32 count,uint64 fromMs,uint64 toMs,uint128 quantity,uint128 amountMicros,bytes32 deckHash,bytes32 corrects,bytes32 igw,uint64 deadline)"
    );
    bytes32 private constant PERIOD_CLOSE_TYPEHASH = keccak256(
        "PeriodClose(bytes32 agreementId,bytes32 declarer,uint32 period,uint64 creditorSeq,uint64 debtorSeq,uint64 deadline)"
    );
    /// @dev Where a declaration that is the first argument stands in the calldata: sixteen words, as EIP-712 hashes them.
    uint256 private constant FIRST = 4;
    uint256 private constant AFTER_FIRST = FIRST + 16 * 32;
    uint256 private constant MAX_INLINE_RECORDS = 500;
    uint256 private constant MAX_DECLARATIONS = 100;

    uint256 private constant MAX_MICROS = type(uint120).max;
    /// @dev What an accounting zone can be ahead of UTC, and some more.
    uint256 private constant ZONE_SLACK = 1 days;

    /// @dev What one declarer says of one direction. One slot: a declaration reads and writes it once. It holds the total
    /// of the latest service and period too, which goes to the other totals when another one takes its place.
    struct Stream {
        uint56 lastSeq;
        Period closedThrough; // the latest period closed: it and all before it take nothing more
        uint8 services; // those the agreement book has confirmed for it: none is ever dropped, so it is asked once
        Service service;
        Period period;
        uint120 micros; // declared for that service and period
    }

    IAgreementBook public immutable AGREEMENTS;
    ICreditBook public immutable CREDIT;

    mapping(BatchId batchId => bytes32 root) private _roots;
    mapping(bytes32 streamKey => Stream) private _streams;
    mapping(bytes32 totalKey => uint120 micros) private _totals; // but the one that stands in its stream
    mapping(bytes32 closeKey => uint64) private _closedAt;

    constructor(address registry, address agreements, address credit) CarrierSigned(registry) {
        AGREEMENTS = IAgreementBook(agreements);
        CREDIT = ICreditBook(credit);
    }

    /* DECLARATIONS */

    function declare(Declaration calldata declaration, bytes calldata signature) external returns (BatchId batchId) {
        _requireTimely(declaration);
        return _declare(declaration, _idOf(msg.data[FIRST:AFTER_FIRST]), signature);
    }

    function declareAdjustment(
        Declaration calldata adjustment,
        Declaration calldata corrected,
        bytes calldata signature
    ) external returns (BatchId batchId) {
        _requireCorrectable(adjustment, corrected);
        return _declare(adjustment, _idOf(msg.data[FIRST:AFTER_FIRST]), signature);
    }

    function declareMany(Declaration[] calldata declarations, bytes[] calldata signatures) external {
        uint256 count = declarations.length;
        if (count > MAX_DECLARATIONS) revert DeclarationsTooMany(MAX_DECLARATIONS, count);
        if (count != signatures.length) revert SignaturesMismatch(count, signatures.length);
        for (uint256 i; i < count; ++i) {
            _requireTimely(declarations[i]);
            _declare(declarations[i], batchIdOf(declarations[i]), signatures[i]);
        }
    }

    function declareInline(
        Declaration calldata declaration,
        bytes32[] calldata routes,
        bytes calldata records,
        bytes calldata signature
    ) external returns (BatchId batchId) {
        uint256 count = declaration.count;
        if (count > MAX_INLINE_RECORDS) revert InlineTooLarge(MAX_INLINE_RECORDS, count);
        _requireTotal(count * InlineRecords.BYTES, records.length);
        _requireTimely(declaration);
        batchId = _declare(declaration, _idOf(msg.data[FIRST:AFTER_FIRST]), signature);
        _record(declaration, routes, records);
    }

    /* CLOSE */

    function closePeriod(PeriodClose calldata close, bytes calldata signature) external {
        CarrierId other = AGREEMENTS.counterpartyOf(close.agreementId, close.declarer);
        Calendar.requireMonth(close.period);
        bytes32 closeKey = _closeKey(close.agreementId, close.declarer, close.period);
        if (_closedAt[closeKey] != 0) {
            revert PeriodAlreadyClosed(close.agreementId, close.declarer, close.period);
        }
        Stream storage asCreditor = _streams[_streamKey(close.agreementId, close.declarer, close.declarer)];
        Stream storage asDebtor = _streams[_streamKey(close.agreementId, close.declarer, other)];
        _requireSeq(asCreditor.lastSeq, close.creditorSeq);
        _requireSeq(asDebtor.lastSeq, close.debtorSeq);
        _requireInTime(close.deadline);
        _requireKey(close.declarer, _hashTypedDataV4(keccak256(abi.encode(PERIOD_CLOSE_TYPEHASH, close))), signature);

        _closedAt[closeKey] = uint64(block.timestamp);
        if (Period.unwrap(close.period) > Period.unwrap(asCreditor.closedThrough)) {
            asCreditor.closedThrough = close.period;
            asDebtor.closedThrough = close.period;
        }
        emit PeriodClosed(
            close.agreementId,
            close.declarer,
            close.period,
            close.creditorSeq,
            close.debtorSeq,
            uint64(block.timestamp)
        );
    }

    /* EQUIVOCATION */

    function proveEquivocation(
        Declaration calldata first,
        bytes calldata firstSignature,
        Declaration calldata second,
        bytes calldata secondSignature
    ) external {
        BatchId firstId = batchIdOf(first);
        BatchId secondId = batchIdOf(second);
        bool onePlace = _streamKey(first.agreementId, first.declarer, first.creditor)
            == _streamKey(second.agreementId, second.declarer, second.creditor) && first.seq == second.seq;
        if (!onePlace || BatchId.unwrap(firstId) == BatchId.unwrap(secondId)) {
            revert NotEquivocation(firstId, secondId);
        }
        _requireEverSigned(first.declarer, firstId, firstSignature);
        _requireEverSigned(second.declarer, secondId, secondSignature);

        emit EquivocationProven(first.agreementId, first.declarer, first.seq, firstId, secondId);
    }

    /* VIEWS */

    function includes(BatchId batchId, UsageRecord calldata record, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return MerkleProof.verifyCalldata(proof, rootOf(batchId), UsageTree.leafOf(record));
    }

    function rootOf(BatchId batchId) public view returns (bytes32 root) {
        root = _roots[batchId];
        if (root == 0) revert BatchUnknown(batchId);
    }

    function lastSeq(AgreementId agreementId, CarrierId declarer, CarrierId creditor) external view returns (uint64) {
        return _streams[_streamKey(agreementId, declarer, creditor)].lastSeq;
    }

    function closedAt(AgreementId agreementId, CarrierId declarer, Period period) external view returns (uint64) {
        return _closedAt[_closeKey(agreementId, declarer, period)];
    }

    function batchIdOf(Declaration calldata declaration) public view returns (BatchId) {
        return BatchId.wrap(_hashTypedDataV4(keccak256(abi.encode(DECLARATION_TYPEHASH, declaration))));
    }

    function declaredMicros(
        AgreementId agreementId,
        CarrierId declarer,
        CarrierId creditor,
        Service service,
        Period period
    ) external view returns (uint128) {
        bytes32 streamKey = _streamKey(agreementId, declarer, creditor);
        Stream storage stream = _streams[streamKey];
        if (_runs(stream, service, period)) return stream.micros;
        return _totals[_totalKey(streamKey, service, period)];
    }

    /* INTERNAL */

    function _declare(Declaration calldata declaration, BatchId batchId, bytes calldata signature)
        private
        returns (BatchId)
    {
        _requireInTime(declaration.deadline);
        _requireEvents(declaration);
        _requireActive(declaration.declarer, BatchId.unwrap(batchId), signature);

        _takePlace(declaration);
        _requireCrossing(declaration);
        _roots[batchId] = declaration.root;
        emit UsageDeclared(
            batchId, declaration.agreementId, declaration.declarer, declaration, uint64(block.timestamp)
        );

        if (declaration.declarer == declaration.creditor) {
            CREDIT.raise(declaration.agreementId, declaration.creditor, declaration.amountMicros);
        }
        return batchId;
    }

    /// @dev As `batchIdOf`, from the words as they came: the log encodes them again, and refuses any with stray bits.
    function _idOf(bytes calldata words) private view returns (BatchId) {
        return BatchId.wrap(_hashTypedDataV4(keccak256(bytes.concat(DECLARATION_TYPEHASH, words))));
    }

    /// @dev The next place in the declarer's sequence, in a direction that the agreement has; and the amount in its total.
    function _takePlace(Declaration calldata declaration) private {
        bytes32 streamKey = _streamKey(declaration.agreementId, declaration.declarer, declaration.creditor);
        Stream storage stream = _streams[streamKey];
        (Service service, Period period, uint64 seq) = (declaration.service, declaration.period, declaration.seq);
        if (Period.unwrap(period) <= Period.unwrap(stream.closedThrough)) {
            revert PeriodAlreadyClosed(declaration.agreementId, declaration.declarer, period);
        }
        _requireSeq(stream.lastSeq + 1, seq);
        uint8 bit = uint8(1 << uint8(service));
        if (stream.services & bit == 0) {
            _requireDirection(declaration);
            stream.services |= bit;
        }

        if (!_runs(stream, service, period)) _changeTotal(streamKey, stream, service, period);
        uint256 micros = uint256(stream.micros) + declaration.amountMicros;
        if (micros > MAX_MICROS) revert ICreditBook.AmountTooLarge(MAX_MICROS, micros);
        stream.micros = uint120(micros);
        stream.lastSeq = uint56(seq);
    }

    /// @dev Puts the stream's running total away and takes up that of this service and period.
    function _changeTotal(bytes32 streamKey, Stream storage stream, Service service, Period period) private {
        if (stream.micros > 0) _totals[_totalKey(streamKey, stream.service, stream.period)] = stream.micros;
        stream.service = service;
        stream.period = period;
        stream.micros = _totals[_totalKey(streamKey, service, period)];
    }

    function _runs(Stream storage stream, Service service, Period period) private view returns (bool) {
        return stream.service == service && Period.unwrap(stream.period) == Period.unwrap(period);
    }

    function _record(Declaration calldata declaration, bytes32[] calldata routes, bytes calldata records) private {
        uint64 fromMs = declaration.fromMs;
        uint64 toMs = declaration.toMs;
        bytes32[] memory tree = UsageTree.grow(declaration.count);
        (uint256 quantity, uint256 amountMicros, uint256 misfit) =
            InlineRecords.tell(records, routes, fromMs, toMs - fromMs, tree);
        if (misfit != 0) InlineRecords.refuse(records, routes.length, fromMs, toMs);
        _requireTotal(declaration.quantity, quantity);
        _requireTotal(declaration.amountMicros, amountMicros);
        bytes32 root = UsageTree.close(tree);
        if (root != declaration.root) revert RootMismatch(declaration.root, root);
    }

    function _requireTotal(uint256 expected, uint256 got) private pure {
        if (got != expected) revert InlineTotalsMismatch(expected, got);
    }

    function _requireDirection(Declaration calldata declaration) private view {
        CarrierId debtor =
            AGREEMENTS.requireDirection(declaration.agreementId, declaration.creditor, declaration.service);
        if (declaration.declarer != declaration.creditor && declaration.declarer != debtor) {
            revert DeclarerNotAParty(declaration.agreementId, declaration.declarer);
        }
    }

    /// @dev Corrects nothing, and holds nothing from before its period.
    function _requireTimely(Declaration calldata declaration) private pure {
        if (declaration.corrects != 0) revert CorrectedDeclarationMissing(BatchId.wrap(declaration.corrects));
        uint256 fromMs = declaration.fromMs;
        uint256 earliestMs = (Calendar.startOf(declaration.period) - ZONE_SLACK) * 1000;
        if (fromMs < earliestMs) revert UsageIsLate(uint64(fromMs), uint64(earliestMs));
    }

    function _requireCorrectable(Declaration calldata adjustment, Declaration calldata corrected) private view {
        BatchId corrects = BatchId.wrap(adjustment.corrects);
        BatchId correctedId = batchIdOf(corrected);
        if (BatchId.unwrap(corrects) != BatchId.unwrap(correctedId)) {
            revert CorrectedDeclarationMismatch(corrects, correctedId);
        }
        Calendar.requireMonth(adjustment.period);
        rootOf(corrects);
        bool oneStream = _streamKey(adjustment.agreementId, adjustment.declarer, adjustment.creditor)
            == _streamKey(corrected.agreementId, corrected.declarer, corrected.creditor);
        if (!oneStream || adjustment.service != corrected.service) revert CorrectsAnotherStream(corrects);
    }

    function _requireEvents(Declaration calldata declaration) private view {
        if (declaration.count == 0 || declaration.root == 0) revert BatchEmpty();
        uint64 nowMs = uint64(block.timestamp) * 1000;
        (uint64 fromMs, uint64 toMs) = (declaration.fromMs, declaration.toMs);
        if (fromMs > toMs || toMs > nowMs) revert EventTimesInvalid(fromMs, toMs, nowMs);
    }

    /// @dev Data and private lines cross a border through an igw that the creditor is licensed for, on all days.
    function _requireCrossing(Declaration calldata declaration) private view {
        if (declaration.service < Service.Data) return;
        REGISTRY.requireCrossing(
            declaration.creditor, declaration.igw, declaration.fromMs / 1000, declaration.toMs / 1000
        );
    }

    function _requireEverSigned(CarrierId carrier, BatchId batchId, bytes calldata signature) private view {
        address signer = ECDSA.recover(BatchId.unwrap(batchId), signature);
        if (REGISTRY.holderOf(signer) != carrier) revert ICarrierRegistry.SignerNotAuthorised(carrier, signer);
    }

    function _requireSeq(uint64 expected, uint64 got) private pure {
        if (got != expected) revert SequenceUnexpected(expected, got);
    }

    function _streamKey(AgreementId agreementId, CarrierId declarer, CarrierId creditor)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(agreementId, declarer, creditor));
    }

    function _closeKey(AgreementId agreementId, CarrierId declarer, Period period) private pure returns (bytes32) {
        return keccak256(abi.encode(agreementId, declarer, period));
    }

    function _totalKey(bytes32 streamKey, Service service, Period period) private pure returns (bytes32) {
        return keccak256(abi.encode(streamKey, service, period));
    }
}
