"""Does a webhook's place stand in the log as both databases order it, and go back with a reorganisation?"""

from sqlalchemy import Engine

from ledger.chain.bindings import CreditStopped
from ledger.identity import AgreementId, ascii32
from ledger.store.chain_log import roll_back
from ledger.store.engine import reading, writing
from ledger.store.webhooks import (
    Place,
    Webhook,
    add_webhook,
    due_webhooks,
    end_of_log,
    events_from,
    note_delivery,
    webhook_of,
)
from tests.gateway.chain_rows import said

HOOK = Webhook("a" * 16, "https://hook.example/", b"s" * 32, "", 0, 0, 0, None, 5, None, None, 0, None, None, 1)
OURS = AgreementId(b"a" * 32)


def test_events_follow_a_place_and_a_reorganisation_below_it_moves_it_back(engine: Engine) -> None:
    with writing(engine) as connection:
        add_webhook(connection, HOOK)
        said(connection, *(CreditStopped(OURS, ascii32("GB-B"), at) for at in range(4)))
        assert [each.place.block for each in events_from(connection, Place(2, 0), 2)] == [2, 3]
        assert [each.place.block for each in events_from(connection, Place(2, 1), 9)] == [3, 4]
        assert end_of_log(connection) == Place(5, 0)
        assert note_delivery(connection, HOOK, Place(4, 1), 7)
        assert not note_delivery(connection, HOOK, Place(4, 1), 7), "it stands elsewhere by now"
        roll_back(connection, 2)
    with reading(engine) as connection:
        found = webhook_of(connection, HOOK.id)
    assert (found.place, found.delivered, found.last_delivered_at_ms) == (Place(3, 0), 1, 7)


def test_a_webhook_is_due_when_its_time_has_come_and_not_when_it_is_disabled(engine: Engine) -> None:
    with writing(engine) as connection:
        add_webhook(connection, HOOK)
        assert due_webhooks(connection, 4) == []
        assert due_webhooks(connection, 5) == [HOOK]
