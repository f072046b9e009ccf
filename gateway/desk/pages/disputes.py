"""What answers under /desk/disputes? The list, one dispute's thread, and every act about it."""

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import Response

from gateway.api.guard import Desk
from gateway.composition import Gateway, partnership_with
from gateway.desk.acting import act
from gateway.desk.answering import answer, file_of, gateway_of, problem_of
from gateway.desk.views.deciding import decide, decide_view, let_go, within_view
from gateway.desk.views.thread import file_of_thread, thread_view, threads_view
from gateway.desk.wording import Words
from gateway.health import health_of
from gateway.thread.entries import MAX_FILES, MAX_FILES_BYTES
from gateway.thread.writing import deliver_entries
from ledger.errors import GscError, Malformed, NotFound, Unavailable
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/disputes", include_in_schema=False)


@router.get("")
def get_disputes(request: Request) -> Response:
    """Every dispute, the open ones first."""
    return answer(request, "disputes.html", lambda gateway, _: threads_view(gateway))


@router.get("/within/{partner}/{period}")
def get_within(request: Request, partner: str, period: str) -> Response:
    """What letting all small disputes of a month go would sign."""
    return answer(
        request, "within.html", lambda gateway, _: within_view(gateway, carrier_code(partner), parse_period(period))
    )


@router.post("/within/{partner}/{period}")
def post_within(
    request: Request,
    _: Desk,
    partner: str,
    period: str,
    seen: Annotated[list[str] | None, Form(max_length=200)] = None,
) -> Response:
    """Let them go, if they are what was shown."""

    def do(gateway: Gateway, words: Words) -> str:
        let_go(gateway, carrier_code(partner), parse_period(period), seen or [], words)
        return f"/desk/statements/{partner}/{period}#disputes"

    return act(request, do)


@router.post("/deliver/{partner}")
def post_deliver(request: Request, _: Desk, partner: str) -> Response:
    """Bring entries again that the partner's gateway has not taken."""

    def do(gateway: Gateway, words: Words) -> str:
        why = deliver_entries(gateway, partnership_with(gateway.settings, carrier_code(partner)))
        if why:
            raise Unavailable("the entries still wait", got=why, todo="Try again later; nothing is lost.")
        return "/desk/disputes"

    return act(request, do)


@router.get("/{dispute_id}")
def get_thread(request: Request, dispute_id: str) -> Response:
    """One dispute: what both have said, and what may be done."""
    return answer(request, "thread.html", lambda gateway, _: thread_view(gateway, _id(dispute_id)))


@router.get("/{dispute_id}/sign")
def get_sign(
    request: Request,
    dispute_id: str,
    act: Annotated[str, Query(max_length=20)] = "",
    credited: Annotated[str, Query(max_length=24)] = "",
) -> Response:
    """What an act about a dispute would sign; the thread, where none is named."""
    if not act:
        return get_thread(request, dispute_id)
    return answer(request, "decide.html", lambda gateway, _: decide_view(gateway, _id(dispute_id), act, credited))


@router.post("/{dispute_id}/sign")
def post_sign(
    request: Request,
    _: Desk,
    dispute_id: str,
    act_: Annotated[str, Form(alias="act", max_length=20)],
    place: Annotated[str, Form(max_length=100)],
    credited: Annotated[str, Form(max_length=24)] = "",
    text: Annotated[str, Form()] = "",
    files: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Sign and send it."""

    def do(gateway: Gateway, words: Words) -> str:
        decide(gateway, _id(dispute_id), act_, credited, text, _contents(files or []), place)
        return f"/desk/disputes/{dispute_id}#last"

    return act(request, do)


@router.get("/{dispute_id}/files/{hash_}")
def get_file(request: Request, dispute_id: str, hash_: str) -> Response:
    """A file that an entry carries, to be kept: a browser never shows it."""
    gateway = gateway_of(request)
    try:
        name, found = file_of_thread(gateway, _id(dispute_id), _id(hash_))
    except GscError as error:
        return problem_of(request, health_of(gateway), error)
    return file_of([found.content], name, "application/octet-stream")


def _id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise NotFound("no such dispute on the chain", expected="0x and 64 digits", got=repr(text[:80]))
    return found


def _contents(files: list[UploadFile]) -> list[tuple[str, bytes]]:
    """Names without their folders, and contents. A browser sends an empty part where no file was chosen."""
    if len(files) > MAX_FILES:
        raise Malformed("more files than one entry carries", expected=f"at most {MAX_FILES}", got=len(files))
    chosen = [each for each in files if each.filename]
    return [(PurePosixPath(str(each.filename)).name, each.file.read(MAX_FILES_BYTES + 1)) for each in chosen]
