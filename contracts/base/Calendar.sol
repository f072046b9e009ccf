// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Period} from "../Types.sol";
import {IUsageLedger} from "../interfaces/IUsageLedger.sol";

/// @dev Which month is a period, and when does it begin, UTC?
library Calendar {
    function requireMonth(Period period) internal pure {
        uint32 month = Period.unwrap(period) % 100;
        uint32 year = Period.unwrap(period) / 100;
        if (month == 0 || month > 12 || year < 2000 || year > 9999) revert IUsageLedger.PeriodInvalid(period);
    }

    /// @dev Days since 1970-01-01 from the civil date, in years that begin in March so that a leap day comes last.
    function startOf(Period period) internal pure returns (uint64) {
        requireMonth(period);
        unchecked {
            // years 2000 to 9999 neither overflow nor underflow, and checks would double the cost
            uint256 year = Period.unwrap(period) / 100;
            uint256 month = Period.unwrap(period) % 100;
            if (month <= 2) {
                year -= 1;
                month += 12;
            }
            uint256 leapDays = year / 4 - year / 100 + year / 400;
            return uint64((365 * year + leapDays + (153 * (month - 3) + 2) / 5 - 719_468) * 1 days);
        }
    }
}
