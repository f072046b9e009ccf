"""Does cutting a month by its keys change nothing but the order of work?"""

from functools import partial

import numpy as np
import pytest

from ledger.agreement import Tolerance
from reconciliation.matching import match as matching_module
from reconciliation.matching.buckets import Bucket, buckets_of, with_key_of
from reconciliation.matching.keys import pair_hashes
from reconciliation.matching.match import Pairing, match
from reconciliation.matching.side import Side, side_of
from tests.reconciliation.records import many, table

OURS = side_of(table([*many(300), *(call.but(at=call.at + 1) for call in many(300)[:40])]))
THEIRS = side_of(table([call.but(lasts=call.lasts + 1) for call in many(300)[15:]]))


def keys(side: Side) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return pair_hashes(side.a_hash, side.b_hash)


def same(one: Pairing, other: Pairing) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Pairing.__slots__)


@pytest.mark.parametrize("bucket_rows", [1, 7, 64, 10_000])
def test_any_number_of_buckets_gives_the_same_pairs(bucket_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = match(OURS, THEIRS, Tolerance())
    monkeypatch.setattr(matching_module, "buckets_of", partial(buckets_of, bucket_rows=bucket_rows))
    assert same(match(OURS, THEIRS, Tolerance()), whole)
    assert len(whole.ours) == 285


def test_a_key_lies_in_one_bucket_and_every_row_in_exactly_one() -> None:
    found = list(buckets_of(keys(OURS), keys(THEIRS), 16))
    assert len(found) == 32
    assert np.array_equal(np.sort(np.concatenate([bucket.ours for bucket in found])), np.arange(len(OURS)))
    assert np.array_equal(np.sort(np.concatenate([bucket.theirs for bucket in found])), np.arange(len(THEIRS)))
    where = {int(key): at for at, bucket in enumerate(found) for key in keys(OURS)[bucket.ours]}
    assert all(where.get(int(key), at) == at for at, bucket in enumerate(found) for key in keys(THEIRS)[bucket.theirs])


def test_a_pair_cut_in_two_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: buckets by row instead of by key."""
    cut = [Bucket(np.arange(len(OURS)), np.arange(0)), Bucket(np.arange(0), np.arange(len(THEIRS)))]
    monkeypatch.setattr(matching_module, "buckets_of", lambda ours, theirs: cut)
    assert len(match(OURS, THEIRS, Tolerance()).ours) == 0


def test_rows_with_the_keys_of_some_are_all_found() -> None:
    some = np.array([0, 5, 339])
    found = with_key_of(keys(OURS), some)
    wanted = np.flatnonzero(np.isin(keys(OURS), keys(OURS)[some]))
    assert set(wanted.tolist()) <= set(found.tolist())
    assert len(found) < 20
