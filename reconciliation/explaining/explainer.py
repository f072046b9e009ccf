"""Which rule of theirs reproduces their figure? Prices a difference again under plausible ones, names the smallest.

Two carriers that hold the same agreement still reckon apart: one floors where the other rounds half to even, bills
whole minutes, missed a deck, lost a dial code, reads the clock of another zone. Each such rule is tried on records of
the difference; the first, in order of size, that gives most of their amounts to the micro is named with the number of
records it explains. Pairs of rules are tried when no single one explains nine in ten.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ledger.agreement import Agreement
from ledger.prices.deck import DeckHistory, deck_history, rate_deck
from ledger.prices.fx import Conversion
from ledger.prices.rating_terms import RoundingPlace
from reconciliation.difference import Books, Difference
from reconciliation.explaining.priced_groups import Asked, Samples, count_reproduced, samples_of
from reconciliation.explaining.reckoning import Kind, Reckoning, Rule, both, plausible_rules
from reconciliation.finding import Cause
from reconciliation.matching.side import exact_sum

PRICED = (Cause.RATE, Cause.DESTINATION, Cause.ROUNDING)
ALMOST_ALL = 0.9
"""Share of the sample that ends the search: a clock may put a few records on the other side of a change."""
LEAST = 0.5
"""Share of the sample that a rule must give to be named at all."""
SEARCHES = 40
"""Differences that all rules are tried on, the largest first; the rest are tried with the rules found there."""
PAIR_SEARCHES = 3
"""Of these, the ones that pairs of rules are tried on, too."""
_AFTER_DIGITS = ":"
_ROUNDED = Cause.ROUNDING, "same code and price, another rounding of amount or quantity"
_NAMES = {
    Kind.ROUNDING: _ROUNDED,
    Kind.INCREMENTS: _ROUNDED,
    Kind.ORIGIN: (Cause.ORIGIN_CLASS, "same code, another price on the same quantity, by origin"),
    Kind.CURRENCY: (Cause.CURRENCY, "same price in the deck's currency, another day's exchange rate"),
}
"""Rules that give almost all amounts of a difference in rates its name."""


class Trial(NamedTuple):
    """What a rule must give: the amounts that differ, and those of the same codes that do not."""

    samples: Samples

    def share(self, reckoning: Reckoning) -> float:
        """The smaller of the two shares of amounts given; a rule that changes nothing gives none that differ."""
        share = self.samples.differing.share(reckoning)
        return min(share, self.samples.all.share(reckoning)) if share else 0.0


class Said(NamedTuple):
    """What is to be said of a difference, when its records are counted."""

    at: int
    """Position of the difference."""
    is_creditor: bool
    """Whose amounts follow from the rule."""
    rule: Rule
    asked: Asked
    is_other_agreed: bool
    """Whether the other side's amounts follow from what was agreed."""


