"""How is usage brought in bulk? Begin, append where it stopped, stage, sign, commit.

Resuming follows the IETF's draft on resumable uploads: Upload-Offset says where the bytes belong, Upload-Complete
whether they are the last.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.answers import as_json
from gateway.api.bulk.jobs import JobShape, job_shape, jobs_of
from gateway.api.describing import answered
from gateway.api.guard import require_desk
from gateway.api.models import CarrierText
from gateway.api.once import OnceRoute, Turns
from gateway.api.problems import UnsupportedForm
from gateway.api.resources.kind import KNOWN, Asked, Kind, add_list, answer_one, fields_of
from gateway.api.resources.shapes import CarrierWord, Hex32Text, Moment, MoneyShape, PeriodWord, Resource, money
from gateway.api.times import utc_of_ms
from gateway.api.typed import typed_data
from gateway.api.verbs.parts import DryRun, Key, TheGateway
from gateway.bulk.bodies import Form, Packing
from gateway.bulk.receiving import Begun, begin, check_repeat, discard, find, receive, receive_first
from gateway.bulk.staging import StagedIntake, ToSign, commit, complete_one, stage, staged, try_out
from gateway.composition import Gateway
from gateway.formats.trunks import Direction
from gateway.staging.work import Told
from ledger.identity import Root, carrier_code
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.intakes import Intake, list_intakes

router = APIRouter(prefix="/v1", tags=["usage in bulk"], dependencies=[Depends(require_desk)])
steps = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["usage in bulk"], dependencies=[Depends(require_desk)])
"""What is done with an intake, once under a key; its bytes have rules of their own."""
IntakeId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["0" * 32])]
Complete = Annotated[
    Literal["?0", "?1"], Header(alias="Upload-Complete", description="?1 with the last bytes (RFC 8941)")
]
DirectionWord = Literal["in", "out"]
ServiceName = Literal["voice", "sms", "data", "ipl"]
StateWord = Literal["receiving", "received", "read"]
_BODIES = {"content": {form.value: {"schema": {"type": "string", "format": "binary"}} for form in Form}}


class IntakeShape(Resource):
    """One body of usage records on its way in."""

    type: Literal["usageIntake"] = Field(default="usageIntake", serialization_alias="@type")
    partner: CarrierWord
    direction: DirectionWord
    service: ServiceName
    contentType: str  # noqa: N815
    contentEncoding: str  # noqa: N815
    name: str
    received: int
    """Bytes that are on disk."""
    state: StateWord
    usageImport: str | None  # noqa: N815
    begunAt: Moment  # noqa: N815


class AskedIntake(Asked):
    """Filters of intakes."""

    partner: CarrierText | None = None
    direction: DirectionWord | None = None
    service: ServiceName | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    state: StateWord | None = None


class SigningShape(BaseModel):
    """A sealed batch, and what its carrier signs to declare it."""

    model_config = ConfigDict(extra="forbid")

    root: Hex32Text
    period: PeriodWord
    count: int
    quantity: str
    amount: MoneyShape
    digest: Hex32Text
    typedData: dict[str, object] | None  # noqa: N815
    """For eth_signTypedData_v4; null once it was declared."""


class StagedShape(BaseModel):
    """What an intake became."""

    model_config = ConfigDict(extra="forbid")

    usageImport: str  # noqa: N815
    accepted: int
    quarantined: int
    unpriced: int
    batches: list[SigningShape]


SignatureText = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]


class CommitBody(BaseModel):
    """Signatures by root; without them the gateway's own key signs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    signatures: dict[Hex32Text, SignatureText] | None = Field(default=None, max_length=1_000)


