"""How do offers and answers travel? Offers as Parquet, one row an edge; answers as JSON."""

import json
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import Malformed
from ledger.unreadable import why_unreadable
from reconciliation.arbitrage.circles import Scheme
from reconciliation.arbitrage.rings.masks import POINT_BYTES, TAG_BYTES
from reconciliation.arbitrage.rings.offers import Answer, Edge, MaskedRing, Offer

MAX_EDGES = 20_000_000
MAX_ANSWER_BYTES = 256 << 20
_OFFER, _ANSWER = "gsc.rings.offer.1", "gsc.rings.answer.1"
_TAG, _POINT = pa.binary(TAG_BYTES), pa.binary(POINT_BYTES)
_FIELDS = (("creditor", _TAG), ("debtor", _TAG), ("code", _TAG), ("point", _POINT))
_SCHEMA = pa.schema([pa.field(name, kind, nullable=False) for name, kind in _FIELDS])


def write_offer(offer: Offer, path: Path) -> None:
    """88 bytes an edge before compression."""
    columns = zip(*offer.edges, strict=True) if offer.edges else ((), (), (), ())
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    metadata = {"format": _OFFER, "round": offer.round_name, "by": offer.by.hex()}
    pq.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA).replace_schema_metadata(metadata), path)


def read_offer(path: Path) -> Offer:
    """Read a file that may come from a carrier that means harm. Raises Malformed."""
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            if schema.remove_metadata() != _SCHEMA or rows > MAX_EDGES:
                raise _no_offer(f"{rows} rows of {', '.join(schema.names[:8])}")
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise _no_offer(str(error)[:200]) from None
    if any(table[name].null_count for name in _SCHEMA.names):
        raise _no_offer("empty cells")
    said = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in schema.metadata.items()}
    by = _bytes(said.get("by", ""), TAG_BYTES)
    if said.get("format") != _OFFER or by is None or not _is_name(said.get("round", "")):
        raise _no_offer("other parameters")
    columns = (table[name].to_pylist() for name in _SCHEMA.names)
    edges = tuple(sorted({Edge(*row) for row in zip(*columns, strict=True)}))
    return Offer(said["round"], by, edges)


def write_answer(answer: Answer, path: Path) -> None:
    """For the one carrier it is to."""
    document = {
        "format": _ANSWER,
        "round": answer.round_name,
        "to": answer.to.hex(),
        "rings": [
            {"scheme": ring.scheme.value, "path": _hex(ring.path), "codes": _hex(ring.codes)} for ring in answer.rings
        ],
        "unconfirmed": [_hex(edge) for edge in answer.unconfirmed],
        "offers": _hex(answer.offers),
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


class _Ring(msgspec.Struct, forbid_unknown_fields=True):
    scheme: str
    path: list[str]
    codes: list[str]


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    """An answer as JSON. Read by its types, so that nothing in it is deeper than they are."""

    format: str
    round: str
    to: str
    rings: list[_Ring]
    unconfirmed: list[list[str]]
    offers: list[str]


def read_answer(path: Path) -> Answer:
    """Raises Malformed."""
    try:
        if path.stat().st_size > MAX_ANSWER_BYTES:
            raise _no_answer("a file too large")
        return _answer(msgspec.json.decode(path.read_bytes(), type=_Document))
    except OSError as error:
        raise _no_answer(why_unreadable(error, path)) from None
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise _no_answer(f"{type(error).__name__} {error}"[:80]) from None


def _answer(document: _Document) -> Answer:
    if document.format != _ANSWER or not _is_name(document.round):
        raise ValueError("other parameters")
    rings = tuple(MaskedRing(Scheme(each.scheme), _unhex(each.path), _unhex(each.codes)) for each in document.rings)
    if any(len(ring.path) < 3 or ring.scheme == Scheme.TROMBONE for ring in rings):
        raise ValueError("a ring of fewer than three")
    unconfirmed = tuple(Edge(*_unhex(each)) for each in document.unconfirmed)
    return Answer(document.round, bytes.fromhex(document.to), rings, unconfirmed, _unhex(document.offers))


def _hex(parts: tuple[bytes, ...]) -> list[str]:
    return [part.hex() for part in parts]


def _unhex(parts: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(part) for part in parts)


def _bytes(text: str, size: int) -> bytes | None:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    return raw if len(raw) == size else None


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 80 and text.isascii() and text.isprintable()


def _no_offer(got: str) -> Malformed:
    return Malformed("not an offer", expected="a file made by `gsc rings offer`", got=got)


def _no_answer(got: str) -> Malformed:
    return Malformed("not an answer", expected="a file made by `gsc rings find`", got=got)
