// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "../Types.sol";
import {CarrierSigned} from "../base/CarrierSigned.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {ISettlementBook} from "../interfaces/ISettlementBook.sol";
import {IUsageLedger} from "../interfaces/IUsageLedger.sol";

/// @dev What is payable and waits for netting? The floor that the other parts of the settlement book stand on.
abstract contract Items is ISettlementBook, CarrierSigned {
    struct Item {
        AgreementId agreementId;
        CarrierId creditor;
        bytes32 source; // statement or dispute
        uint128 amountMicros; // 0: unknown
        uint64 dueAt;
        bool netted;
    }

    IAgreementBook public immutable AGREEMENTS;
    IUsageLedger public immutable USAGE;
    ICreditBook public immutable CREDIT;

    mapping(bytes32 itemId => Item) internal _items;
    mapping(AgreementId agreementId => mapping(Period period => bytes32)) public agreedStatement;

    constructor(address agreements, address usage, address credit) {
        AGREEMENTS = IAgreementBook(agreements);
        USAGE = IUsageLedger(usage);
        CREDIT = ICreditBook(credit);
    }

    function itemOf(bytes32 itemId)
        external
        view
        returns (AgreementId agreementId, CarrierId creditor, uint128 amountMicros, uint64 dueAt, bool netted)
    {
        Item storage item = _item(itemId);
        return (item.agreementId, item.creditor, item.amountMicros, item.dueAt, item.netted);
    }

    function _openItem(
        bytes32 source,
        AgreementId agreementId,
        CarrierId creditor,
        uint128 amountMicros,
        uint64 dueAt
    ) internal {
        bytes32 itemId = keccak256(abi.encode(source, agreementId, creditor));
        _items[itemId] = Item({
            agreementId: agreementId,
            creditor: creditor,
            source: source,
            amountMicros: amountMicros,
            dueAt: dueAt,
            netted: false
        });
        emit ItemOpened(itemId, source, agreementId, creditor, amountMicros, dueAt);
    }

    function _item(bytes32 itemId) internal view returns (Item storage item) {
        item = _items[itemId];
        if (item.amountMicros == 0) revert ItemUnknown(itemId);
    }

    function _requireClosed(AgreementId agreementId, CarrierId declarer, Period period) internal view {
        if (USAGE.closedAt(agreementId, declarer, period) == 0) revert PeriodNotClosed(agreementId, declarer, period);
    }

    function _declared(AgreementId agreementId, CarrierId declarer, CarrierId creditor, Service service, Period period)
        internal
        view
        returns (uint128)
    {
        return USAGE.declaredMicros(agreementId, declarer, creditor, service, period);
    }

    function _dueAt(AgreementId agreementId) internal view returns (uint64) {
        return uint64(block.timestamp) + AGREEMENTS.termsOf(agreementId).paymentSeconds;
    }

    function _now() internal view returns (uint64) {
        return uint64(block.timestamp);
    }
}
