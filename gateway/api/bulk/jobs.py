"""How far is work that takes longer than a request, and how did it end? Asked for, or told as it goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.answers import as_json
from gateway.api.guard import require_reader
from gateway.api.problems import problem_of
from gateway.staging.work import Bench, Work
from ledger.errors import NotFound

POLL_SECONDS = 0.2
MOST_SECONDS = 3_600
"""A listener is let go then, and may ask again."""
router = APIRouter(prefix="/v1", tags=["jobs"], dependencies=[Depends(require_reader)])
JobId = Annotated[str, Path(pattern=r"^[a-z]+-[0-9a-f]{32}$", examples=["stage-" + "0" * 32])]


EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["progress", "done", "failed"]},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The job"},
    },
    "required": ["event", "data"],
}
"""What stands in an event stream, event for event."""


class JobShape(BaseModel):
    """Some work, and its answer or its problem once it is over."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    id: str
    href: str
    type: Literal["job"] = Field(default="job", serialization_alias="@type")
    state: Literal["running", "done", "failed"]
    done: int
    """Rows so far."""
    answer: Any = None
    problem: dict[str, Any] | None = None


def jobs_of(request: Request) -> Bench[Any]:
    """Where the app's work is."""
    found: Bench[Any] = request.app.state.jobs
    return found


def job_shape(job_id: str, work: Work[Any]) -> JobShape:
    """Work as JSON has it."""
    state: Literal["running", "done", "failed"] = "running"
    if work.over:
        state = "failed" if work.refusal else "done"
    return JobShape(
        id=job_id,
        href=f"/v1/job/{job_id}",
        state=state,
        done=work.done,
        answer=None if work.answer is None else as_json(work.answer),
        problem=None if work.refusal is None else dict(problem_of(work.refusal)),
    )


@router.get("/job/{id}", operation_id="get_job", response_model=JobShape)
def get_job(request: Request, id: JobId) -> JSONResponse:
    """How a job stands. One that ended long ago, or before the gateway was started, is forgotten: do its step again."""
    return JSONResponse(job_shape(id, _found(request, id)).model_dump(mode="json", by_alias=True))


@router.get(
    "/job/{id}/events",
    operation_id="follow_job",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `progress` while it runs, then `done` or `failed`",
            "content": {"text/event-stream": {"schema": EVENT}},
        }
    },
)
def get_events(request: Request, id: JobId) -> StreamingResponse:
    """How a job goes on, as server-sent events; each event's data is the job."""
    _found(request, id)
    return StreamingResponse(_events(request, id), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, job_id: str) -> AsyncIterator[str]:
    before = None
    for _ in range(int(MOST_SECONDS / POLL_SECONDS)):
        work = jobs_of(request).find(job_id)
        if work is None:
            return
        shape = job_shape(job_id, work)
        if shape != before:
            name = "progress" if shape.state == "running" else shape.state
            yield f"event: {name}\ndata: {shape.model_dump_json(by_alias=True)}\n\n"
            before = shape
        if work.over:
            return
        await asyncio.sleep(POLL_SECONDS)


def _found(request: Request, job_id: str) -> Work[Any]:
    work = jobs_of(request).find(job_id)
    if work is None:
        raise NotFound("no such job", got=job_id, todo="Ask for its step again: a repeat finds what was done.")
    return work
