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

enum IgwKind {
    GlobalBureau, // an exit to every country
    RegionalBureau, // to the neighbouring region
    BorderBureau, // to the country across
    DirectChannel // data only, into a backbone
}

/// @notice An international gateway and the event times, in seconds, for which it can be named.
struct IgwListing {
    bytes32 igw; // its code in ASCII, left-aligned: "GLOBAL-BEIJING"
    IgwKind kind;
    uint64 validFrom;
    uint64 validUntil; // 0: until delisted
}

/// @title Who may sign for whom, and who may carry what across a border
/// @notice Carriers and their signing keys with validity; their licences; the international gateways (igw). Admission,
/// suspension, removal, licences, gateways, settlement tokens and the members themselves are decided by the members: m
/// of n approvals, then a delay. Suspension stops new business of a carrier (agreements, declarations, credit lines),
/// never the settlement of what stands; removal does the same for ever.
/// Licences are granted by class: "BASIC-INTL" basic international carrier, "A24-1" fixed-network domestic data, "B13"
/// domestic IP-VPN, others by their code. A declaration of data or of a private line needs "BASIC-INTL" of its creditor
/// and a valid igw for all of its events; the domestic classes stand here to be read and cover no crossing.
/// Warning: that a licence or an igw exists outside, the members judge; the registry says what they said.
/// Warning: the founding list names only the bureaus and channels that the convention names; it is not complete.
/// Warning: a majority of members can suspend or remove a carrier; it can touch no amount of anybody.
/// Warning: a listed token stays listed; what it is worth, and who may mint it, the members judge before.
/// Warning: a carrier that loses all its keys cannot be given new ones; it has to be admitted under another code.
interface ICarrierRegistry {
    event CarrierAdmitted(CarrierId indexed carrier, address indexed key, uint64 admittedAt);
    event CarrierSuspended(CarrierId indexed carrier, uint64 suspendedAt);
    event CarrierReinstated(CarrierId indexed carrier, uint64 reinstatedAt);
    event KeyGranted(CarrierId indexed carrier, address indexed key, uint64 validFrom, uint64 validUntil);
    event KeyRevoked(CarrierId indexed carrier, address indexed key, uint64 revokedAt);
    event CarrierRemoved(CarrierId indexed carrier, uint64 removedAt);
    event LicenceGranted(CarrierId indexed carrier, bytes32 indexed licence, uint64 validFrom, uint64 validUntil);
    event LicenceRevoked(CarrierId indexed carrier, bytes32 indexed licence, uint64 revokedAt);
    event IgwListed(bytes32 indexed igw, IgwKind kind, uint64 validFrom, uint64 validUntil);
    event IgwDelisted(bytes32 indexed igw, uint64 delistedAt);
    event MemberInvited(address indexed member, address indexed replaces, uint256 threshold);
    event MemberJoined(address indexed member, address indexed replaces, uint256 threshold);
    event MemberRemoved(address indexed member, uint256 threshold);
    event ThresholdChanged(uint256 threshold);
    event TokenListed(address indexed token, bytes32 indexed currency);
    event ProposalMade(bytes32 indexed proposalId, address indexed member, bytes call);
    /// @notice `readyAt` is zero until enough members have approved; the delay starts with the last approval needed.
    event ProposalApproved(bytes32 indexed proposalId, address indexed member, uint256 approvals, uint64 readyAt);
    event ProposalExecuted(bytes32 indexed proposalId);

