"""What answers where a page asks again? Where its submissions stand now."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.desk.answering import answer
from gateway.desk.views.progress import progress_view

router = APIRouter(prefix="/progress", include_in_schema=False)


@router.get("")
def get_progress(request: Request, of: Annotated[str, Query(max_length=400, pattern=r"^\d+(-\d+)*$")]) -> Response:
    """The fragment a page polls; once nothing moves any more, the page loads itself anew."""
    ids = [int(each) for each in of.split("-")]
    page = answer(request, "progress.html", lambda gateway, _: progress_view(gateway, ids))
    gateway = request.app.state.gateway
    if progress_view(gateway, ids).over:
        page.headers["HX-Refresh"] = "true"
    return page
