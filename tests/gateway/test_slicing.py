"""Does every record of a file reach one slice, in its order, however the file is taken and whatever has to wait?"""

import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.composition import Partnership, chain_terms
from gateway.formats import files
from gateway.formats.preset import load_preset
from gateway.formats.reading import CdrReader, Direction, ReadingContext, Trunk, read_cdr
from gateway.month import slicing
from gateway.month.slicing import Slices
from ledger.agreement import Agreement
from ledger.cores import ahead
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.money import Nanos, Rounding
from ledger.period import Period
from ledger.prices.deck import Rate, deck_history, rate_deck
from ledger.prices.rating import rate_in_mode
from ledger.sealing import seal
from ledger.service import Service
from tests.ledger.records import SCOPE, SECRET

CN_T, GB_B, US_A = CarrierCode("CN-T"), CarrierCode("GB-B"), CarrierCode("US-A")
SHANGHAI = ZoneInfo("Asia/Shanghai")
SEPTEMBER = datetime(2026, 9, 29, tzinfo=UTC)
TRUNKS = {
    "gbb-in": Trunk(GB_B, Direction.IN),
    "gbb-out": Trunk(GB_B, Direction.OUT),
    "usa-in": Trunk(US_A, Direction.IN),
}
CONTEXT = ReadingContext(zone=ZoneInfo("UTC"), country="CN", trunks=TRUNKS)
DECK = deck_history([(0, rate_deck("USD", [Rate("Everywhere", "4", Nanos(70_000_000))]))])
SLICE_RECORDS = 4

calls = st.lists(
    st.tuples(st.integers(0, 40 * 24), st.sampled_from([*TRUNKS, "other"]), st.sampled_from(["44207946000", "44x"])),
    max_size=40,
)


class Sizes(NamedTuple):
    """What waits, and how much of the file is read at a time."""

    chunk: int
    group: int
    waiting: int
    open_files: int


LARGE = Sizes(1 << 20, 1 << 17, 1 << 20, 64)
sizes = st.builds(Sizes, st.integers(1, 500), st.integers(1, 5), st.integers(1, 9), st.integers(1, 2))


def _agreement_with(partner: CarrierCode) -> Partnership:
    if partner == US_A:
        raise NotFound("no agreement with US-A")
    return _held(partner)


def _held(partner: CarrierCode) -> Partnership:
    low, high = sorted((CN_T, partner))
    agreement = Agreement(low, high, "USD", frozenset({Service.VOICE}), SHANGHAI, 0)
    return Partnership(partner, agreement, chain_terms(agreement))


def _file(folder: Path, rows: Iterable[tuple[int, str, str]]) -> Path:
    path = folder / "calls.csv"
    lines = ["a_number,b_number,start,duration_ms,trunk\n"]
    for hours, trunk, called in rows:
        start = (SEPTEMBER + timedelta(hours=hours)).isoformat()
        lines.append(f"+8613912345678,{called},{start},{hours + 1}000,{trunk}\n")
    path.write_text("".join(lines))
    return path


