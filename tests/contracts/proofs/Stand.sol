// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AgreementId, CarrierId, Period, Service} from "contracts/Types.sol";
import {Terms} from "contracts/interfaces/IAgreementBook.sol";

interface Vm {
    function store(address target, bytes32 slot, bytes32 value) external;
    function warp(uint256 at) external;
    function assume(bool condition) external;
}

/// @dev What stands round the contract under proof? The other books and the registry, each as its interface promises;
/// their figures are whatever a check sets, so a proof holds whatever they answer. Agreement a is between the carriers
/// SIDES[a]; each has one direction for each side.
contract Stand {
    CarrierId[3] internal _carriers = [CarrierId.wrap("CN-T"), CarrierId.wrap("GB-B"), CarrierId.wrap("US-A")];
    /// @dev No word of this carrier counts.
    CarrierId public refused;

    mapping(AgreementId agreementId => mapping(CarrierId creditor => uint256)) public exposureOf;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => bool)) public isStopped;
    mapping(bytes32 place => uint128) private _declared;
    uint256 public raisedMicros;
    uint256 public raises;
    mapping(AgreementId agreementId => mapping(CarrierId creditor => uint256)) public openedMicros;
    uint256 public paidLegs;

    error Refused(CarrierId carrier);

    function refuse(CarrierId carrier) external {
        refused = carrier;
    }

    function expose(AgreementId agreementId, CarrierId creditor, uint256 micros) external {
        exposureOf[agreementId][creditor] = micros;
    }

    function tell(AgreementId agreementId, CarrierId declarer, CarrierId creditor, Service service, uint128 micros)
        external
    {
        _declared[keccak256(abi.encode(agreementId, declarer, creditor, service))] = micros;
    }

    /* THE REGISTRY */

    function requireKey(CarrierId carrier, address) public view {
        if (carrier == refused) revert Refused(carrier);
    }

    function requireSigner(CarrierId carrier, address signer) external view {
        requireKey(carrier, signer);
    }

    function currencyOfToken(address) external pure returns (bytes32) {
        return "USD";
    }

    /* THE AGREEMENT BOOK */

    function counterpartyOf(AgreementId agreementId, CarrierId carrier) public view returns (CarrierId) {
        Terms memory terms = termsOf(agreementId);
        if (carrier == terms.carrierLow) return terms.carrierHigh;
        if (carrier == terms.carrierHigh) return terms.carrierLow;
        revert Refused(carrier);
    }

    function requireDirection(AgreementId agreementId, CarrierId creditor, Service) external view returns (CarrierId) {
        return counterpartyOf(agreementId, creditor);
    }

    function termsOf(AgreementId agreementId) public view returns (Terms memory terms) {
        uint256 a = uint256(AgreementId.unwrap(agreementId));
        terms.carrierLow = _carriers[a == 2 ? 1 : 0];
        terms.carrierHigh = _carriers[a == 0 ? 1 : 2];
        terms.currency = "USD";
        terms.services = 0x0f;
        terms.paymentSeconds = 30 days;
        terms.acceptanceSeconds = 60 days;
        terms.interestBps = 150;
        terms.stopCreditSeconds = 15 days;
        terms.terminateSeconds = 45 days;
    }

    function termsAt(AgreementId agreementId, uint64) external view returns (Terms memory) {
        return termsOf(agreementId);
    }

    function termsOfPeriod(AgreementId agreementId, Period) external view returns (Terms memory) {
        return termsOf(agreementId);
    }

    /* THE USAGE LEDGER: every period is closed */

    function closedAt(AgreementId, CarrierId, Period) external pure returns (uint64) {
        return 1;
    }

    function declaredMicros(AgreementId agreementId, CarrierId declarer, CarrierId creditor, Service service, Period)
        external
        view
        returns (uint128)
    {
        return _declared[keccak256(abi.encode(agreementId, declarer, creditor, service))];
    }

    /* THE CREDIT BOOK */

    function raise(AgreementId agreementId, CarrierId creditor, uint128 micros) external {
        exposureOf[agreementId][creditor] += micros;
        raisedMicros += micros;
        raises += 1;
    }

    function raiseByLeg(AgreementId agreementId, CarrierId creditor, uint128 micros, uint128) external {
        exposureOf[agreementId][creditor] += micros;
    }

    function reduce(AgreementId agreementId, CarrierId creditor, uint128 micros) external {
        exposureOf[agreementId][creditor] -= micros;
    }

    function stop(AgreementId agreementId, CarrierId creditor) external {
        isStopped[agreementId][creditor] = true;
    }

    function resume(AgreementId agreementId, CarrierId creditor) external {
        isStopped[agreementId][creditor] = false;
    }

    /* THE PAYMENT BOOK AND THE SETTLEMENT BOOK */

    function openPayable(
        bytes32 cycleId,
        AgreementId agreementId,
        CarrierId creditor,
        CarrierId,
        uint128 micros,
        uint64
    ) external returns (bytes32) {
        openedMicros[agreementId][creditor] += micros;
        return keccak256(abi.encode(cycleId, agreementId, creditor));
    }

    function legPaid(bytes32) external {
        paidLegs += 1;
    }
}

/// @dev A token of whose transfers any amount arrives, also more than was sent, and which may say no.
contract AnyToken {
    mapping(address holder => uint256) public balanceOf;
    uint256 private _arrives;
    bool private _agrees;
    uint256 public sent;
    address public sentTo;

    function behave(uint256 arrives, bool agrees) external {
        (_arrives, _agrees) = (arrives, agrees);
    }

    function approve(address, uint256) external pure returns (bool) {
        return true;
    }

    function transferFrom(address, address to, uint256) external returns (bool) {
        balanceOf[to] += _arrives;
        return _agrees;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        (sent, sentTo) = (amount, to);
        return _agrees;
    }
}

/// @dev Words with which every check is written: the books' signatures are all good, unless the stand refuses.
abstract contract Checks {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    AgreementId internal constant AGREEMENT = AgreementId.wrap(bytes32(uint256(0)));
    CarrierId internal constant LOW = CarrierId.wrap("CN-T");
    CarrierId internal constant HIGH = CarrierId.wrap("GB-B");
    CarrierId internal constant THIRD = CarrierId.wrap("US-A");
    Period internal constant OCTOBER = Period.wrap(202610);
    uint256 internal constant NOVEMBER = 1_793_491_200;
    uint64 internal constant NEVER = type(uint64).max;

    Stand internal _stand;

    /// @dev A well-formed signature; of whom, the registry says.
    function _signature() internal pure returns (bytes memory) {
        return abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(27));
    }
}