@router.post(
    "/usageIntake",
    status_code=201,
    operation_id="begin_intake",
    response_model=IntakeShape,
    openapi_extra={"requestBody": _BODIES},
)
async def post_intake(
    request: Request,
    gateway: TheGateway,
    partner: Annotated[CarrierText, Query(description="With whom the traffic was")],
    direction: Annotated[Direction, Query(description="in: they owe us; out: we owe them")],
    service: Annotated[ServiceName, Query()] = "voice",
    name: Annotated[str, Query(max_length=200, examples=["october.ndjson"])] = "intake",
    complete: Complete = "?0",
    key: Key = None,
) -> Response:
    """Begin an intake; a body is its first bytes, all of them with Upload-Complete: ?1.

    NDJSON, CSV, an Arrow stream or Parquet with the columns a_party, b_party, start or start_ms, quantity and route;
    gzip or zstd as Content-Encoding.
    """
    form, packing = _form_of(request)
    carrier, kind = carrier_code(partner), Service[service.upper()]

    def begun() -> Begun:
        now_ms: int = request.app.state.clock.now_ms()
        return begin(gateway, carrier, direction, kind, form, packing, name=name, key=key, now_ms=now_ms)

    turns: Turns = request.app.state.turns
    async with turns.of(f"intake key {key}" if key else f"intake {id(request)}"):
        intake, before = await run_in_threadpool(begun)
        if not before:
            intake = await receive_first(gateway, intake, request.stream(), complete=complete == "?1")
        elif intake.complete:
            await check_repeat(gateway, intake, request.stream())
    return _answer(intake, 201)


@router.get("/usageIntake/{id}", operation_id="get_intake", response_model=IntakeShape, responses=KNOWN)
@router.head("/usageIntake/{id}", include_in_schema=False, response_model=None)
def get_intake(
    request: Request,
    gateway: TheGateway,
    id: IntakeId,
    fields: fields_of(IntakeShape) = None,  # type: ignore[valid-type]
) -> Response:
    """How much of an intake is here: Upload-Offset says where to go on. With its ETag."""
    intake = find(gateway, id)
    answer = answer_one(request, _shape(intake), fields)
    answer.headers.update(_place(intake))
    return answer


