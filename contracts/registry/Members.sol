// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICarrierRegistry} from "../interfaces/ICarrierRegistry.sol";

/// @dev What have m of n members decided, and who are they? The floor that the other parts of the registry stand on.
abstract contract Members is ICarrierRegistry {
    struct Proposal {
        bytes call;
        uint64 approvals;
        uint64 readyAt; // 0 until enough have approved
        uint64 membership; // the one it was made under
        bool executed;
    }

    struct Invitation {
        address replaces; // or zero
        uint64 membership; // the one it was made under; 0: none
        uint256 threshold; // from the acceptance on
    }

    uint64 public immutable DELAY_SECONDS;

    uint256 public threshold;
    uint256 public memberCount;
    /// @dev Counts the changes of members and threshold: what was made under another membership is void.
    uint64 public membership = 1;
    mapping(address member => bool) public isMember;
    mapping(address invited => Invitation) private _invitations;
    mapping(bytes32 proposalId => Proposal) private _proposals;
    mapping(bytes32 proposalId => mapping(address member => bool)) private _approved;

    constructor(address[] memory members, uint256 threshold_, uint64 delaySeconds) {
        _requireMajority(threshold_, members.length);
        DELAY_SECONDS = delaySeconds;
        threshold = threshold_;
        memberCount = members.length;
        for (uint256 i; i < members.length; ++i) {
            if (isMember[members[i]]) revert MemberRepeated(members[i]);
            isMember[members[i]] = true;
            emit MemberJoined(members[i], address(0), threshold_);
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

    /* PROPOSALS */

    function propose(bytes calldata call, bytes32 salt) external onlyMember returns (bytes32 proposalId) {
        proposalId = keccak256(abi.encode(call, salt));
        if (_proposals[proposalId].approvals != 0) revert ProposalAlreadyMade(proposalId);

        _proposals[proposalId].call = call;
        _proposals[proposalId].membership = membership;
        emit ProposalMade(proposalId, msg.sender, call);
        _approve(proposalId);
    }

    function approve(bytes32 proposalId) external onlyMember {
        _requireCurrent(proposalId);
        if (_approved[proposalId][msg.sender]) revert AlreadyApproved(proposalId, msg.sender);

        _approve(proposalId);
    }

    function execute(bytes32 proposalId) external {
        Proposal storage proposal = _requireCurrent(proposalId);
        if (proposal.readyAt == 0 || block.timestamp < proposal.readyAt) {
            revert ProposalNotReady(proposalId, proposal.approvals, threshold, proposal.readyAt, _now());
        }

        proposal.executed = true;
        emit ProposalExecuted(proposalId);

        (bool done, bytes memory reason) = address(this).call(proposal.call);
        if (!done) revert ProposalFailed(proposalId, reason);
    }

    /* MEMBERS */

    function inviteMember(address invited, address replaces, uint256 newThreshold) external onlyTheMembers {
        if (isMember[invited] || invited == address(0)) revert MemberRepeated(invited);
        _requireMajority(newThreshold, _countAfter(replaces));

        _invitations[invited] = Invitation({replaces: replaces, membership: membership, threshold: newThreshold});
        emit MemberInvited(invited, replaces, newThreshold);
    }

    function acceptMembership() external {
        Invitation memory invitation = _invitations[msg.sender];
        if (invitation.membership != membership) revert NotInvited(msg.sender);

        memberCount = _countAfter(invitation.replaces);
        isMember[invitation.replaces] = false;
        isMember[msg.sender] = true;
        delete _invitations[msg.sender];
        _changeMembership(invitation.threshold);
        emit MemberJoined(msg.sender, invitation.replaces, invitation.threshold);
    }

    function removeMember(address member, uint256 newThreshold) external onlyTheMembers {
        if (!isMember[member]) revert NotAMember(member);
        if (memberCount == 1) revert LastMember(member);
        _requireMajority(newThreshold, memberCount - 1);

        memberCount -= 1;
        isMember[member] = false;
        _changeMembership(newThreshold);
        emit MemberRemoved(member, newThreshold);
    }

    function changeThreshold(uint256 newThreshold) external onlyTheMembers {
        _requireMajority(newThreshold, memberCount);

        _changeMembership(newThreshold);
        emit ThresholdChanged(newThreshold);
    }

    /* INTERNAL */

    function _approve(bytes32 proposalId) private {
        Proposal storage proposal = _proposals[proposalId];
        _approved[proposalId][msg.sender] = true;
        proposal.approvals += 1;
        if (proposal.approvals == threshold) proposal.readyAt = _now() + DELAY_SECONDS;
        emit ProposalApproved(proposalId, msg.sender, proposal.approvals, proposal.readyAt);
    }

    function _changeMembership(uint256 newThreshold) private {
        membership += 1;
        threshold = newThreshold;
    }

    /// @dev The number of members once an invited one has come, and the one it replaces has gone.
    function _countAfter(address replaces) private view returns (uint256) {
        if (replaces == address(0)) return memberCount + 1;
        if (!isMember[replaces]) revert NotAMember(replaces);
        return memberCount;
    }

    function _requireCurrent(bytes32 proposalId) private view returns (Proposal storage proposal) {
        proposal = _proposals[proposalId];
        if (proposal.approvals == 0) revert ProposalUnknown(proposalId);
        if (proposal.executed) revert ProposalAlreadyExecuted(proposalId);
        if (proposal.membership != membership) revert ProposalOutdated(proposalId);
    }

    function _requireMajority(uint256 threshold_, uint256 members) private pure {
        if (threshold_ > members || 2 * threshold_ <= members) revert ThresholdInvalid(threshold_, members);
    }

    function _now() internal view returns (uint64) {
        return uint64(block.timestamp);
    }
}
