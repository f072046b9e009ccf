// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "../Types.sol";

/// @notice One direction and service of a statement: creditorMicros = agreedMicros + withheldMicros.
struct StatementLine {
    CarrierId creditor;
    Service service;
    uint128 creditorMicros; // what the creditor declared
    uint128 debtorMicros; // what the debtor declared
    uint128 agreedMicros; // payable now
    uint128 withheldMicros; // open disputes
}

/// @notice The agreed account of one agreement and period, both directions; signed by both.
struct Statement {
    AgreementId agreementId;
    Period period;
    StatementLine[] lines; // ordered by (creditor, service), no repeats
    bytes32 batchesHash; // keccak256 of all batch ids of the period, sorted, concatenated
    uint64 deadline;
}

enum DisputeState {
    None,
    Generated,
    UnderInvestigation,
    Withdrawn,
    Credited,
    PaymentDue,
    Settled
}

/// @notice What a debtor disputes in one direction, service and period.
struct Dispute {
    AgreementId agreementId;
    Period period;
    CarrierId creditor;
    Service service;
    bytes32 reason; // cause in ASCII, as in docs/glossary.md: "duration_bias"
    uint128 amountMicros;
    bytes32 evidenceHash;
    uint64 nonce; // the debtor's choice: makes two disputes of one cause differ
    uint64 deadline;
}

/// @notice How a dispute ends; signed by both. credited + due = disputed.
struct Resolution {
    bytes32 disputeId;
    uint128 creditedMicros;
    uint128 dueMicros;
    uint64 deadline;
}

/// @notice One payment that remains after netting, on an existing agreement.
struct Leg {
    AgreementId agreementId;
    CarrierId creditor;
    uint128 amountMicros;
}

/// @notice A netting cycle over settlement items; signed by every party it touches.
struct NettingCycle {
    bytes32 currency;
    uint64 nonce;
    bytes32[] items; // ascending
    Leg[] legs; // ordered by (agreementId, creditor), no repeats
    uint64 deadline;
}

/// @notice The creditor takes a dispute up.
struct Investigation {
    bytes32 disputeId;
    uint64 deadline;
}

/// @notice The debtor takes its dispute back; all of it becomes payable.
struct Withdrawal {
    bytes32 disputeId;
    uint64 deadline;
}

/// @title What is owed, disputed and netted
/// @notice An item is something payable that waits for netting: a direction of an agreed statement, or what a dispute
/// decided. Netting turns items into legs, and each leg into a payable of the payment book.
/// Warning: the evidence of a dispute is a hash; whether it shows what its debtor says, the two carriers judge.
interface ISettlementBook {
    event StatementProposed(
        bytes32 indexed statementId,
        AgreementId indexed agreementId,
        Period indexed period,
        CarrierId proposer,
        uint64 proposedAt
    );
    event StatementAgreed(
        bytes32 indexed statementId,
        AgreementId indexed agreementId,
        Period indexed period,
        bytes32 batchesHash,
        bool bySilence,
        uint64 agreedAt,
        uint64 dueAt
    );
    event StatementLineAgreed(
        bytes32 indexed statementId,
        CarrierId indexed creditor,
        Service service,
        uint128 creditorMicros,
        uint128 debtorMicros,
        uint128 agreedMicros,
        uint128 withheldMicros
    );
    event ItemOpened(
        bytes32 indexed itemId,
        bytes32 indexed source,
        AgreementId indexed agreementId,
        CarrierId creditor,
        uint128 amountMicros,
        uint64 dueAt
    );
    event DisputeOpened(
        bytes32 indexed disputeId,
        AgreementId indexed agreementId,
        Period indexed period,
        CarrierId creditor,
        Service service,
        bytes32 reason,
        uint128 amountMicros,
        bytes32 evidenceHash,
        uint64 openedAt
    );
    event DisputeStateChanged(bytes32 indexed disputeId, DisputeState state, uint128 creditedMicros, uint128 dueMicros);
    event NettingCycleExecuted(
        bytes32 indexed cycleId, bytes32 indexed currency, uint64 nonce, uint256 grossMicros, uint256 nettedMicros
    );
    /// @notice Emitted by `net` for each item of the cycle: from then on the item is owed no more.
    event ItemNetted(bytes32 indexed itemId, bytes32 indexed cycleId);
    event PositionNetted(bytes32 indexed cycleId, CarrierId indexed carrier, int256 positionMicros);

