"""Was this request answered before? A repeat gets the same answer; the same key with other content is refused."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from ledger.errors import NotFound, RequestConflict
from ledger.store.engine import lock
from ledger.store.rows import one_of
from ledger.store.tables import answers


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was told."""

    status: int
    content_type: str
    body: bytes


def ask(connection: Connection, caller: str, key: str, request_hash: bytes, asked_at_ms: int) -> Answer | None:
    """The answer this caller's key was given, None for a request not answered yet.

    Work that is done in another transaction than `answer` must find itself when it is asked for again.
    Raises RequestConflict if the key stands for another request.
    """
    lock(connection, f"answer {caller} {key}")
    found = connection.execute(select(answers).where(_named(caller, key))).one_or_none()
    if found is None:
        values = {"caller": caller, "key": key, "request_hash": request_hash, "asked_at_ms": asked_at_ms}
        connection.execute(insert(answers).values(values))
        return None
    if found.request_hash != request_hash:
        raise RequestConflict(
            "this idempotency key was used for another request",
            expected=f"the request with hash {found.request_hash.hex()}",
            got=f"one with hash {request_hash.hex()}",
            todo="Send a new key with a new request.",
        )
    return None if found.status is None else one_of(Answer, found)


def answer(connection: Connection, caller: str, key: str, given: Answer) -> None:
    """Remember the answer to an asked request. Raises NotFound if it was never asked."""
    values = {"status": given.status, "content_type": given.content_type, "body": given.body}
    if connection.execute(update(answers).where(_named(caller, key)).values(values)).rowcount != 1:
        raise NotFound("no such request", got=key)


def forget_answers(connection: Connection, asked_before_ms: int) -> int:
    """Drop what was asked before a time; how many."""
    return connection.execute(delete(answers).where(answers.c.asked_at_ms < asked_before_ms)).rowcount


def _named(caller: str, key: str) -> ColumnElement[bool]:
    return (answers.c.caller == caller) & (answers.c.key == key)
