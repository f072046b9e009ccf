"""What does the page of a dispute show? Amount, reason and clock, what both have said, and what may be done now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.composition import Gateway, Partnership, partnership_of_id, partnerships
from gateway.desk.shapes import hexed
from gateway.desk.views.disputes import OPEN_DISPUTES, DisputeRow, dispute_row, dispute_state
from gateway.desk.views.progress import ProgressView, on_its_way
from gateway.month.parts import DAY_SECONDS, YEAR_SECONDS
from gateway.month.resolving import investigation_of, withdrawal_of
from gateway.thread.entries import Attachment, Equivocation, equivocations, in_order, load_attachments
from gateway.thread.writing import next_place
from ledger.chain.bindings import DisputeOpened, DisputeState
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.store.dispute_entries import EntryRow, list_entries
from ledger.store.documents import Document, document
from ledger.store.engine import reading
from ledger.store.latest import rows_of, table_of
from ledger.store.proposals import list_proposals
from ledger.store.settlement import DisputeRow as StoredDispute
from ledger.store.settlement import dispute_of, list_disputes
from ledger.store.states import EntryAct
from ledger.store.tables import chain_logs


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A dispute in the list of all."""

    row: DisputeRow
    partner: str
    period: str
    service: str
    currency: str
    days: int
    """Since it was opened."""
    entries: int
    waits_for: str
    """Who has to say something: ours, theirs, or nobody."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the thread."""

    digest: str
    author: str
    ours: bool
    number: int
    act: str
    credited_micros: int
    due_micros: int
    text: str
    files: Sequence[Attachment]
    written_at: int
    signature: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """The last offer of one side that still stands: what it credits."""

    author: str
    credited_micros: int
    due_micros: int


@dataclass(frozen=True, slots=True)
class ThreadView:
    """The page of one dispute."""

    row: DisputeRow
    partner: str
    period: str
    service: str
    currency: str
    debtor: str
    reason_on_chain: str
    evidence_hash: str
    transaction: str
    block: int
    days: int
    until: int
    """Seconds: until then both may sign how it ends."""
    steps: Sequence[tuple[str, str]]
    entries: Sequence[EntryView]
    equivocations: Sequence[Equivocation]
    ours: Offer | None
    theirs: Offer | None
    half_micros: int
    is_open: bool
    may_withdraw: bool
    may_take_up: bool
    place: tuple[int, str]
    """Of our next entry: its number and what it follows."""
    undelivered: int
    progress: ProgressView


@dataclass(frozen=True, slots=True)
class ThreadsView:
    """Every dispute we have a side in, the open ones first."""

    rows: Sequence[ThreadRow]


def threads_view(gateway: Gateway) -> ThreadsView:
    """The list of disputes."""
    now_s = gateway.now_s
    with reading(gateway.engine) as connection:
        rows = [
            _thread_row(connection, gateway, held, row, now_s)
            for held in partnerships(gateway.settings).values()
            for row in list_disputes(connection, held.id)
        ]
    return ThreadsView(sorted(rows, key=lambda each: (each.row.state.word not in _OPEN_WORDS, -each.row.opened_at)))


