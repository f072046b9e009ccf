"""What would end a dispute, or move it on, and what does the signature say? Seen before it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import month
from gateway.composition import Gateway, Partnership, partnership_of_id, partnership_with
from gateway.desk.shapes import hexed
from gateway.desk.views.disputes import DisputeRow, dispute_row, is_small
from gateway.desk.views.sentences import Said, of_entry, of_investigation, of_resolution, of_withdrawal
from gateway.desk.views.signing import Signable, stale
from gateway.month.resolving import investigation_of, resolution_of, withdrawal_of
from gateway.thread.entries import DisputeEntry
from gateway.thread.writing import Draft, check_act, next_place, write_entry
from ledger.chain.bound import Struct
from ledger.errors import Malformed
from ledger.identity import CarrierCode, ascii32
from ledger.money import Micros, parse_micros
from ledger.period import Period
from ledger.store.engine import reading
from ledger.store.settlement import DisputeRow as StoredDispute
from ledger.store.settlement import dispute_of, list_disputes
from ledger.store.states import EntryAct

ACTS = ("offer", "keep", "note", "withdraw", "take_up")
"""What a desk may do about a dispute: the first three are entries, the last two go straight to the chain."""


@dataclass(frozen=True, slots=True)
class DecideView:
    """One act about one dispute, ready to be signed."""

    row: DisputeRow
    partner: str
    currency: str
    act: str
    credited: str
    """As typed; empty unless it is an offer."""
    credited_micros: int
    """What an offer would credit of the amount; zero for other acts."""
    signables: Sequence[Signable]
    place: str
    """Of the entry: number and what it follows, as the form brings it back."""
    takes_text: bool


@dataclass(frozen=True, slots=True)
class WithinView:
    """Every open dispute of a month small enough to let go, and what letting go costs us."""

    partner: str
    period: str
    currency: str
    limit_micros: int
    rows: Sequence[DisputeRow]
    signables: Sequence[Signable]
    given_up_micros: int


def decide_view(gateway: Gateway, dispute_id: bytes, act: str, credited: str) -> DecideView:
    """What an act would sign. Raises NotFound, Malformed, Conflict for a dispute that is over."""
    if act not in ACTS:
        raise Malformed("no such act", expected=" or ".join(ACTS), got=act[:40])
    with reading(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
        place = next_place(connection, gateway, dispute_id)
    held = partnership_of_id(gateway.settings, row.agreement_id)
    draft = draft_of(act, credited)
    if draft is not None:
        check_act(row, draft)
    return DecideView(
        row=dispute_row(row, gateway.carrier),
        partner=held.partner,
        currency=held.currency,
        act=act,
        credited=credited,
        credited_micros=draft.credited_micros if draft else 0,
        signables=_signables(gateway, held, row, act, draft, place),
        place=f"{place[0]}:{hexed(place[1])}",
        takes_text=draft is not None,
    )


def decide(
    gateway: Gateway,
    dispute_id: bytes,
    act: str,
    credited: str,
    text: str,
    files: Sequence[tuple[str, bytes]],
    place: str,
) -> None:
    """Do what was shown. Raises Conflict if the thread has moved on, Malformed, Refused."""
    draft = draft_of(act, credited, text, files)
    if draft is not None:
        write_entry(gateway, dispute_id, draft, _place(place))
    elif act == "withdraw":
        month.withdraw(gateway, dispute_id)
    elif act == "take_up":
        month.take_up(gateway, dispute_id)
    else:
        raise Malformed("no such act", expected=" or ".join(ACTS), got=act[:40])


def draft_of(act: str, credited: str, text: str = "", files: Sequence[tuple[str, bytes]] = ()) -> Draft | None:
    """The entry an act writes, None if it goes straight to the chain. Raises Malformed for an amount that is none."""
    if act not in [each.value for each in EntryAct]:
        return None
    micros = parse_micros(credited.strip()) if act == EntryAct.OFFER else Micros(0)
    return Draft(EntryAct(act), text.replace("\r\n", "\n"), micros, tuple(files))


def within_view(gateway: Gateway, partner: CarrierCode, period: Period) -> WithinView:
    """Open disputes of a month that are small. Raises NotFound."""
    held = partnership_with(gateway.settings, partner)
    limit = held.agreement.tolerance.volume_micros
    with reading(gateway.engine) as connection:
        small = [row for row in list_disputes(connection, held.id, period) if is_small(row, limit)]
    return WithinView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        limit_micros=limit,
        rows=[dispute_row(row, gateway.carrier) for row in small],
        signables=[_letting_go(gateway, held, row) for row in small],
        given_up_micros=sum(row.amount_micros for row in small),
    )


def let_go(
    gateway: Gateway, partner: CarrierCode, period: Period, seen: Sequence[str], words: Callable[..., str]
) -> None:
    """Let every dispute go that was shown: against us it is credited in full, ours is taken back.

    Raises Stale if another one is within the tolerance now, or one that was shown is not any more.
    """
    view = within_view(gateway, partner, period)
    now = [each.seen for each in view.signables]
    if set(seen) - set(now):
        said = [sentence for each in view.signables for sentence in each.said[:1]]
        raise stale([Said("sign.within.was", {"count": len(seen)})], said, words)
    for row in view.rows:
        dispute_id = bytes.fromhex(row.id.removeprefix("0x"))
        if row.id not in {each.split(":")[0] for each in seen}:
            continue
        if row.creditor == gateway.carrier:
            month.resolve(gateway, dispute_id, Micros(row.amount_micros))
        else:
            month.withdraw(gateway, dispute_id)


def _letting_go(gateway: Gateway, held: Partnership, row: StoredDispute) -> Signable:
    if row.creditor == gateway.carrier:
        resolution = resolution_of(row, row.amount_micros)
        return _signable(gateway, resolution, of_resolution(held, row, resolution), _seen(row))
    withdrawal = withdrawal_of(row)
    return _signable(gateway, withdrawal, of_withdrawal(held, row, withdrawal), _seen(row))


def _seen(row: StoredDispute) -> str:
    return f"{hexed(row.dispute_id)}:{row.amount_micros}"


def _signables(
    gateway: Gateway,
    held: Partnership,
    row: StoredDispute,
    act: str,
    draft: Draft | None,
    place: tuple[int, bytes],
) -> list[Signable]:
    if act == "withdraw":
        withdrawal = withdrawal_of(row)
        return [_signable(gateway, withdrawal, of_withdrawal(held, row, withdrawal))]
    if act == "take_up":
        investigation = investigation_of(row)
        return [_signable(gateway, investigation, of_investigation(held, row, investigation))]
    assert draft is not None
    entry = DisputeEntry(
        dispute_id=row.dispute_id,
        author=ascii32(gateway.carrier),
        number=place[0],
        previous=place[1],
        act=ascii32(draft.act),
        credited_micros=draft.credited_micros,
        text_hash=bytes(32),
        attachments_hash=bytes(32),
        written_at=gateway.now_s,
    )
    found = [Signable("DisputeEntry", of_entry(held, row, entry, ()), "", "")]
    if draft.act is EntryAct.OFFER:
        resolution = resolution_of(row, draft.credited_micros)
        found.append(_signable(gateway, resolution, of_resolution(held, row, resolution)))
    return found


def _signable(gateway: Gateway, struct: Struct, said: Sequence[Said], seen: str = "") -> Signable:
    return Signable(type(struct).__name__, said, hexed(gateway.signer.digest(struct)), seen)


def _place(text: str) -> tuple[int, bytes]:
    number, _, previous = text.partition(":")
    if not number.isdecimal() or not number.isascii() or len(previous) != 66:
        raise Malformed("not a place in a thread", got=repr(text[:80]), todo="Load the page again.")
    try:
        return int(number), bytes.fromhex(previous.removeprefix("0x"))
    except ValueError:
        raise Malformed("not a place in a thread", got=repr(text[:80]), todo="Load the page again.") from None
