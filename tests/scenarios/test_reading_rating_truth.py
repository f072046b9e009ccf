"""Do reading and rating make of the raw files exactly what the simulator knows to be in them?"""

import pyarrow as pa
import pyarrow.compute as pc

from scripts.traffic.switches import MALFORMED
from tests.scenarios.books import Books


def test_every_malformed_row_and_no_other_is_quarantined_with_its_line(books: Books) -> None:
    for code, file in books.files.switches.items():
        planted = sorted(line for line, _ in file.malformed)
        assert len(planted) == len(MALFORMED)
        quarantined = books.readings[code].quarantined
        assert quarantined["line"].to_pylist() == planted
        assert all(quarantined["reason"].to_pylist())


def test_what_was_not_answered_is_not_billable_and_repeated_rows_are_counted(books: Books) -> None:
    for code, file in books.files.switches.items():
        counts = books.readings[code].counts
        answered = int((file.rows.duration_s > 0).sum())
        assert counts.accepted == answered > 0
        assert counts.not_billable == len(file.lines) - answered > 0
        assert counts.duplicates == len(file.repeats)
    assert sum(len(file.repeats) for file in books.files.switches.values()) > 0


def test_each_record_is_the_true_call_on_its_line(books: Books) -> None:
    """Numbers in E.164, UTC start and duration, from national formats, local time and the repeated hour of October."""
    for direction, side in books.sides():
        role = "debtor" if side == direction.debtor else "creditor"
        usage = books.usage(direction, side)
        legs = books.legs_of(direction)
        if role == "creditor":
            legs = pa.concat_tables([legs, _second_rows(legs)])
        wanted = legs.select([f"{role}_line", "a", "b", f"{role}_start_ms", f"{role}_duration_s", f"{role}_route"])
        named = wanted.rename_columns(["line", "a", "b", "true_start_ms", "true_s", "true_route"])
        joined = usage.join(named, "line", join_type="inner")
        assert joined.num_rows == usage.num_rows > 1_000
        a_true = pc.if_else(pc.equal(joined["a"], 0), "", joined["a"].cast(pa.string()))
        assert joined["a_party"].equals(a_true)
        assert joined["b_party"].equals(joined["b"].cast(pa.string()))
        assert joined["start_ms"].equals(joined["true_start_ms"])
        assert joined["quantity"].equals(pc.multiply(joined["true_s"], 1000))
        assert joined["route"].equals(joined["true_route"])


def test_the_rated_totals_are_the_truths_to_the_last_micro(books: Books) -> None:
    for direction, side in books.sides():
        rated = books.rated(direction, side).rated
        total = direction.debtor_total if side == direction.debtor else direction.creditor_total
        assert rated.num_rows == total.count
        assert pc.sum(rated["quantity"]).as_py() == total.quantity_ms
        assert pc.sum(rated["amount_micros"]).as_py() == total.amount_micros


def test_calls_to_a_destination_without_a_rate_are_refused_and_never_cost_nothing(books: Books) -> None:
    refused = 0
    for direction, side in books.sides():
        rating = books.rated(direction, side)
        refused += rating.refused.num_rows
        assert set(rating.refused["reason"].to_pylist()) <= {"unknown destination"}
        assert all(number.startswith("4484") for number in rating.refused["b_party"].to_pylist())
        assert pc.min(rating.rated["amount_micros"]).as_py() > 0
    assert refused > 0


def _second_rows(legs: pa.Table) -> pa.Table:
    """The rows the creditor's switch wrote a second time, under their second line."""
    twice = legs.filter(pc.greater(legs["second_line"], 0))
    return twice.set_column(twice.column_names.index("creditor_line"), "creditor_line", twice["second_line"])
