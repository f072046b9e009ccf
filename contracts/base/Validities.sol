// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICarrierRegistry} from "../interfaces/ICarrierRegistry.sol";

/// @dev Seconds of UTC: from `from` up to, not including, `until`.
struct Validity {
    uint64 from;
    uint64 until; // 0: until ended
}

/// @dev When was something valid? A short history in order of time; an end never changes what was valid before it.
library Validities {
    uint256 private constant MAX_VALIDITIES = 32;

    /// @dev What follows the last one without a gap prolongs it.
    function add(Validity[] storage history, uint64 from, uint64 until) internal {
        if (until != 0 && until <= from) revert ICarrierRegistry.ValidityEmpty(from, until);
        uint256 count = history.length;
        if (count > 0) {
            Validity storage last = history[count - 1];
            if (last.until == 0 || from < last.until) revert ICarrierRegistry.ValidityOverlaps(last.until, from);
            if (from == last.until) {
                last.until = until;
                return;
            }
        }
        if (count == MAX_VALIDITIES) revert ICarrierRegistry.ValiditiesTooMany(MAX_VALIDITIES);
        history.push(Validity(from, until));
    }

    /// @dev Ends the last one now, or takes it back if it has not begun. False if there is nothing to end.
    function end(Validity[] storage history, uint64 nowAt) internal returns (bool ended) {
        uint256 count = history.length;
        if (count == 0) return false;
        Validity storage last = history[count - 1];
        if (last.until != 0 && last.until <= nowAt) return false;
        if (last.from >= nowAt) history.pop();
        else last.until = nowAt;
        return true;
    }

    /// @dev True if one stretch holds all seconds from `first` to `last`.
    function cover(Validity[] storage history, uint64 first, uint64 last) internal view returns (bool) {
        for (uint256 i = history.length; i > 0; --i) {
            Validity storage stretch = history[i - 1];
            if (stretch.from <= first) return stretch.until == 0 || last < stretch.until;
        }
        return false;
    }
}
