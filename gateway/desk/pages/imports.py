"""What answers under /desk/imports? Files that were brought, tried, mapped, imported, and what was left out of them."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import Response

from gateway import month
from gateway.api.guard import Desk
from gateway.composition import Gateway
from gateway.desk.acting import act
from gateway.desk.answering import answer, file_of, gateway_of, problem_of
from gateway.desk.views.imports.files import import_view, imports_view
from gateway.desk.views.imports.waiting import mapping_view, staged_view
from gateway.desk.wording import Words
from gateway.health import health_of
from gateway.month.importing import ImportAnswer
from gateway.staging.returning import form_of, returned
from gateway.staging.staged import (
    Choice,
    Staged,
    choose,
    preset_of,
    put_away,
    save_mapping,
    stage,
    staged_file,
)
from gateway.staging.work import Bench
from ledger.errors import Conflict, GscError
from ledger.store.engine import reading
from ledger.store.imports import import_of, list_quarantined

router = APIRouter(prefix="/imports", include_in_schema=False)
CHUNK_BYTES = 1 << 20
Word = Annotated[str, Form(max_length=60)]


@router.get("")
def get_imports(request: Request) -> Response:
    """All files, and where to drop another one."""
    return answer(request, "imports.html", lambda gateway, _: imports_view(gateway))


@router.post("")
def post_file(request: Request, _: Desk, file: Annotated[UploadFile, File()]) -> Response:
    """Bring a file: it waits, and is tried."""

    def do(gateway: Gateway, words: Words) -> str:
        staged = stage(gateway.settings, file.filename or "file", _chunks(file))
        _try(request, gateway, staged)
        return f"/desk/imports/staged/{staged.id}"

    return act(request, do)


@router.get("/staged/{staged_id}")
def get_staged(request: Request, staged_id: str) -> Response:
    """What a file would become; while it is being read, how far that is."""
    return answer(
        request,
        "staged.html",
        lambda gateway, _: staged_view(gateway, staged_id, _trials(request).find(staged_id)),
    )


@router.post("/staged/{staged_id}/try")
def post_trial(
    request: Request,
    _: Desk,
    staged_id: str,
    preset: Word = "auto",
    zone: Word = "",
    partner: Word = "",
    direction: Word = "",
    period: Word = "",
) -> Response:
    """Try it again, read another way."""

    def do(gateway: Gateway, words: Words) -> str:
        choice = Choice(preset, zone.strip(), partner, direction, period.strip())
        staged = choose(gateway.settings, staged_file(gateway.settings, staged_id), choice)
        _try(request, gateway, staged)
        return f"/desk/imports/staged/{staged_id}"

    return act(request, do)


@router.post("/staged/{staged_id}/import")
def post_import(request: Request, _: Desk, staged_id: str) -> Response:
    """Import it, as it was tried."""

    def do(gateway: Gateway, words: Words) -> str:
        staged = staged_file(gateway.settings, staged_id)
        tried = _trials(request).find(staged_id)
        if tried is None or not tried.over or tried.answer is None:
            raise Conflict("the file was not tried this way yet", expected="a dry run that went well", got=staged.name)
        _read(request, gateway, staged, dry_run=False)
        return f"/desk/imports/staged/{staged_id}"

    return act(request, do)


@router.post("/staged/{staged_id}/away")
def post_away(request: Request, _: Desk, staged_id: str) -> Response:
    """It is not wanted, or came in: it waits no longer."""

    def do(gateway: Gateway, words: Words) -> str:
        put_away(gateway.settings, staged_file(gateway.settings, staged_id))
        _trials(request).forget(staged_id)
        return "/desk/imports"

    return act(request, do)


@router.get("/staged/{staged_id}/mapping")
def get_mapping(request: Request, staged_id: str) -> Response:
    """The columns of a file, and what each is taken for."""
    return answer(
        request, "mapping.html", lambda gateway, _: mapping_view(gateway, staged_id, dict(request.query_params))
    )


@router.post("/staged/{staged_id}/mapping")
def post_mapping(
    request: Request, _: Desk, staged_id: str, name: Word, toml: Annotated[str, Form(max_length=20_000)]
) -> Response:
    """Save the mapping that the page shows, and try the file with it."""

    def do(gateway: Gateway, words: Words) -> str:
        staged = staged_file(gateway.settings, staged_id)
        save_mapping(gateway.settings, name.strip(), toml.replace("\r\n", "\n"))
        chosen = choose(gateway.settings, staged, Choice(f"mapping:{name.strip()}", staged.choice.zone))
        _try(request, gateway, chosen)
        return f"/desk/imports/staged/{staged_id}"

    return act(request, do)


@router.get("/{import_id}")
def get_import(request: Request, import_id: int, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """One file: what it brought, and a page of its quarantine."""
    return answer(
        request,
        "import.html",
        lambda gateway, _: import_view(gateway, import_id, after, _replays(request).find(str(import_id))),
    )


@router.get("/{import_id}/quarantine")
def get_quarantine(request: Request, import_id: int) -> Response:
    """The rows that were left out, as they came, each with its line and reason."""
    gateway = gateway_of(request)
    try:
        with reading(gateway.engine) as connection:
            each, rows = import_of(connection, import_id), list_quarantined(connection, import_id)
        path = gateway.settings.inbox_path / f"{each.file_hash.hex()}.cdr"
        form = form_of(path)
    except GscError as error:
        return problem_of(request, health_of(gateway), error)
    stem = each.file_name.rpartition(".")[0] or each.file_name
    return file_of(returned(path, rows), f"{stem}-quarantine.{form.suffix}", "text/plain; charset=utf-8")


@router.post("/{import_id}/replay")
def post_replay(
    request: Request,
    _: Desk,
    import_id: int,
    preset: Word = "auto",
    zone: Word = "",
    partner: Word = "",
    direction: Word = "",
    what: Word = "try",
) -> Response:
    """Read the quarantined rows again: try it, or do it."""

    def do(gateway: Gateway, words: Words) -> str:
        said = Choice(preset, zone.strip(), partner, direction).said()
        chosen = preset_of(gateway.settings, preset)
        with reading(gateway.engine) as connection:
            size = import_of(connection, import_id).quarantined
        _replays(request).begin(
            str(import_id),
            max(size, 1),
            lambda _: month.replay(gateway, import_id, chosen, dry_run=what == "try", said=said),
        )
        return f"/desk/imports/{import_id}#replay"

    return act(request, do)


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while chunk := file.file.read(CHUNK_BYTES):
        yield chunk


def _try(request: Request, gateway: Gateway, staged: Staged) -> None:
    _read(request, gateway, staged, dry_run=True)


def _read(request: Request, gateway: Gateway, staged: Staged, *, dry_run: bool) -> None:
    preset, said = preset_of(gateway.settings, staged.choice.preset), staged.choice.said()
    _trials(request).begin(
        staged.id,
        staged.size,
        lambda told: month.import_usage(
            gateway, staged.path, preset, name=staged.name, dry_run=dry_run, said=said, told=told
        ),
    )


def _trials(request: Request) -> Bench[ImportAnswer]:
    return _bench(request, "trials")


def _replays(request: Request) -> Bench[ImportAnswer]:
    return _bench(request, "replays")


def _bench(request: Request, name: str) -> Bench[ImportAnswer]:
    """One for each app; it goes when the app does."""
    if not hasattr(request.app.state, name):
        setattr(request.app.state, name, Bench())
    bench: Bench[ImportAnswer] = getattr(request.app.state, name)
    return bench
