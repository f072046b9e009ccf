// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, BatchId, CarrierId, Period, Service} from "../Types.sol";

/// @notice A carrier's signed claim about one sealed usage batch. Its EIP-712 digest is the batch id.
struct Declaration {
    AgreementId agreementId;
    CarrierId declarer; // either party: both declare the same traffic
    CarrierId creditor; // the direction: who terminates, and is owed
    uint64 seq; // gapless for each agreement, declarer and creditor, from 1
    Service service;
    Period period;
    bytes32 root; // OpenZeppelin StandardMerkleTree root over the leaves, in row order
    uint32 count;
    uint64 fromMs; // first event, UTC
    uint64 toMs; // last event, UTC
    uint128 quantity; // duration_ms, messages, octets or circuit_days
    uint128 amountMicros;
    bytes32 deckHash; // the decks the amounts were rated with
    bytes32 corrects; // batch id this one corrects, or zero
    bytes32 igw; // international gateway code for data and ipl, or zero
    uint64 deadline;
}

/// @notice One leaf: the canonical record. Numbers are ASCII, left-aligned; inline, they are keyed hashes of
/// 16 bytes.
struct UsageRecord {
    uint64 index; // row in the batch, from 0
    bytes32 salt; // HMAC-SHA256(batch secret, index); inline, zero
    bytes32 aParty;
    bytes32 bParty;
    uint64 startMs;
    uint64 quantity;
    bytes32 route; // trunk, port or circuit
    uint128 amountMicros;
}

/// @notice One side's word that it has declared all of a period.
struct PeriodClose {
    AgreementId agreementId;
    CarrierId declarer;
    Period period;
    uint64 creditorSeq; // last seq of the stream in which the declarer is creditor
    uint64 debtorSeq; // last seq of the stream in which it is debtor
    uint64 deadline;
}

/// @title Who declared what, and when
/// @notice Sealed usage by Merkle root. No number and no call is ever stored or logged, except in inline declarations,
/// which carry keyed hashes and are meant for small volumes and for demonstration.
/// Warning: a root says nothing of whether the records are true; the other side's records do.
/// Warning: that `deckHash` names decks which were published, and that the amounts follow from them, is not checked here;
/// who reveals the records lets the other side rate them again.
/// Warning: `fromMs` and `toMs` are the declarer's word; only that they lie in the past, and not before the period, is
/// checked.
interface IUsageLedger {
    /// @notice The whole declaration stands in the log: anyone can hash it to its batch id again.
    event UsageDeclared(
        BatchId indexed batchId,
        AgreementId indexed agreementId,
        CarrierId indexed declarer,
        Declaration declaration,
        uint64 declaredAt
    );
    /// @notice One for each record of an inline declaration, in the order of its leaves. The batch is that of the
    /// UsageDeclared before it in the same transaction, the record stands in the call: naming either again would cost more.
    event UsageRecorded(bytes32 leaf);
    event PeriodClosed(
        AgreementId indexed agreementId,
        CarrierId indexed declarer,
        Period indexed period,
        uint64 creditorSeq,
        uint64 debtorSeq,
        uint64 closedAt
    );
    event EquivocationProven(
        AgreementId indexed agreementId, CarrierId indexed declarer, uint64 seq, BatchId first, BatchId second
    );

