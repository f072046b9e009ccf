// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {PaymentBook} from "contracts/PaymentBook.sol";
import {AgreementId, CarrierId} from "contracts/Types.sol";
import {ArrearsStage, PayeeChange, PaymentConfirmation} from "contracts/interfaces/IPaymentBook.sol";
import {AnyToken, Checks, Stand} from "./Stand.sol";

/// @dev Is what is paid, and only what is paid, taken from what is owed? LOW is the creditor. 150 basis points for each
/// 30 days of a principal below 2^120.
contract PaymentChecks is Checks {
    uint64 private constant DUE = 2_000_000_000;
    bytes32 private constant CYCLE = "cycle";
    address private constant PAYEE = address(0xbeef);
    uint256 private constant UNIT = 10_000 * 30 days;

    PaymentBook private _book;
    AnyToken private _token;
    bytes32 private _payableId;
    uint256 private _paidLegs;

    function setUp() public {
        _stand = new Stand();
        _token = new AnyToken();
        _book = new PaymentBook(address(_stand), address(_stand), address(_stand), address(this));
        VM.warp(DUE - 1);
    }

    /// @dev This contract stands where the settlement book stands.
    function legPaid(bytes32) external {
        _paidLegs += 1;
    }

    function check_a_confirmed_payment_takes_itself_from_the_principal(uint120 owed, uint128 amount, bytes32 no)
        external
    {
        _open(owed);
        _stand.refuse(CarrierId.wrap(no));
        bool done = _confirms(amount, "first");
        if (done) {
            assert(amount > 0 && amount <= owed && no != CarrierId.unwrap(LOW));
            assert(!_confirms(1, "first"));
        }
        _left(done ? owed - amount : owed, 0, owed);
        assert(_paidLegs == (done && amount == owed ? 1 : 0));
    }

    function check_interest_is_paid_first(uint120 owed, uint128 amount) external {
        _open(owed);
        VM.warp(DUE + 30 days);
        uint256 interest = uint256(owed) * 150 / 10_000;
        assert(_interest() == interest);
        bool done = _confirms(amount, "first");
        if (done) assert(amount > 0 && amount <= owed + interest);
        uint256 toInterest = !done ? 0 : amount < interest ? amount : interest;
        uint256 toPrincipal = done ? amount - toInterest : 0;
        _left(owed - toPrincipal, interest - toInterest, owed);
    }

    function check_interest_counts_what_was_owed_while_it_was_owed(uint120 owed, uint120 part) external {
        _open(owed);
        VM.assume(part > 0 && part < owed);
        VM.assume(_confirms(part, "early"));
        VM.warp(DUE + 60 days);
        assert(_interest() == uint256(owed - part) * 150 * 60 days / UNIT);
    }

    function check_interest_grows_with_time_and_starts_when_due(uint64 at) external {
        uint120 owed = 1_000_000_000_007;
        _open(owed);
        VM.assume(at < 2 ** 40);
        uint256 late = at > DUE ? at - DUE : 0;
        assert(_book.interestMicros(_payableId, at) == uint256(owed) * 150 * late / UNIT);
    }

    function check_a_token_pays_what_arrived(uint120 owed, uint128 sent, uint256 arrives, bool agrees) external {
        _open(owed);
        PayeeChange memory change = PayeeChange(LOW, PAYEE, 1, NEVER);
        (bool named,) = address(_book).call(abi.encodeCall(_book.setPayee, (change, _signature())));
        VM.assume(named);
        _token.behave(arrives, agrees);
        (bool done,) = address(_book).call(abi.encodeCall(_book.pay, (_payableId, address(_token), sent)));
        assert(done == (agrees && sent > 0 && sent <= owed && arrives > 0 && arrives <= owed));
        _left(done ? owed - arrives : owed, 0, owed);
        assert(_token.balanceOf(PAYEE) == (done ? arrives : 0));
    }

    function check_the_ladder_climbs_in_time_and_moves_no_amount(uint120 owed, uint64 at) external {
        _open(owed);
        VM.assume(at >= DUE && at < 2 ** 40);
        VM.warp(at);
        uint256 interest = _interest();
        assert(_climbs(_payableId) == (at > DUE));
        assert(_climbs(_payableId) == (at >= DUE + 15 days));
        assert(_stand.isStopped(AGREEMENT, LOW) == (at >= DUE + 15 days));
        assert(_climbs(_payableId) == (at >= DUE + 45 days));
        assert(!_climbs(_payableId));
        _left(owed, interest, owed);
    }

    function check_credit_resumes_when_the_last_late_payable_is_paid(bool otherFirst) external {
        _open(7);
        bytes32 other = _book.openPayable("other", AGREEMENT, LOW, HIGH, 5, DUE);
        _stand.expose(AGREEMENT, LOW, 12);
        VM.warp(DUE + 15 days);
        VM.assume(_climbs(_payableId) && _climbs(_payableId) && _climbs(other) && _climbs(other));
        VM.assume(_pays(otherFirst ? other : _payableId));
        assert(_stand.isStopped(AGREEMENT, LOW));
        VM.assume(_pays(otherFirst ? _payableId : other));
        assert(!_stand.isStopped(AGREEMENT, LOW) && _stand.exposureOf(AGREEMENT, LOW) == 0);
    }

    function check_nobody_but_the_settlement_book_opens_a_payable(uint128 amount) external {
        assert(!new Stranger().opens(_book, amount));
        VM.assume(amount > 0);
        _book.openPayable(CYCLE, AGREEMENT, LOW, HIGH, amount, DUE);
    }

    function _open(uint120 owed) private {
        VM.assume(owed > 0);
        _payableId = _book.openPayable(CYCLE, AGREEMENT, LOW, HIGH, owed, DUE);
        _stand.expose(AGREEMENT, LOW, owed);
    }

    function _confirms(uint128 amount, bytes32 bankReference) private returns (bool done) {
        PaymentConfirmation memory word = PaymentConfirmation(_payableId, amount, bankReference, NEVER);
        (done,) = address(_book).call(abi.encodeCall(_book.confirmPayment, (word, _signature())));
    }

    function _pays(bytes32 payableId) private returns (bool done) {
        (uint128 principal, uint128 interest,,) = _book.outstandingOf(payableId);
        PaymentConfirmation memory word = PaymentConfirmation(payableId, principal + interest, "all", NEVER);
        (done,) = address(_book).call(abi.encodeCall(_book.confirmPayment, (word, _signature())));
    }

    function _climbs(bytes32 payableId) private returns (bool done) {
        (done,) = address(_book).call(abi.encodeCall(_book.advanceArrears, (payableId)));
    }

    function _interest() private view returns (uint256 interest) {
        (, interest,,) = _book.outstandingOf(_payableId);
    }

    /// @dev What is owed, the interest on it, and the exposure that went down by what the principal did.
    function _left(uint256 principal, uint256 interest, uint256 atFirst) private view {
        (uint128 owes, uint128 bears,,) = _book.outstandingOf(_payableId);
        assert(owes == principal && bears == interest);
        assert(_stand.exposureOf(AGREEMENT, LOW) == principal && principal <= atFirst);
    }
}

contract Stranger {
    function opens(PaymentBook book, uint128 amount) external returns (bool done) {
        bytes memory call = abi.encodeCall(
            book.openPayable,
            ("cycle", AgreementId.wrap(0), CarrierId.wrap("CN-T"), CarrierId.wrap("GB-B"), amount, 1)
        );
        (done,) = address(book).call(call);
    }
}
