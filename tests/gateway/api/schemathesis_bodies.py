"""Which bodies does schemathesis send where the schema says only that they are bytes? Ours, whole and cut short."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import schemathesis
from hypothesis import strategies as st

from gateway.bulk.bodies import Form
from tests.gateway.documents.bank.files import Told, bank_file, entry

ROW = {
    "a_party": "442079460123",
    "b_party": "8613912345678",
    "start": "2026-10-03T08:00:00Z",
    "quantity": 61_000,
    "route": "gbb-in",
}
TABLE = pa.Table.from_pylist([ROW])


def _arrow() -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


NDJSON = f"{json.dumps(ROW)}\n".encode()
CSV = f"{','.join(ROW)}\n{','.join(map(str, ROW.values()))}\n".encode()
USAGE = {Form.NDJSON: NDJSON, Form.CSV: CSV, Form.ARROW: _arrow(), Form.PARQUET: _parquet()}
"""One call in every form that bulk usage comes in."""

for form, body in USAGE.items():
    schemathesis.openapi.media_type(form.value, st.sampled_from([body, body[:7], b""]))
schemathesis.openapi.media_type("application/partial-upload", st.sampled_from([NDJSON, b""]))
schemathesis.openapi.media_type(
    "application/xml", st.just(bank_file(entry(Told("4.43", text="no payable of ours", reference="B-1"))))
)