    /// @notice Declarations of one declarer and direction carry gapless numbers.
    error SequenceUnexpected(uint64 expected, uint64 got);
    /// @notice The declarer has closed this period, or a later one.
    error PeriodAlreadyClosed(AgreementId agreementId, CarrierId declarer, Period period);
    error PeriodInvalid(Period period);
    error BatchEmpty();
    /// @notice The first event comes after the last, or an event lies outside them or in the future.
    error EventTimesInvalid(uint64 fromMs, uint64 toMs, uint64 nowMs);
    /// @notice No batch of this id was declared.
    error BatchUnknown(BatchId batchId);
    /// @notice A declaration that corrects another goes through `declareAdjustment`, with the one it corrects.
    error CorrectedDeclarationMissing(BatchId corrects);
    error CorrectedDeclarationMismatch(BatchId expected, BatchId got);
    /// @notice Only a batch of the same agreement, declarer, creditor and service can be corrected.
    error CorrectsAnotherStream(BatchId corrects);
    /// @notice Usage from before the period (and a day, for the accounting zone) goes in as an adjustment only.
    error UsageIsLate(uint64 fromMs, uint64 earliestMs);
    error DeclarerNotAParty(AgreementId agreementId, CarrierId declarer);
    error SignaturesMismatch(uint256 declarations, uint256 signatures);
    error DeclarationsTooMany(uint256 max, uint256 got);
    /// @notice The records do not hash to the declared root.
    error RootMismatch(bytes32 expected, bytes32 got);
    /// @notice Count, quantity or amount of the records is not what the declaration says.
    error InlineTotalsMismatch(uint256 expected, uint256 got);
    error InlineTooLarge(uint256 max, uint256 got);
    /// @notice A record names a route that the call does not list.
    error InlineRouteUnknown(uint256 index, uint256 route);
    error NotEquivocation(BatchId first, BatchId second);

    /// @notice Data and private lines name the igw they used, and their creditor holds the licence for it on the dates
    /// of all events; else IgwNotValid or LicenceMissing of the registry. Voice and SMS name none.
    function declare(Declaration calldata declaration, bytes calldata signature) external returns (BatchId batchId);
    /// @notice Declares late usage, dated by its first and last event, in a period that is still open; `corrected` is the
    /// declaration it names in `corrects`. The only way for usage from before its period.
    /// @dev The original travels in the call, so that no declaration pays for storing more than its root.
    function declareAdjustment(
        Declaration calldata adjustment,
        Declaration calldata corrected,
        bytes calldata signature
    ) external returns (BatchId batchId);
    /// @notice All or nothing, at most 100 at once.
    function declareMany(Declaration[] calldata declarations, bytes[] calldata signatures) external;
    /// @notice The contract computes the root itself and emits one event for each record, of at most 500. Each record
    /// takes 48 bytes of `records`: aParty and bParty, keyed hashes of 16 bytes, left-aligned in the leaf; start in ms after
    /// `fromMs` (4 bytes), quantity (5), amount in micros (6), and the place of its route in `routes` (1). Its index is
    /// its place and its salt is zero: what is public needs none.
    /// Warning: everything in the call is public for ever; send keyed hashes, never numbers.
    function declareInline(
        Declaration calldata declaration,
        bytes32[] calldata routes,
        bytes calldata records,
        bytes calldata signature
    ) external returns (BatchId batchId);
    /// @notice Ends the declarer's declarations for the period; both of its sequence numbers must be the current ones.
    /// Earlier periods take no declarations from then on either: late usage goes into a later period, as an adjustment.
    function closePeriod(PeriodClose calldata close, bytes calldata signature) external;
    /// @notice Two different declarations signed for one place in the sequence: anyone may put the proof on record.
    /// Warning: a key that was ever the declarer's counts, also after its revocation; a stolen key can be made to
    /// testify.
    function proveEquivocation(
        Declaration calldata first,
        bytes calldata firstSignature,
        Declaration calldata second,
        bytes calldata secondSignature
    ) external;

    /// @notice True if the record is a leaf of the declared batch.
    function includes(BatchId batchId, UsageRecord calldata record, bytes32[] calldata proof)
        external
        view
        returns (bool);
    function rootOf(BatchId batchId) external view returns (bytes32);
    function lastSeq(AgreementId agreementId, CarrierId declarer, CarrierId creditor) external view returns (uint64);
    function closedAt(AgreementId agreementId, CarrierId declarer, Period period) external view returns (uint64);
    /// @notice The batch id of a declaration, and what its declarer signs: its EIP-712 digest.
    function batchIdOf(Declaration calldata declaration) external view returns (BatchId);
    /// @notice What a declarer declared for one direction, service and period, in micros.
    function declaredMicros(
        AgreementId agreementId,
        CarrierId declarer,
        CarrierId creditor,
        Service service,
        Period period
    ) external view returns (uint128);
}