@router.patch(
    "/usageIntake/{id}",
    operation_id="append_intake",
    response_model=IntakeShape,
    openapi_extra={
        "requestBody": {"content": {"application/partial-upload": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def patch_intake(
    request: Request,
    gateway: TheGateway,
    id: IntakeId,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, lt=2**53)],
    complete: Complete = "?0",
) -> Response:
    """Append the next bytes; 409 says where they would begin."""
    turns: Turns = request.app.state.turns
    async with turns.of(f"intake {id}"):
        intake = await run_in_threadpool(find, gateway, id)
        return _answer(await receive(gateway, intake, offset, request.stream(), complete=complete == "?1"))


@steps.delete("/usageIntake/{id}", status_code=204, operation_id="delete_intake")
def delete_intake(gateway: TheGateway, id: IntakeId, key: Key = None, dry_run: DryRun = False) -> Response:
    """Put an intake away; what was imported of it stays."""
    intake = find(gateway, id)
    if not dry_run:
        discard(gateway, intake)
    return Response(status_code=204)


@router.post("/usageIntake/{id}/stage", status_code=202, operation_id="stage_intake", response_model=JobShape)
def post_stage(request: Request, gateway: TheGateway, id: IntakeId, dry_run: DryRun = False) -> JSONResponse:
    """Read, rate and seal it: a job, whose answer has the batches with root and totals. A repeat is the same job.

    A dry run's job reads it and keeps nothing; its answer is that of POST /v1/usageImport.
    """
    intake = complete_one(gateway, id)
    job_id = f"{'try' if dry_run else 'stage'}-{intake.id}"

    def work(told: Told) -> object:
        if dry_run:
            return try_out(gateway, intake.id, told)
        return _staged_shape(gateway, stage(gateway, intake.id, told)).model_dump(mode="json")

    jobs = jobs_of(request)
    jobs.begin(job_id, 0, work)
    found = jobs.find(job_id)
    assert found is not None
    shape = job_shape(job_id, found).model_dump(mode="json", by_alias=True)
    return JSONResponse(shape, 202, {"Location": f"/v1/job/{job_id}"})


@router.get("/usageIntake/{id}/declaration", operation_id="get_intake_declaration", response_model=StagedShape)
def get_declaration(gateway: TheGateway, id: IntakeId) -> JSONResponse:
    """What a staged intake became, with each batch's declaration as typed data to sign: their numbers are the next."""
    return JSONResponse(_staged_shape(gateway, staged(gateway, find(gateway, id))).model_dump(mode="json"))


@steps.post("/usageIntake/{id}/commit", operation_id="commit_intake", responses=answered(commit))
def post_commit(
    gateway: TheGateway, id: IntakeId, body: CommitBody, key: Key = None, dry_run: DryRun = False
) -> JSONResponse:
    """Submit the declarations of a staged intake, signed by the carrier's own key elsewhere, or by the gateway's."""
    signatures = None
    if body.signatures is not None:
        signatures = {Root(_raw(root)): _raw(signature) for root, signature in body.signatures.items()}
    return JSONResponse(as_json(commit(gateway, find(gateway, id), signatures, dry_run=dry_run)))


def _form_of(request: Request) -> tuple[Form, Packing]:
    kind = request.headers.get("content-type", Form.NDJSON.value).partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", Packing.NONE.value).strip().lower()
    try:
        return Form(kind), Packing(coding)
    except ValueError:
        raise UnsupportedForm(
            "usage does not come in this form",
            expected=f"{', '.join(Form)}; Content-Encoding {', '.join(Packing)}",
            got=f"{kind[:60]}; {coding[:20]}",
        ) from None


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _intakes(gateway: Gateway, asked: Asked) -> list[IntakeShape]:
    """Every intake that was not put away."""
    with reading(gateway.engine) as connection:
        return [_shape(each) for each in list_intakes(connection)]


def _place(intake: Intake) -> dict[str, str]:
    """Where its next bytes belong, and whether there are any."""
    return {"Upload-Offset": str(intake.received), "Upload-Complete": "?1" if intake.complete else "?0"}


def _answer(intake: Intake, status: int = 200) -> JSONResponse:
    headers = _place(intake)
    if status == 201:
        headers["Location"] = f"/v1/usageIntake/{intake.id}"
    return JSONResponse(_shape(intake).model_dump(mode="json", by_alias=True), status, headers)


def _shape(intake: Intake) -> IntakeShape:
    return IntakeShape(
        id=intake.id,
        href=f"/v1/usageIntake/{intake.id}",
        partner=intake.partner,
        direction="in" if intake.direction == Direction.IN else "out",
        service=intake.service.word,  # type: ignore[arg-type]
        contentType=intake.form,
        contentEncoding=intake.packing,
        name=intake.name,
        received=intake.received,
        state="read" if intake.import_id is not None else "received" if intake.complete else "receiving",
        usageImport=None if intake.import_id is None else str(intake.import_id),
        begunAt=utc_of_ms(intake.begun_at_ms),
    )


def _staged_shape(gateway: Gateway, found: StagedIntake) -> StagedShape:
    return StagedShape(
        usageImport=str(found.import_id),
        accepted=found.accepted,
        quarantined=found.quarantined,
        unpriced=found.unpriced,
        batches=[_signing_shape(gateway, each) for each in found.batches],
    )


def _signing_shape(gateway: Gateway, each: ToSign) -> SigningShape:
    domain = gateway.network.domain("UsageLedger")
    return SigningShape(
        root=f"0x{each.root.hex()}",
        period=str(each.period),
        count=each.count,
        quantity=str(each.quantity),
        amount=money(each.amount.unit, each.amount.micros),
        digest=f"0x{each.digest.hex()}",
        typedData=None if each.declaration is None else typed_data(each.declaration, domain),
    )


USAGE_INTAKE = Kind("usageIntake", IntakeShape, AskedIntake, _intakes, "0" * 32)
add_list(router, USAGE_INTAKE, require_desk)
