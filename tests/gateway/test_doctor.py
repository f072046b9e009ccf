"""Does the doctor find what is wrong with a home, and nothing where all is well?"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.composition import Gateway, open_gateway, partnership_with
from gateway.doctor import Checked, examine
from gateway.keystore import PASSWORD_VARIABLE
from gateway.settings import load_settings
from ledger.chain.bindings import ExposureChanged
from ledger.chain.network import dump_network, load_network
from ledger.errors import ChainMismatch, Unavailable
from ledger.identity import ascii32
from ledger.store.chain_log import checkpoint
from ledger.store.engine import reading, writing
from ledger.store.event_tables import EVENT_TABLES, event_values
from ledger.store.tables import alarms, chain_logs
from tests.gateway.homes import NOBODY
from tests.gateway.pair import Pair, pair_on_chain
from tests.scenarios.gateways import CN_T, GB_B, PASSWORD

pytestmark = pytest.mark.chain
EVERY_CHECK = ["chain", "contracts", "signing key", "alarms", "outbox", "agreement with GB-B", "exposure", "replay"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair_on_chain(tmp_path_factory.mktemp("pair")) as pair:
        pair[CN_T].engine.dispose()
        yield pair


@pytest.fixture
def home(pair: Pair, tmp_path: Path) -> Path:
    """A copy of CN-T's home: agreement, deck and credit line are on chain."""
    return Path(shutil.copytree(pair[CN_T].settings.home, tmp_path / "cn-t"))


def test_a_home_in_order_passes_every_check_and_its_replay_equals_its_store(home: Path) -> None:
    with_home = doctor(home)

    assert with_home.returncode == 0, with_home.stdout
    lines = with_home.stdout.splitlines()
    assert [line.split(":")[0].removeprefix("ok").strip() for line in lines[:-1]] == EVERY_CHECK
    assert "replay: equal to the live store" in lines[-2]


def test_a_row_that_the_chain_does_not_say_is_found_by_the_replay(home: Path) -> None:
    """The planted fault that shows the replay bites."""
    gateway = open_gateway(load_settings(home), PASSWORD)
    with writing(gateway.engine) as connection:
        connection.execute(chain_logs.update().values(data=b"changed"))

    broken = broken_of(examine(gateway))
    gateway.close()

    assert list(broken) == ["replay"]
    assert "chain_logs" in broken["replay"]


def test_an_exposure_that_no_declaration_explains_is_told(home: Path) -> None:
    """The planted fault that shows the engine's own count bites."""
    gateway = open_gateway(load_settings(home), PASSWORD)
    held = partnership_with(gateway.settings, GB_B)
    with writing(gateway.engine) as connection:
        at = connection.execute(select(chain_logs.c.block_number, chain_logs.c.log_index)).first()
        assert at is not None
        event = ExposureChanged(held.id, ascii32(CN_T), 7, 7, 1_000_000_000)
        raised = event_values(event) | dict(at._mapping)
        connection.execute(EVENT_TABLES[ExposureChanged].insert().values(raised))

    broken = broken_of(examine(gateway, replay=False))
    gateway.close()

    assert list(broken) == ["exposure"]
    assert "is 7 micros on the chain, 0 by the engine" in broken["exposure"]


def test_a_stopped_chain_is_found_and_the_store_is_examined_all_the_same(home: Path) -> None:
    settings = home / "gsc.toml"
    settings.write_text(settings.read_text().replace(load_settings(home).chain_url, NOBODY))

    done = doctor(home)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = {line.split(":")[0]: line for line in done.stdout.splitlines()}
    assert "BROKEN  chain" in said
    assert "BROKEN  contracts" in said
    assert "ok      agreement with GB-B" in said
    with pytest.raises(Unavailable):
        open_gateway(load_settings(home), PASSWORD)


def test_another_chain_than_the_pinned_one_is_found_and_nothing_of_it_is_read(home: Path, pair: Pair) -> None:
    pinned = load_network(home / "network.toml")
    dump_network(replace(pinned, genesis_hash=bytes(32)), home / "network.toml")
    pair.chain.mine()

    gateway = open_gateway(load_settings(home), PASSWORD, pinned=False)
    before = followed(gateway)
    broken = broken_of(examine(gateway))
    after = followed(gateway)
    gateway.close()

    assert list(broken) == ["contracts"]
    assert "another genesis block than the network file pins" in broken["contracts"]
    assert before == after
    with pytest.raises(ChainMismatch):
        open_gateway(load_settings(home), PASSWORD)


def test_an_alarm_is_told_with_its_rule(home: Path) -> None:
    gateway = open_gateway(load_settings(home), PASSWORD)
    with writing(gateway.engine) as connection:
        at = connection.execute(select(chain_logs.c.block_number, chain_logs.c.log_index)).first()
        assert at is not None
        raised = {"rule": "sequence numbers have no gap", "agreement_id": bytes(32), "detail": "3 follows 1"}
        connection.execute(alarms.insert().values(**raised, **at._mapping))

    broken = broken_of(examine(gateway, replay=False))
    gateway.close()

    assert broken == {"alarms": "sequence numbers have no gap: 3 follows 1"}


def doctor(home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", "doctor", "--home", str(home)]
    environment = {**os.environ, PASSWORD_VARIABLE: PASSWORD}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def broken_of(checks: list[Checked]) -> dict[str, str]:
    return {check.what: check.detail for check in checks if not check.holds}


def followed(gateway: Gateway) -> object:
    with reading(gateway.engine) as connection:
        return checkpoint(connection)
