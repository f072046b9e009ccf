"""Do the contracts and a plain model agree after any sequence of steps, valid or not?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.chain import bindings as b
from ledger.chain.bound import TypedRefusal
from ledger.identity import ascii32
from ledger.service import Service
from tests.contracts.begun_month import DIRECTIONS, SERVICES, TERMS, start
from tests.contracts.books import DAY, NEVER, PERIOD, Carrier, Receipt
from tests.contracts.model import Direction, Disputed, Item, Line
from tests.contracts.month import (
    CARRIERS,
    advance,
    agree,
    close,
    confirm,
    confirmation,
    credit_line,
    cycle,
    declaration,
    declare,
    dispute,
    grant,
    net,
    open_dispute,
    period_close,
    resolve,
    statement,
)

BPS = 150
MOST_DISPUTES = 4
REASONS = (ascii32("rate"), ascii32("duration_bias"))
MONTHS, STEPS = 100, 40
ACCEPTED: Counter[str] = Counter()
REFUSED: Counter[str] = Counter()

amounts = st.integers(0, 400)
rarely = st.sampled_from((False, False, False, True))


class Months(RuleBasedStateMachine):
    """Random months: each step is sent to the contracts and, if the model allows it, to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.books = start().books
        self.before = self.books.chain.snapshot()
        self.model = deepcopy(start().model)
        self.nonce = 0

    def teardown(self) -> None:
        self.books.chain.revert(self.before)

    def attempt(self, step: str, contract: str, calldata: bytes, allowed: bool) -> Receipt | None:
        """The receipt if the contract took it; it must take exactly what the model allows."""
        try:
            receipt = self.books.send(contract, calldata)
        except TypedRefusal as refusal:
            assert not allowed, f"{step} was refused: {refusal}"
            REFUSED[step] += 1
            return None
        assert allowed, f"{step} was taken"
        ACCEPTED[step] += 1
        changes = receipt.all(b.DisputeStateChanged)
        ACCEPTED["settled"] += sum(change.state is b.DisputeState.SETTLED for change in changes)
        return receipt

    def fresh(self) -> int:
        self.nonce += 1
        return self.nonce

    def carrier(self, direction: Direction) -> Carrier:
        return CARRIERS[direction[1]]

    def debtor(self, direction: Direction) -> Carrier:
        return CARRIERS[self.model.debtor(direction)]

    # LINES AND DECLARATIONS

    @precondition(lambda self: self.nonce % 2 == 0)
    @rule(direction=st.sampled_from(DIRECTIONS), limit=st.integers(0, 2_000), flags=rarely, stale=rarely)
    def grant(self, direction: Direction, limit: int, flags: bool, stale: bool) -> None:
        line = self.model.lines[direction]
        nonce = line.nonce + (not stale)
        policy = b.LimitPolicy.FLAG if flags else b.LimitPolicy.REFUSE
        creditor = self.carrier(direction)
        word = credit_line(creditor, agreement_id=direction[0], limit_micros=limit, policy=policy, nonce=nonce)
        if self.attempt("grant", "CreditBook", grant(self.books, creditor, word), not stale):
            self.model.lines[direction] = Line(limit, flags, nonce)

    @precondition(lambda self: len(self.model.closed) < len(DIRECTIONS))
    @rule(
        direction=st.sampled_from((*DIRECTIONS, *DIRECTIONS[4:], *DIRECTIONS[4:])),
        own=st.booleans(),
        service=st.sampled_from(SERVICES),
        amount=amounts,
        shift=st.sampled_from((0, 0, 0, 0, 0, -1, 1)),
    )
    def declare(self, direction: Direction, own: bool, service: Service, amount: int, shift: int) -> None:
        declarer = self.carrier(direction) if own else self.debtor(direction)
        seq = max(self.model.seqs[direction, declarer.id] + 1 + shift, 0)
        word = declaration(
            declarer, self.carrier(direction), agreement_id=direction[0], seq=seq, service=service, amount_micros=amount
        )
        allowed = self.model.may_declare(direction, declarer.id, seq, amount)
        if self.attempt("declare", "UsageLedger", declare(self.books, word), allowed):
            self.model.declare(direction, declarer.id, service, amount)

    @precondition(lambda self: len(self.model.closed) < len(DIRECTIONS))
    @rule(direction=st.sampled_from(DIRECTIONS), shift=st.sampled_from((0, 0, 0, 1)))
    def close(self, direction: Direction, shift: int) -> None:
        agreement, side = direction
        word = period_close(self.books, CARRIERS[side], TERMS[agreement])
        if shift:
            word = period_close(self.books, CARRIERS[side], TERMS[agreement], debtor_seq=word.debtor_seq + shift)
        allowed = not shift and direction not in self.model.closed
        if self.attempt("close", "UsageLedger", close(self.books, word), allowed):
            self.model.closed.add(direction)

    # DISPUTES AND STATEMENTS

    @precondition(lambda self: len(self.model.disputes) < MOST_DISPUTES + 3)
    @rule(
        direction=st.sampled_from(DIRECTIONS),
        service=st.sampled_from(SERVICES),
        amount=st.integers(0, 250),
        reason=st.sampled_from(REASONS),
    )
    def dispute(self, direction: Direction, service: Service, amount: int, reason: bytes) -> None:
        word = dispute(
            self.carrier(direction),
            amount,
            agreement_id=direction[0],
            service=service,
            reason=reason,
            nonce=self.fresh(),
        )
        allowed = self.model.may_dispute(direction, service, amount, reason)
        calldata = open_dispute(self.books, self.debtor(direction), word)
        receipt = self.attempt("dispute", "SettlementBook", calldata, allowed)
        if receipt:
            name = receipt.only(b.DisputeOpened).dispute_id
            self.model.dispute(name, Disputed(direction, service, amount, reason))

    def one_dispute(self, data: st.DataObject, over: bool) -> bytes:
        """An open one, or one that is over."""
        open_ones = sorted(name for name, found in self.model.disputes.items() if found.is_open)
        return data.draw(
            st.sampled_from(sorted(self.model.disputes) if over else open_ones or sorted(self.model.disputes))
        )

    @rule(data=st.data(), share=st.integers(0, 4), off=st.sampled_from((0, 0, 0, 1)), over=rarely)
    def resolve(self, data: st.DataObject, share: int, off: int, over: bool) -> None:
        name = self.one_dispute(data, over)
        found = self.model.disputes[name]
        credited = found.amount_micros * share // 4
        word = b.Resolution(name, credited, found.amount_micros - credited + off, NEVER)
        calldata = resolve(self.books, self.carrier(found.direction), self.debtor(found.direction), word)
        receipt = self.attempt("resolve", "SettlementBook", calldata, found.is_open and not off)
        if receipt:
            self.model.resolve(name, credited)
            self.open_items(receipt, {found.direction: found.amount_micros - credited})

    @rule(data=st.data(), over=rarely)
    def withdraw(self, data: st.DataObject, over: bool) -> None:
        name = self.one_dispute(data, over)
        found = self.model.disputes[name]
        word = b.Withdrawal(name, NEVER)
        signature = self.books.signed(self.debtor(found.direction), word, "SettlementBook")
        calldata = b.calldata_settlement_book_withdraw_dispute(word, signature)
        receipt = self.attempt("withdraw", "SettlementBook", calldata, found.is_open)
        if receipt:
            self.open_items(receipt, {found.direction: self.model.withdraw(name)})

    @precondition(lambda self: len(self.model.agreed) < len(TERMS))
    @rule(agreement=st.sampled_from(list(TERMS)), wrong=rarely)
    def state(self, agreement: bytes, wrong: bool) -> None:
        lines = [line for direction in DIRECTIONS if direction[0] == agreement for line in self.lines_of(direction)]
        wrong = wrong and bool(lines)
        if wrong:
            lines[-1] = b.StatementLine(*lines[-1].values()[:4], lines[-1].agreed_micros + 1, lines[-1].withheld_micros)
        word = statement(*lines, agreement=TERMS[agreement])
        allowed = self.model.both_closed(agreement) and agreement not in self.model.agreed and not wrong
        receipt = self.attempt("state", "SettlementBook", agree(self.books, word, TERMS[agreement]), allowed)
        if receipt:
            self.model.agreed.add(agreement)
            owed: Counter[Direction] = Counter()
            for line in lines:
                owed[agreement, line.creditor] += line.agreed_micros
            self.open_items(receipt, owed)

    def lines_of(self, direction: Direction) -> list[b.StatementLine]:
        drawn = []
        for service in SERVICES:
            ours = self.model.declared[direction, direction[1], service]
            theirs = self.model.declared[direction, self.model.debtor(direction), service]
            withheld = self.model.withheld[direction, service]
            if ours or theirs:
                drawn.append(b.StatementLine(direction[1], service, ours, theirs, ours - withheld, withheld))
        return drawn

    def open_items(self, receipt: Receipt, expected: Mapping[Direction, int]) -> None:
        """The items that were opened are those expected, no more and no less."""
        opened = receipt.all(b.ItemOpened)
        due_at = self.books.now() + TERMS[DIRECTIONS[0][0]].payment_seconds
        found = {(event.agreement_id, event.creditor): event.amount_micros for event in opened}
        assert found == {direction: amount for direction, amount in expected.items() if amount}
        for event in opened:
            direction = (event.agreement_id, event.creditor)
            self.model.items[event.item_id] = Item(direction, event.amount_micros, due_at, event.source)

    # NETTING, PAYMENT, ARREARS

    @precondition(lambda self: self.model.items)
    @rule(data=st.data(), off=st.sampled_from((0, 0, 0, 1)), again=rarely)
    def net(self, data: st.DataObject, off: int, again: bool) -> None:
        waiting = [name for name, item in self.model.items.items() if again or not item.netted]
        if not waiting:
            return
        chosen = sorted(data.draw(st.lists(st.sampled_from(waiting), min_size=1, unique=True)))
        legs = self.legs_of(chosen)
        off = off if legs else 0
        touched = dict.fromkeys(self.model.positions(chosen))
        drawn = [b.Leg(*direction, amount + off) for direction, amount in legs.items()]
        word = cycle(chosen, *drawn, nonce=self.fresh())
        single = not any(self.model.items[name].netted for name in chosen)
        allowed = single and not off and self.model.may_net(chosen, legs)
        calldata = net(self.books, word, *(CARRIERS[party] for party in touched))
        receipt = self.attempt("net", "SettlementBook", calldata, allowed)
        if receipt:
            assert sum(event.position_micros for event in receipt.all(b.PositionNetted)) == 0
            due_at = self.model.net(chosen)
            for event in receipt.all(b.PayableOpened):
                direction = (event.agreement_id, event.creditor)
                assert event.due_at == due_at
                self.model.owe(event.payable_id, direction, legs[direction], due_at)
            self.model.await_payment(chosen, [event.payable_id for event in receipt.all(b.PayableOpened)])

    def legs_of(self, items: Sequence[bytes]) -> dict[Direction, int]:
        """Who owes pays who is owed, in order."""
        owed = {party: amount for party, amount in sorted(self.model.positions(items).items()) if amount}
        legs: dict[Direction, int] = {}
        for debtor in [party for party, amount in owed.items() if amount < 0]:
            for creditor in [party for party, amount in owed.items() if amount > 0]:
                amount = min(-owed[debtor], owed[creditor])
                if amount > 0:
                    (agreement,) = {name for name, _ in DIRECTIONS if {debtor, creditor} == self.sides(name)}
                    legs[agreement, creditor] = amount
                    owed[debtor] += amount
                    owed[creditor] -= amount
        return legs

    def sides(self, agreement: bytes) -> set[bytes]:
        return {TERMS[agreement].carrier_low, TERMS[agreement].carrier_high}

    @precondition(lambda self: self.model.payables)
    @rule(data=st.data(), share=st.sampled_from((0, 1, 2, 5, 5)), more=st.sampled_from((0, 0, 1)))
    def pay(self, data: st.DataObject, share: int, more: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.payables)))
        due, at = self.model.payables[name], self.books.now() + 1
        owed = due.principal_micros + due.interest_micros(at, BPS)
        amount = owed * share // 5 + more
        word = confirmation(name, amount, f"bank {self.fresh()}")
        allowed = due.principal_micros > 0 and 0 < amount <= owed
        calldata = confirm(self.books, self.carrier(due.direction), word)
        if self.attempt("pay", "PaymentBook", calldata, allowed):
            self.model.pay(name, amount, at, BPS)

    @precondition(lambda self: self.model.payables)
    @rule(data=st.data(), wait=st.booleans())
    def climb(self, data: st.DataObject, wait: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.payables)))
        due = self.model.payables[name]
        ready_at = due.due_at + (1, 15 * DAY, 45 * DAY, 0)[due.stage]
        if wait and ready_at > self.books.now():
            self.books.chain.advance_to(ready_at - 1)
        allowed = due.principal_micros > 0 and due.stage < 3 and self.books.now() + 1 >= ready_at
        if self.attempt("climb", "PaymentBook", advance(name), allowed):
            due.stage += 1

    @rule(days=st.integers(0, 20))
    def wait(self, days: int) -> None:
        self.books.chain.advance_to(self.books.now() + days * DAY)

    # WHAT ALWAYS HOLDS

    @invariant()
    def exposures_and_lines_agree(self) -> None:
        for direction in self.model.lines:
            exposure = self.view(
                b.calldata_credit_book_exposure_of, b.result_credit_book_exposure_of, "CreditBook", direction
            )
            line = self.view(b.calldata_credit_book_line_of, b.result_credit_book_line_of, "CreditBook", direction)
            assert exposure == self.model.exposure(direction) >= 0
            assert line.limit_micros == self.model.lines[direction].limit_micros
            assert line.stopped == self.model.is_stopped(direction)

    @invariant()
    def the_exposure_is_what_is_not_settled(self) -> None:
        """Declared, less credited, less paid: what waits (undisputed or disputed), and what is payable."""
        for direction in self.model.lines:
            waiting = sum(
                item.amount_micros
                for item in self.model.items.values()
                if item.direction == direction and not item.netted
            )
            payable = sum(due.principal_micros for due in self.model.payables.values() if due.direction == direction)
            if direction[0] in self.model.agreed:
                open_disputes = sum(
                    found.amount_micros
                    for found in self.model.disputes.values()
                    if found.direction == direction and found.is_open
                )
                assert self.model.exposure(direction) == waiting + payable + open_disputes

    @invariant()
    def sequences_and_disputes_agree(self) -> None:
        for direction, declarer in self.model.seqs:
            call = b.calldata_usage_ledger_last_seq(direction[0], declarer, direction[1])
            seq = b.result_usage_ledger_last_seq(self.books.call("UsageLedger", call))
            assert seq == self.model.seqs[direction, declarer]
        for direction, service in self.model.withheld:
            call = b.calldata_settlement_book_withheld_micros(direction[0], PERIOD, direction[1], service)
            withheld = b.result_settlement_book_withheld_micros(self.books.call("SettlementBook", call))
            assert withheld == self.model.withheld[direction, service]
        for name, found in self.model.disputes.items():
            state = b.result_settlement_book_dispute_of(
                self.books.call("SettlementBook", b.calldata_settlement_book_dispute_of(name))
            ).state
            assert (state is b.DisputeState.SETTLED) == self.model.is_settled(name)
            assert (state is b.DisputeState.GENERATED) == found.is_open
            assert (state is b.DisputeState.WITHDRAWN) == found.is_withdrawn

    @invariant()
    def payables_agree(self) -> None:
        for name, due in self.model.payables.items():
            call = b.calldata_payment_book_outstanding_of(name)
            found = b.result_payment_book_outstanding_of(self.books.call("PaymentBook", call))
            assert found.principal_micros == due.principal_micros >= 0
            assert found.interest_micros == due.interest_micros(self.books.now(), BPS) >= 0
            assert found.stage == due.stage

    def view(
        self, calldata: Callable[..., bytes], result: Callable[[bytes], Any], contract: str, direction: Direction
    ) -> Any:
        return result(self.books.call(contract, calldata(*direction)))


def test_contracts_and_model_agree_after_any_sequence_of_steps() -> None:
    """Every kind of step is both taken and refused: a run in which nothing happens has failed."""
    start()  # before hypothesis starts: what it imports moves the recursion limit
    ACCEPTED.clear()
    REFUSED.clear()
    run_state_machine_as_test(
        Months,
        settings=settings(
            max_examples=MONTHS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    steps = {"grant", "declare", "close", "dispute", "resolve", "withdraw", "state", "net", "pay", "climb"}
    assert set(+ACCEPTED) == {*steps, "settled"}, ACCEPTED
    assert set(+REFUSED) == steps, REFUSED
    print(sorted(ACCEPTED.items()), sorted(REFUSED.items()))
