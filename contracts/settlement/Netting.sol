// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId} from "../Types.sol";
import {Terms} from "../interfaces/IAgreementBook.sol";
import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {IPaymentBook} from "../interfaces/IPaymentBook.sol";
import {Leg, NettingCycle} from "../interfaces/ISettlementBook.sol";
import {Disputes} from "./Disputes.sol";

/// @dev Do these few payments do what those many would have done?
abstract contract Netting is Disputes {
    bytes32 private constant NETTING_CYCLE_TYPEHASH = keccak256(
        "NettingCycle(bytes32 currency,uint64 nonce,bytes32[] items,Leg[] legs,uint64 deadline)Leg(bytes32 agreementId,bytes32 creditor,uint128 amountMicros)"
    );
    bytes32 private constant LEG_TYPEHASH =
        keccak256("Leg(bytes32 agreementId,bytes32 creditor,uint128 amountMicros)");
    uint256 private constant MAX_ITEMS = 200;
    uint256 private constant MAX_LEGS = 200;
    uint256 private constant MAX_PARTIES = 50;

    /// @dev The working sheet of one cycle, one place for each party.
    struct Sheet {
        CarrierId[] parties;
        int256[] fromItems;
        int256[] fromLegs;
        bool[] touched;
        uint256 grossMicros;
        uint256 nettedMicros;
        uint64 dueAt; // the latest of the items'
    }

    IPaymentBook public immutable PAYMENTS;

    mapping(bytes32 cycleId => bool) private _executed;
    /// @dev What one debtor owes in a cycle that netted disputes of its: they are settled when its legs are paid.
    mapping(bytes32 positionKey => bytes32[] itemIds) private _awaiting;
    mapping(bytes32 positionKey => uint256) private _unpaidLegs;
    mapping(bytes32 payableId => bytes32 positionKey) private _positionOf;

    constructor(address payments) {
        PAYMENTS = IPaymentBook(payments);
    }

    /* NETTING */

    function net(NettingCycle calldata cycle, CarrierId[] calldata parties, bytes[] calldata signatures)
        external
        returns (bytes32 cycleId)
    {
        _requireBounds(cycle, parties, signatures);
        _requireInTime(cycle.deadline);
        cycleId = _cycleIdOf(cycle);
        if (_executed[cycleId]) revert CycleAlreadyExecuted(cycleId);
        Sheet memory sheet = _sheetOf(parties);
        _addItems(sheet, cycle);
        CarrierId[] memory debtors = _addLegs(sheet, cycle);
        _requireSamePositions(sheet);
        _requireSignatures(cycleId, parties, signatures);

        _executed[cycleId] = true;
        emit NettingCycleExecuted(cycleId, cycle.currency, cycle.nonce, sheet.grossMicros, sheet.nettedMicros);
        for (uint256 i; i < parties.length; ++i) {
            emit PositionNetted(cycleId, parties[i], sheet.fromItems[i]);
        }
        uint128[] memory exposuresBefore = _exposuresOf(cycle.legs);
        _consumeItems(cycleId, cycle.items);
        _openLegs(cycleId, cycle.legs, debtors, exposuresBefore, sheet.dueAt);
        _settleSetOff(cycleId, cycle.items);
    }

    function legPaid(bytes32 payableId) external {
        if (msg.sender != address(PAYMENTS)) revert ICreditBook.OnlyTheBooks(msg.sender);
        bytes32 positionKey = _positionOf[payableId];
        if (positionKey == 0) return;

        _unpaidLegs[positionKey] -= 1;
        if (_unpaidLegs[positionKey] > 0) return;
        bytes32[] storage itemIds = _awaiting[positionKey]; // at most a cycle's
        for (uint256 i; i < itemIds.length; ++i) {
            _settleItem(_items[itemIds[i]]);
        }
    }

    /* INTERNAL */

    function _requireBounds(NettingCycle calldata cycle, CarrierId[] calldata parties, bytes[] calldata signatures)
        private
        pure
    {
        if (cycle.items.length == 0) revert CycleEmpty();
        if (cycle.items.length > MAX_ITEMS) revert CycleTooLarge(MAX_ITEMS, cycle.items.length);
        if (cycle.legs.length > MAX_LEGS) revert CycleTooLarge(MAX_LEGS, cycle.legs.length);
        if (parties.length > MAX_PARTIES) revert CycleTooLarge(MAX_PARTIES, parties.length);
        if (parties.length != signatures.length) revert PartiesMismatch(parties.length, signatures.length);
    }

    function _sheetOf(CarrierId[] calldata parties) private pure returns (Sheet memory sheet) {
        uint256 count = parties.length;
        sheet.parties = parties;
        sheet.fromItems = new int256[](count);
        sheet.fromLegs = new int256[](count);
        sheet.touched = new bool[](count);
    }

    function _addItems(Sheet memory sheet, NettingCycle calldata cycle) private view {
        for (uint256 i; i < cycle.items.length; ++i) {
            bytes32 itemId = cycle.items[i];
            if (i > 0 && itemId <= cycle.items[i - 1]) revert CycleNotOrdered(i);
            Item storage item = _item(itemId);
            if (item.netted) revert ItemAlreadyNetted(itemId);
            CarrierId debtor = _requireCurrency(item.agreementId, item.creditor, cycle.currency);

            _post(sheet, sheet.fromItems, item.creditor, debtor, item.amountMicros);
            sheet.grossMicros += item.amountMicros;
            if (item.dueAt > sheet.dueAt) sheet.dueAt = item.dueAt;
        }
    }

    function _addLegs(Sheet memory sheet, NettingCycle calldata cycle)
        private
        view
        returns (CarrierId[] memory debtors)
    {
        debtors = new CarrierId[](cycle.legs.length);
        for (uint256 i; i < cycle.legs.length; ++i) {
            Leg calldata leg = cycle.legs[i];
            if (leg.amountMicros == 0) revert AmountZero();
            if (i > 0 && !_ordered(cycle.legs[i - 1], leg)) revert CycleNotOrdered(i);

            debtors[i] = _requireCurrency(leg.agreementId, leg.creditor, cycle.currency);
            _post(sheet, sheet.fromLegs, leg.creditor, debtors[i], leg.amountMicros);
            sheet.nettedMicros += leg.amountMicros;
        }
    }

    function _post(
        Sheet memory sheet,
        int256[] memory positions,
        CarrierId creditor,
        CarrierId debtor,
        uint128 amountMicros
    ) private pure {
        positions[_place(sheet, creditor)] += int256(uint256(amountMicros));
        positions[_place(sheet, debtor)] -= int256(uint256(amountMicros));
    }

    /// @dev The carrier's place among the parties; marks it as touched.
    function _place(Sheet memory sheet, CarrierId carrier) private pure returns (uint256) {
        for (uint256 i; i < sheet.parties.length; ++i) {
            if (sheet.parties[i] == carrier) {
                sheet.touched[i] = true;
                return i;
            }
        }
        revert PartyMissing(carrier);
    }

    function _requireSamePositions(Sheet memory sheet) private pure {
        for (uint256 i; i < sheet.parties.length; ++i) {
            if (!sheet.touched[i]) revert PartyNotTouched(sheet.parties[i]);
            if (sheet.fromItems[i] != sheet.fromLegs[i]) {
                revert PositionMismatch(sheet.parties[i], sheet.fromItems[i], sheet.fromLegs[i]);
            }
        }
        if (sheet.nettedMicros > sheet.grossMicros) revert NettingGrows(sheet.grossMicros, sheet.nettedMicros);
    }

    function _requireSignatures(bytes32 cycleId, CarrierId[] calldata parties, bytes[] calldata signatures)
        private
        view
    {
        for (uint256 i; i < parties.length; ++i) {
            _requireKey(parties[i], cycleId, signatures[i]);
        }
    }

    function _requireCurrency(AgreementId agreementId, CarrierId creditor, bytes32 currency)
        private
        view
        returns (CarrierId debtor)
    {
        debtor = AGREEMENTS.counterpartyOf(agreementId, creditor);
        Terms memory terms = AGREEMENTS.termsOf(agreementId);
        if (terms.currency != currency) revert CurrencyMismatch(currency, terms.currency);
    }

    /// @dev Taken before the items leave the exposure, so that a leg that only sets off never meets the line.
    function _exposuresOf(Leg[] calldata legs) private view returns (uint128[] memory exposures) {
        exposures = new uint128[](legs.length);
        for (uint256 i; i < legs.length; ++i) {
            exposures[i] = CREDIT.exposureOf(legs[i].agreementId, legs[i].creditor);
        }
    }

    function _consumeItems(bytes32 cycleId, bytes32[] calldata itemIds) private {
        for (uint256 i; i < itemIds.length; ++i) {
            Item storage item = _items[itemIds[i]];
            item.netted = true;
            emit ItemNetted(itemIds[i], cycleId);
            if (_isDue(item.source)) _awaiting[_positionKey(cycleId, item)].push(itemIds[i]);
            CREDIT.reduce(item.agreementId, item.creditor, item.amountMicros);
        }
    }

    function _openLegs(
        bytes32 cycleId,
        Leg[] calldata legs,
        CarrierId[] memory debtors,
        uint128[] memory exposuresBefore,
        uint64 dueAt
    ) private {
        for (uint256 i; i < legs.length; ++i) {
            Leg calldata leg = legs[i];
            bytes32 payableId = PAYMENTS.openPayable(
                cycleId, leg.agreementId, leg.creditor, debtors[i], leg.amountMicros, dueAt
            );
            bytes32 positionKey = _keyOf(cycleId, debtors[i]);
            if (_awaiting[positionKey].length > 0) {
                _positionOf[payableId] = positionKey;
                _unpaidLegs[positionKey] += 1;
            }
            CREDIT.raiseByLeg(leg.agreementId, leg.creditor, leg.amountMicros, exposuresBefore[i]);
        }
    }

    /// @dev A debtor that owes no leg of the cycle has paid by set-off.
    function _settleSetOff(bytes32 cycleId, bytes32[] calldata itemIds) private {
        for (uint256 i; i < itemIds.length; ++i) {
            Item storage item = _items[itemIds[i]];
            if (_isDue(item.source) && _unpaidLegs[_positionKey(cycleId, item)] == 0) _settleItem(item);
        }
    }

    function _settleItem(Item storage item) private {
        _settleDispute(item.source, item.amountMicros);
    }

    function _positionKey(bytes32 cycleId, Item storage item) private view returns (bytes32) {
        return _keyOf(cycleId, AGREEMENTS.counterpartyOf(item.agreementId, item.creditor));
    }

    function _keyOf(bytes32 cycleId, CarrierId debtor) private pure returns (bytes32) {
        return keccak256(abi.encode(cycleId, debtor));
    }

    function _ordered(Leg calldata earlier, Leg calldata later) private pure returns (bool) {
        bytes32 earlierId = AgreementId.unwrap(earlier.agreementId);
        bytes32 laterId = AgreementId.unwrap(later.agreementId);
        if (earlierId != laterId) return earlierId < laterId;
        return CarrierId.unwrap(earlier.creditor) < CarrierId.unwrap(later.creditor);
    }

    function _cycleIdOf(NettingCycle calldata cycle) private view returns (bytes32) {
        bytes32[] memory legs = new bytes32[](cycle.legs.length);
        for (uint256 i; i < cycle.legs.length; ++i) {
            legs[i] = keccak256(abi.encode(LEG_TYPEHASH, cycle.legs[i]));
        }
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    NETTING_CYCLE_TYPEHASH,
                    cycle.currency,
                    cycle.nonce,
                    keccak256(abi.encodePacked(cycle.items)),
                    keccak256(abi.encodePacked(legs)),
                    cycle.deadline
                )
            )
        );
    }
}