def _sliced(path: Path, folder: Path, use: Sizes, days: int = 7) -> tuple[dict[str, pa.Table], list[object]]:
    """Slices as they lie on the disk, by file name, and what was left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "CHUNK_BYTES", use.chunk)
        patch.setattr(slicing, "SLICE_RECORDS", SLICE_RECORDS)
        patch.setattr(slicing, "GROUP_RECORDS", use.group)
        patch.setattr(slicing, "WAITING_RECORDS", use.waiting)
        patch.setattr(slicing, "OPEN_FILES", use.open_files)
        reader, refused = CdrReader(load_preset("csv"), CONTEXT), []
        with Slices(CN_T, _held, days, folder) as slices:
            for piece in ahead(reader.pieces(path)):
                slices.add(piece.tables)
                refused += piece.quarantined.to_pylist()
            kept = slices.finish()
    found = {each.paths[0].name: pq.read_table(each.paths[0]) for each in kept.values()}
    assert sorted(each.name for each in folder.iterdir()) == sorted(found), "nothing else stays"
    assert [(each.count, each.quantity) for each in kept.values()] == [
        (len(table), pc.sum(table["quantity"]).as_py()) for table in found.values()
    ]
    return found, [*refused, reader.counts()]


def _expected(path: Path, days: int = 7) -> dict[str, list[int]]:
    """Lines by file name, reckoned record by record."""
    found: dict[str, list[int]] = {}
    for (partner, direction, _), table in read_cdr(path, load_preset("csv"), CONTEXT).tables.items():
        for row in table.to_pylist():
            local = datetime.fromtimestamp(row["start_ms"] // 1000, SHANGHAI)
            begin_ms, _ = Period(local.year, local.month).bounds_ms(SHANGHAI)
            number = (row["start_ms"] - begin_ms) // (days * 86_400_000)
            creditor = CN_T if direction is Direction.IN else partner
            name, part = f"{local:%Y-%m}-{partner}-{creditor}-voice-{number}", 0
            while len(found.setdefault(f"{name}{f'.{part}' if part else ''}.parquet", [])) == SLICE_RECORDS:
                part += 1
            found[f"{name}{f'.{part}' if part else ''}.parquet"].append(row["line"])
    return found


def _roots(tables: dict[str, pa.Table]) -> dict[str, bytes]:
    return {
        name: seal(rate_in_mode(table, DECK, Rounding.HALF_EVEN).rated, SCOPE, SECRET).root
        for name, table in tables.items()
    }


def test_a_partner_without_agreement_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    path, folder = _file(tmp_path, [(1, "gbb-in", "44207946000"), (2, "usa-in", "44207946000")]), tmp_path / "slices"
    with pytest.raises(NotFound, match="US-A"), Slices(CN_T, _agreement_with, 7, folder) as slices:
        for piece in CdrReader(load_preset("csv"), CONTEXT).pieces(path):
            slices.add(piece.tables)
    assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_read_to_the_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "GROUP_RECORDS", 1)
    path, folder = _file(tmp_path, [(1, "gbb-in", "44207946000")]), tmp_path / "slices"
    with pytest.raises(OSError, match="gone"), Slices(CN_T, _held, 7, folder) as slices:
        for piece in CdrReader(load_preset("csv"), CONTEXT).pieces(path):
            slices.add(piece.tables)
        assert [each.suffix for each in folder.iterdir()] == [".part"], "it was being written"
        raise OSError("gone")
    assert list(folder.iterdir()) == []


def test_months_begin_in_the_agreements_zone_and_days_are_counted_from_there(tmp_path: Path) -> None:
    """16:00 UTC on 30 September is midnight in Shanghai."""
    rows = [(hours, "gbb-in", "44207946000") for hours in (39, 40, 40 + 7 * 24 - 1, 40 + 7 * 24)]
    found, _ = _sliced(_file(tmp_path, rows), tmp_path / "slices", LARGE)
    assert {name: table["line"].to_pylist() for name, table in found.items()} == {
        "2026-09-GB-B-CN-T-voice-4.parquet": [2],
        "2026-10-GB-B-CN-T-voice-0.parquet": [3, 4],
        "2026-10-GB-B-CN-T-voice-1.parquet": [5],
    }


def test_what_is_counted_only_is_counted_alike(tmp_path: Path) -> None:
    path = _file(tmp_path, [(hours, "gbb-out", "44207946000") for hours in range(30)])
    counted = []
    for folder in (None, tmp_path / "slices"):
        with Slices(CN_T, _held, 1, folder) as slices:
            for piece in CdrReader(load_preset("csv"), CONTEXT).pieces(path):
                slices.add(piece.tables)
            counted.append({key: (each.count, each.quantity) for key, each in slices.finish().items()})
    assert counted[0] == counted[1]
    assert sum(count for count, _ in counted[0].values()) == 30


@given(calls, sizes)
@settings(max_examples=60, deadline=None)
def test_pieces_of_any_size_come_to_the_same_slices_quarantine_and_roots(
    rows: list[tuple[int, str, str]], use: Sizes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = _file(Path(name), rows)
        whole, left_out = _sliced(path, Path(name) / "whole", LARGE)
        pieces, left_out_of_pieces = _sliced(path, Path(name) / "pieces", use)
        assert {name: table["line"].to_pylist() for name, table in whole.items()} == _expected(path)
        assert pieces == whole
        assert left_out_of_pieces == left_out
        assert _roots(pieces) == _roots(whole)


def test_a_planted_fault_shows_records_that_wait_and_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(hours, "gbb-in", "44207946000") for hours in range(0, 400, 50)]
    path, honest = _file(tmp_path, rows), slicing.Slice.take
    monkeypatch.setattr(slicing.Slice, "take", lambda self: honest(self).slice(1))
    with pytest.raises(AssertionError):
        _sliced(path, tmp_path / "slices", LARGE)
