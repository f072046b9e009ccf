"""How does a list of records leave the house? Row by row as it stands, whole, in memory that does not grow with it."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from gateway.documents.tables import MONEY, money_column
from gateway.records.layout import CAUSES, NO_RULE, NOBODY, Match
from gateway.records.reading import RecordList
from gateway.records.wanted import Wanted
from reconciliation.matching.match import Rule

_MOMENT = pa.timestamp("ms", tz="UTC")
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("class", pa.string()),
        ("causes", pa.string()),
        ("rule", pa.string()),
        ("offset_ms", pa.int64()),
        ("a_party", pa.string()),
        ("b_party", pa.string()),
        ("destination", pa.string()),
        ("route", pa.string()),
        *(
            (f"{side}_{name}", kind)
            for side in ("ours", "theirs")
            for name, kind in (("start", _MOMENT), ("quantity", pa.int64()), ("amount", MONEY))
        ),
        ("difference", MONEY),
    ]
)
"""A side that has no record has no values; a difference counts it as nothing."""
_CLASSES = pa.array([each.word for each in Match])
_RULES = pa.array([each.words for each in Rule])


def reader_of(records: RecordList, wanted: Wanted) -> pa.RecordBatchReader:
    """The wanted records (SCHEMA), for gateway.documents.tables.export."""
    return pa.RecordBatchReader.from_batches(SCHEMA, _batches(records, wanted))


def _batches(records: RecordList, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    destinations, routes = pa.array(records.destinations, pa.string()), pa.array(records.routes, pa.string())
    for table in records.tables(wanted):
        ours, theirs = (pc.not_equal(table[f"{side}_row"], NOBODY) for side in ("ours", "theirs"))
        has_rule = pc.not_equal(table["rule"], NO_RULE)
        columns = {
            "number": table["number"],
            "class": _CLASSES.take(table["match"].combine_chunks()),
            "causes": _causes(table["causes"]),
            "rule": _RULES.take(pc.if_else(has_rule, table["rule"], None).combine_chunks()),
            "offset_ms": pc.if_else(pc.and_(ours, theirs), table["offset_ms"], None),
            "a_party": table["a_party"],
            "b_party": table["b_party"],
            "destination": destinations.take(table["destination"].combine_chunks()),
            "route": routes.take(table["route"].combine_chunks()),
            "difference": money_column(pc.subtract(table["ours_micros"], table["theirs_micros"])),
        }
        for side, there in (("ours", ours), ("theirs", theirs)):
            columns[f"{side}_start"] = pc.if_else(there, table[f"{side}_start_ms"], None).cast(_MOMENT)
            columns[f"{side}_quantity"] = pc.if_else(there, table[f"{side}_quantity"], None)
            columns[f"{side}_amount"] = money_column(pc.if_else(there, table[f"{side}_micros"], None))
        whole = pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        yield from whole.combine_chunks().to_batches()


def _causes(bits: pa.ChunkedArray) -> pa.Array:
    """The names of each row's causes, separated by spaces."""
    known = pc.unique(bits)
    words = [" ".join(cause for at, cause in enumerate(CAUSES) if each >> at & 1) for each in known.to_pylist()]
    return pa.array(words, pa.string()).take(pc.index_in(bits, value_set=known).combine_chunks())