    error CarrierUnknown(CarrierId carrier);
    error CarrierAlreadyAdmitted(CarrierId carrier);
    /// @notice The members have suspended or removed this carrier: it can settle, but makes no new business.
    error CarrierNotActive(CarrierId carrier);
    /// @notice Removal is final: nothing is decided about this carrier any more.
    error CarrierIsRemoved(CarrierId carrier);
    /// @notice No licence of this class covers all of these times.
    error LicenceMissing(CarrierId carrier, bytes32 licence, uint64 fromAt, uint64 toAt);
    /// @notice The international gateway is not listed for all of these times.
    error IgwNotValid(bytes32 igw, uint64 fromAt, uint64 toAt);
    /// @notice A gateway that is listed again keeps its kind.
    error IgwKindUnexpected(bytes32 igw, IgwKind expected, IgwKind got);
    error CodeEmpty();
    error ValidityEmpty(uint64 validFrom, uint64 validUntil);
    /// @notice What stands ends at `validUntil` (0: it does not end); the next can only follow it.
    error ValidityOverlaps(uint64 validUntil, uint64 validFrom);
    error ValiditiesTooMany(uint256 max);
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
    error LastMember(address member);
    /// @notice There is no invitation, or the members have changed since.
    error NotInvited(address sender);
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
    /// @notice The members or their threshold have changed since the proposal was made: make it again.
    error ProposalOutdated(bytes32 proposalId);
    error ProposalNotReady(bytes32 proposalId, uint256 approvals, uint256 threshold, uint64 readyAt, uint64 nowAt);
    error ProposalFailed(bytes32 proposalId, bytes reason);

    // THE MEMBERS

    /// @notice Proposes a call of this contract to itself (what only the members can do below); counts as an approval.
    function propose(bytes calldata call, bytes32 salt) external returns (bytes32 proposalId);
    function approve(bytes32 proposalId) external;
    /// @notice Anyone may execute what enough members approved, once the delay is over; at most once.
    function execute(bytes32 proposalId) external;

    /// @notice Invites a member, in the place of another or besides all; it joins when it accepts, and the threshold
    /// becomes the new one then. Any change of members or threshold voids open invitations and proposals.
    function inviteMember(address invited, address replaces, uint256 newThreshold) external;
    /// @notice By the invited member itself: nobody joins with an address that it does not control.
    function acceptMembership() external;
    /// @notice The last member stays, and the threshold stays a majority.
    function removeMember(address member, uint256 newThreshold) external;
    function changeThreshold(uint256 newThreshold) external;

    // WHAT THE MEMBERS DECIDE

    function admit(CarrierId carrier, address key) external;
    function suspend(CarrierId carrier) external;
    function reinstate(CarrierId carrier) external;
    /// @notice For ever: the carrier settles what stands, and its code is never admitted again.
    function remove(CarrierId carrier) external;
    function listToken(address token, bytes32 currency) external;
    /// @notice For events from `validFrom` up to, not including, `validUntil` (0: until revoked); what follows the last
    /// grant of the class without a gap prolongs it, anything earlier is refused. At most 32 for each class.
    function grantLicence(CarrierId carrier, bytes32 licence, uint64 validFrom, uint64 validUntil) external;
    /// @notice From this block on; what it covered before stays covered.
    function revokeLicence(CarrierId carrier, bytes32 licence) external;
    function listIgw(IgwListing calldata listing) external;
    /// @notice From this block on; events before it can still name the gateway.
    function delistIgw(bytes32 igw) external;

    // KEYS

    /// @notice The key counts from `validFrom`, or from this block if that is later; each key is granted once.
    function grantKey(KeyGrant calldata grant, bytes calldata signature) external;
    function revokeKey(KeyRevocation calldata revocation, bytes calldata signature) external;

    // VIEWS

    /// @notice Reverts unless the igw is valid and the creditor holds "BASIC-INTL" for all times from `fromAt` to
    /// `toAt`, in seconds.
    function requireCrossing(CarrierId creditor, bytes32 igw, uint64 fromAt, uint64 toAt) external view;
    function isLicensed(CarrierId carrier, bytes32 licence, uint64 fromAt, uint64 toAt) external view returns (bool);
    /// @notice The igw's kind, and whether it is valid for all of these times.
    function igwOf(bytes32 igw, uint64 fromAt, uint64 toAt) external view returns (IgwKind kind, bool valid);
    function isMember(address member) external view returns (bool);
    function memberCount() external view returns (uint256);
    function threshold() external view returns (uint256);
    /// @notice Counts the changes of members and threshold, from 1.
    function membership() external view returns (uint64);
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
