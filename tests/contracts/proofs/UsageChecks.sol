// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {UsageLedger} from "contracts/UsageLedger.sol";
import {CarrierId, Period, Service} from "contracts/Types.sol";
import {Declaration} from "contracts/interfaces/IUsageLedger.sol";
import {Checks, Stand} from "./Stand.sol";

/// @dev Does a declaration count once, in its own total, and raise the exposure only if it is the creditor's? LOW is the
/// creditor. Amounts are any; services, periods and the order of the declarations are those each check names.
contract UsageChecks is Checks {
    uint256 private constant MOST = type(uint120).max;
    Period private constant NEXT = Period.wrap(202611);

    UsageLedger private _usage;

    function setUp() public {
        _stand = new Stand();
        _usage = new UsageLedger(address(_stand), address(_stand), address(_stand));
        VM.warp(NOVEMBER + 60 days);
    }

    function check_a_creditors_declaration_counts_and_raises_once(uint128 amount, bytes32 no) external {
        _stand.refuse(CarrierId.wrap(no));
        bool done = _declares(_of(LOW, 1, Service.Voice, OCTOBER, amount));
        if (done) assert(no != CarrierId.unwrap(LOW));
        assert(_total(LOW, Service.Voice, OCTOBER) == (done ? amount : 0));
        assert(_stand.raisedMicros() == (done ? amount : 0) && _stand.raises() == (done ? 1 : 0));
        assert(_usage.lastSeq(AGREEMENT, LOW, LOW) == (done ? 1 : 0));
        assert(_total(HIGH, Service.Voice, OCTOBER) == 0);
    }

    function check_a_debtors_declaration_counts_and_raises_nothing(uint128 amount, bytes32 no) external {
        _stand.refuse(CarrierId.wrap(no));
        bool done = _declares(_of(HIGH, 1, Service.Voice, OCTOBER, amount));
        if (done) assert(no != CarrierId.unwrap(HIGH));
        assert(_total(HIGH, Service.Voice, OCTOBER) == (done ? amount : 0));
        assert(_stand.raises() == 0 && _total(LOW, Service.Voice, OCTOBER) == 0);
    }

    /// @dev There and back again: what was put away for another total is taken up where it was left.
    function check_totals_of_services_and_periods_are_kept_apart(uint128 a, uint128 b, uint128 c, uint128 d) external {
        VM.assume(_declares(_of(LOW, 1, Service.Voice, OCTOBER, a)));
        VM.assume(_declares(_of(LOW, 2, Service.Sms, OCTOBER, b)));
        VM.assume(_declares(_of(LOW, 3, Service.Voice, NEXT, c)));
        VM.assume(_declares(_of(LOW, 4, Service.Voice, OCTOBER, d)));
        assert(_total(LOW, Service.Voice, OCTOBER) == uint256(a) + d);
        assert(_total(LOW, Service.Sms, OCTOBER) == b && _total(LOW, Service.Voice, NEXT) == c);
        assert(_stand.raisedMicros() == uint256(a) + b + c + d && _stand.raises() == 4);
    }

    function check_a_total_never_wraps(uint128 a, uint128 b) external {
        VM.assume(_declares(_of(HIGH, 1, Service.Voice, OCTOBER, a)));
        bool done = _declares(_of(HIGH, 2, Service.Voice, OCTOBER, b));
        assert(_total(HIGH, Service.Voice, OCTOBER) == uint256(a) + (done ? b : 0));
        assert(_total(HIGH, Service.Voice, OCTOBER) <= MOST);
    }

    function check_a_place_in_the_sequence_is_taken_once(uint128 a, uint128 b, uint64 seq) external {
        VM.assume(_declares(_of(LOW, 1, Service.Voice, OCTOBER, a)));
        bool done = _declares(_of(LOW, seq, Service.Voice, OCTOBER, b));
        if (done) assert(seq == 2);
        assert(_usage.lastSeq(AGREEMENT, LOW, LOW) == (done ? 2 : 1));
        assert(_total(LOW, Service.Voice, OCTOBER) == uint256(a) + (done ? b : 0));
    }

    function check_many_count_like_one_after_the_other(uint128 a, uint128 b) external {
        Declaration[] memory both = new Declaration[](2);
        both[0] = _of(LOW, 1, Service.Voice, OCTOBER, a);
        both[1] = _of(LOW, 2, Service.Voice, OCTOBER, b);
        bytes[] memory signatures = new bytes[](2);
        (signatures[0], signatures[1]) = (_signature(), _signature());
        (bool done,) = address(_usage).call(abi.encodeCall(_usage.declareMany, (both, signatures)));
        assert(_total(LOW, Service.Voice, OCTOBER) == (done ? uint256(a) + b : 0));
        assert(_stand.raisedMicros() == _total(LOW, Service.Voice, OCTOBER));
        assert(_usage.lastSeq(AGREEMENT, LOW, LOW) == (done ? 2 : 0));
    }

    function check_an_adjustment_counts_in_the_period_it_names(uint128 a, uint128 b) external {
        Declaration memory first = _of(LOW, 1, Service.Voice, OCTOBER, a);
        VM.assume(_declares(first));
        Declaration memory late = _of(LOW, 2, Service.Voice, NEXT, b);
        (bool ok, bytes memory id) = address(_usage).call(abi.encodeCall(_usage.batchIdOf, (first)));
        assert(ok);
        late.corrects = abi.decode(id, (bytes32));
        (bool done,) = address(_usage).call(abi.encodeCall(_usage.declareAdjustment, (late, first, _signature())));
        assert(_total(LOW, Service.Voice, OCTOBER) == a);
        assert(_total(LOW, Service.Voice, NEXT) == (done ? b : 0));
        assert(_stand.raisedMicros() == uint256(a) + (done ? b : 0));
    }

    /// @dev Two packed records with any numbers: what they say adds up to what was declared, or nothing is.
    function check_inline_records_add_up_to_what_is_declared(
        uint32[2] calldata startMs,
        uint40[2] calldata quantity,
        uint48[2] calldata micros,
        uint128 quantityDeclared,
        uint128 microsDeclared
    ) external {
        bytes memory records = bytes.concat(
            _packed(startMs[0], quantity[0], micros[0]), _packed(startMs[1], quantity[1], micros[1])
        );
        Declaration memory declaration = _of(LOW, 1, Service.Voice, OCTOBER, microsDeclared);
        (declaration.count, declaration.quantity) = (2, quantityDeclared);
        declaration.toMs = declaration.fromMs + 1000;
        bytes32[] memory routes = new bytes32[](1);
        bytes memory call = abi.encodeCall(_usage.declareInline, (declaration, routes, records, _signature()));
        (bool done, bytes memory why) = address(_usage).call(call);
        if (done || bytes4(why) == ROOT_MISMATCH) {
            assert(uint256(quantity[0]) + quantity[1] == quantityDeclared);
            assert(uint256(micros[0]) + micros[1] == microsDeclared);
            assert(startMs[0] <= 1000 && startMs[1] <= 1000);
        }
        assert(_stand.raisedMicros() == (done ? microsDeclared : 0));
    }

    bytes4 private constant ROOT_MISMATCH = bytes4(keccak256("RootMismatch(bytes32,bytes32)"));

    function _packed(uint32 startMs, uint40 quantity, uint48 micros) private pure returns (bytes memory) {
        return abi.encodePacked(bytes16("a"), bytes16("b"), startMs, quantity, micros, uint8(0));
    }

    function _declares(Declaration memory declaration) private returns (bool done) {
        (done,) = address(_usage).call(abi.encodeCall(_usage.declare, (declaration, _signature())));
    }

    function _of(CarrierId declarer, uint64 seq, Service service, Period period, uint128 amount)
        private
        pure
        returns (Declaration memory declaration)
    {
        declaration.agreementId = AGREEMENT;
        declaration.declarer = declarer;
        declaration.creditor = LOW;
        declaration.seq = seq;
        declaration.service = service;
        declaration.period = period;
        declaration.root = "root";
        declaration.count = 1;
        declaration.fromMs = uint64(NOVEMBER + 1 days) * 1000;
        declaration.toMs = declaration.fromMs;
        declaration.amountMicros = amount;
        declaration.deadline = NEVER;
    }

    function _total(CarrierId declarer, Service service, Period period) private view returns (uint256) {
        return _usage.declaredMicros(AGREEMENT, declarer, LOW, service, period);
    }
}