    /// @notice Both carriers must have closed the period first.
    error PeriodNotClosed(AgreementId agreementId, CarrierId declarer, Period period);
    /// @notice The period has its agreed statement; late usage goes into a later one.
    error StatementAlreadyAgreed(AgreementId agreementId, Period period);
    error StatementAlreadyProposed(bytes32 statementId);
    error StatementUnknown(bytes32 statementId);
    /// @notice Lines stand in the order of creditor and service, each once, for the two parties only.
    error StatementLinesInvalid(uint256 line);
    /// @notice The figure of the statement is not the one on chain.
    error StatementLineMismatch(uint256 line, uint128 expectedMicros, uint128 gotMicros);
    /// @notice A declared service is missing from the statement.
    error StatementIncomplete(CarrierId creditor, Service service, uint128 declaredMicros);
    /// @notice Silence accepts only after the acceptance time of the agreement.
    error SilenceNotOver(uint64 acceptedAt, uint64 nowAt);
    error DisputeUnknown(bytes32 disputeId);
    /// @notice This dispute has the same direction, service, period and reason, and was not withdrawn.
    error DisputeAlreadyOpen(bytes32 disputeId);
    error DisputeStateUnexpected(bytes32 disputeId, DisputeState state);
    /// @notice All disputes of a line together cannot pass what the creditor declared.
    error DisputeTooLarge(uint128 declaredMicros, uint256 disputedMicros);
    error DisputeLimitReached(uint256 max);
    /// @notice The statement of the period is agreed; it is disputed no more.
    error DisputeTooLate(AgreementId agreementId, Period period);
    /// @notice What is credited and what is due must add up to what was disputed.
    error ResolutionMismatch(uint128 expectedMicros, uint256 gotMicros);
    error CycleTooLarge(uint256 max, uint256 got);
    error CycleEmpty();
    /// @notice Netting never makes the gross amount larger.
    error NettingGrows(uint256 grossMicros, uint256 nettedMicros);
    error CycleAlreadyExecuted(bytes32 cycleId);
    error CycleNotOrdered(uint256 position);
    error CurrencyMismatch(bytes32 expected, bytes32 got);
    error ItemUnknown(bytes32 itemId);
    /// @notice Another cycle has consumed the item.
    error ItemAlreadyNetted(bytes32 itemId);
    /// @notice The cycle touches this carrier, so it has to sign.
    error PartyMissing(CarrierId carrier);
    /// @notice The cycle does not touch this carrier.
    error PartyNotTouched(CarrierId carrier);
    error PartiesMismatch(uint256 parties, uint256 signatures);
    /// @notice The legs do not move what the items say the carrier is owed.
    error PositionMismatch(CarrierId carrier, int256 itemsMicros, int256 legsMicros);
    error AmountZero();

    // STATEMENTS

    /// @notice One party's offer; its figures are checked against the chain now, and again when it is agreed.
    function proposeStatement(Statement calldata statement, CarrierId proposer, bytes calldata signature)
        external
        returns (bytes32 statementId);
    /// @notice Both periods closed, both signatures, every figure as the chain has it. Opens an item for each
    /// direction.
    /// Warning: that `batchesHash` names the period's batches is the signers' word; the contract keeps no list of them.
    function agreeStatement(Statement calldata statement, bytes calldata signatureLow, bytes calldata signatureHigh)
        external
        returns (bytes32 statementId);
    /// @notice Anyone, once the agreement's acceptance time has passed since the proposal. A dispute opened meanwhile
    /// changes the figures, and the proposal no longer holds. The statement's deadline binds only its proposal.
    /// Warning: silence accepts whoever did not look; a gateway that is down for the acceptance time has accepted.
    function acceptBySilence(Statement calldata statement) external;

    // DISPUTES

    /// @notice By the debtor, after both have closed the period and before its statement is agreed; one for each reason
    /// in a direction, service and period until it is withdrawn, so that nothing is withheld twice for one reason.
    /// Warning: that two reasons do not withhold one call twice is the debtor's word; the sum of all never passes what
    /// was declared.
    function openDispute(Dispute calldata dispute, bytes calldata signature) external returns (bytes32 disputeId);
    function withdrawDispute(Withdrawal calldata withdrawal, bytes calldata signature) external;
    function investigate(Investigation calldata investigation, bytes calldata signature) external;
    /// @notice What is credited leaves the exposure, what is due opens an item of its own. The dispute is Settled once the
    /// item was netted and its debtor has paid every leg it owes in that cycle.
    function resolveDispute(
        Resolution calldata resolution,
        bytes calldata signatureCreditor,
        bytes calldata signatureDebtor
    ) external;

    // NETTING

    /// @notice Replaces items by legs. Items are consumed whole and once; legs stand on existing agreements and give
    /// every carrier the position its items gave it; every party touched, and nobody else, signs. At most 200 items,
    /// 200 legs and 50 parties.
    function net(NettingCycle calldata cycle, CarrierId[] calldata parties, bytes[] calldata signatures)
        external
        returns (bytes32 cycleId);
    /// @notice The payable of a leg is paid. For the payment book only.
    function legPaid(bytes32 payableId) external;

    function itemOf(bytes32 itemId)
        external
        view
        returns (AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint64 dueAt, bool netted);
    function disputeOf(bytes32 disputeId) external view returns (DisputeState state, uint128 amountMicros);
    /// @notice The statement agreed for a period, or zero.
    function agreedStatement(AgreementId agreementId, Period period) external view returns (bytes32 statementId);
    /// @notice What disputes keep out of the statement: all that were opened and not withdrawn.
    function withheldMicros(AgreementId agreementId, Period period, CarrierId creditor, Service service)
        external
        view
        returns (uint128);
}
