"""What does a finding, a suspicion or a detour say? The engine's sentence in English, the catalogue's in others."""

from dataclasses import dataclass

from gateway.desk.shapes import count, exact, money
from gateway.desk.views.sentences import Said
from gateway.desk.wording import Words
from gateway.month.bypassing import FoundArbitrage
from ledger.store.suspicions import SuspicionRow
from reconciliation.finding import Finding


@dataclass(frozen=True, slots=True)
class Explained:
    """One sentence and the rule behind it."""

    said: Said
    rule: str
    """Key of the rule's word."""
    english: str = ""
    """The engine's own sentence, where it says more than the catalogue's."""
    english_rule: str = ""

    def in_words(self, words: Words) -> str:
        """The sentence in a language."""
        return self.english if self.english and words.language == "en" else self.said.in_words(words)

    def rule_in_words(self, words: Words) -> str:
        """Which rule made it, in a language."""
        return self.english_rule if self.english_rule and words.language == "en" else words(self.rule)


def of_finding(finding: Finding, partner: str, currency: str) -> Explained:
    """One explained difference; `partner` is their name."""
    values: dict[str, object] = {
        "partner": partner,
        "count": count(finding.count),
        "unit": currency,
        "amount": money(abs(finding.difference_micros)),
        "route": finding.route or "—",
        "destination": finding.destination or "—",
    }
    said = Said(f"explained.{finding.cause}", values)
    return Explained(said, f"rule.{finding.cause}", finding.explanation, finding.rule)


def of_suspicion(row: SuspicionRow) -> Explained:
    """What a detector says of records or declarations."""
    values: dict[str, object] = {
        "subject": row.subject,
        "count": count(row.count),
        "unit": row.currency,
        "amount": money(row.at_risk_micros),
        "creditor": row.creditor,
        "debtor": row.debtor,
    }
    return Explained(Said(f"suspected.{row.kind}", values), f"rule.{row.kind}", row.explanation, row.rule)


def of_arbitrage(found: FoundArbitrage) -> Said:
    """A way round a price; there may be several carriers in its middle."""
    first, *middle, last = found.cycle
    values: dict[str, object] = {
        "first": first,
        "middle": " → ".join(middle),
        "last": last,
        "destination": found.destination,
        "gain": f"{found.gain.unit} {exact(found.gain.micros)}",
    }
    return Said(f"arbitrage.{found.scheme}", values)
