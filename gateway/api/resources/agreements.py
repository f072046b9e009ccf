"""What did we agree with whom? As TM Forum's agreement."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gateway.api.resources.kind import Kind
from gateway.api.resources.months import AskedPartner, held_of
from gateway.api.resources.shapes import CarrierWord, Hex32Text, Moment, Resource, ServiceWord, hexed, moment_s
from gateway.composition import Gateway
from gateway.month.versions import versions_of
from ledger.store.agreements import list_agreements
from ledger.store.engine import reading


class AgreementShape(Resource):
    """An agreement with a partner: its file in our home folder, and whether the chain has it."""

    type: Literal["agreement"] = Field(default="agreement", serialization_alias="@type")
    id: Hex32Text
    partner: CarrierWord
    state: Literal["inProcess", "active"]
    currency: str
    services: list[ServiceWord]
    timeZone: str  # noqa: N815
    version: int
    validFrom: Moment | None  # noqa: N815
    documentHash: Hex32Text  # noqa: N815


class AskedAgreement(AskedPartner):
    """Filters of agreements."""

    state: Literal["inProcess", "active"] | None = None


def _rows(gateway: Gateway, asked: AskedAgreement) -> Sequence[AgreementShape]:
    found = []
    with reading(gateway.engine) as connection:
        on_chain = {row.agreement_id for row in list_agreements(connection, gateway.carrier)}
        for held in held_of(gateway, asked):
            last = versions_of(connection, held)[-1]
            found.append(
                AgreementShape(
                    id=hexed(held.id),
                    href=f"/v1/agreement/{hexed(held.id)}",
                    partner=held.partner,
                    state="active" if held.id in on_chain else "inProcess",
                    currency=held.currency,
                    services=sorted(each.word for each in held.agreement.services),
                    timeZone=held.zone.key,
                    version=last.number,
                    validFrom=moment_s(last.valid_from),
                    documentHash=hexed(last.document_hash),
                )
            )
    return found


AGREEMENT = Kind("agreement", AgreementShape, AskedAgreement, _rows, "0x" + "0" * 64, lambda row: row.partner)