class Explainer:
    """Names rules for the price differences of one direction; remembers those it has found."""

    def __init__(
        self, books: Books, history: DeckHistory, agreement: Agreement, into: Conversion | None = None
    ) -> None:
        self._books = books
        self._agreed = Reckoning(history, agreement, into=into)
        self._codes = [[rate.code for rate in dated.deck.rates] for dated in history.decks]
        self._found: dict[str, Rule] = {}
        self._searches = SEARCHES

    def explain(self, differences: Sequence[Difference]) -> tuple[Difference, ...]:
        """The same differences in the same order; the detail of those that a rule explains says which."""
        if self._agreed.agreement.rating.place is RoundingPlace.STATEMENT:
            return tuple(differences)  # a record's amount follows from all before it
        priced = {at: each for at, each in enumerate(differences) if each.cause in PRICED and each.size}
        if not priced:
            return tuple(differences)
        owed, counted = (samples_of(self._books, priced, is_creditor=is_creditor) for is_creditor in (True, False))
        by_size = sorted(priced, key=lambda at: -abs(_moved(differences[at])))
        said = [each for at in by_size if (each := self._rule_of(at, owed[at], counted[at]))]
        explained = list(differences)
        for each, (hits, of) in self._counted(said):
            explained[each.at] = _with_rule(differences[each.at], each, hits, of)
        return tuple(explained)

    def _rule_of(self, at: int, creditor: Samples, debtor: Samples) -> Said | None:
        agreed = self._near(creditor.codes | debtor.codes)
        keeps = [samples.differing.share(agreed) >= ALMOST_ALL for samples in (creditor, debtor)]
        if all(keeps):
            return None
        mine = creditor if keeps[1] else debtor
        rule = self._smallest(Trial(mine), agreed)
        if rule is None:
            return None
        return Said(at, keeps[1], rule, Asked(mine.codes, rule.change(agreed)), any(keeps))

    def _counted(self, said: Sequence[Said]) -> Iterator[tuple[Said, tuple[int, int]]]:
        """How many records of all pairs of the codes follow from each rule, and of how many."""
        books, pairing = self._books, self._books.pairing
        for side, paired, is_creditor in ((books.creditor, pairing.ours, True), (books.debtor, pairing.theirs, False)):
            mine = [each for each in said if each.is_creditor == is_creditor]
            single = np.delete(side.row, paired)
            yield from zip(mine, count_reproduced(side, single, [each.asked for each in mine]), strict=True)

    def _smallest(self, trial: Trial, agreed: Reckoning) -> Rule | None:
        for rule in self._found.values():
            if trial.share(rule.change(agreed)) >= ALMOST_ALL:
                return rule
        if self._searches == 0:
            return None
        self._searches -= 1
        found = _search(trial, agreed, with_pairs=self._searches >= SEARCHES - PAIR_SEARCHES)
        if found is not None:
            self._found.setdefault(found.words, found)
        return found

    def _near(self, codes: frozenset[str]) -> Reckoning:
        """As agreed, with only the rates that could price these codes: the same, shorter ones and longer ones."""
        decks = []
        for dated, listed in zip(self._agreed.history.decks, self._codes, strict=True):
            rates = [dated.deck.rates[at] for at in _places(listed, codes - {""})]
            if rates:
                decks.append((dated.effective_ms, rate_deck(dated.deck.currency, rates, dated.deck.service)))
        return replace(self._agreed, history=deck_history(decks)) if decks else self._agreed


def _with_rule(difference: Difference, said: Said, hits: int, of: int) -> Difference:
    who, other = ("creditor", "debtor") if said.is_creditor else ("debtor", "creditor")
    words = f"{{{who}}}'s amounts on these codes follow from {said.rule.words}: {hits:,} of {of:,}"
    kept = f", {{{other}}}'s from what was agreed" if said.is_other_agreed else ""
    told = replace(difference, detail=f"{difference.detail}; {words}{kept}")
    if difference.cause is Cause.RATE and said.rule.kind in _NAMES and hits >= ALMOST_ALL * of:
        cause, rule = _NAMES[said.rule.kind]
        return replace(told, cause=cause, rule=rule)
    return told


def _search(trial: Trial, agreed: Reckoning, *, with_pairs: bool) -> Rule | None:
    rules = list(plausible_rules(agreed, trial.samples.codes, trial.samples.all.starts_ms()))
    best, share = _best(trial, agreed, rules)
    if share < ALMOST_ALL and with_pairs:
        common = [rule for rule in rules if rule.is_common]
        pairs = [both(*two) for two in combinations(common, 2) if two[0].kind != two[1].kind]
        best_two, share_of_two = _best(trial, agreed, pairs)
        if share_of_two >= ALMOST_ALL:
            return best_two
    return best if share >= LEAST else None


def _best(trial: Trial, agreed: Reckoning, rules: Sequence[Rule]) -> tuple[Rule | None, float]:
    best: Rule | None = None
    most = 0.0
    for rule in rules:
        share = trial.share(rule.change(agreed))
        if share > most:
            best, most = rule, share
        if most == 1.0:
            break
    return best, most


def _moved(difference: Difference) -> int:
    return exact_sum(difference.creditor_micros) - exact_sum(difference.debtor_micros)


def _places(listed: Sequence[str], codes: frozenset[str]) -> list[int]:
    """Where the codes, what begins with them and what they begin with stand in ascending codes."""
    places: set[int] = set()
    for code in codes:
        places.update(range(bisect_left(listed, code), bisect_left(listed, code + _AFTER_DIGITS)))
        for length in range(1, len(code)):
            places.update(range(bisect_left(listed, code[:length]), bisect_right(listed, code[:length])))
    return sorted(places)
