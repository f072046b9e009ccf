"""What does a signature say, in plain words? Each struct as sentences: who owes whom, how much, which month."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.composition import Partnership
from gateway.desk.shapes import at, count, hexed, money, money_exact, percent
from gateway.month.disputing import DisputeAnswer
from gateway.month.parts import period_deadline
from gateway.thread.entries import FIRST, DisputeEntry
from ledger.chain.bindings import Investigation, Resolution, Statement, Withdrawal
from ledger.identity import CarrierCode, text_of_ascii32
from ledger.period import Period, period_of_key
from ledger.service import Service
from ledger.store.settlement import DisputeRow
from reconciliation.finding import Cause
from reconciliation.settling.disputes import RATE_CAUSES


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence: a key of the catalogue and what stands in its braces; `keys` are themselves words to look up."""

    word: str
    values: dict[str, object] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def in_words(self, words: Callable[..., str]) -> str:
        """The sentence in a language."""
        return words(self.word, **self.values, **{name: words(key) for name, key in self.keys.items()})


def of_statement(held: Partnership, statement: Statement) -> list[Said]:
    """Who delivered what, what each says it comes to, what is agreed and withheld, and what is left in all."""
    low, high = held.carriers
    period = period_of_key(statement.period)
    said = [Said("sign.statement", {"low": low, "high": high, "period": period})]
    owed: dict[str, int] = {low: 0, high: 0}
    for line in statement.lines:
        creditor = CarrierCode(text_of_ascii32(line.creditor))
        owed[creditor] += line.agreed_micros
        values: dict[str, object] = {
            "creditor": creditor,
            "debtor": held.agreement.counterparty(creditor),
            "unit": held.currency,
            "claimed": money_exact(line.creditor_micros),
            "counted": money_exact(line.debtor_micros),
            "agreed": money_exact(line.agreed_micros),
            "withheld": money_exact(line.withheld_micros),
        }
        word = "sign.statement.line_withheld" if line.withheld_micros else "sign.statement.line"
        said.append(Said(word, values, {"service": f"service.{line.service.word}"}))
    return [*said, _net(held, owed), *_ends(statement.deadline), Said("sign.both")]


def of_dispute(held: Partnership, asked: DisputeAnswer) -> list[Said]:
    """What the debtor does not agree to pay, and why."""
    return [
        said_of_dispute(held, asked.reason, asked.service, asked.period, asked.amount.micros, asked.count),
        Said("sign.dispute.evidence", {"records": count(asked.count), "hash": hexed(asked.evidence_hash)}),
        *_ends(period_deadline(asked.period)),
    ]


def said_of_dispute(
    held: Partnership, cause: str, service: Service, period: Period, amount_micros: int, records: int
) -> Said:
    """What is not to be paid; the debtor is we, the creditor the partner."""
    values: dict[str, object] = {
        "creditor": held.partner,
        "debtor": held.agreement.counterparty(held.partner),
        "unit": held.currency,
        "amount": money_exact(amount_micros),
        "period": period,
        "records": count(records),
    }
    return Said("sign.dispute", values, {"service": f"service.{service.word}", "reason": f"cause.{cause}"})


def rule_of_dispute(held: Partnership, cause: str) -> Said:
    """The agreement's rule that allows a dispute of a cause, as reconciliation.settling.disputes applies it."""
    if cause in (Cause.INVENTED, Cause.NOT_REVEALED):
        return Said(f"dispute.rule.{cause}")
    if cause in RATE_CAUSES:
        return Said("dispute.rule.rate")
    tolerance = held.agreement.tolerance
    share, amount = percent(tolerance.volume_bps).lstrip("+"), money(tolerance.volume_micros)
    return Said("dispute.rule.volume", {"share": share, "unit": held.currency, "amount": amount})


def of_resolution(held: Partnership, dispute: DisputeRow, resolution: Resolution) -> list[Said]:
    """How a dispute is to end."""
    values = _about(held, dispute) | {
        "credited": money_exact(resolution.credited_micros),
        "due": money_exact(resolution.due_micros),
        "days": held.agreement.payment.payment_days,
    }
    if resolution.due_micros == 0:
        word = "sign.resolution.all_credited"
    else:
        word = "sign.resolution.split" if resolution.credited_micros else "sign.resolution.all_due"
    return [Said(word, values), Said("sign.resolution.binds", values), *_ends(resolution.deadline)]


def of_withdrawal(held: Partnership, dispute: DisputeRow, withdrawal: Withdrawal) -> list[Said]:
    """The debtor takes its dispute back."""
    return [Said("sign.withdrawal", _about(held, dispute)), *_ends(withdrawal.deadline)]


def of_investigation(held: Partnership, dispute: DisputeRow, investigation: Investigation) -> list[Said]:
    """The creditor takes a dispute up."""
    return [Said("sign.investigation", _about(held, dispute)), *_ends(investigation.deadline)]


def of_entry(held: Partnership, dispute: DisputeRow, entry: DisputeEntry, files: Sequence[str]) -> list[Said]:
    """What an entry of the thread says, beside its text."""
    values = _about(held, dispute) | {
        "author": text_of_ascii32(entry.author),
        "number": entry.number,
        "previous": hexed(entry.previous),
        "credited": money_exact(entry.credited_micros),
        "due": money_exact(dispute.amount_micros - entry.credited_micros),
        "files": ", ".join(files),
    }
    said = [Said(f"sign.entry.{text_of_ascii32(entry.act)}", values)]
    if files:
        said.append(Said("sign.entry.files", values))
    return [*said, Said("sign.entry.first" if entry.previous == FIRST else "sign.entry.after", values)]


def changed(before: Sequence[Said], now: Sequence[Said], words: Callable[..., str]) -> list[tuple[str, str]]:
    """What was shown and is not so any more, beside what is so now; sentences of one kind and place go together."""
    old, new = [each.in_words(words) for each in before], [each.in_words(words) for each in now]
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    longest = max(len(gone), len(come))
    return list(zip(_padded(gone, longest), _padded(come, longest), strict=True))


def _padded(sentences: list[str], length: int) -> list[str]:
    return sentences + [""] * (length - len(sentences))


def _about(held: Partnership, dispute: DisputeRow) -> dict[str, object]:
    return {
        "creditor": dispute.creditor,
        "debtor": held.agreement.counterparty(dispute.creditor),
        "unit": held.currency,
        "amount": money_exact(dispute.amount_micros),
        "period": dispute.period,
    }


def _net(held: Partnership, owed: dict[str, int]) -> Said:
    low, high = held.carriers
    net = owed[low] - owed[high]
    creditor, debtor = (low, high) if net >= 0 else (high, low)
    values: dict[str, object] = {
        "creditor": creditor,
        "debtor": debtor,
        "unit": held.currency,
        "amount": money_exact(abs(net)),
        "days": held.agreement.payment.payment_days,
    }
    return Said("sign.statement.net" if net else "sign.statement.even", values)


def _ends(deadline: int) -> list[Said]:
    return [Said("sign.deadline", {"at": at(deadline)})]
