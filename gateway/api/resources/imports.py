"""Which files were read, what was left out of them and why, and what is on its way to the chain?"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gateway.api.resources.kind import Asked, Kind
from gateway.api.resources.shapes import Hex32Text, Moment, Resource, hexed, maybe_hex, moment_ms
from gateway.composition import Gateway
from ledger.store.engine import reading
from ledger.store.imports import list_imports, list_quarantined
from ledger.store.outbox import list_submissions

State = Literal["built", "signed", "queued", "sent", "mined", "final", "held", "reverted", "orphaned", "needs_operator"]


class ImportShape(Resource):
    """A usage file that was read."""

    type: Literal["usageImport"] = Field(default="usageImport", serialization_alias="@type")
    fileName: str  # noqa: N815
    fileHash: Hex32Text  # noqa: N815
    preset: str
    accepted: int
    quarantined: int
    notBillable: int  # noqa: N815
    duplicates: int
    importedAt: Moment | None  # noqa: N815


class QuarantineShape(Resource):
    """A row that was left out of an import, with its line and reason."""

    type: Literal["quarantinedRow"] = Field(default="quarantinedRow", serialization_alias="@type")
    usageImport: str  # noqa: N815
    line: int
    reason: str
    raw: str


class SubmissionShape(Resource):
    """A call on its way to the chain."""

    type: Literal["submission"] = Field(default="submission", serialization_alias="@type")
    kind: str
    subject: Hex32Text
    state: State
    reason: str | None
    transactionHash: Hex32Text | None  # noqa: N815
    blockNumber: int | None  # noqa: N815
    createdAt: Moment | None  # noqa: N815
    updatedAt: Moment | None  # noqa: N815


class AskedImport(Asked):
    """Filters of imports."""

    fileName: str | None = Field(default=None, max_length=200)  # noqa: N815
    preset: str | None = Field(default=None, max_length=60)


class AskedQuarantine(Asked):
    """Of which import."""

    usageImport: str | None = Field(default=None, max_length=20, pattern=r"^\d+$")  # noqa: N815
    reason: str | None = Field(default=None, max_length=200)


class AskedSubmission(Asked):
    """Filters of the outbox."""

    kind: str | None = Field(default=None, max_length=40)
    state: State | None = None


def _imports(gateway: Gateway, asked: Asked) -> Sequence[ImportShape]:
    with reading(gateway.engine) as connection:
        rows = list_imports(connection)[::-1]
    return [
        ImportShape(
            id=str(row.id),
            href=f"/v1/usageImport/{row.id}",
            fileName=row.file_name,
            fileHash=hexed(row.file_hash),
            preset=row.preset,
            accepted=row.accepted,
            quarantined=row.quarantined,
            notBillable=row.not_billable,
            duplicates=row.duplicates,
            importedAt=moment_ms(row.imported_at_ms),
        )
        for row in rows
    ]


def _quarantined(gateway: Gateway, asked: AskedQuarantine) -> Sequence[QuarantineShape]:
    wanted = asked.usageImport
    with reading(gateway.engine) as connection:
        return [
            QuarantineShape(
                id=f"{each.id}.{at}",
                href=f"/v1/quarantinedRow/{each.id}.{at}",
                usageImport=str(each.id),
                line=row.line,
                reason=row.reason,
                raw=row.raw,
            )
            for each in list_imports(connection)[::-1]
            if wanted in (None, str(each.id)) and each.quarantined
            for at, row in enumerate(list_quarantined(connection, each.id), 1)
        ]


def _submissions(gateway: Gateway, asked: AskedSubmission) -> Sequence[SubmissionShape]:
    with reading(gateway.engine) as connection:
        return [
            SubmissionShape(
                id=str(row.id),
                href=f"/v1/submission/{row.id}",
                kind=row.kind,
                subject=hexed(row.subject),
                state=row.state.value,
                reason=row.reason or row.error,
                transactionHash=maybe_hex(row.tx_hash),
                blockNumber=row.block_number,
                createdAt=moment_ms(row.created_at_ms),
                updatedAt=moment_ms(row.updated_at_ms),
            )
            for row in list_submissions(connection, kind=asked.kind)
        ]


USAGE_IMPORT = Kind("usageImport", ImportShape, AskedImport, _imports, "1")
QUARANTINED_ROW = Kind("quarantinedRow", QuarantineShape, AskedQuarantine, _quarantined, "1.1")
SUBMISSION = Kind("submission", SubmissionShape, AskedSubmission, _submissions, "1")
