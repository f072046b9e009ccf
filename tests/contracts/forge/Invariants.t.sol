// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Months} from "./Months.sol";

/// @dev What holds after every step, whatever came before? Rules of design, section 11.
contract InvariantsTest {
    bool public constant IS_TEST = true;
    Months private _months;

    function setUp() public {
        _months = new Months();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_months);
    }

    /// @dev exposure = declared - settled - credited, direction by direction.
    function invariant_the_exposure_is_what_the_second_book_says() external view {
        for (uint8 d; d < 6; ++d) {
            assert(_exposure(d) == _months.exposure(d));
        }
    }

    /// @dev exposure = open declarations + disputes + waiting items + payables: nothing appears, nothing is lost.
    function invariant_the_exposure_is_the_sum_of_its_parts() external view {
        for (uint8 d; d < 6; ++d) {
            assert(_exposure(d) == _months.partsOf(d));
        }
    }

    /// @dev The line, or what was used when it was cut; it never grows past that.
    function invariant_the_exposure_stays_within_the_line() external view {
        for (uint8 d; d < 6; ++d) {
            assert(_exposure(d) <= _months.allowed(d));
        }
    }

    function invariant_sequences_have_no_gap() external view {
        for (uint8 d; d < 6; ++d) {
            assert(_lastSeq(d, _months.creditorOf(d)) == _months.seqs(d, 0));
            assert(_lastSeq(d, _months.debtorOf(d)) == _months.seqs(d, 1));
        }
    }

    /// @dev A run in which some step never happened has shown nothing.
    function afterInvariant() external view {
        for (uint256 i; i < _months.stepsCount(); ++i) {
            require(_months.done(_months.steps(i)) > 0, _months.steps(i));
        }
    }

    function _exposure(uint8 d) private view returns (uint256) {
        return _months.CREDIT().exposureOf(_months.agreementOf(d), _months.carrierAt(_months.creditorOf(d)));
    }

    function _lastSeq(uint8 d, uint8 declarer) private view returns (uint64) {
        return _months.USAGE().lastSeq(
            _months.agreementOf(d), _months.carrierAt(declarer), _months.carrierAt(_months.creditorOf(d))
        );
    }
}
