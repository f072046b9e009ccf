"""Which pages has the desk? One router of all, each page a module of gateway.desk.pages."""

from fastapi import APIRouter, Depends

from gateway.api.guard import require_reader
from gateway.desk import assets
from gateway.desk.pages import (
    arbitrage,
    chain,
    disputes,
    going,
    imports,
    money,
    overview,
    papers,
    progress,
    records,
    risk,
    signing,
    statement,
    terms,
    webhooks,
)

router = APIRouter(include_in_schema=False)
router.include_router(assets.router)
PAGES = (
    overview,
    going,
    statement,
    signing,
    records,
    imports,
    chain,
    disputes,
    money,
    risk,
    terms,
    papers,
    arbitrage,
    progress,
    webhooks,
)
for page in PAGES:
    router.include_router(page.router, prefix="/desk", dependencies=[Depends(require_reader)])
