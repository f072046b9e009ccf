"""Which resources can be read? Every kind, each at two addresses."""

from typing import Any

from fastapi import APIRouter

from gateway.api.resources.agreements import AGREEMENT
from gateway.api.resources.batches import CDR_TRANSACTION, DECLARATION
from gateway.api.resources.bills import CUSTOMER_BILL
from gateway.api.resources.credit import CREDIT
from gateway.api.resources.disputes import DISPUTE
from gateway.api.resources.findings import ARBITRAGE_FINDING, FINDING, SUSPICION
from gateway.api.resources.imports import QUARANTINED_ROW, SUBMISSION, USAGE_IMPORT
from gateway.api.resources.kind import Kind, add_routes
from gateway.api.resources.payments import NETTING_CYCLE, PAYABLE, PAYMENT, SETTLEMENT_ITEM

router = APIRouter(prefix="/v1", tags=["resources"])
KINDS: tuple[Kind[Any], ...] = (
    AGREEMENT,
    CREDIT,
    CDR_TRANSACTION,
    DECLARATION,
    CUSTOMER_BILL,
    DISPUTE,
    SETTLEMENT_ITEM,
    NETTING_CYCLE,
    PAYABLE,
    PAYMENT,
    FINDING,
    ARBITRAGE_FINDING,
    SUSPICION,
    USAGE_IMPORT,
    QUARANTINED_ROW,
    SUBMISSION,
)
for kind in KINDS:
    add_routes(router, kind)
