"""Does one bad file of a partner keep its good ones from us?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.composition import Gateway, partnership_with
from gateway.month import revealing
from gateway.peers import TooMuch
from gateway.requests import RevealRequest
from ledger import archive
from ledger.agreement_file import dump_agreement
from ledger.errors import RootMismatch
from ledger.identity import BatchId, CarrierCode
from ledger.sealing import UsageBatch, seal
from ledger.store.declarations import DeclarationRow
from tests.gateway.homes import lonely_gateway
from tests.gateway.test_hostile_callers import AGREEMENT, CN, GB, OCTOBER
from tests.ledger.records import SCOPE, SECRET, rated


class Partner:
    """GB-B's gateway: gives the file it is told to give for each root."""

    def __init__(self, files: dict[bytes, bytes | TooMuch]) -> None:
        self.files = files

    def reveal(self, request: RevealRequest, signature: bytes, most_bytes: int) -> bytes:
        found = self.files[request.root]
        if isinstance(found, TooMuch):
            raise found
        assert len(found) <= most_bytes
        return found


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path / "home")
    (made.settings.agreements_path / "cn-t_gb-b.toml").write_text(dump_agreement(AGREEMENT))
    yield made
    made.close()


def declared(batch: UsageBatch, seq: int) -> DeclarationRow:
    totals = archive.totals_of(batch)
    return DeclarationRow(
        batch_id=BatchId(bytes([seq]) * 32),
        scope=batch.scope,
        seq=seq,
        root=batch.root,
        count=batch.count,
        from_ms=totals.from_ms,
        to_ms=totals.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw="",
        deadline=1,
        declared_at=1,
        block_number=seq,
        log_index=0,
    )


def test_a_root_copied_from_us_and_a_file_without_end_refuse_themselves_and_no_other(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has our revealed file knows its secret, and can declare the very same root as its own."""
    theirs = SCOPE._replace(agreement_id=partnership_with(gateway.settings, GB).id, declarer=GB)
    ours = seal(rated(5), theirs._replace(declarer=CN), SECRET)
    archive.write(ours, gateway.settings.archive_path)
    copied, endless, good = (seal(rated(count), theirs, SECRET) for count in (5, 6, 7))
    assert copied.root == ours.root
    rows = [declared(batch, seq) for seq, batch in enumerate((copied, endless, good), start=1)]
    partner = Partner(
        {
            copied.root: archive.write(copied, tmp_path / "copied").read_bytes(),
            endless.root: TooMuch("GB-B's gateway answers with more than there is"),
            good.root: archive.write(good, tmp_path / "good").read_bytes(),
        }
    )
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(revealing, "closed_by", lambda *_: frozenset({CN, GB}))
    monkeypatch.setattr(revealing, "list_declarations", lambda *_: rows)
    monkeypatch.setattr(revealing, "peer_of", lambda *_: partner)

    with pytest.raises(RootMismatch, match="2 of GB-B's 3 files are not what was declared") as caught:
        revealing.reveal(gateway, CarrierCode("GB-B"), OCTOBER)

    assert caught.value.members == {
        "refused": [row.batch_id for row in rows[:2]],
        "accepted": [rows[2].batch_id],
    }
    assert archive.read_by_root(gateway.settings.archive_path, good.root).scope == theirs
    assert archive.read_by_root(gateway.settings.archive_path, ours.root).scope == ours.scope


def test_the_next_reveal_asks_again_for_what_was_refused(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = SCOPE._replace(agreement_id=partnership_with(gateway.settings, GB).id, declarer=GB)
    batch = seal(rated(3), scope, SECRET)
    true = archive.write(batch, tmp_path / "true").read_bytes()
    other = archive.write(replace(seal(rated(4), scope, SECRET), root=batch.root), tmp_path / "other").read_bytes()
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(revealing, "closed_by", lambda *_: frozenset({CN, GB}))
    monkeypatch.setattr(revealing, "list_declarations", lambda *_: [declared(batch, 1)])
    partner = Partner({batch.root: other})
    monkeypatch.setattr(revealing, "peer_of", lambda *_: partner)

    with pytest.raises(RootMismatch, match="1 of GB-B's 1 files"):
        revealing.reveal(gateway, GB, OCTOBER)
    partner.files[batch.root] = true

    assert [each.refusal for each in revealing.reveal(gateway, GB, OCTOBER).batches] == [None]
