"""Which periods take no declaration of ours any more, and which is the next that does?"""

from sqlalchemy import Connection

from gateway.composition import Gateway
from ledger.identity import AgreementId
from ledger.period import Period, period_of_key
from ledger.store.declarations import list_closes
from ledger.store.outbox import list_submissions
from ledger.store.states import SubmissionState


def closed_through(gateway: Gateway, connection: Connection, agreement_id: AgreementId) -> Period | None:
    """The latest period that we have closed, on chain or on its way there; it and all before it take nothing more."""
    closed = [row.period.key for row in list_closes(connection, agreement_id) if row.declarer == gateway.carrier]
    sent = list_submissions(connection, agreement_id=agreement_id, kind="close")
    closing = [row.position for row in sent if row.state is not SubmissionState.REVERTED]
    latest = max([*closed, *closing], default=None)
    return None if latest is None else period_of_key(latest)


def is_closed(gateway: Gateway, connection: Connection, agreement_id: AgreementId, period: Period) -> bool:
    """Whether nothing more can be declared for the period."""
    latest = closed_through(gateway, connection, agreement_id)
    return latest is not None and period <= latest