def thread_view(gateway: Gateway, dispute_id: bytes) -> ThreadView:
    """The page of a dispute. Raises NotFound, also for a dispute of others."""
    with reading(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
        held = partnership_of_id(gateway.settings, row.agreement_id)
        entries = in_order(list_entries(connection, dispute_id))
        number, previous = next_place(connection, gateway, dispute_id)
        digests = [each.digest for each in list_proposals(connection, "resolution", held.id, row.period)]
        progress = on_its_way(connection, held.id, [row.dispute_id, *_subjects(gateway, row), *digests])
        transaction = _transaction(connection, dispute_id)
    is_open = row.state in OPEN_DISPUTES
    return ThreadView(
        row=dispute_row(row, gateway.carrier),
        partner=held.partner,
        period=str(row.period),
        service=row.service.word,
        currency=held.currency,
        debtor=held.agreement.counterparty(row.creditor),
        reason_on_chain=row.reason,
        evidence_hash=hexed(row.evidence_hash),
        transaction=transaction,
        block=row.block_number,
        days=(gateway.now_s - row.opened_at) // DAY_SECONDS,
        until=row.opened_at + YEAR_SECONDS,
        steps=_steps(row),
        entries=[_entry_view(each, row, gateway.carrier) for each in entries],
        equivocations=equivocations(entries),
        ours=_offer(entries, gateway.carrier, row) if is_open else None,
        theirs=_offer(entries, held.partner, row) if is_open else None,
        half_micros=row.amount_micros // 2,
        is_open=is_open,
        may_withdraw=is_open and row.creditor != gateway.carrier,
        may_take_up=row.state is DisputeState.GENERATED and row.creditor == gateway.carrier,
        place=(number, hexed(previous)),
        undelivered=sum(each.delivered_at_ms is None for each in entries),
        progress=progress,
    )


def file_of_thread(gateway: Gateway, dispute_id: bytes, hash_: bytes) -> tuple[str, Document]:
    """A file that an entry of the dispute carries: its name there and its content. Raises NotFound."""
    with reading(gateway.engine) as connection:
        partnership_of_id(gateway.settings, dispute_of(connection, dispute_id).agreement_id)
        for row in list_entries(connection, dispute_id):
            for each in load_attachments(row.attachments):
                if each.hash == hash_:
                    return each.name, document(connection, hash_)
    raise NotFound("no entry of this dispute has such a file", got=hexed(hash_))


_OPEN_WORDS = {dispute_state(state).word for state in OPEN_DISPUTES}


def _thread_row(
    connection: Connection, gateway: Gateway, held: Partnership, row: StoredDispute, now_s: int
) -> ThreadRow:
    entries = in_order(list_entries(connection, row.dispute_id))
    return ThreadRow(
        row=dispute_row(row, gateway.carrier),
        partner=held.partner,
        period=str(row.period),
        service=row.service.word,
        currency=held.currency,
        days=(now_s - row.opened_at) // DAY_SECONDS,
        entries=len(entries),
        waits_for=_waits_for(row, entries, gateway.carrier),
    )


def _waits_for(row: StoredDispute, entries: Sequence[EntryRow], carrier: CarrierCode) -> str:
    """Whose turn it is: the creditor's first, then of whoever did not speak last."""
    if row.state not in OPEN_DISPUTES:
        return ""
    if entries:
        return "theirs" if entries[-1].author == carrier else "ours"
    return "ours" if row.creditor == carrier else "theirs"


def _entry_view(entry: EntryRow, dispute: StoredDispute, carrier: CarrierCode) -> EntryView:
    return EntryView(
        digest=hexed(entry.digest),
        author=entry.author,
        ours=entry.author == carrier,
        number=entry.number,
        act=entry.act.value,
        credited_micros=entry.credited_micros,
        due_micros=dispute.amount_micros - entry.credited_micros,
        text=entry.text,
        files=load_attachments(entry.attachments),
        written_at=entry.written_at,
        signature=hexed(entry.signature),
        delivered=entry.delivered_at_ms is not None,
    )


def _offer(entries: Sequence[EntryRow], author: CarrierCode, row: StoredDispute) -> Offer | None:
    """A side's last word, if it was an offer."""
    said = [each for each in entries if each.author == author and each.act is not EntryAct.NOTE]
    if not said or said[-1].act is not EntryAct.OFFER:
        return None
    credited = said[-1].credited_micros
    return Offer(author, credited, row.amount_micros - credited)


def _steps(row: StoredDispute) -> list[tuple[str, str]]:
    """The state's words on the way, and which is done, now or still to come."""
    decided = row.state if row.state in _DECIDED else DisputeState.CREDITED
    way = [DisputeState.GENERATED, DisputeState.UNDER_INVESTIGATION, decided, DisputeState.SETTLED]
    if row.state in (DisputeState.WITHDRAWN, DisputeState.CREDITED):
        way = way[:-1]
    at = way.index(row.state)
    words = ["decided" if state is decided and row.state not in _DECIDED else state.name.lower() for state in way]
    over = at == len(way) - 1
    return [
        (word, "done" if place < at or over else "now" if place == at else "todo") for place, word in enumerate(words)
    ]


_DECIDED = (DisputeState.WITHDRAWN, DisputeState.CREDITED, DisputeState.PAYMENT_DUE)


def _subjects(gateway: Gateway, row: StoredDispute) -> list[bytes]:
    return [gateway.signer.digest(investigation_of(row)), gateway.signer.digest(withdrawal_of(row))]


def _transaction(connection: Connection, dispute_id: bytes) -> str:
    """The transaction that opened it."""
    (opened,) = rows_of(connection, DisputeOpened, table_of(DisputeOpened).dispute_id == dispute_id)
    at = (chain_logs.c.block_number == opened.block_number) & (chain_logs.c.log_index == opened.log_index)
    return hexed(connection.execute(select(chain_logs.c.tx_hash).where(at)).scalar_one())
