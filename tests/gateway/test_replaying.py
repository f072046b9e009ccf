"""Do quarantined rows come in once the trunk or mapping says more, once, each with its own line?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway.composition import Gateway
from gateway.formats.reading import raw_line
from gateway.month.importing import import_usage
from gateway.month.replaying import replay
from gateway.settings import Switch, TrunkDirection, TrunkSetting
from ledger.errors import Conflict, NotFound
from ledger.identity import CarrierCode
from ledger.store.engine import reading
from ledger.store.imports import list_imports, replay_of, usage_of_import
from tests.gateway.homes import lonely_gateway
from tests.gateway.test_importing import AGREEMENT

ROWS = """a_number,b_number,start,duration_ms,trunk
+8613900000001,+447700900001,2026-10-01T08:00:00Z,60000,known
+8613900000002,+447700900002,2026-10-01T09:00:00Z,61000,new
+8613900000003,not a number,2026-10-01T10:00:00Z,62000,known
+8613900000004,+447700900004,2026-10-01T11:00:00Z,63000,new
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Gateway]:
    """GB-B's, which knows one trunk."""
    gateway = lonely_gateway(tmp_path / "gb-b", "GB-B")
    (gateway.settings.agreements_path / "cn-t.toml").write_text(AGREEMENT)
    yield with_trunks(gateway, "known")
    gateway.close()


def with_trunks(gateway: Gateway, *names: str) -> Gateway:
    trunks = {name: TrunkSetting(CarrierCode("CN-T"), TrunkDirection.IN) for name in names}
    return replace(
        gateway,
        settings=replace(gateway.settings, trunks=MappingProxyType(trunks), switch=Switch(country="GB")),
    )


def imported(gateway: Gateway, folder: Path) -> int:
    path = folder / "calls.csv"
    path.write_text(ROWS)
    answer = import_usage(gateway, path, "csv")
    assert (answer.accepted, answer.quarantined) == (1, 3)
    assert answer.import_id is not None
    return answer.import_id


def test_rows_that_still_cannot_be_read_change_nothing(home: Gateway, tmp_path: Path) -> None:
    number = imported(home, tmp_path)

    with pytest.raises(Conflict, match="none of the 3 rows") as refused:
        replay(home, number, "csv")

    assert "trunk" in str(refused.value.todo)
    with reading(home.engine) as connection:
        assert len(list_imports(connection)) == 1


def test_a_new_trunk_brings_its_rows_in_with_their_lines_and_leaves_the_rest(home: Gateway, tmp_path: Path) -> None:
    number = imported(home, tmp_path)
    wiser = with_trunks(home, "known", "new")

    tried = replay(wiser, number, "csv", dry_run=True)
    answer = replay(wiser, number, "csv")
    again = replay(wiser, number, "csv")

    assert (tried.import_id, tried.accepted, tried.quarantined) == (None, 2, 1)
    assert (answer.accepted, answer.quarantined, [row.line for row in answer.quarantine]) == (2, 1, [4])
    assert [each.line for each in answer.first] == [3, 5]
    assert (again.import_id, again.repeated) == (answer.import_id, True)
    with reading(home.engine) as connection:
        done = replay_of(connection, number)
        assert done is not None
        (usage,) = usage_of_import(connection, done.id)
    assert (done.id, usage.count) == (answer.import_id, 2)
    assert raw_line(home.settings.inbox_path / f"{done.file_hash.hex()}.cdr", 5) == ROWS.splitlines()[4]


def test_what_a_replay_left_out_can_be_replayed_in_its_turn(home: Gateway, tmp_path: Path) -> None:
    number = imported(home, tmp_path)
    answer = replay(with_trunks(home, "known", "new"), number, "csv")

    with pytest.raises(Conflict, match="none of the 1 rows"):
        replay(home, answer.import_id or 0, "csv")


def test_an_import_there_is_none_of_or_without_quarantine_is_refused(home: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "good.csv"
    path.write_text("\n".join(ROWS.splitlines()[:2]) + "\n")
    answer = import_usage(home, path, "csv")

    with pytest.raises(NotFound):
        replay(home, 99, "csv")
    with pytest.raises(Conflict, match="left no row out"):
        replay(home, answer.import_id or 0, "csv")
