"""Which usage is being brought over HTTP, how much of it is here, and which import did it become?"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from ledger.errors import NotFound, RequestConflict
from ledger.identity import CarrierCode
from ledger.service import Service
from ledger.store.rows import all_of, one_of
from ledger.store.tables import intakes


@dataclass(frozen=True, slots=True)
class Intake:
    """One body of usage records on its way in."""

    id: str
    partner: CarrierCode
    direction: str
    """in or out, seen from us."""
    service: Service
    form: str
    """The media type of the body."""
    packing: str
    """Its content coding: identity, gzip or zstd."""
    name: str
    key: str | None
    """The caller's idempotency key."""
    received: int
    """Bytes that are on disk."""
    complete: bool
    """Whether more may come."""
    import_id: int | None
    begun_at_ms: int

    @property
    def asked(self) -> tuple[object, ...]:
        """What the caller said of it: a repeat says the same."""
        return self.partner, self.direction, self.service, self.form, self.packing, self.name


def begun_under_its_key(connection: Connection, intake: Intake) -> Intake | None:
    """The intake that was begun under this one's key. Raises RequestConflict if that was for other usage."""
    found = connection.execute(select(intakes).where(intakes.c.key == intake.key)).one_or_none()
    return None if found is None else _same(one_of(Intake, found), intake)


def add_intake(connection: Connection, intake: Intake) -> Intake:
    """Remember an intake. Raises RequestConflict if another one was begun under its key meanwhile."""
    if intake.key is not None and begun_under_its_key(connection, intake) is not None:
        raise RequestConflict("another intake was begun under this idempotency key meanwhile", todo="Ask again.")
    connection.execute(insert(intakes), {name: getattr(intake, name) for name in Intake.__dataclass_fields__})
    return intake


def find_intake(connection: Connection, intake_id: str) -> Intake | None:
    """The intake of an id, if there is one."""
    found = connection.execute(select(intakes).where(intakes.c.id == intake_id)).one_or_none()
    return None if found is None else one_of(Intake, found)


def intake_of(connection: Connection, intake_id: str) -> Intake:
    """The intake of an id. Raises NotFound."""
    found = find_intake(connection, intake_id)
    if found is None:
        raise NotFound("no such intake", got=intake_id[:64], todo="Begin one: POST /v1/usageIntake.")
    return found


def list_intakes(connection: Connection) -> list[Intake]:
    """Every intake, oldest first."""
    return all_of(Intake, connection.execute(select(intakes).order_by(intakes.c.begun_at_ms, intakes.c.id)))


def mark_received(connection: Connection, intake_id: str, received: int, *, complete: bool) -> None:
    """So much of it is on disk."""
    values = {"received": received, "complete": complete}
    connection.execute(update(intakes).where(intakes.c.id == intake_id).values(values))


def mark_read(connection: Connection, intake_id: str, import_id: int) -> None:
    """It became usage."""
    connection.execute(update(intakes).where(intakes.c.id == intake_id).values(import_id=import_id))


def remove_intake(connection: Connection, intake_id: str) -> None:
    """It is not wanted any more; what was imported of it stays."""
    connection.execute(delete(intakes).where(intakes.c.id == intake_id))


def _same(known: Intake, asked: Intake) -> Intake:
    if known.asked != asked.asked:
        raise RequestConflict(
            "this idempotency key was used for another intake",
            expected=str(known.asked),
            got=str(asked.asked),
            todo="Send a new key with a new intake.",
        )
    return known
