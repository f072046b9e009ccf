// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CreditBook} from "contracts/CreditBook.sol";
import {CreditLine, DepositApplication, DepositWithdrawal, LimitPolicy} from "contracts/interfaces/ICreditBook.sol";
import {AgreementId, CarrierId} from "contracts/Types.sol";
import {ArrearsStage} from "contracts/interfaces/IPaymentBook.sol";
import {AnyToken, Checks, Stand} from "./Stand.sol";

/// @dev The payment book as far as a deposit sees it: one payable, and what was paid on it.
contract OnePayable {
    uint128 public principal;
    uint128 public interest;
    ArrearsStage public stage;
    uint256 public paid;

    function set(uint128 principal_, uint128 interest_, ArrearsStage stage_) external {
        (principal, interest, stage) = (principal_, interest_, stage_);
    }

    function directionOf(bytes32) external pure returns (AgreementId, CarrierId) {
        return (AgreementId.wrap(0), CarrierId.wrap("CN-T"));
    }

    function outstandingOf(bytes32) external view returns (uint128, uint128, uint64, ArrearsStage) {
        return (principal, interest, 1, stage);
    }

    function pay(bytes32, address, uint128 amountMicros) external {
        paid += amountMicros;
    }

    function stop(CreditBook credit) external {
        credit.stop(AgreementId.wrap(0), CarrierId.wrap("CN-T"));
    }
}

/// @dev limit = line + deposits, whatever arrives, is withdrawn, applied or seized? LOW is the creditor, HIGH deposits.
contract DepositChecks is Checks {
    uint256 private constant MOST = type(uint120).max;

    CreditBook private _credit;
    AnyToken private _token;
    OnePayable private _book;

    function setUp() public {
        _stand = new Stand();
        _token = new AnyToken();
        _book = new OnePayable();
        _credit = new CreditBook(address(_stand), address(_stand), address(this), address(this), address(_book));
    }

    function check_a_line_sets_the_limit_to_itself_and_the_deposits(uint120 held, uint128 line, bool flags, bytes32 no)
        external
    {
        _hold(held);
        _stand.refuse(CarrierId.wrap(no));
        bool done = _grants(line, flags, 1);
        (uint128 limit, LimitPolicy policy,,) = _credit.lineOf(AGREEMENT, LOW);
        assert(limit == uint256(held) + (done ? line : 0) && (policy == LimitPolicy.Flag) == (done && flags));
        assert(_held() == held && _credit.exposureOf(AGREEMENT, LOW) == 0);
        if (!done) return;
        assert(no != CarrierId.unwrap(LOW));
        assert(!_grants(line, flags, 1));
    }

    function check_a_deposit_raises_the_limit_by_what_arrived(uint120 line, uint256 arrives, uint128 sent, bool agrees)
        external
    {
        VM.assume(_grants(line, false, 1));
        _token.behave(arrives, agrees);
        bool done = _deposits(sent);
        assert(done == (agrees && arrives > 0 && arrives <= MOST - line));
        assert(_limit() == uint256(line) + (done ? arrives : 0));
        assert(_held() == (done ? arrives : 0));
    }

    function check_a_withdrawal_leaves_the_exposure_covered(
        uint120 held,
        uint120 line,
        uint120 exposure,
        uint128 amount,
        bytes32 no
    ) external {
        VM.assume(uint256(held) + line <= MOST && exposure <= uint256(held) + line);
        _hold(held);
        VM.assume(_grants(line, false, 1));
        _credit.raise(AGREEMENT, LOW, exposure);
        _stand.refuse(CarrierId.wrap(no));
        bool done = _withdraws(amount, 1);
        if (done) {
            assert(amount > 0 && amount <= held && no != CarrierId.unwrap(HIGH));
            assert(exposure <= uint256(held) + line - amount);
            assert(_token.sent() == amount && _token.sentTo() == address(0xcafe));
            assert(!_withdraws(amount, 1));
        }
        assert(_held() == (done ? held - amount : held));
        assert(_limit() == uint256(held) + line - (done ? amount : 0));
        assert(_credit.exposureOf(AGREEMENT, LOW) == exposure);
    }

    function check_what_is_applied_leaves_the_deposit_and_reaches_the_payable(
        uint120 held,
        uint128 amount,
        bytes32 no
    ) external {
        _hold(held);
        _stand.refuse(CarrierId.wrap(no));
        DepositApplication memory word = DepositApplication(0, address(_token), amount, 1, NEVER);
        (bool done,) = address(_credit).call(abi.encodeCall(_credit.applyDeposit, (word, _signature())));
        if (done) assert(amount > 0 && amount <= held && no != CarrierId.unwrap(HIGH));
        assert(_held() == (done ? held - amount : held) && _limit() == _held());
        assert(_book.paid() == (done ? amount : 0));
    }

    function check_a_deposit_is_seized_only_at_the_end_and_never_past_what_is_owed(
        uint120 held,
        uint120 principal,
        uint120 interest,
        uint8 stage
    ) external {
        VM.assume(stage <= uint8(type(ArrearsStage).max));
        _hold(held);
        _book.set(principal, interest, ArrearsStage(stage));
        (bool done,) = address(_credit).call(abi.encodeCall(_credit.seizeDeposit, (0, address(_token))));
        uint256 owed = uint256(principal) + interest;
        uint256 takes = held < owed ? held : owed;
        assert(done == (ArrearsStage(stage) == ArrearsStage.Terminated && takes > 0));
        assert(_book.paid() == (done ? takes : 0));
        assert(_held() == held - (done ? takes : 0) && _limit() == _held());
    }

    function check_stopped_credit_holds_the_deposit(uint120 held, uint128 amount) external {
        _hold(held);
        _book.stop(_credit);
        assert(!_withdraws(amount, 1));
        assert(_held() == held && _limit() == held);
    }

    function _hold(uint120 micros) private {
        if (micros == 0) return;
        _token.behave(micros, true);
        _credit.deposit(AGREEMENT, LOW, address(_token), micros);
    }

    function _grants(uint128 micros, bool flags, uint64 nonce) private returns (bool done) {
        LimitPolicy policy = flags ? LimitPolicy.Flag : LimitPolicy.Refuse;
        CreditLine memory line = CreditLine(AGREEMENT, LOW, micros, policy, nonce, NEVER);
        (done,) = address(_credit).call(abi.encodeCall(_credit.grant, (line, _signature())));
    }

    function _deposits(uint128 sent) private returns (bool done) {
        bytes memory call = abi.encodeCall(_credit.deposit, (AGREEMENT, LOW, address(_token), sent));
        (done,) = address(_credit).call(call);
    }

    function _withdraws(uint128 amount, uint64 nonce) private returns (bool done) {
        DepositWithdrawal memory word =
            DepositWithdrawal(AGREEMENT, LOW, address(_token), address(0xcafe), amount, nonce, NEVER);
        (done,) = address(_credit).call(abi.encodeCall(_credit.withdrawDeposit, (word, _signature())));
    }

    function _held() private view returns (uint256 held) {
        (held,,) = _credit.depositOf(AGREEMENT, LOW, address(_token));
    }

    function _limit() private view returns (uint256 limit) {
        (limit,,,) = _credit.lineOf(AGREEMENT, LOW);
    }
}
