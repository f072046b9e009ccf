import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.errors import Malformed
from reconciliation.arbitrage.rings.files import read_answer, read_offer, write_answer, write_offer
from tests.reconciliation.arbitrage.rings.test_node import CN, REFILE, US, asked, offer_of


def test_an_offer_reads_back_as_it_was(tmp_path: Path) -> None:
    for us in (CN, US):
        offer = offer_of(us, REFILE)
        write_offer(offer, tmp_path / "offer.parquet")
        assert read_offer(tmp_path / "offer.parquet") == offer


def test_an_answer_reads_back_as_it_was(tmp_path: Path) -> None:
    for answer in asked(REFILE)[2]:
        write_answer(answer, tmp_path / "answer.json")
        assert read_answer(tmp_path / "answer.json") == answer


def test_what_is_no_offer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "offer.parquet"
    with pytest.raises(Malformed, match="not an offer"):
        read_offer(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(Malformed, match="not an offer"):
        read_offer(path)
    pq.write_table(pa.table({"creditor": ["CN-T"]}), path)
    with pytest.raises(Malformed, match="not an offer"):
        read_offer(path)
    write_offer(offer_of(CN, REFILE), path)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"by": b"zz"}), path)
    with pytest.raises(Malformed, match="not an offer"):
        read_offer(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"round": ""},
        {"to": 7},
        {"rings": [{"scheme": "refile", "path": ["00"], "codes": []}]},
        {"rings": [{"scheme": "trombone", "path": ["00", "01", "02"], "codes": []}]},
        {"unconfirmed": [["00"]]},
        {"offers": "zz"},
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "answer.json"
    write_answer(asked(REFILE)[2][0], path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(Malformed, match="not an answer"):
        read_answer(path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    with pytest.raises(Malformed, match="not an answer"):
        read_answer(path)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"rings": ' + "[" * 100_000, '{"more": ' + "[" * 100_000])
def test_a_deep_file_is_refused_whatever_libraries_did_to_the_recursion_limit(tmp_path: Path, deep: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(deep)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        with pytest.raises(Malformed, match="not an answer"):
            read_answer(path)
    finally:
        sys.setrecursionlimit(before)
