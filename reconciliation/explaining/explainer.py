"""Which rule of theirs reproduces their figure? Prices a difference again under plausible ones, names the smallest.

Two carriers that hold the same agreement still reckon apart: one floors where the other rounds half to even, bills
whole minutes, missed a deck, lost a dial code, reads the clock of another zone. Each such rule is tried on records of
the difference; the first, in order of size, that gives most of their amounts to the micro is named with the number of
records it explains. Pairs of rules are tried when no single one explains nine in ten.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import GscError
from ledger.prices.deck import DeckHistory, deck_history, rate_deck
from ledger.prices.rating import rate
from ledger.prices.rating_terms import RoundingPlace
from ledger.usage import USAGE_SCHEMA
from reconciliation.difference import Books, Difference
from reconciliation.explaining.reckoning import Reckoning, Rule, both, plausible_rules
from reconciliation.finding import Cause
from reconciliation.matching.side import Flags, Ints, Side, exact_sum

PRICED = (Cause.RATE, Cause.DESTINATION, Cause.ROUNDING)
SAMPLE = 64
"""Records of a difference that every rule is tried on; the one found is then counted on all of them."""
ALMOST_ALL = 0.9
"""Share of the sample that ends the search: a clock may put a few records on the other side of a change."""
LEAST = 0.5
"""Share of the sample that a rule must give to be named at all."""
SEARCHES = 40
"""Differences that all rules are tried on, the largest first; the rest are tried with the rules found there."""
PAIR_SEARCHES = 3
"""Of these, the ones that pairs of rules are tried on, too."""
_AFTER_DIGITS = ":"


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one side and the amounts it has for them."""

    usage: pa.Table
    """USAGE_SCHEMA; `line` counts the rows from 0."""
    amounts: Ints
    codes: frozenset[str]

    def __len__(self) -> int:
        return len(self.amounts)

    def starts_ms(self) -> tuple[int, int]:
        """The first and the last start."""
        start_ms = self.usage["start_ms"].to_numpy()
        return int(start_ms.min()), int(start_ms.max())

    def sample(self) -> "Group":
        """Some of them, spread over the whole."""
        if len(self) <= SAMPLE:
            return self
        rows = np.linspace(0, len(self) - 1, SAMPLE).astype(np.int64)
        return Group(_numbered(self.usage.take(pa.array(rows))), self.amounts[rows], self.codes)


class Trial(NamedTuple):
    """What a rule must give: the amounts that differ, and those of the same codes that do not."""

    differing: Group
    all: Group

    def share(self, reckoning: Reckoning) -> float:
        """The smaller of the two shares of amounts given; a rule that changes nothing gives none that differ."""
        share = _share(self.differing, reckoning)
        return min(share, _share(self.all, reckoning)) if share else 0.0


class Explainer:
    """Names rules for the price differences of one direction; remembers those it has found."""

    def __init__(self, books: Books, history: DeckHistory, agreement: Agreement) -> None:
        self._books = books
        self._agreed = Reckoning(history, agreement)
        self._codes = [[rate.code for rate in dated.deck.rates] for dated in history.decks]
        self._pairs = _PairsByCode(books)
        self._found: dict[str, Rule] = {}
        self._searches = SEARCHES

    def explain(self, differences: Sequence[Difference]) -> tuple[Difference, ...]:
        """The same differences in the same order; the detail of those that a rule explains says which."""
        if self._agreed.agreement.rating.place is RoundingPlace.STATEMENT:
            return tuple(differences)  # a record's amount follows from all before it
        by_size = sorted(range(len(differences)), key=lambda at: -abs(_moved(differences[at])))
        explained = list(differences)
        for at in by_size:
            if differences[at].cause in PRICED and differences[at].size:
                explained[at] = self._with_rule(differences[at])
        return tuple(explained)

    def _with_rule(self, difference: Difference) -> Difference:
        creditor = _group(self._books.creditor, difference.creditor_rows)
        debtor = _group(self._books.debtor, difference.debtor_rows)
        agreed = self._near(creditor.codes | debtor.codes)
        keeps = [_share(group.sample(), agreed) >= ALMOST_ALL for group in (creditor, debtor)]
        if all(keeps):
            return difference
        who, other = ("creditor", "debtor") if keeps[1] else ("debtor", "creditor")
        owed, counted = self._pairs.of(difference)
        side, rows = (self._books.creditor, owed) if keeps[1] else (self._books.debtor, counted)
        group = _group(side, rows)
        trial = Trial((creditor if keeps[1] else debtor).sample(), group.sample())
        rule = self._smallest(trial, agreed)
        if rule is None:
            return difference
        count = int(_reproduced(group, rule.change(agreed)).sum())
        said = f"{{{who}}}'s amounts on these codes follow from {rule.words}: {count:,} of {len(group):,}"
        kept = f", {{{other}}}'s from what was agreed" if any(keeps) else ""
        return replace(difference, detail=f"{difference.detail}; {said}{kept}")

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


class _PairsByCode:
    """All pairs, also those without a difference, by the creditor's dial code: a rule must give both kinds."""

    def __init__(self, books: Books) -> None:
        self._books = books
        codes = books.creditor.code.codes[books.pairing.ours]
        self._order = np.argsort(codes, kind="stable")
        self._codes = codes[self._order]

    def of(self, difference: Difference) -> tuple[Ints, Ints]:
        """Rows of both sides in pairs of the difference's codes."""
        codes = np.unique(self._books.creditor.code.codes[difference.creditor_rows])
        begins, ends = (np.searchsorted(self._codes, codes, side=side) for side in ("left", "right"))
        pairs = np.concatenate([self._order[b:e] for b, e in zip(begins.tolist(), ends.tolist(), strict=True)])
        return self._books.pairing.ours[pairs], self._books.pairing.theirs[pairs]


def _search(trial: Trial, agreed: Reckoning, *, with_pairs: bool) -> Rule | None:
    rules = list(plausible_rules(agreed, trial.all.codes, trial.all.starts_ms()))
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


def _share(group: Group, reckoning: Reckoning) -> float:
    return float(_reproduced(group, reckoning).mean())


def _reproduced(group: Group, reckoning: Reckoning) -> Flags:
    """Which amounts the reckoning gives to the micro."""
    hits = np.zeros(len(group), np.bool_)
    usage = group.usage
    if reckoning.shift_ms:
        moved = pa.array(usage["start_ms"].to_numpy() + reckoning.shift_ms)
        usage = usage.set_column(usage.schema.get_field_index("start_ms"), USAGE_SCHEMA.field("start_ms"), moved)
    try:
        rated = rate(usage, reckoning.history, reckoning.agreement).rated
    except GscError:
        return hits  # a rule under which nothing can be priced gives nobody's amounts
    rows = rated["line"].to_numpy()
    hits[rows] = rated["amount_micros"].to_numpy() == group.amounts[rows]
    return hits


def _group(side: Side, rows: Ints) -> Group:
    usage = _numbered(side.texts(rows, USAGE_SCHEMA.names))
    codes = {side.code.texts[code] for code in np.unique(side.code.codes[rows]).tolist()}
    return Group(usage, side.amount[rows], frozenset(codes))


def _numbered(usage: pa.Table) -> pa.Table:
    return usage.set_column(0, USAGE_SCHEMA.field("line"), pa.array(np.arange(len(usage)))).cast(USAGE_SCHEMA)


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
