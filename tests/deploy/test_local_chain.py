"""Does a local chain start, keep time, keep its state when killed, and end with whoever started it?"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy import node as node_module
from deploy.engines import ANVIL_STATE, Engine, funded_keys
from deploy.local_chain import LocalChain
from deploy.node import ROOT
from ledger.errors import Malformed, NodeRefused, Unavailable

pytestmark = pytest.mark.chain
SEPTEMBER = 1_788_220_800  # 2026-09-01
NOVEMBER = 1_793_491_200  # 2026-11-01
READ_TIME = "0x4260005260206000f3"  # creation code that returns TIMESTAMP


@pytest.fixture(params=list(Engine), scope="module")
def chain(request: pytest.FixtureRequest) -> Iterator[LocalChain]:
    with LocalChain(request.param, start_at=SEPTEMBER) as started:
        yield started


def test_time_does_not_go_back(chain: LocalChain) -> None:
    with pytest.raises(Malformed, match="forward only"):
        chain.advance_to(chain.now() - 1)


def test_a_snapshot_that_was_never_made_is_refused(chain: LocalChain) -> None:
    with pytest.raises((Malformed, NodeRefused)):
        chain.revert("0x7fff")


def test_the_first_block_is_of_the_time_it_was_told() -> None:
    for engine in Engine:
        with LocalChain(engine, start_at=SEPTEMBER) as chain:
            assert chain.rpc.call("eth_getBlockByNumber", "0x0", False)["timestamp"] == hex(SEPTEMBER)
            assert int(chain.rpc.call("eth_chainId"), 16) == chain.chain_id


def test_calls_and_later_blocks_see_the_time_it_was_advanced_to(chain: LocalChain) -> None:
    target = chain.now() + 30 * 86_400
    chain.advance_to(target)
    assert chain.now() == target
    assert _time_seen_by_a_call(chain) == target
    chain.mine()
    assert target <= chain.now() < target + 60


def test_advancing_to_the_present_changes_nothing(chain: LocalChain) -> None:
    height = chain.height()
    chain.advance_to(chain.now())
    assert chain.height() == height


def test_mining_three_blocks_makes_three(chain: LocalChain) -> None:
    height = chain.height()
    chain.mine(3)
    assert chain.height() == height + 3


def test_reverting_to_a_snapshot_takes_back_blocks_and_time(chain: LocalChain) -> None:
    chain.mine()
    height, now, remembered = chain.height(), chain.now(), chain.snapshot()
    chain.advance_to(now + 86_400)
    chain.mine(2)
    chain.revert(remembered)
    assert (chain.height(), chain.now()) == (height, now)
    chain.mine()
    assert now <= chain.now() < now + 60


def test_every_funded_key_can_pay_for_gas(chain: LocalChain) -> None:
    from eth_account import Account

    addresses = [Account.from_key(key).address.lower() for key in chain.funded_keys]
    assert len(set(addresses)) >= 12
    assert addresses == [address.lower() for address in chain.rpc.call("eth_accounts")]
    assert all(int(chain.rpc.call("eth_getBalance", address, "latest"), 16) > 10**20 for address in addresses)


def test_the_funded_keys_are_the_well_known_ones() -> None:
    assert funded_keys()[0].hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def test_a_block_takes_as_much_gas_as_it_was_told(chain: LocalChain) -> None:
    assert int(chain.rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"], 16) == 500_000_000


@pytest.mark.parametrize("engine", list(Engine))
def test_a_chain_killed_with_9_goes_on_from_its_last_block(engine: Engine, tmp_path: Path) -> None:
    with LocalChain(engine, state_dir=tmp_path, start_at=SEPTEMBER) as chain:
        chain.advance_to(NOVEMBER)
        receipt = _pay_one_wei(chain)
        _wait(lambda: _is_on_disk(engine, tmp_path, chain.height()))
        os.kill(chain.engine_pid, signal.SIGKILL)
    with LocalChain(engine, state_dir=tmp_path, start_at=SEPTEMBER) as again:
        kept = again.rpc.call("eth_getTransactionReceipt", receipt["transactionHash"])
        assert kept is not None
        assert kept["blockHash"] == receipt["blockHash"]
        assert NOVEMBER <= again.now() < NOVEMBER + 120
        assert int(_pay_one_wei(again)["blockNumber"], 16) > int(receipt["blockNumber"], 16)
        assert NOVEMBER <= again.now() < NOVEMBER + 120


def test_a_state_file_that_a_kill_left_half_written_is_mended_from_the_kept_one(tmp_path: Path) -> None:
    state = tmp_path / ANVIL_STATE
    with LocalChain(Engine.ANVIL, state_dir=tmp_path, start_at=SEPTEMBER) as chain:
        chain.mine(5)
        _wait(lambda: _height_in(tmp_path / f"{ANVIL_STATE}.kept") == chain.height())
    state.write_text(state.read_text()[:-100])
    with LocalChain(Engine.ANVIL, state_dir=tmp_path) as again:
        assert again.height() >= 5


def test_a_half_written_state_file_with_none_kept_is_an_error_not_an_empty_chain(tmp_path: Path) -> None:
    (tmp_path / ANVIL_STATE).write_text('{"block": ')
    with pytest.raises(Unavailable, match="half written"):
        LocalChain(Engine.ANVIL, state_dir=tmp_path).start()


@pytest.mark.parametrize("engine", list(Engine))
def test_a_parent_killed_with_9_leaves_no_orphan_and_its_state_can_be_used_at_once(
    engine: Engine, tmp_path: Path
) -> None:
    parent = _parent(engine, tmp_path)
    engine_pid, port = map(int, _line(parent).split())
    assert _is_alive(engine_pid)
    parent.kill()
    parent.communicate()
    with LocalChain(engine, state_dir=tmp_path) as again:  # waits for the lock of the one that is ending
        assert not _is_alive(engine_pid)
        assert again.height() >= 3
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_an_engine_ends_even_when_its_watchdog_is_killed_with_9() -> None:
    with LocalChain(Engine.ANVIL) as chain:
        assert chain._guard is not None
        chain._guard.kill()
        _wait(lambda: not _is_alive(chain.engine_pid))


def test_stopping_ends_the_engine_and_starting_again_works() -> None:
    chain = LocalChain(Engine.ANVIL)
    for _ in range(2):
        chain.start()
        first = chain.engine_pid
        assert chain.start() is chain  # a second start changes nothing
        assert chain.engine_pid == first
        chain.stop()
        assert not _is_alive(first)
    chain.stop()
    with pytest.raises(Unavailable, match="not running"):
        chain.height()


def test_two_chains_run_side_by_side_on_ports_of_their_own() -> None:
    with LocalChain(Engine.ANVIL) as one, LocalChain(Engine.ANVIL) as other:
        one.mine()
        assert one.url != other.url
        assert (one.height(), other.height()) == (1, 0)


@pytest.mark.parametrize("engine", list(Engine))
def test_a_port_in_use_is_named(engine: Engine) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is in use"):
            LocalChain(engine, port=port).start()


def test_two_chains_over_one_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local_chain.LOCK_SECONDS", 0.2)
    with LocalChain(Engine.ANVIL, state_dir=tmp_path), pytest.raises(Unavailable, match="another chain runs"):
        LocalChain(Engine.ANVIL, state_dir=tmp_path).start()


def test_an_engine_that_ends_at_once_says_why(tmp_path: Path) -> None:
    (tmp_path / "ganache").write_text("a file where the engine wants a folder")
    with pytest.raises(Unavailable, match="ganache ended at once"):
        LocalChain(Engine.GANACHE, state_dir=tmp_path).start()


def test_a_machine_without_node_hears_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node_module, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"Node is not installed.*make install"):
        LocalChain(Engine.GANACHE).start()


def test_a_machine_without_anvil_hears_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node_module, "PACKAGES", tmp_path)
    with pytest.raises(Unavailable, match=r"anvil is not installed.*ganache"):
        LocalChain(Engine.ANVIL).start()


def _time_seen_by_a_call(chain: LocalChain) -> int:
    return int(chain.rpc.call("eth_call", {"data": READ_TIME, "gas": "0x100000"}, "latest"), 16)


def _pay_one_wei(chain: LocalChain) -> dict[str, str]:
    payer, payee, *_ = chain.rpc.call("eth_accounts")
    sent = chain.rpc.call("eth_sendTransaction", {"from": payer, "to": payee, "value": "0x1", "gas": "0x5208"})
    _wait(lambda: chain.rpc.call("eth_getTransactionReceipt", sent) is not None)
    receipt: dict[str, str] = chain.rpc.call("eth_getTransactionReceipt", sent)
    return receipt


def _is_on_disk(engine: Engine, folder: Path, height: int) -> bool:
    return engine is Engine.GANACHE or _height_in(folder / ANVIL_STATE) == height


def _height_in(state: Path) -> int:
    try:
        return int(str(json.loads(state.read_text())["best_block_number"]), 0)
    except (FileNotFoundError, ValueError):
        return -1


def _parent(engine: Engine, folder: Path) -> "subprocess.Popen[str]":
    program = (
        "import sys; from pathlib import Path; from deploy.local_chain import *\n"
        "chain = LocalChain(Engine(sys.argv[1]), state_dir=Path(sys.argv[2])).start(); chain.mine(3)\n"
        "print(chain.engine_pid, chain.url.rpartition(':')[2], flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, engine.value, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _line(parent: "subprocess.Popen[str]") -> str:
    assert parent.stdout is not None
    return parent.stdout.readline()


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _wait(done: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
